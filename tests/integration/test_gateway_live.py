"""Live events: they reach the open pages of their tenant, nobody else's, and end with the session."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from proto.events.v1 import events_pb2
from runtime.actor import Actor, ActorSigner
from runtime.bus import Bus, Message
from tests.support.eventually import eventually
from tests.support.people import Visitor, new_user, signed_in, tenant_id
from tests.support.stack import Stack


class Listener:
    """One open stream: what came over it so far, and whether it has ended."""

    def __init__(self, visitor: Visitor) -> None:
        place = urlsplit(visitor.url)
        self._line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        cookie = f"tongguan_session={visitor.http.cookies['tongguan_session']}"
        self._line.request("GET", f"{place.path}/events", headers={"Cookie": cookie})
        self._socket: socket.socket = self._line.sock
        self._answer = self._line.getresponse()
        self.status = self._answer.status
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.ended = threading.Event()
        self._connected = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.status != 200 or self._connected.wait(10)

    def _read(self) -> None:
        name = ""
        try:
            for raw in self._answer:
                line = raw.decode().rstrip("\n")
                if line == ": connected":
                    self._connected.set()
                elif line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line.removeprefix("data: "))))
        except (OSError, http.client.HTTPException, ValueError):
            pass  # cut by the server or by ourselves
        self.ended.set()

    def numbers(self) -> list[str]:
        return [
            item["number"]
            for name, data in self.events
            if name == "document.state"
            for item in data["changes"]
        ]

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.ended.wait(5)
        self._line.close()


@contextmanager
def listening(visitor: Visitor) -> Iterator[Listener]:
    listener = Listener(visitor)
    try:
        yield listener
    finally:
        listener.close()


class Teller:
    """Publishes as the order service's relay does."""

    def __init__(self, stack: Stack) -> None:
        environment = stack.environment("gateway.http")
        self._signer = ActorSigner(Path(environment["ACTOR_PRIVATE_KEY_FILE"]))
        self._bus = Bus(stack.servers()["bus_url"])
        self._stack = stack

    def tell(self, tenant: str, number: str, kind: str = "order", actor_tenant: str | None = None) -> None:
        identity = tenant_id(self._stack, tenant)
        actor = Actor(tenant_id(self._stack, actor_tenant or tenant), "", str(uuid.uuid4()), "x")
        changed = events_pb2.DocumentChanged(kind=kind)
        changed.changes.add(id=str(uuid.uuid4()), number=number, state="sent", version=2)
        headers = {
            "id": str(uuid.uuid4()),
            "tenant": identity,
            "actor": self._signer.token(actor),
            "type": "t",
        }
        key = f"document.changed.{kind}"
        self._bus.publish_many([Message(key, headers, changed.SerializeToString(), mandatory=False)])

    def garbage(self, tenant: str) -> None:
        headers = {"id": "x", "tenant": tenant_id(self._stack, tenant), "actor": "x", "type": "t"}
        self._bus.publish_many([Message("document.changed.order", headers, b"\xff\xff", mandatory=False)])

    def close(self) -> None:
        self._bus.close()


@pytest.fixture
def teller(stack: Stack) -> Iterator[Teller]:
    found = Teller(stack)
    yield found
    found.close()


def test_a_change_reaches_its_own_tenant_only(stack: Stack, teller: Teller) -> None:
    with (
        listening(signed_in(stack, "A", "declarant")) as ours,
        listening(signed_in(stack, "B", "declarant")) as theirs,
    ):
        teller.garbage("A")
        teller.tell("A", "forged", actor_tenant="B")
        teller.tell("A", "FOR-A")
        teller.tell("B", "FOR-B")
        eventually(lambda: "FOR-A" in ours.numbers(), "A hears of its document")
        eventually(lambda: "FOR-B" in theirs.numbers(), "B hears of its document")
        assert ours.numbers() == ["FOR-A"]
        assert theirs.numbers() == ["FOR-B"]


def test_a_real_save_and_declare_is_heard(stack: Stack) -> None:
    clerk = signed_in(stack, "A", "declarant")
    with listening(clerk) as page:
        saved = clerk.save_order()
        clerk.post("/documents/order/actions/declare", json={"ids": [saved["id"]]}).raise_for_status()

        def states() -> list[str]:
            return [
                item["state"]
                for name, data in page.events
                if name == "document.state"
                for item in data["changes"]
                if item["id"] == saved["id"]
            ]

        eventually(lambda: "sent" in states(), "the page hears that it was sent", timeout=30)
        assert states()[0] == "signing"


def test_a_broker_hears_of_the_client_it_is_in_and_the_mandates_kinds(stack: Stack, teller: Teller) -> None:
    broker = signed_in(stack, "C", "broker")
    assert broker.get("/events").status_code == 403
    assert broker.step_into(tenant_id(stack, "A")).status_code == 200
    with listening(broker) as page:
        # of a kind that no mandate of the demo covers
        teller.tell("A", "SECRET", kind="declaration")
        teller.tell("B", "OTHER")
        teller.tell("A", "MINE")
        eventually(lambda: "MINE" in page.numbers(), "the broker hears of the client's order")
        assert page.numbers() == ["MINE"]
        broker.step_into(None)
        assert page.ended.wait(20), "the stream ends when the broker steps out"


def test_a_stream_ends_with_its_session(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    visitor.sign_in(user["username"], user["password"])
    with listening(visitor) as page:
        assert visitor.delete("/session").status_code == 204
        assert page.ended.wait(20)


def test_one_user_has_a_limited_number_of_streams(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    visitor.sign_in(user["username"], user["password"])
    listeners: list[Listener] = []
    try:
        listeners = [Listener(visitor) for _ in range(8)]
        refused = visitor.get("/events")
        assert refused.status_code == 429
        assert refused.headers["Retry-After"]
        assert visitor.get("/session").status_code == 200
    finally:
        for listener in listeners:
            listener.close()
    eventually(
        lambda: visitor.get("/events", stream=True).status_code == 200, "closed streams make room", timeout=40
    )
