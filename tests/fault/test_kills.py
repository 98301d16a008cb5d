"""Every process and server is killed while orders are being filed: none is lost, none reaches customs twice."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from bench.common import Report
from tests.fault.evidence import SERVICES, Evidence
from tests.fault.filing_work import Lot, Work
from tests.fault.killing import Killer
from tests.support.eventually import eventually
from tests.support.stack import Stack

SEED = 20260801
#: each dies at least once; "/child": a worker below it
SERVERS = ("postgres", "rabbitmq", "redis")
CHILDREN = ("gateway.http/child", "signer.pool/child")
#: killed together
TOGETHER = (
    ("order.consume", "order.relay"),
    ("gateway.transmit", "simulator"),
    ("signer.consume", "rabbitmq"),
    ("signer.pool", "signer.consume"),
)
CONVERGED = 240.0  # seconds


def plan(stack: Stack, rng: random.Random) -> list[tuple[str, ...]]:
    """What dies, in which order: each process, each server, some children, some twice, some together."""
    processes = [name for name in stack.processes() if name not in (*SERVERS, "epmd")]
    singles = [*processes, *SERVERS, *CHILDREN, *rng.sample(processes, 5)]
    found = [(name,) for name in singles] + list(TOGETHER)
    rng.shuffle(found)
    return [*found, tuple(processes)]


def shares(lots: list[Lot], count: int, rng: random.Random) -> list[list[tuple[Lot, list[str], int]]]:
    """All orders of all lots, cut into requests of many sizes and dealt to `count` steps."""
    requests: list[tuple[Lot, list[str], int]] = []
    for lot in lots:
        ids = list(lot.numbers)
        while ids:
            size = rng.choice((1, 7, 30, 60, 100))
            requests.append((lot, ids[:size], rng.choice((1, 2, 10, 100))))
            ids = ids[size:]
    rng.shuffle(requests)
    return [requests[step::count] for step in range(count)]


def test_killing_everything_while_orders_are_filed(
    stack: Stack, killer: Killer, evidence: Evidence, record: Report
) -> None:
    rng = random.Random(SEED)
    before, messages_before = evidence.counts(), evidence.messages()
    pause = threading.Event()
    # as if that were not enough: every receipt comes twice, and the final one first
    evidence.faults(duplicate=1, reorder=True)
    with Work(stack) as work:
        lots = [
            work.lot("A", 1500),
            work.lot("A", 50, "REJ", "rejected"),
            work.lot("A", 50, "ERR", "error"),
            work.lot("B", 400),
        ]
        victims = plan(stack, rng)
        for step, share in zip(victims, shares(lots, len(victims), rng), strict=True):
            for request in share:
                work.file(*request)
            pause.wait(rng.uniform(0, 0.8))  # the moment of death
            killer.kill(*step)
        work.join()
        check(evidence, work, lots)
    evidence.faults()
    counts = evidence.counts()
    gained = {name: counts[name] - before[name] for name in counts}
    copies = evidence.copies(lots)
    record.add("orders filed during kills", work.orders, "orders")
    record.add("messages", evidence.messages() - messages_before, "messages")
    record.at_most("orders that customs never got", copies[0], "orders", 0)
    record.at_most(
        "orders that customs holds twice", sum(n for times, n in copies.items() if times > 1), "orders", 0
    )
    record.add("requests that a program had to repeat", sum(work.troubles.seen.values()), "requests")
    assert copies == {1: work.orders}
    assert gained["documents"] == work.orders
    assert gained["accepted"] == sum(len(lot.numbers) for lot in lots if lot.state == "accepted")


def check(evidence: Evidence, work: Work, lots: list[Lot]) -> None:
    """Nothing is on its way any more, and everything is where it belongs."""
    for lot in lots:
        what = f"all orders of {lot.tenant} {lot.begin}… are {lot.state}"
        wanted = Counter({lot.state: len(lot.numbers)})
        eventually(
            partial(_same, partial(evidence.states, work.filer(lot.tenant), lot), wanted), what, CONVERGED, 1
        )
    eventually(partial(_same, evidence.outboxes, dict.fromkeys(SERVICES, 0)), "outboxes are empty", 30)
    eventually(partial(_same, evidence.backlog, {}), "queues are empty", 30, 1)
    counts = evidence.counts()
    never = ("repeated_documents", "conflicts", "unreadable", "refused", "lost_messages", "receipts_waiting")
    assert {name: counts[name] for name in never} == dict.fromkeys(never, 0)
    messages = evidence.messages()
    assert evidence.outcomes() == {(1, 0, True): messages}
    assert evidence.transmissions() == {"sent": messages}
    assert counts["messages"] == messages
    for tenant in {lot.tenant for lot in lots}:
        verdict = evidence.ledger(tenant)
        assert verdict.valid, verdict


def _same(look: Callable[[], object], wanted: object) -> bool:
    seen = look()
    assert seen == wanted, seen
    return True
