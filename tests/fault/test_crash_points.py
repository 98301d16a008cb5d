"""Every named crash point is died at once, in the middle of filing orders of both channels."""

from __future__ import annotations

import re

from bench.common import Report
from tests.fault.evidence import Evidence
from tests.fault.filing_work import Work
from tests.fault.killing import Killer
from tests.fault.test_kills import check
from tests.support.stack import Stack
from tools.paths import ROOT

FOLDERS = ("documents", "filing", "runtime", "services", "simulator")
#: the points of filing/events.py bear their consumer's name
CONSUMERS = ("order.consume",)
#: die in tests of their own, because filing orders does not come there
ELSEWHERE = {
    # a key is made before anything is filed: tests/integration/signing/test_provision.py
    "signer.provision.requested",
    "signer.provision.generated",
    "signer.provision.certified",
    # a card signs at an edge agent: tests/integration/test_cards.py
    "signer.card.taken",
    "signer.card.answered",
    # a receipt that belonged to nobody when it came: tests/integration/test_customs_receipts.py
    "receipts.handed-over",
    # an export is nobody's filing: tests/integration/test_gateway_exports.py
    "export.running",
    "export.writing",
    "export.before-commit",
    "export.committed",
    # while an import task is worked on, see tests/fault/test_task_kills.py
    "gateway.tasks.before-create",
    "gateway.tasks.before-generate",
    "tasks.create.before-commit",
    "tasks.generate.before-request",
    "tasks.generate.taken",
    "tasks.generate.before-commit",
    "tasks.generate.committed",
    "tasks.delete.before-commit",
}
REACHED = 120.0  # seconds


def points() -> list[str]:
    """All that stand in the source."""
    found = set()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            for formatted, name in re.findall(
                r'crash\.point\((f?)"([^"]+)"\)', file.read_text(encoding="utf-8")
            ):
                consumers = CONSUMERS if formatted else ("",)
                found |= {re.sub(r"\{[^}]*\}", consumer, name) for consumer in consumers}
    return sorted(found - ELSEWHERE)


def test_dying_at_every_named_point(stack: Stack, killer: Killer, evidence: Evidence, record: Report) -> None:
    before = evidence.counts()
    with Work(stack, programs=40) as work:
        for point in points():
            killer.arm(point)
            # the import is part of the way too; its program waits out what has to be waited out
            work.start("A", 4)
            work.start("B", 2)
            killer.hit(point, work.look, REACHED)
        work.join()
        check(evidence, work, list(work.lots))
        copies = evidence.copies(work.lots)
        record.add("orders filed during crash points", work.orders, "orders")
        repeated = work.troubles.seen.get("import repeated", 0)
        record.add("… workbooks that were taken in twice, the second time to no effect", repeated, "imports")
        repeated = work.troubles.seen.get("order repeated", 0)
        record.add("… orders that were saved twice, the second time to no effect", repeated, "orders")
        record.at_most("… that customs never got", copies[0], "orders", 0)
        record.at_most(
            "… that customs holds twice", sum(n for times, n in copies.items() if times > 1), "orders", 0
        )
        assert copies == {1: work.orders}
        assert evidence.counts()["documents"] - before["documents"] == work.orders
