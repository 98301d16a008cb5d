"""The http process itself: starts, stops gracefully, and what it answers while a part it needs is away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, new_user
from tests.support.stack import Stack
from tools.paths import ROOT

#: nobody listens there
DEAD = "127.0.0.1:1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Front(Stack):
    """A further gateway.http beside the stack's own, with settings of its own."""

    def __init__(self, stack: Stack, **settings: str) -> None:
        self.http, self.ops = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        super().__init__({**stack, "url": f"http://{self.http}"}, stack.run_dir)
        environment = (
            stack.environment("gateway.http") | {"HTTP_LISTEN": self.http, "OPS_LISTEN": self.ops} | settings
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway", "http"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )

    def ready(self) -> dict[str, Any]:
        """What /readyz answers."""
        answer = requests.get(f"http://{self.ops}/readyz", timeout=10)
        found: dict[str, Any] = answer.json()
        assert found["ready"] == (answer.status_code == 200)
        return found


@contextmanager
def front(stack: Stack, **settings: str) -> Iterator[Front]:
    """Started, and at least answering on its operations port."""
    found = Front(stack, **settings)

    def answers() -> bool:
        try:
            requests.get(f"http://{found.ops}/healthz", timeout=2)
        except requests.ConnectionError:
            return False
        return True

    try:
        eventually(answers, "the process answers", timeout=20)
        yield found
    finally:
        found.process.kill()
        found.process.wait()


def visitor(found: Front, stack: Stack) -> Visitor:
    user = stack.user("A", "declarant")
    person = Visitor(found)
    answer = person.sign_in(user["username"], user["password"])
    assert answer.status_code == 200, answer.text
    return person


def unavailable(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["detail"]


def test_two_workers_share_sessions_and_one_operations_port(stack: Stack) -> None:
    with front(stack, HTTP_WORKERS="2") as found:
        eventually(lambda: found.ready()["ready"], "ready")
        person = visitor(found, stack)
        for _ in range(20):
            # a new connection each time: either worker may get it
            assert person.get("/session", headers={"Connection": "close"}).status_code == 200
        metrics = requests.get(f"http://{found.ops}/metrics", timeout=5)
        assert "process_resident_memory_bytes" in metrics.text


def test_a_stop_ends_streams_and_lets_requests_finish(stack: Stack) -> None:
    with front(stack) as found:
        person = visitor(found, stack)
        stream = person.get("/events", stream=True)
        lines = stream.iter_lines()
        next(lines)
        body = json.dumps(person.order()).encode()
        head = (
            f"POST /api/v1/documents/order HTTP/1.1\r\nHost: {found.http}\r\nContent-Type: application/json\r\n"
            f"Cookie: tongguan_session={person.http.cookies['tongguan_session']}\r\n"
            f"X-CSRF-Token: {person.me['csrf_token']}\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        host, port = found.http.split(":")
        with socket.create_connection((host, int(port)), 20) as line:
            line.sendall(head.encode())
            assert line.recv(100).startswith(b"HTTP/1.1 100"), "the request is under way"
            found.process.send_signal(signal.SIGTERM)
            assert list(lines) is not None
            line.sendall(body)
            assert line.recv(65536).startswith(b"HTTP/1.1 201")
        assert found.process.wait(timeout=20) == 0


def test_without_redis_nobody_gets_in_and_nothing_breaks(stack: Stack) -> None:
    with front(stack, REDIS_URL=f"redis://{DEAD}/0") as found:
        person = Visitor(found)
        user = stack.user("A", "declarant")
        unavailable(person.sign_in(user["username"], user["password"]))
        person.http.cookies.set("tongguan_session", f"{user['tenant_id']}.{'x' * 43}")
        unavailable(person.get("/documents/order"))
        assert set(found.ready()["failures"]) >= {"redis"}
        assert person.get(found["url"] + "/api/docs").status_code == 200


def test_without_the_database_nobody_gets_in(stack: Stack) -> None:
    with front(stack, DATABASE_URL=f"postgresql://gateway_app:x@{DEAD}/tongguan_gateway") as found:
        user = stack.user("A", "declarant")
        unavailable(Visitor(found).sign_in(user["username"], user["password"]))
        assert "database" in found.ready()["failures"]


def test_without_the_order_service_documents_are_unavailable_and_nothing_is_kept(stack: Stack) -> None:
    with front(stack, ORDER_GRPC=DEAD) as found:
        person = visitor(found, stack)
        unavailable(person.get("/documents/order"))
        key, body = {"Idempotency-Key": a_number()}, person.order()
        unavailable(person.post("/documents/order", json=body, headers=key))
        assert person.get("/strategies").status_code == 200
        assert "order" in found.ready()["failures"]
        # the same request under the same key, when the service is back
        healed = Visitor(stack)
        healed.http.cookies.update(person.http.cookies)
        healed.http.headers["X-CSRF-Token"] = person.me["csrf_token"]
        again = healed.post("/documents/order", json=body, headers=key)
        assert again.status_code == 201
        assert "Idempotency-Replayed" not in again.headers


def test_without_the_bus_everything_but_live_works(stack: Stack) -> None:
    with front(stack, BUS_URL=f"amqp://x:x@{DEAD}/x") as found:
        person = visitor(found, stack)
        assert person.get("/documents/order").status_code == 200
        assert set(found.ready()["failures"]) == {"bus"}


def test_sessions_end_by_idleness_and_streams_do_not_keep_them(stack: Stack) -> None:
    with front(stack, SESSION_IDLE_SECONDS="10") as found:
        user = new_user(stack, "A", "declarant")
        person = Visitor(found)
        assert person.sign_in(user["username"], user["password"]).status_code == 200
        stream = person.get("/events", stream=True)
        ended = threading.Event()
        threading.Thread(target=lambda: (list(stream.iter_lines()), ended.set()), daemon=True).start()
        assert ended.wait(30), "the stream ends when the session has been idle too long"
        assert person.get("/session").status_code == 401


def test_behind_a_proxy_the_callers_scheme_and_address_count(stack: Stack) -> None:
    with front(stack, TRUSTED_PROXIES="1") as found:
        user = new_user(stack, "A", "declarant")
        person = Visitor(found)
        person.http.headers.update(
            {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        )
        answer = person.sign_in(user["username"], user["password"])
        assert answer.status_code == 200
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in answer.headers
        admin = Visitor(stack)
        chief = stack.user("A", "enterprise_admin")
        admin.sign_in(chief["username"], chief["password"])
        row = next(item for item in admin.get("/audit").json()["items"] if item["user_id"] == user["id"])
        assert row["address"] == "198.51.100.7"


@pytest.mark.parametrize(
    "point", ["gateway.replay.reserved", "gateway.documents.saved", "gateway.replay.before-keeping"]
)
def test_a_worker_that_dies_in_the_middle_does_nothing_twice(stack: Stack, point: str, tmp_path: Any) -> None:
    crash = tmp_path / "crash"
    with front(stack, CRASH_POINTS_FILE=str(crash)) as found:
        person = visitor(found, stack)
        key, body = {"Idempotency-Key": a_number()}, person.order()
        crash.write_text(point)
        with pytest.raises(requests.ConnectionError):
            person.post("/documents/order", json=body, headers=key)
        assert not crash.exists(), "the worker died there"

        def back() -> list[requests.Response]:
            try:
                return [person.post("/documents/order", json=body, headers=key)]
            except requests.ConnectionError:
                return []

        (again,) = eventually(back, "another worker answers", timeout=20)
        # the attempt counts as dead soon, and doing it again makes the same document or finds it made
        assert again.status_code == 201, again.text
        query = {"number": body["head"]["orderNo"]}
        found_items = person.get("/documents/order", params=query).json()["items"]
        assert [item["id"] for item in found_items] == [again.json()["id"]]
        kept = person.post("/documents/order", json=body, headers=key)
        assert kept.headers["Idempotency-Replayed"] == "true"
        assert kept.content == again.content


def test_settings_are_named_when_missing(stack: Stack) -> None:
    environment = {**stack.environment("gateway.http")}
    for name in ("REDIS_URL", "ORDER_GRPC", "TLS_CA_FILE", "DATABASE_URL"):
        wrong = {key: value for key, value in environment.items() if key != name}
        ended = subprocess.run(
            [sys.executable, "-m", "services.gateway", "check-config", "--of", "http"],
            cwd=ROOT, env=wrong, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 2
        assert name in ended.stderr
    right = subprocess.run(
        [sys.executable, "-m", "services.gateway", "check-config"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert right.returncode == 0, right.stderr


def test_seeding_again_changes_nothing(stack: Stack, tmp_path: Any) -> None:
    environment = stack.environment("gateway.http")
    kept = json.dumps({user["username"]: user["password"] for user in stack["users"]})
    file = tmp_path / "users.json"
    file.write_text(kept)
    outputs = []
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-m", "services.gateway", "seed-demo", "--credentials", str(file)],
            cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        outputs.append(json.loads(ended.stdout))
    assert outputs[0] == outputs[1]
    assert {user["username"]: user["password"] for user in outputs[0]["users"]} == json.loads(kept)
    person = Visitor(stack)
    user = stack.user("A", "declarant")
    assert person.sign_in(user["username"], user["password"]).status_code == 200
