"""Books, desk and keys for the simulator's unit tests: real parts on a temporary folder, no sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from simulator import channel, store
from simulator.authority import Authority
from simulator.channel import Outgoing
from simulator.config import Rules
from simulator.control import Control
from simulator.desk import Desk
from simulator.examine import Arrival
from simulator.sender import Sender
from simulator.verify import Trust
from tests.unit.simulator import material


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
    sender = Sender(books, channel.AMQP, tray, rules.receiver_id, threading.Event())
    desk = Desk(books, Trust(authority.directory), rules, sender.wake.set)
    control = Control(books, rules.receiver_id, sender.wake.set, lambda: {"status": "ok"})
    yield Office(books, desk, sender, control, tray, rsa_signer)
    books.close()
