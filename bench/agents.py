"""python -m bench.agents: fifty edge agents whose line to the service is cut every thirty seconds, for ten minutes.

Real agent processes with a card each (SoftHSM behind a module that makes it as slow as a card), each of a tenant of its
own; the real gateway.agents, signer.cards, consume, pool and relay; a TCP line before each agent. Messages are published
for every tenant all the time, and some right before its line is cut. Goals: quality.md G11.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

import structlog
import xmlsec

from bench.common import Report, machine_busy, median
from bench.lines import AWAY, Course, Cut, Traffic, seats, watch
from bench.offices import Edge, Office, open_office
from proto.events.v1 import events_pb2
from tests.support.eventually import eventually
from tests.support.signing import SignerSide
from tests.support.stack import BASE, running
from tests.support.verdicts import Books, judge

#: goals, in seconds
BACK, FINISHED, OUT = 10.0, 60.0, 60.0


def revocation(edge: Edge, side: SignerSide, books: Books, offices: Sequence[Office], *, cut: bool) -> float:
    """Revoke these, with their lines cut or not; seconds until none has a seat and each has told its person.

    Raises AssertionError if one of them signs what is published for it afterwards."""
    seated = lambda office: office.agent_id in seats(books)  # noqa: E731
    for office in offices if cut else ():
        office.line.cut()
        eventually(lambda one=office: not seated(one), "its line is cut", OUT)  # type: ignore[misc]
    begun = time.monotonic()
    for office in offices:
        edge.revoke(office.tenant, office.agent_id)
        side.publish(office.tenant.actor(), side.submission(office.tenant))
        office.line.heal()
    for office in offices:
        what = lambda one=office: one.agent.shown["link"]["code"] == "revoked" and not seated(one)  # noqa: E731
        eventually(what, "it is out and told its person", OUT)
    seconds = time.monotonic() - begun
    for office in offices:
        eventually(lambda one=office: side.waiting(one.tenant) == 1, "its message waits", OUT)  # type: ignore[misc]
        assert not side.rows(office.tenant, "SELECT 1 FROM job WHERE taken")
    return seconds


def finished(cuts: Sequence[Cut], signed_at: dict[str, datetime]) -> list[float]:
    """Seconds from a line's return to the signature of what was under way and not answered when it was cut."""
    return [
        (signed_at[number] - cut.healed).total_seconds()
        for cut in cuts
        for number in cut.under_way
        if cut.healed is not None and signed_at.get(number, cut.at) > cut.at
    ]


def wrong(books: Books, side: SignerSide, traffic: Traffic) -> tuple[int, int]:
    """(final messages that python-xmlsec and the card's certificate do not confirm, messages told)."""
    accepted, bad, seen = books.signatures(), set(), set()
    for told in side.told():
        if isinstance(told.body, events_pb2.MessageReady):
            number, final = told.body.message_id, told.body.xml
            office, original = traffic.sent[number]
            seen.add(number)
            try:
                assert hashlib.sha256(final).digest() == accepted[number]
                judge(final, original, office.card.certificate)
            except (AssertionError, xmlsec.Error):
                bad.add(number)
    return len(bad), len(seen)


