"""Any documents in any order: whatever happens, customs never contradicts itself."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from simulator import channel, store, tables
from simulator.config import Rules
from simulator.control import Control
from simulator.desk import Desk
from simulator.examine import Arrival
from simulator.problems import BadRequest
from simulator.sender import Sender
from simulator.xmlsafe import local
from tests.unit.simulator import material, papers
from tests.unit.simulator.conftest import Tray
from tests.unit.simulator.papers import Paper

ACTS = (
    *("order", "waybill", "payment", "refund", "house", "wait", "script", "script"),
    *("list", "departure", "cancel", "summary", "advance") * 3,
)
RULES = Rules(verify_signatures=False, result_step_ms=0)


class World:
    """A customs office, and what was done to it."""

    def __init__(self, folder: Path) -> None:
        self.books = store.Store(folder)
        self.tray = Tray()
        self.sender = Sender(self.books, channel.AMQP, self.tray, RULES, threading.Event())
        self.desk = Desk(self.books, None, RULES, lambda: None)
        self.control = Control(self.books, RULES, lambda: None, dict)

    def declare(self, paper: Paper) -> None:
        business = material.message([paper.xml], root=paper.message)
        self.desk.take([Arrival(material.envelope(business, msg_type=paper.message), channel.AMQP)])

    def invt_no(self, at: int) -> str:
        found = [
            row["customs_no"] for row in self.control.documents({"number": f"LIST-{at}"}) if row["customs_no"]
        ]
        return found[-1] if found else "29902026E999999999"

    def act(self, what: str, one: int, two: int, app_type: str, status: str) -> None:
        makers: dict[str, Callable[[], Paper]] = {
            "order": lambda: papers.order(f"ORD-{one}", appType=app_type),
            "waybill": lambda: papers.waybill(f"WB-{one}", appType=app_type),
            "payment": lambda: papers.payment(f"ORD-{one}", appType=app_type),
            "list": lambda: papers.goods_list(f"LIST-{one}", f"ORD-{two}", f"WB-{one}", appType=app_type),
            "departure": lambda: papers.departure(
                f"DEP-{one}", [f"WB-{one}", f"WB-{two}X"], appType=app_type
            ),
            "cancel": lambda: papers.cancellation(self.invt_no(one), f"CAN-{two}"),
            "refund": lambda: papers.refund(self.invt_no(one), f"REF-{two}", appType=app_type),
            "house": lambda: papers.house(f"H-{two}", [f"WB-{one}"], self.invt_no(one), appType=app_type),
            "summary": lambda: papers.application(
                sorted({self.invt_no(one), self.invt_no(two)}), f"SUM-{two}", summaryFlag="2"
            ),
        }
        if what in makers:
            self.declare(makers[what]())
        elif what == "advance":
            try:
                self.control.advance({"number": f"LIST-{one}", "status": status})
            except BadRequest:
                return  # not there, or still waiting
        elif what == "wait":
            with self.books.transaction() as db:
                db.execute("UPDATE waits SET until = 0")
            self.desk.look_again()
        else:
            delay = {0: 0, 1: 30, 2: 60}[two]
            outcome = ["accept", "hold", "inspect", "release", "reject", "silent"][one + two]
            self.control.write_script({"rules": [{"prefix": "LIST", "outcome": outcome, "delay_s": delay}]})

    def receipts(self) -> list[etree._Element]:
        with self.books.transaction() as db:
            db.execute("UPDATE receipts SET due = due - 100000 WHERE state = 'waiting'")
        reader = self.books.connect()
        while self.sender.once(reader):
            pass
        reader.close()
        return [material.open_receipt(item.body)[1] for item in self.tray.sent]


def check(world: World, roots: list[etree._Element]) -> None:
    by_receipt = {table.receipt_message: table for table in tables.known().values()}
    told: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    lists: dict[str, list[tuple[str, str]]] = defaultdict(list)  # by invtNo: time, guid
    ended: dict[str, str] = {}
    summed: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        if local(root) == "CEB792Message":
            for node in root:
                sum_no = node.findtext(".//{*}sumNo") or ""
                for element in node.iter("{*}invtNo"):
                    summed[element.text or ""].add(sum_no)
            continue
        table = by_receipt[local(root)]
        for row in material.returns(root):
            status, time = row["returnStatus"], row["returnTime"]
            told[local(root), row["guid"]].append((time, status))
            assert all(field.wrong(row.get(field.name, "")) is None for field in table.receipt.fields)
            if table.kind == 603 and row["invtNo"]:
                lists[row["invtNo"]].append((time, row["guid"]))
            if table.kind == 605 and status == "399":
                assert row["invtNo"] not in ended
                ended[row["invtNo"]] = time
    for rows in told.values():
        times = [time for time, _ in rows]
        assert sorted(times) == sorted(set(times)), rows
    refused = {key for key, rows in told.items() if "120" not in [status for _, status in rows]}
    for number, events in lists.items():
        if number in ended:
            # A deletion that was refused is a document of its own, and is told so whenever that may be.
            late = [(time, guid) for time, guid in events if time > ended[number]]
            assert all(("CEB604Message", guid) in refused for _, guid in late), (number, late)
    assert all(len(sums) == 1 for sums in summed.values())
    counts: dict[str, Any] = world.control.counts({})
    with world.books.reader() as db:
        replaced = db.execute("SELECT count(*) FROM documents WHERE verdict = 'replaced'").fetchone()[0]
        live = db.execute(
            "SELECT order_no, ebp_code, count(*) FROM lists WHERE ended_at IS NULL GROUP BY 1, 2 HAVING count(*) > 1"
        ).fetchall()
    assert counts["accepted"] + counts["rejected"] + counts["documents_waiting"] + replaced == (
        counts["documents"] + counts["repeated_documents"]
    )
    assert live == []
    assert counts["receipts_waiting"] == 0


@pytest.mark.parametrize("seed", range(40))
def test_customs_never_contradicts_itself(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    world = World(tmp_path)
    try:
        for at in range(3):
            world.declare(papers.order(f"ORD-{at}"))
            world.declare(papers.waybill(f"WB-{at}"))
        for _ in range(60):
            numbers = dice.randrange(3), dice.randrange(3)
            app_type, status = (
                dice.choice("111123"),
                dice.choice(["100", "120", "300", "399", "500", "800", "899"]),
            )
            world.act(dice.choice(ACTS), *numbers, app_type, status)
        check(world, world.receipts())
    finally:
        world.books.close()
