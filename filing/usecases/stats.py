"""Numbers for dashboards: of the kinds the actor may read, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from documents import groups
from filing.context import Filing
from filing.store import stats as store
from filing.times import SHANGHAI
from runtime.actor import Actor
from runtime.errors import Detail, Problem

#: days a period may have, both ends included: no calendar month is longer
DAYS = 31


@dataclass(frozen=True, slots=True)
class Overview:
    """Rows of kind, state, n."""

    states: Sequence[Any]
    overdue: Sequence[Any]
    received: Sequence[Any]
    cleared: Sequence[Any]
    refused: Sequence[Any]


def overview(filing: Filing, actor: Actor, asked: Sequence[str], first: str, last: str) -> Overview:
    """How many there are in each state, how many rest too long, and what the period brought; of one moment."""
    kinds, period = _kinds(filing, actor, asked), _period(first, last)
    limits = [
        (kind, state, minutes)
        for kind in kinds
        for state, minutes in groups.limits(filing.doctype(kind)).items()
    ]
    with filing.database.transaction(actor.tenant_id) as connection:
        return Overview(
            store.by_state(connection, kinds),
            store.overdue(connection, limits),
            store.stored(connection, kinds, period),
            store.cleared(connection, kinds, period),
            store.refused(connection, kinds, period),
        )


def daily(filing: Filing, actor: Actor, asked: Sequence[str], first: str, last: str) -> Sequence[Any]:
    """What was stored on each day, and in which state it is now."""
    kinds, period = _kinds(filing, actor, asked), _period(first, last)
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.daily(connection, kinds, period)


def refusals(filing: Filing, actor: Actor, asked: Sequence[str], first: str, last: str) -> Sequence[Any]:
    """Why customs refused, the most frequent reason first; store.REASONS + 1 at most."""
    kinds, period = _kinds(filing, actor, asked), _period(first, last)
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.refusals(connection, kinds, period)


def clearance(filing: Filing, actor: Actor, asked: Sequence[str], first: str, last: str) -> Sequence[Any]:
    """How long it took from filing to clearance, by kind and day of clearance."""
    kinds, period = _kinds(filing, actor, asked), _period(first, last)
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.clearance(connection, kinds, period)


def signing(filing: Filing, actor: Actor, asked: Sequence[str]) -> Sequence[Any]:
    """What waits for a signature."""
    kinds = _kinds(filing, actor, asked)
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.signing(connection, kinds)


def _kinds(filing: Filing, actor: Actor, asked: Sequence[str]) -> list[str]:
    """Those asked for, each of which must be readable; without any, all that are."""
    actor.require("document.read")
    for kind in asked:
        filing.doctype(kind)
        actor.require("document.read", kind)
    known = [doctype.kind for doctype in filing.registry.types]
    return list(dict.fromkeys(asked)) or [kind for kind in known if actor.may("document.read", kind)]


def _period(first: str, last: str) -> store.Period:
    """The first moment of one day and the last of another, one calendar month apart at most."""
    start, end = _day("first_day", first), _day("last_day", last)
    if start > end:
        raise _wrong("first_day", "range", "时间范围的起不能晚于止。", "The range begins after its end.")
    if (end - start).days >= DAYS:
        zh, en = "时间范围最长为一个自然月，请缩短范围。", "A range may span at most one calendar month."
        raise _wrong("last_day", "range-too-long", zh, en)
    moments = datetime.combine(start, time.min, SHANGHAI), datetime.combine(end, time.max, SHANGHAI)
    return moments[0].isoformat(), moments[1].isoformat()


def _day(name: str, given: str) -> date:
    try:
        found = date.fromisoformat(given)
        if len(given) != 10 or not 2000 <= found.year < 2100:
            raise ValueError(given)
    except ValueError:
        zh, en = "应为日期，例如 2026-11-20。", "It must be a date such as 2026-11-20."
        raise _wrong(name, "not-a-day", zh, en) from None
    return found


def _wrong(name: str, code: str, zh: str, en: str) -> Problem:
    return Problem("invalid", zh, en, [Detail(f"/{name}", code, zh, en)])
