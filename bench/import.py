"""python -m bench.import: 10,000 orders, and as many lists, from a workbook into PostgreSQL, our way and the usual way.

Ours is the very use case that the imports process runs, with its child process and row-level security; the other
side are bench.naive and bench.naive_lists. Same file, same server, runs in turn; CPU of all processes taken part: ours, the child, the
database's.
"""

# ruff: noqa: N999 - named as `make bench-import` says; it is run, not imported

from __future__ import annotations

import argparse
import json
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from bench.common import Report, median, own_cpu, spread
from bench.meter import Meter, Run, total
from bench.naive import NaiveImport, NaiveOrders
from bench.naive_lists import NaiveLists
from bench.sheets import LIST_LINES, ORDER_LINES, list_workbook, workbook
from documents.types.export_list import LIST
from filing.strategies import Strategy
from tests.support.course import example
from tests.support.filing import DEFAULTS, Office, clerk, office
from tests.support.stack import BASE, new_database, running

GOAL = 6.0  # times less CPU than the usual way


@dataclass(frozen=True, slots=True)
class Case:
    """One kind: its workbooks and how each way takes them. make: from how many and a prefix; upload: what ours is told."""

    kind: str
    lines: int
    make: Callable[[int, str], bytes]
    naive: NaiveImport
    upload: Mapping[str, str]


EXPORT_DATE = "20261120"


def list_defaults() -> dict[str, str]:
    """What a strategy for retail exports fills into lists: all it may, but for what only special areas need."""
    kept = example("list")["head"]
    names = {item.name for item in LIST.head if item.filled_by == "strategy"} & kept.keys()
    return {name: kept[name] for name in names - {"iacCode", "iacName", "emsNo"}} | {"tradeMode": "9610"}


def cases(url: str) -> list[Case]:
    """Both kinds. url: of an empty database's owner, where the naive tables are made."""
    head = {**list_defaults(), "ieFlag": "E", "ieDate": EXPORT_DATE}
    return [
        Case("order", ORDER_LINES, workbook, NaiveOrders(url, DEFAULTS), {}),
        Case("list", LIST_LINES, list_workbook, NaiveLists(url, head, "502"), {"export_date": EXPORT_DATE}),
    ]


def ours(desk: Office, case: Case, content: bytes, count: int) -> dict[str, float]:
    """Take the workbook in and do what the imports process does; a new tenant each time."""
    clerk_of_new_tenant = replace(desk, actor=clerk())
    began = own_cpu()
    import_id = clerk_of_new_tenant.upload(content, case.kind, **case.upload)
    taken = own_cpu() - began
    task = clerk_of_new_tenant.work(import_id)
    assert (task.state, task.accepted) == ("done", count), (task.state, task.accepted, task.errors[:2])
    return {"taken": taken}


def compare(servers: Mapping[str, Any], count: int, rounds: int) -> Report:
    """All kinds, both ways, in turn; the report."""
    strategy = Strategy(
        str(uuid.uuid4()), "9610", "SF", "JIA", DEFAULTS | list_defaults() | {"currency": "502"}, "9610"
    )
    desk = office(servers)
    desks = {"order": desk, "list": replace(desk, strategy=strategy)}
    urls = new_database(servers, "order")
    report = Report("import")
    report.measured_on(servers["postgres_url"])
    with psycopg.connect(servers["postgres_url"], autocommit=True) as admin:
        with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
            name = str(connection.execute(text("SELECT current_database()")).scalar_one())
        our_meter, naive_meter = Meter(admin, name), Meter(admin, urls["name"])
        both = cases(urls["owner"])
        contents = {case.kind: case.make(count, "BENCH") for case in both}
        runs: dict[str, tuple[list[Run], list[Run]]] = {case.kind: ([], []) for case in both}
        for number in range(rounds + 1):
            for case in both:
                # before anything counts: every way once, with little
                size, content = (count, contents[case.kind]) if number else (200, case.make(200, "WARM"))
                our = our_meter.measure(partial(ours, desks[case.kind], case, content, size))
                their = naive_meter.measure(partial(case.naive.run, content, str(uuid.uuid4())))
                if number:
                    runs[case.kind][0].append(our)
                    runs[case.kind][1].append(their)
                    print(
                        f"round {number}, {case.kind}: {total(our):.2f} s and {total(their):.2f} s of CPU",
                        flush=True,
                    )
    for case in both:
        case.naive.close()
        _figures(report, case, count, len(contents[case.kind]), *runs[case.kind])
    desk.filing.database.close()
    return report


def _figures(
    report: Report, case: Case, count: int, size: int, our_runs: list[Run], naive_runs: list[Run]
) -> None:
    def each(runs: list[Run], part: Callable[[Run], float]) -> float:
        return median(part(run) for run in runs) / count * 1e6

    kind, unit = f"{case.kind}: ", f"µs CPU/{case.kind}"
    ratios = [total(theirs) / total(our) for our, theirs in zip(our_runs, naive_runs, strict=True)]
    report.at_least(f"{kind}usual way / ours, CPU", median(ratios), "times", GOAL)
    report.add("… spread of the rounds", spread(ratios), "%")
    report.add(f"{kind}documents of {case.lines} lines", count, "documents")
    report.add(f"{kind}workbook", size / 1e6, "MB")
    report.add(f"{kind}ours, all", each(our_runs, total), unit)
    report.add("  child: read, check, answer", each(our_runs, lambda run: run["child"]), unit)
    report.add("  take the file in", each(our_runs, lambda run: run["taken"]), unit)
    report.add(
        "  rest of the process: rows for storing", each(our_runs, lambda r: r["own"] - r["taken"]), unit
    )
    report.add("  PostgreSQL", each(our_runs, lambda run: run["database"]), unit)
    report.add(f"{kind}usual way, all", each(naive_runs, total), unit)
    report.add("  openpyxl", each(naive_runs, lambda run: run["read"]), unit)
    report.add("  marshmallow Schema.load", each(naive_runs, lambda run: run["check"]), unit)
    report.add("  SQLAlchemy ORM", each(naive_runs, lambda run: run["store"]), unit)
    report.add("  PostgreSQL", each(naive_runs, lambda run: run["database"]), unit)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.import", description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000, help="of each kind")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", type=Path, help="a servers.json of servers that run already")
    asked = parser.parse_args()
    if asked.servers:
        return compare(json.loads(asked.servers.read_text()), asked.documents, asked.rounds).finish()
    with running(BASE / "servers", "servers") as run_dir:
        servers = json.loads((run_dir / "servers.json").read_text())
        return compare(servers, asked.documents, asked.rounds).finish()


if __name__ == "__main__":
    sys.exit(main())
