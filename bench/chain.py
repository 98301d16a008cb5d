"""python -m bench.chain: orders from 提交海关 to customs' acceptance, through the whole running stack.

Starts a stack of its own, imports a workbook over HTTP and files it as a customer's program does; the simulated
customs runs on the same cores. Measured from the first request to the moment the page shows the last order accepted.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.accounts import CLIENT, Accounts, difference
from bench.common import Report, machine_busy, median, spread, table
from bench.sheets import workbook
from tests.support.filer import BATCH, Filer
from tests.support.stack import BASE, Stack, running

GOAL = 30_000.0  # orders a minute with 100 documents in a message
#: seconds between looks at the page
LOOK = 0.1
PATIENCE = 300.0

#: which lines of the accounts make a stage of the way
STAGES = {
    "submit (HTTP, check, XML, store)": ("gateway.http", "order.serve", "redis", "postgres: gateway_app"),
    "sign": ("signer.consume", "signer.pool", "signer.serve", "postgres: signer_app"),
    "send and receive": ("gateway.transmit", "gateway.receipts"),
    "states (events to documents)": ("order.consume", "postgres: order_app"),
    "outbox to bus": (
        "order.relay", "signer.relay", "gateway.relay",
        "postgres: order_relay", "postgres: signer_relay", "postgres: gateway_relay",
    ),
    "bus": ("rabbitmq", "epmd"),
    "database's own (log, checkpoints)": ("postgres",),
    "simulated customs": ("simulator",),
    "client and rest": (CLIENT, "order.imports"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run. cpu: seconds by line of the accounts; foreign: cores' worth that other programs took."""

    orders: int
    seconds: float
    declared: float
    cpu: Mapping[str, float]
    foreign: float

    @property
    def per_minute(self) -> float:
        return self.orders / self.seconds * 60

    @property
    def cpu_per_order(self) -> float:
        """Microseconds of all processes."""
        return sum(self.cpu.values()) / self.orders * 1e6


def file_orders(stack: Stack, orders: int, per_message: int) -> Run:
    """Import `orders` new orders, then measure their way."""
    filer = Filer(stack, "A")
    task = filer.import_orders(workbook(orders, f"C{time.time_ns() // 1_000_000}-"), PATIENCE)
    if task["state"] != "done":
        raise AssertionError(f"not imported: {task}")
    batch = task["batch_no"]
    ids = [item["id"] for item in filer.documents(batch_no=batch)]
    if len(ids) != orders:
        raise AssertionError(f"{len(ids)} of {orders} orders imported")
    states = [state["name"] for state in filer.call("GET", "/kinds/order")["states"]]
    open_states = ",".join(name for name in states if name != "accepted")
    accounts = Accounts(stack)
    pause = threading.Event()
    busy, before, began = machine_busy(), accounts.read(), time.monotonic()
    for first in range(0, orders, BATCH):
        results = filer.declare(ids[first : first + BATCH], per_message)
        refused = [result for result in results if not result["ok"]]
        if refused:
            raise AssertionError(f"not filed: {refused[:3]}")
    declared = time.monotonic() - began
    wanted = {"batch_no": batch, "state": open_states, "page_size": "1"}
    while filer.call("GET", "/documents/order", params=wanted)["items"]:
        if time.monotonic() - began > PATIENCE:
            raise AssertionError(f"not all accepted after {PATIENCE} s")
        pause.wait(LOOK)
    seconds, cpu = time.monotonic() - began, difference(accounts.read(), before)
    foreign = (machine_busy() - busy - sum(cpu.values())) / seconds
    accepted = sum(1 for _ in filer.documents(batch_no=batch, state="accepted"))
    if accepted != orders:
        raise AssertionError(f"{accepted} of {orders} accepted")
    return Run(orders, seconds, declared, cpu, max(0.0, foreign))


