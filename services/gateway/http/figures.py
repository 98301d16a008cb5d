"""Counts of the services as figures of a dashboard: each with the queries that show exactly what was counted.

A query stands as the parameters of GET /api/v1/documents/{kind}. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from documents import describe, groups, reasons
from documents.spec import DocumentType
from services.gateway.http import catalogue, periods, wire, words

Query = Mapping[str, str]


def period_query(name: str, first: date, last: date) -> dict[str, str]:
    """Documents of which something happened on these days."""
    start, end = periods.of_days(first, last)
    return {f"{name}_from": start, f"{name}_to": end}


def part(kind: str, count: int, query: Query) -> dict[str, Any]:
    """Documents of one kind, and the query that shows them."""
    return {"kind": kind, "count": count, "query": dict(query)}


def figure(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of parts, the greatest first; what is nothing is left out."""
    of = sorted((item for item in parts if item["count"]), key=lambda item: (-item["count"], item["kind"]))
    return {"count": sum(item["count"] for item in of), "of": of}


def of_period(counts: Iterable[Any], name: str, day: date) -> dict[str, Any]:
    """What one day brought."""
    query = period_query(name, day, day)
    return figure(part(item.kind, item.count, query) for item in counts)


def waiting(states: Iterable[Any], overdue: Iterable[Any]) -> list[dict[str, Any]]:
    """What needs a person: by what is to be done, then by kind."""
    by_kind: dict[str, dict[str, int]] = defaultdict(dict)
    late: dict[str, dict[str, int]] = defaultdict(dict)
    for counts, found in ((states, by_kind), (overdue, late)):
        for item in counts:
            found[item.kind][item.state] = item.count
    return [
        {"what": what, "text": words.pick(title.zh, title.en)}
        | figure(
            _waits(kind, what, counts) for kind, counts in (late if what == "overdue" else by_kind).items()
        )
        for what, title in groups.WAITING.items()
    ]


def _waits(kind: str, what: str, counts: Mapping[str, int]) -> dict[str, Any]:
    doctype = catalogue.kind(kind).type
    names = [name for name in groups.waiting_states(doctype, what) if counts.get(name)]
    more = {"overdue": "true"} if what == "overdue" else {}
    found = part(kind, sum(counts[name] for name in names), {"state": ",".join(names), **more})
    return found | {
        "what": what,
        "states": [
            {
                "state": name,
                "text": describe.state_text(doctype, name, words.language()),
                **part(kind, counts[name], {"state": name, **more}),
            }
            for name in names
        ],
    }


def daily(counts: Iterable[Any]) -> list[dict[str, Any]]:
    """One item for each day and group of states that has any, by day."""
    cells: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for item in counts:
        state = catalogue.kind(item.kind).type.lifecycle.by_name[item.state]
        cells[item.day, groups.group_of(state)][item.kind][item.state] = item.count
    order = list(groups.GROUPS)
    found = []
    for (day, group), kinds in sorted(cells.items(), key=lambda cell: (cell[0][0], order.index(cell[0][1]))):
        at = date.fromisoformat(day)
        parts = [
            part(kind, sum(states.values()), _of_group(catalogue.kind(kind).type, group, at))
            for kind, states in kinds.items()
        ]
        found.append({"day": day, "group": group, **figure(parts)})
    return found


def _of_group(doctype: DocumentType, group: str, day: date) -> dict[str, str]:
    return {"state": ",".join(groups.states_of(doctype, group)), **period_query("stored", day, day)}


def refusals(rows: Iterable[Any], total: int, first: date, last: date) -> list[dict[str, Any]]:
    """A Pareto: the same reason of several kinds is one, the most frequent first, with its share and the sum so far."""
    within = period_query("refused", first, last)
    by_reason: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_reason[row.refusal].append(row)
    found = []
    for reason, same in by_reason.items():
        parts = figure(part(row.kind, row.count, {"refusal": reason, **within}) for row in same)
        found.append({"refusal": reason, **_reason(same[0]), **parts})
    found.sort(key=lambda item: (-item["count"], item["refusal"]))
    so_far = 0
    for item in found:
        so_far += item["count"]
        item |= {"share": item["count"] / total, "cumulative": so_far / total}
    return found


def _reason(row: Any) -> dict[str, Any]:
    status = describe.status_words(catalogue.kind(row.kind).type, row.status)
    reason = reasons.of_status(row.status)
    said = row.refusal.removeprefix(row.status).strip()
    if row.status.startswith("-") and reason is not None:
        text = words.pick(reason.words.zh, reason.words.en)
    else:
        # a number in customs' words is told apart by it; the words of one of them say what it is
        text = said if said and not said.isascii() else row.info[:200] or said
    return {
        "code": row.status,
        "status_text": words.pick(status.zh, status.en),
        "text": text or words.pick(status.zh, status.en),
        "explanation": wire.explanation(reason),
    }


def clearance(rows: Sequence[Any], first: date, last: date) -> list[dict[str, Any]]:
    """By kind, the most frequent first: the whole period and each day that has any."""
    found = []
    for whole in sorted((row for row in rows if not row.day), key=lambda row: (-row.count, row.kind)):
        days = sorted((row for row in rows if row.kind == whole.kind and row.day), key=lambda row: row.day)
        found.append(
            _times(whole, first, last)
            | {
                "days": [
                    {"day": row.day, **_times(row, date.fromisoformat(row.day), date.fromisoformat(row.day))}
                    for row in days
                ]
            }
        )
    return found


def _times(row: Any, first: date, last: date) -> dict[str, Any]:
    return {
        **part(row.kind, row.count, period_query("cleared", first, last)),
        "median_seconds": round(row.median_seconds, 3),
        "p90_seconds": round(row.p90_seconds, 3),
    }