def measure(side: SignerSide, edge: Edge, offices: Sequence[Office], given: argparse.Namespace) -> Report:
    """The cuts, the rest of the work, and what the books say."""
    report, books, traffic = Report("agents"), Books(side.servers, side.urls["name"]), Traffic(side)
    course, stop = Course(books, traffic, offices, given.every), threading.Event()
    watching = threading.Thread(target=watch, args=(books, course, stop))
    watching.start()
    begun, busy = time.monotonic(), machine_busy()
    course.run(60 * given.minutes, given.pace)
    busy = (machine_busy() - busy) / (time.monotonic() - begun)
    traffic.join()
    eventually(lambda: len(books.signatures()) >= len(traffic.sent), "all are signed", 2 * FINISHED, 1)
    eventually(lambda: not books.left(), "nothing is under way", FINISHED, 1)
    eventually(lambda: all(cut.back for cut in course.cuts), "all are back", FINISHED)
    stop.set()
    watching.join()
    if any(office.agent.ended for office in offices):
        raise SystemExit("an agent ended by itself")
    _tell(report, books, side, traffic, course.cuts)
    report.add("busy cores of the machine meanwhile", busy, "cores")
    some = max(1, len(offices) // 10)
    for what, cut, begin in (
        ("revoked agents out after", False, 0),
        ("… whose line was cut when they were revoked, after its return", True, some),
    ):
        report.at_most(what, revocation(edge, side, books, offices[begin : begin + some], cut=cut), "s", OUT)
    return report


def _tell(report: Report, books: Books, side: SignerSide, traffic: Traffic, cuts: Sequence[Cut]) -> None:
    rows = books.rows("SELECT message_id::text, signed_at FROM signature")
    signed_at = dict(rows)
    offices = {id(office): office for office, _ in traffic.sent.values()}.values()
    outcomes = books.outcomes()
    uses = {number: office.agent.uses(number) for number, (office, _) in traffic.sent.items()}
    backs = sorted((cut.back - cut.healed).total_seconds() for cut in cuts if cut.back and cut.healed)
    late = sorted(finished(cuts, signed_at))
    if not late:
        raise SystemExit("no request was under way when a line was cut: give --minutes more or --pace less")
    bad, told = wrong(books, side, traffic)
    report.add("agents", len(offices), "agents")
    report.add("cuts of a line", len(cuts), "cuts")
    report.add("requests", len(traffic.sent), "requests")
    report.add("… under way when a line was cut", len(late), "requests")
    report.at_most("requests lost", len(set(traffic.sent) - set(signed_at)), "requests", 0)
    report.at_most("refused", sum(n for one, n in outcomes.items() if one[1]), "requests", 0)
    report.at_most(
        "signatures accepted twice",
        sum(n for one, n in outcomes.items() if one[0] > 1) + len(rows) - len(signed_at),
        "requests",
        0,
    )
    report.at_most(
        "signed without an intent before", sum(n for one, n in outcomes.items() if not one[2]), "requests", 0
    )
    report.at_most(
        "requests for which a card was used twice", sum(n > 1 for n in uses.values()), "requests", 0
    )
    report.at_most(
        "uses of cards, by the module before them, beyond one a request",
        sum(office.shim.calls("Sign") for office in offices) - len(traffic.sent),
        "uses",
        0,
    )
    report.add("final messages told", told, "messages")
    report.at_most("… that python-xmlsec does not accept for the card", bad, "messages", 0)
    report.add("from the line's return to the seat, median", median(backs), "s")
    report.at_most("… p95", _p95(backs), "s", BACK)
    report.add("… longest", backs[-1], "s")
    report.add("from the line's return to the signature of what was under way, median", median(late), "s")
    report.at_most("… p95", _p95(late), "s", FINISHED)
    report.add("… longest", late[-1], "s")


def _p95(values: Sequence[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * 0.95))]


def main() -> int:
    """1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.agents", description=__doc__)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two cuts of a line")
    parser.add_argument("--pace", type=float, default=5.0, help="seconds between two messages of a tenant")
    parser.add_argument(
        "--card", type=int, default=200, help="milliseconds that a card takes for a signature"
    )
    given = parser.parse_args()
    if given.every < 2 * AWAY[1]:
        parser.error(f"--every: at least {2 * AWAY[1]:g}, since a line is away for up to {AWAY[1]:g} s")
    if given.agents < 2:
        parser.error(
            "--agents: at least 2, since one is revoked while its line is whole and one while it is cut"
        )
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with (
        tempfile.TemporaryDirectory(prefix="bench-agents-") as name,
        running(BASE / "servers", "servers") as run_dir,
        ExitStack() as ending,
    ):
        folder = Path(name)
        (folder / "signer").mkdir()
        side = ending.enter_context(
            closing(SignerSide(json.loads((run_dir / "servers.json").read_text()), folder / "signer"))
        )
        for process in ("consume", "relay"):
            side.start(process)
        edge = ending.enter_context(closing(Edge(side, run_dir)))
        with ThreadPoolExecutor(4) as opening:
            offices = list(
                opening.map(
                    lambda number: open_office(side, edge, folder / f"office-{number}", given.card, ending),
                    range(given.agents),
                )
            )
        return measure(side, edge, offices, given).finish()


if __name__ == "__main__":
    sys.exit(main())