def stages(runs: Iterable[Run]) -> dict[str, float]:
    """Median microseconds of CPU per order by stage; what no stage names goes to the last."""
    found: dict[str, list[float]] = {stage: [] for stage in STAGES}
    owner = {line: stage for stage, lines in STAGES.items() for line in lines}
    last = next(reversed(STAGES))
    for run in runs:
        sums = dict.fromkeys(STAGES, 0.0)
        for line, seconds in run.cpu.items():
            sums[owner.get(line, last)] += seconds
        for stage, seconds in sums.items():
            found[stage].append(seconds / run.orders * 1e6)
    return {stage: median(values) for stage, values in found.items()}


def lines(runs: list[Run]) -> list[tuple[str, float, float]]:
    """(line of the accounts, median µs per order, share of one core while the run lasted), greatest first."""
    names = {name for run in runs for name in run.cpu}
    found = [
        (
            name,
            median(run.cpu.get(name, 0.0) / run.orders * 1e6 for run in runs),
            median(run.cpu.get(name, 0.0) / run.seconds for run in runs),
        )
        for name in names
    ]
    return sorted((line for line in found if line[1] >= 0.5), key=lambda line: -line[1])


def report(report: Report, runs: list[Run], per_message: int) -> None:
    """Figures of one size of message."""
    what = f"{per_message} per message: "
    rates = [run.per_minute for run in runs]
    if per_message == 100:
        report.at_least(f"{what}orders accepted", median(rates), "orders/min", GOAL)
    else:
        report.add(f"{what}orders accepted", median(rates), "orders/min")
    report.add(f"{what}spread of the runs", spread(rates), "%")
    report.add(f"{what}orders of a run", runs[0].orders, "orders")
    report.add(
        f"{what}taken in by HTTP", median(run.orders / run.declared * 60 for run in runs), "orders/min"
    )
    report.add(f"{what}other programs meanwhile", median(run.foreign for run in runs), "cores")
    report.add(f"{what}CPU, all processes", median(run.cpu_per_order for run in runs), "µs CPU/order")
    for stage, value in stages(runs).items():
        report.add(f"{what}  {stage}", value, "µs CPU/order")
    found = lines(runs)
    print(f"\n{per_message} per message, by process:")
    print(table(("process", "µs CPU/order", "of one core"),
                [(name, f"{value:.0f}", f"{100 * share:.0f} %") for name, value, share in found]))  # fmt: skip
    busiest = max((line for line in found if not line[0].startswith("postgres")), key=lambda line: line[2])
    greatest = max(stages(runs).items(), key=lambda item: item[1])
    print(f"most CPU: {greatest[0]}; busiest process: {busiest[0]} ({100 * busiest[2]:.0f} % of one core)")


def measure(stack: Stack, orders: int, single: int, rounds: int) -> Report:
    """Both sizes of message in turn, `rounds` times."""
    file_orders(stack, 200, 100)  # first use of every connection and cache
    many, one = [], []
    for number in range(rounds):
        many.append(file_orders(stack, orders, 100))
        one.append(file_orders(stack, single, 1))
        print(f"round {number + 1}: {many[-1].per_minute:,.0f} and {one[-1].per_minute:,.0f} orders a minute; "
              f"others took {many[-1].foreign:.2f} and {one[-1].foreign:.2f} cores", flush=True)  # fmt: skip
    found = Report("chain")
    report(found, many, 100)
    report(found, one, 1)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chain", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="with 100 documents in a message")
    parser.add_argument("--single", type=int, default=2_000, help="with one document in a message")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stack", type=Path, help="the run folder of a stack that runs already")
    asked = parser.parse_args()
    if asked.stack:
        content = json.loads((asked.stack / "stack.json").read_text())
        return measure(Stack(content, asked.stack), asked.orders, asked.single, asked.rounds).finish()
    with running(BASE / "chain", "up") as run_dir:
        content = json.loads((run_dir / "stack.json").read_text())
        return measure(Stack(content, run_dir), asked.orders, asked.single, asked.rounds).finish()


if __name__ == "__main__":
    sys.exit(main())
