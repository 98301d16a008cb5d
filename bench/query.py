"""python -m bench.query: query pages over a million documents of 200 tenants, as the gateway asks for them.

Goals are ratios within the run: a late page against the first, a number searched for against one looked up, the same
statements with and without row-level security. Everything goes through filing.usecases.look.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.common import RESULTS, Report, median, spread
from bench.readers import LATE_PAGE, OFF, ON, REAL, Cost, Desk, Marks, Watch, close, desks, explain
from bench.stock import Stock, load
from documents.registry import REGISTRY
from tests.support.stack import BASE, running

LATE_GOAL = SEARCH_GOAL = 2.0
RLS_GOAL = 1.1
#: how many of the greatest tenants are asked about, in turn: each has a late page
ASKED = 4
#: calls before anything counts: a statement is prepared and its plan settled after a few
WARM = 3

Ask = Callable[[Desk, int], Any]
FIRST, LATE = "first page", f"page {LATE_PAGE:,}"
BY_ID, EQUAL, BEGINS, ANY = "one list by its id", "number equal", "number begins, whole", "any number, whole"
#: compared with and without row-level security, each with its goal
UNDER_POLICY = (
    FIRST,
    LATE,
    BEGINS,
    ANY,
    "page of open lists",
    "not settled",
    "equal, of most",
    "batch",
    "a month",
)


def _pick(values: Sequence[Any], turn: int) -> Any:
    return values[turn % len(values)]


def _page(**wanted: Any) -> Ask:
    """wanted: values, or functions of the marks and the turn that give them."""

    def ask(desk: Desk, turn: int) -> Any:
        return desk.page(
            **{key: value(desk.marks, turn) if callable(value) else value for key, value in wanted.items()}
        )

    return ask


def _number(cut: int = 0) -> Callable[[Marks, int], dict[str, str]]:
    return lambda marks, turn: {"copNo": _pick(marks.numbers, turn)[: -cut or None]}


def _batch(marks: Marks, turn: int) -> dict[str, str]:
    return {"batch_no": _pick(marks.batches, turn)}


def asks() -> dict[str, Ask]:
    """Everything that is asked, by name; the number of the turn picks the values."""
    lists = REGISTRY.get("list")
    assert lists is not None
    open_states = list(next(page.states for page in lists.pages if page.id == "C5"))
    month: dict[str, Any] = {
        "stored_from": lambda marks, turn: _pick(marks.months, turn)[0],
        "stored_to": lambda marks, turn: _pick(marks.months, turn)[1],
    }
    found: dict[str, Ask] = {FIRST: _page(), LATE: _page(cursor=lambda marks, _: marks.cursors["-stored_at"])}
    for sort in ("number", "state"):
        found[f"by {sort}: {FIRST}"] = _page(sort=sort)
        found[f"by {sort}: {LATE}"] = _page(sort=sort, cursor=lambda marks, _, sort=sort: marks.cursors[sort])
    return found | {
        BY_ID: lambda desk, turn: desk.read(_pick(desk.marks.ids, turn)),
        EQUAL: lambda desk, turn: desk.page_equal(conditions=_number()(desk.marks, turn)),
        BEGINS: _page(conditions=_number()),
        "number begins, 10 found": _page(conditions=_number(1)),
        "number begins, a day": _page(conditions=_number(8)),
        "number begins, a year": _page(conditions=_number(12)),
        "customs' number begins, whole": _page(
            conditions=lambda marks, turn: {"invtNo": _pick(marks.of_customs, turn)}
        ),
        ANY: lambda desk, turn: desk.search(_pick(desk.marks.numbers, turn)),
        "any number, customs'": lambda desk, turn: desk.search(_pick(desk.marks.of_customs, turn)),
        "any number, 10 found": lambda desk, turn: desk.search(_pick(desk.marks.numbers, turn)[:-1]),
        "any number, a day": lambda desk, turn: desk.search(_pick(desk.marks.numbers, turn)[:-8]),
        "any number, none": lambda desk, _: desk.search("ZZ20260101"),
        "page of open lists": _page(states=open_states),
        "refused or in error": _page(states=["rejected", "error"]),
        "one rare state": _page(states=["draft"]),
        "settled": _page(settled="true"),
        "not settled": _page(settled="false"),
        "equal, of most": _page(conditions={"tradeMode": "9610"}),
        "equal, of 1 %": _page(conditions={"tradeMode": "1210"}),
        "equal, two of few": _page(conditions={"tradeMode": "1210", "customsCode": "9019"}),
        "equal, none": _page(conditions={"customsCode": "9999"}),
        "batch": _page(conditions=_batch),
        "batch, refused": _page(conditions=_batch, states=["rejected"]),
        "batch, none": _page(conditions={"batch_no": "SFJIA200001010000"}),
        "closed, not summed up": _page(states=["closed"], conditions={"summaryState": "none"}),
        "a month": _page(**month),
        "a month, open, equal": _page(**month, states=open_states, conditions={"tradeMode": "9710"}),
        "not settled, equal of few": _page(settled="false", conditions={"customsCode": "9019"}),
    }


#: by question and side: rounds of calls; the n-th call of each question and side is of the same tenant and turn
Runs = dict[str, dict[str, list[list[Cost]]]]


def take_turns(at: Sequence[Mapping[str, Desk]], watch: Watch, rounds: int, calls: int) -> Runs:
    """All questions at all tenants, sides in turn."""
    table = asks()
    sides_of = {name: (REAL, ON, OFF) if name in UNDER_POLICY else (REAL,) for name in table}
    runs: Runs = {name: {side: [] for side in sides_of[name]} for name in table}
    for number in range(-1, rounds):
        for name, ask in table.items():
            costs: dict[str, list[Cost]] = {side: [] for side in sides_of[name]}
            for turn in range(calls if number >= 0 else WARM):
                for sides in at:
                    for side in sides_of[name] if turn % 2 else reversed(sides_of[name]):
                        costs[side].append(watch.measure(sides[side], ask, turn + calls * number))
            if number >= 0:
                for side, some in costs.items():
                    runs[name][side].append(some)
        print(f"round {number + 1} of {rounds}", flush=True)
    return runs


def _ratios(
    above: Sequence[Sequence[Cost]], below: Sequence[Sequence[Cost]], of: Callable[[Cost], float]
) -> list[float]:
    """By round: the median over pairs of calls."""
    return [
        median(of(one) / of(other) for one, other in zip(some, others, strict=True))
        for some, others in zip(above, below, strict=True)
    ]


def _database(cost: Cost) -> float:
    return cost.database


def _wall(cost: Cost) -> float:
    return cost.wall


def _rows(cost: Cost) -> float:
    return cost.statements["rows"]


def _count(cost: Cost) -> float:
    return cost.statements["count"]


def figures(report: Report, runs: Runs) -> None:
    """Ratios with their goals first, then what every question costs."""

    def ratio(what: str, above: str, below: str, goal: float) -> None:
        pairs = (runs[above][REAL], runs[below][REAL])
        whole = _ratios(*pairs, _wall)
        report.at_most(f"{what}, clock", median(whole), "times", goal)
        report.add("… spread of the rounds", spread(whole), "%")
        report.add("… of the database's CPU", median(_ratios(*pairs, _database)), "times")

    ratio(f"{LATE} / {FIRST}", LATE, FIRST, LATE_GOAL)
    for sort in ("number", "state"):
        ratio(f"{LATE} / {FIRST}, by {sort}", f"by {sort}: {LATE}", f"by {sort}: {FIRST}", LATE_GOAL)
    ratio("list whose number begins / equals", BEGINS, EQUAL, SEARCH_GOAL)
    ratio("search of any number / one list by its id", ANY, BY_ID, SEARCH_GOAL)
    for name in UNDER_POLICY:
        on, off = runs[name][ON], runs[name][OFF]
        values = _ratios(on, off, _database)
        report.at_most(
            f"row-level security on / off, database's CPU: {name}", median(values), "times", RLS_GOAL
        )
        report.add("… spread of the rounds", spread(values), "%")
        report.add("… of the clock", median(_ratios(on, off, _wall)), "times")
        report.add("… of the statement for rows alone, clock", median(_ratios(on, off, _rows)), "times")
        if "count" in on[0][0].statements:
            report.add(
                "… of the statement for the count alone, clock", median(_ratios(on, off, _count)), "times"
            )
    for name, by_side in runs.items():
        costs = [cost for some in by_side[REAL] for cost in some]
        report.add(name, 1e3 * median(map(_wall, costs)), "ms")
        report.add("  database", 1e6 * median(map(_database, costs)), "µs CPU")
        if "count" in costs[0].statements:
            report.add("  the count alone", 1e3 * median(map(_count, costs)), "ms")


def plans(at: Sequence[Mapping[str, Desk]], watch: Watch) -> str:
    """How PostgreSQL answers each question at the greatest tenant."""
    found = []
    desk = at[0][REAL]
    for name, ask in asks().items():
        watch.measure(desk, ask, 0)
        for what, (statement, parameters) in dict(watch.statements).items():
            plan = explain(desk, statement, parameters)
            found.append(f"== {name}: {what}\n{statement}\n{dict(parameters)}\n{plan}\n")
    return "\n".join(found)


def compare(stock: Stock, rounds: int, calls: int, folder: Path = RESULTS) -> Report:
    """Every question in turn; the report, and beside it the plans."""
    watch = Watch()
    at = desks(stock, ASKED)
    report = Report("query")
    report.measured_on(stock.admin)
    report.add("documents", sum(sum(tenant.documents.values()) for tenant in stock.tenants), "documents")
    report.add("tenants", len(stock.tenants), "tenants")
    report.add("lists of the greatest", stock.tenants[0].documents["list"], "lists")
    figures(report, take_turns(at, watch, rounds, calls))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "query-plans.txt").write_text(plans(at, watch), encoding="utf-8")
    watch.close()
    close(at)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.query", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=6, help="of each question at each tenant in a round")
    parser.add_argument("--servers", type=Path, help="a servers.json of servers that run already")
    parser.add_argument(
        "--stock", type=Path, help="where that server's loaded database is told; made if missing"
    )
    asked = parser.parse_args()
    if asked.stock and asked.stock.exists():
        return compare(Stock.parse(asked.stock.read_text()), asked.rounds, asked.calls).finish()
    if asked.servers:
        stock = load(json.loads(asked.servers.read_text()), asked.documents)
        if asked.stock:
            asked.stock.write_text(stock.dump())
        return compare(stock, asked.rounds, asked.calls).finish()
    with running(BASE / "servers", "servers") as run_dir:
        stock = load(json.loads((run_dir / "servers.json").read_text()), asked.documents)
        return compare(stock, asked.rounds, asked.calls).finish()


if __name__ == "__main__":
    sys.exit(main())
