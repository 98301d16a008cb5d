"""Books, desk and keys for the simulator's unit tests: real parts on a temporary folder, no sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from simulator import channel, store, tables
from simulator.authority import Authority
from simulator.channel import Outgoing
from simulator.config import Rules
from simulator.control import Control
from simulator.desk import Desk
from simulator.examine import Arrival
from simulator.sender import Sender
from simulator.verify import Trust
from tests.unit.simulator import material
from tests.unit.simulator.papers import Paper


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.open(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def rsa_signer(authority: Authority) -> material.Signer:
    return material.rsa_signer(authority)


@pytest.fixture(scope="session")
def sm2_signer(authority: Authority) -> material.Signer:
    return material.sm2_signer(authority)


class Tray:
    """An outlet that keeps what it is given, as a broker would."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def publish(self, items: list[Outgoing]) -> None:
        self.sent += items

    def idle(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Office:
    """A desk with its books, sender and control, without threads."""

    books: store.Store
    desk: Desk
    sender: Sender
    control: Control
    tray: Tray
    signer: material.Signer
    taken: list[tuple[dict[str, str], etree._Element]] = field(default_factory=list)

    def arrive(self, *sealed: bytes, redelivered: bool = False) -> None:
        self.desk.take([Arrival(raw, channel.AMQP, redelivered=redelivered) for raw in sealed])

    def signed(self, *orders: material.Order | str, **message: Any) -> bytes:
        return material.sign_rsa(material.message(orders, **message), self.signer)

    def send(self, rounds: int = 10, ahead_s: int = 3600) -> list[tuple[dict[str, str], etree._Element]]:
        """Everything due within `ahead_s`, as (transport fields, business root); each receipt once."""
        with self.books.transaction() as db:
            db.execute("UPDATE receipts SET due = due - ? WHERE state = 'waiting'", (ahead_s * 1000,))
        begin = len(self.tray.sent)
        reader = self.books.connect()
        try:
            for _ in range(rounds):
                if not self.sender.once(reader):
                    break
        finally:
            reader.close()
        return [material.open_receipt(item.body) for item in self.tray.sent[begin:]]

    def declare(self, *papers: Paper, sender: str = material.DXP_ID, **message: Any) -> None:
        """Papers of one type in one signed message."""
        (kind,) = {paper.message for paper in papers}
        business = material.message([paper.xml for paper in papers], root=kind, dxp_id=sender, **message)
        sealed = material.envelope(material.sign_rsa(business, self.signer), msg_type=kind, sender=sender)
        self.arrive(sealed)

    def file(self, *papers: Paper, **message: Any) -> None:
        """Each paper in a message of its own."""
        for paper in papers:
            self.declare(paper, **message)

    def returned(self, paper: Paper | str, kind: str = "") -> list[dict[str, str]]:
        """All that was sent about a document, in order of its times; `kind` = message type when given a number."""
        number, message = (paper, kind) if isinstance(paper, str) else (paper.number, paper.message)
        table = tables.known()[message]
        rows = []
        for item in self.tray.sent:
            if item.msg_type == table.receipt_message:
                _, root = material.open_receipt(item.body)
                rows += [row for row in material.returns(root) if row[table.books.number] == number]
        return sorted(rows, key=lambda row: row["returnTime"])

    def told(self, paper: Paper) -> list[str]:
        """Statuses of a document after everything due was sent."""
        self.send()
        return [row["returnStatus"] for row in self.returned(paper)]

    def wait_over(self) -> None:
        """Let the time of all waiting lists pass."""
        with self.books.transaction() as db:
            db.execute("UPDATE waits SET until = 0")
        self.desk.look_again()

    def invt_no(self, paper: Paper) -> str:
        """The number customs gave a list."""
        return str(self.control.documents({"number": paper.number, "type": paper.message})[-1]["customs_no"])

    def statuses(self, number: str) -> list[str]:
        """Statuses sent for one order number so far, in order of sending."""
        receipts = (material.open_receipt(item.body)[1] for item in self.tray.sent)
        rows = (row for root in receipts for row in material.returns(root))
        return [row["returnStatus"] for row in rows if row.get("orderNo") == number]

    def counts(self) -> dict[str, int]:
        return self.control.counts({})


@pytest.fixture
def rules() -> Rules:
    return Rules()


@pytest.fixture
def office(
    tmp_path: Path, authority: Authority, rsa_signer: material.Signer, rules: Rules
) -> Iterator[Office]:
    books = store.Store(tmp_path / "data")
    tray = Tray()
    sender = Sender(books, channel.AMQP, tray, rules, threading.Event())
    desk = Desk(books, Trust(authority.directory), rules, sender.wake.set)
    control = Control(books, rules, sender.wake.set, lambda: {"status": "ok"})
    yield Office(books, desk, sender, control, tray, rsa_signer)
    books.close()
