"""python -m bench.import: 10,000 orders from a workbook into PostgreSQL, our way and the usual way.

Ours is the very use case that the imports process runs, with its child process and row-level security; the other
side is bench.naive. Same file, same server, runs in turn; CPU of all processes taken part: ours, the child, the
database's.
"""

# ruff: noqa: N999 - named as `make bench-import` says; it is run, not imported

from __future__ import annotations

import argparse
import gc
import json
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from bench.common import Report, children_cpu, median, own_cpu, process_cpu, spread
from bench.naive import NaiveImport
from bench.sheets import workbook
from tests.support.filing import DEFAULTS, Office, clerk, office
from tests.support.stack import BASE, new_database, running

GOAL = 6.0  # times less CPU than the usual way


class Meter:
    """CPU seconds by process while one database is worked on: this one, its children, the database's backends."""

    def __init__(self, admin: psycopg.Connection[Any], database: str) -> None:
        self._admin = admin
        self._database = database

    def measure(self, work: Callable[[], Mapping[str, float] | None]) -> dict[str, float]:
        """Run `work` once; it may answer parts of its own, which are kept beside."""
        gc.collect()
        backends, own, children = self._backends(), own_cpu(), children_cpu()
        parts = work() or {}
        used = {"own": own_cpu() - own, "child": children_cpu() - children}
        # a backend that was not there before spent all it has on this
        spent = {pid: cpu - backends.get(pid, 0.0) for pid, cpu in self._backends().items()}
        return {**parts, **used, "database": sum(spent.values())}

    def _backends(self) -> dict[int, float]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        return {pid: process_cpu(pid) for (pid,) in self._admin.execute(query, (self._database,))}


def total(run: Mapping[str, float]) -> float:
    """All CPU seconds of one run."""
    return run["own"] + run["child"] + run["database"]


def ours(desk: Office, content: bytes, orders: int) -> dict[str, float]:
    """Take the workbook in and do what the imports process does; a new tenant each time."""
    clerk_of_new_tenant = replace(desk, actor=clerk())
    began = own_cpu()
    import_id = clerk_of_new_tenant.upload(content)
    taken = own_cpu() - began
    task = clerk_of_new_tenant.work(import_id)
    assert (task.state, task.accepted) == ("done", orders), (task.state, task.accepted, task.errors[:2])
    return {"taken": taken}


def compare(servers: Mapping[str, Any], orders: int, rounds: int) -> Report:
    """Both ways in turn; the report."""
    content = workbook(orders, "BENCH")
    desk = office(servers)
    urls = new_database(servers, "order")
    naive = NaiveImport(urls["owner"], DEFAULTS)
    with psycopg.connect(servers["postgres_url"], autocommit=True) as admin:
        with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
            name = str(connection.execute(text("SELECT current_database()")).scalar_one())
        our_meter, naive_meter = Meter(admin, name), Meter(admin, urls["name"])
        warm = workbook(200, "WARM")
        our_meter.measure(lambda: ours(desk, warm, 200))
        naive_meter.measure(lambda: naive.run(warm, str(uuid.uuid4())))
        our_runs, naive_runs = [], []
        for number in range(rounds):
            our_runs.append(our_meter.measure(lambda: ours(desk, content, orders)))
            naive_runs.append(naive_meter.measure(lambda: naive.run(content, str(uuid.uuid4()))))
            print(f"round {number + 1}: {total(our_runs[-1]):.2f} s and {total(naive_runs[-1]):.2f} s of CPU")
    naive.close()
    desk.filing.database.close()
    return _report(orders, len(content), our_runs, naive_runs)


def _report(
    orders: int, size: int, our_runs: list[dict[str, float]], naive_runs: list[dict[str, float]]
) -> Report:
    report = Report("import")

    def per_order(runs: list[dict[str, float]], part: Callable[[dict[str, float]], float]) -> float:
        return median(part(run) for run in runs) / orders * 1e6

    unit = "µs CPU/order"
    report.add("orders of 5 lines", orders, "orders")
    report.add("workbook", size / 1e6, "MB")
    ratios = [total(theirs) / total(our) for our, theirs in zip(our_runs, naive_runs, strict=True)]
    report.at_least("usual way / ours, CPU", median(ratios), "times", GOAL)
    report.add("… spread of the rounds", spread(ratios), "%")
    report.add("ours, all", per_order(our_runs, total), unit)
    report.add("  child: read, check, answer", per_order(our_runs, lambda run: run["child"]), unit)
    report.add("  take the file in", per_order(our_runs, lambda run: run["taken"]), unit)
    report.add(
        "  rest of the process: rows for storing", per_order(our_runs, lambda r: r["own"] - r["taken"]), unit
    )
    report.add("  PostgreSQL", per_order(our_runs, lambda run: run["database"]), unit)
    report.add("usual way, all", per_order(naive_runs, total), unit)
    report.add("  openpyxl", per_order(naive_runs, lambda run: run["read"]), unit)
    report.add("  marshmallow Schema.load", per_order(naive_runs, lambda run: run["check"]), unit)
    report.add("  SQLAlchemy ORM", per_order(naive_runs, lambda run: run["store"]), unit)
    report.add("  PostgreSQL", per_order(naive_runs, lambda run: run["database"]), unit)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.import", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", type=Path, help="a servers.json of servers that run already")
    asked = parser.parse_args()
    if asked.servers:
        return compare(json.loads(asked.servers.read_text()), asked.orders, asked.rounds).finish()
    with running(BASE / "servers", "servers") as run_dir:
        return compare(
            json.loads((run_dir / "servers.json").read_text()), asked.orders, asked.rounds
        ).finish()


if __name__ == "__main__":
    sys.exit(main())
