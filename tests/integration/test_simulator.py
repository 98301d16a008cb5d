"""The simulator as a process between a real broker and a shared folder, also killed while it works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import amqp
import pytest

from simulator.authority import Authority
from simulator.channel import Outgoing
from simulator.channel.amqp import QUEUE_ARGUMENTS, AmqpOutlet, connect
from tests.support.eventually import eventually
from tests.unit.simulator import material
from tests.unit.simulator.material import DXP_ID, Order, Signer, envelope, returns


class Customs:
    """A simulator process with queues and folders of its own."""

    def __init__(self, base: Path, amqp_url: str) -> None:
        name = uuid.uuid4().hex
        self.base = base
        self.amqp_url = amqp_url
        self.in_queue, self.out_queue = f"test.{name}.in", f"test.{name}.out"
        self.authority = Authority.open(base / "authority")
        self.signer: Signer = material.rsa_signer(self.authority)
        self.spool = base / "spool"
        self.arriving, self.leaving = self.spool / "to-customs", self.spool / "from-customs"
        self.arriving.mkdir(parents=True)
        self.crash_file = base / "crash"
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        self._connection: amqp.Connection | None = None
        self.received: list[bytes] = []

    def start(self) -> None:
        environment = {
            **os.environ,
            "CUSTOMS_AMQP_URL": self.amqp_url,
            "CUSTOMS_IN_QUEUE": self.in_queue,
            "CUSTOMS_OUT_QUEUE": self.out_queue,
            "SPOOL_DIR": str(self.spool),
            "SIMULATOR_LISTEN": "127.0.0.1:0",
            "SIMULATOR_DATA_DIR": str(self.base / "data"),
            "AUTHORITY_DIR": str(self.authority.directory),
            "CRASH_POINTS_FILE": str(self.crash_file),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "serve"], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{ready['event'].rpartition(' ')[2]}"
        # Whatever else it logs must not fill the pipe.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        eventually(lambda: self.get("/control/health")[0] == 200, "the simulator is healthy", 20)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def get(self, path: str) -> tuple[int, Any]:
        return self._call(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._call(urllib.request.Request(self.url + path, data=data, method="POST"))

    def _call(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def counts(self) -> dict[str, int]:
        return dict(self.get("/control/counts")[1])

    def channel(self) -> amqp.Channel:
        if self._connection is None:
            self._connection = connect(self.amqp_url)
        return self._connection.channel()

    def sealed(self, *orders: Order, **wrapping: str) -> bytes:
        return envelope(material.sign_rsa(material.message(orders), self.signer), **wrapping)

    def publish(self, *sealed: bytes) -> None:
        outlet = AmqpOutlet(self.amqp_url, self.in_queue)
        outlet.publish([Outgoing(at, str(at), "CEB303Message", raw) for at, raw in enumerate(sealed)])
        outlet.close()

    def fetch(self) -> list[bytes]:
        """All receipts in the outgoing queue so far, oldest first."""
        channel = self.channel()
        while (message := channel.basic_get(self.out_queue)) is not None:
            self.received.append(message.body if isinstance(message.body, bytes) else message.body.encode())
            channel.basic_ack(message.delivery_tag)
        channel.close()
        return self.received

    def answers(self) -> Counter[tuple[str, str]]:
        """(order number, status) of everything received so far."""
        receipts = (material.open_receipt(raw)[1] for raw in self.fetch())
        return Counter((row["orderNo"], row["returnStatus"]) for root in receipts for row in returns(root))

    def remove(self) -> None:
        channel = self.channel()
        for queue in (self.in_queue, self.out_queue):
            channel.queue_delete(queue)
        assert self._connection is not None
        self._connection.close()


@pytest.fixture
def customs(servers: dict[str, Any], tmp_path: Path) -> Iterator[Customs]:
    made = Customs(tmp_path, servers["customs_amqp_url"])
    made.start()
    yield made
    made.end()
    made.remove()


def settled(customs: Customs, answers: int) -> Callable[[], bool]:
    return lambda: customs.counts()["answers_sent"] >= answers


def test_both_ways_through_the_broker(customs: Customs) -> None:
    channel = customs.channel()
    for queue in (customs.in_queue, customs.out_queue):
        # Fails on the broker's side if the arguments differ from what the simulator declared.
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
    channel.close()
    orders = [Order(f"A-{at}", 1) for at in range(100)]
    customs.publish(customs.sealed(*orders), customs.sealed(Order("REJ-1")), b"rubbish")
    eventually(settled(customs, 303), "all answers are sent")
    answers = customs.answers()
    assert sum(answers.values()) == 303
    assert answers["A-7", "120"] == answers["REJ-1", "100"] == 1
    counts = customs.counts()
    assert (counts["messages"], counts["accepted"], counts["rejected"], counts["unreadable"]) == (
        3,
        100,
        1,
        1,
    )
    verdicts = Counter(row["verdict"] for row in customs.get("/control/messages?type=CEB303Message")[1])
    assert verdicts == {"accepted": 1, "rejected": 1}


def test_both_ways_through_the_folder(customs: Customs) -> None:
    part = customs.arriving / ".1.part"
    part.write_bytes(customs.sealed(Order("S-1")))
    part.rename(customs.arriving / "1.xml")
    (customs.arriving / ".hidden.xml").write_bytes(b"unfinished")
    eventually(settled(customs, 3), "all answers are written")
    rows = [
        returns(material.open_receipt(path.read_bytes())[1])[0]
        for path in customs.leaving.iterdir()
        if not path.name.startswith(".")
    ]
    assert sorted(row["returnStatus"] for row in rows) == ["120", "2", "3"]
    eventually(
        lambda: [path.name for path in customs.arriving.iterdir()] == [".hidden.xml"], "the file is gone"
    )
    assert customs.fetch() == []


def test_the_control_api_over_http(customs: Customs) -> None:
    assert customs.get("/control/nothing")[0] == 404
    assert customs.post("/control/script", b"{")[0] == 400
    assert customs.post("/control/script", b"x" * (1024 * 1024 + 1))[0] == 413
    status, problem = customs.post("/control/faults", {"delay_ms": "soon"})
    assert (status, set(problem)) == (422, {"zh", "en"})
    assert (
        customs.post("/control/script", {"rules": [{"prefix": "A", "outcome": "reject", "delay_s": 0.2}]})[0]
        == 200
    )
    customs.publish(customs.sealed(Order("A-1")))
    eventually(settled(customs, 3), "the delayed rejection is sent")
    assert customs.answers()["A-1", "100"] == 1
    status, documents = customs.get("/control/documents?number=A-1")
    assert (status, [row["verdict"] for row in documents]) == (200, ["rejected"])
    message = customs.get("/control/messages")[1][0]["id"]
    receipts = customs.get(f"/control/receipts?message={message}")[1]
    assert [row["state"] for row in receipts] == ["sent"] * 3
    assert customs.post("/control/reset", {})[0] == 200
    assert set(customs.counts().values()) == {0}


@pytest.mark.parametrize(
    "point",
    [
        "simulator.desk.in-transaction",
        "simulator.amqp.before-ack",
        "simulator.sender.before-publish",
        "simulator.sender.after-publish",
    ],
)
def test_dying_at_a_named_point(customs: Customs, point: str) -> None:
    customs.crash_file.write_text(point)
    customs.publish(*[customs.sealed(Order(f"A-{at}-1"), Order(f"A-{at}-2")) for at in range(5)])
    assert customs.process is not None
    assert customs.process.wait(20) == 137
    customs.end()
    customs.start()
    eventually(settled(customs, 30), "all answers are sent after the restart")
    counts = customs.counts()
    expected = {"messages": 5, "documents": 10, "accepted": 10, "duplicates_received": 0, "answers_sent": 30}
    assert {name: counts[name] for name in expected} == expected
    assert len(customs.answers()) == 30
    # A receipt may come twice after a death between confirm and mark, but then as the very same bytes.
    seen: dict[str, set[bytes]] = {}
    for raw in customs.received:
        seen.setdefault(material.open_receipt(raw)[0]["CopMsgId"], set()).add(raw)
    assert len(seen) == 15
    assert all(len(bodies) == 1 for bodies in seen.values())


def test_killed_again_and_again_under_load(customs: Customs) -> None:
    messages, per_message = 60, 5
    batches = [
        customs.sealed(*[Order(f"L-{at}-{number}", 1) for number in range(per_message)])
        for at in range(messages)
    ]
    for begin in range(0, messages, 10):
        customs.publish(*batches[begin : begin + 10])
        done = begin // 10 * 10 * per_message
        eventually(lambda least=done: customs.counts()["documents"] >= least, "it is at work")
        assert customs.end(signal.SIGKILL) == -signal.SIGKILL
        customs.start()
    eventually(settled(customs, messages * per_message * 3), "all answers are sent", 30)
    counts = customs.counts()
    documents = messages * per_message
    assert (counts["messages"], counts["documents"], counts["accepted"]) == (messages, documents, documents)
    assert counts["answers_sent"] == documents * 3
    assert len(customs.answers()) == documents * 3


def test_a_lost_answer_is_given_on_the_resend(customs: Customs) -> None:
    customs.post("/control/faults", {"lose_answer": 1})
    sealed = customs.sealed(Order("A-1"))
    customs.publish(sealed)
    eventually(lambda: customs.counts()["receipts_lost"] == 3, "the message is booked")
    assert customs.fetch() == []
    customs.publish(sealed)
    eventually(settled(customs, 3), "the resend is answered")
    assert customs.answers() == {("A-1", "2"): 1, ("A-1", "3"): 1, ("A-1", "120"): 1}
    assert customs.counts()["documents"] == 1


def test_every_fault_on_real_queues(customs: Customs) -> None:
    customs.publish(customs.sealed(Order("A-1")))
    eventually(settled(customs, 3), "answered")
    customs.post("/control/faults", {"garbage": 6, "wrong_tenant": 1, "unknown_document": 1, "duplicate": 1})
    eventually(lambda: customs.counts()["receipts_sent"] == 11, "the extras are sent")
    assert len(customs.fetch()) == 3 + 2 * 8
    receivers = set()
    for raw in customs.received:
        try:
            receivers.add(material.open_receipt(raw)[0]["ReceiverId"])
        except (material.etree.XMLSyntaxError, ValueError):
            continue
    assert receivers - {DXP_ID}


def test_a_burst_is_taken_and_the_stop_is_orderly(customs: Customs) -> None:
    customs.publish(*[customs.sealed(Order(f"S-{at}", 1)) for at in range(200)])
    eventually(settled(customs, 600), "all single-document messages are answered", 30)
    assert len(customs.answers()) == 600
    assert customs.end() == 0
    customs.start()
    assert customs.counts()["documents"] == 200
