"""What dashboards show, counted set-based over the documents of one tenant. Each count has its index (schema)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

#: a first moment and a last one, both included, as RFC 3339
Period = tuple[str, str]
#: reasons of refusal that are told apart
REASONS = 200

_OF_KINDS = "d.kind = ANY(CAST(:kinds AS text[])) AND d.deleted_at IS NULL"
_DAY = "to_char({} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
_WITHIN = "{0} >= CAST(:first AS timestamptz) AND {0} <= CAST(:last AS timestamptz)"

_BY_STATE = text(
    f"SELECT d.kind, d.state, '' AS day, count(*) AS n FROM document d WHERE {_OF_KINDS} GROUP BY 1, 2"
)
_OVERDUE = text(
    "SELECT d.kind, d.state, '' AS day, count(*) AS n FROM unnest(CAST(:kinds AS text[]), CAST(:states AS text[]),"
    " CAST(:minutes AS int[])) AS l(kind, state, minutes) JOIN document d ON d.kind = l.kind AND d.state = l.state"
    " WHERE d.deleted_at IS NULL AND d.updated_at <= now() - make_interval(mins => l.minutes) GROUP BY 1, 2"
)
_STORED = text(
    f"SELECT d.kind, '' AS state, '' AS day, count(*) AS n FROM document d WHERE {_OF_KINDS}"
    f" AND {_WITHIN.format('d.stored_at')} GROUP BY 1"
)
_CLEARED = text(
    f"SELECT d.kind, '' AS state, '' AS day, count(*) AS n FROM document d WHERE {_OF_KINDS}"
    f" AND {_WITHIN.format('d.cleared_at')} GROUP BY 1"
)
_REFUSED = text(
    "SELECT d.kind, '' AS state, '' AS day, count(DISTINCT d.id) AS n FROM receipt r JOIN document d ON d.id = r.document_id"
    f" WHERE r.refusal <> '' AND {_WITHIN.format('r.received_at')} AND {_OF_KINDS} GROUP BY 1"
)
_DAILY = text(
    f"SELECT d.kind, d.state, {_DAY.format('d.stored_at')} AS day, count(*) AS n FROM document d WHERE {_OF_KINDS}"
    f" AND {_WITHIN.format('d.stored_at')} GROUP BY 1, 2, 3"
)
_REFUSALS = text(
    "SELECT d.kind, r.refusal, min(r.status) AS status, max(r.info) AS info, count(DISTINCT d.id) AS n,"
    " sum(count(DISTINCT d.id)) OVER () AS total FROM receipt r JOIN document d ON d.id = r.document_id"
    f" WHERE r.refusal <> '' AND {_WITHIN.format('r.received_at')} AND {_OF_KINDS}"
    f" GROUP BY 1, 2 ORDER BY n DESC, r.refusal, d.kind LIMIT {REASONS + 1}"
)
_CLEARANCE = text(
    "SELECT kind, coalesce(day, '') AS day, count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY s) AS median,"
    f" percentile_cont(0.9) WITHIN GROUP (ORDER BY s) AS p90 FROM (SELECT d.kind, {_DAY.format('d.cleared_at')} AS day,"
    # two clocks that differ by a little must not make a time below nothing
    "  greatest(0, extract(epoch FROM d.cleared_at - d.submitted_at)) AS s FROM document d"
    f"  WHERE {_OF_KINDS} AND {_WITHIN.format('d.cleared_at')}) AS cleared GROUP BY GROUPING SETS ((kind), (kind, day))"
)
_SIGNING = text(
    "SELECT d.kind, count(DISTINCT d.message_id) AS messages, count(*) AS documents FROM document d"
    f" WHERE {_OF_KINDS} AND d.state = 'signing' GROUP BY 1"
)


def by_state(connection: Connection, kinds: Sequence[str]) -> Sequence[Row[Any]]:
    """All documents: kind, state, n."""
    return connection.execute(_BY_STATE, {"kinds": list(kinds)}).all()


def overdue(connection: Connection, limits: Sequence[tuple[str, str, int]]) -> Sequence[Row[Any]]:
    """Those that rest longer than their state allows; limits: (kind, state, minutes)."""
    kinds, states, minutes = ([row[column] for row in limits] for column in range(3))
    return connection.execute(_OVERDUE, {"kinds": kinds, "states": states, "minutes": minutes}).all()


def stored(connection: Connection, kinds: Sequence[str], period: Period) -> Sequence[Row[Any]]:
    """Those stored within the period: kind, n."""
    return connection.execute(_STORED, _values(kinds, period)).all()


def cleared(connection: Connection, kinds: Sequence[str], period: Period) -> Sequence[Row[Any]]:
    """Those of which was heard within the period that they are cleared: kind, n."""
    return connection.execute(_CLEARED, _values(kinds, period)).all()


def refused(connection: Connection, kinds: Sequence[str], period: Period) -> Sequence[Row[Any]]:
    """Those of which customs refused something within the period: kind, n."""
    return connection.execute(_REFUSED, _values(kinds, period)).all()


def daily(connection: Connection, kinds: Sequence[str], period: Period) -> Sequence[Row[Any]]:
    """Those stored within the period: kind, state of today, day, n."""
    return connection.execute(_DAILY, _values(kinds, period)).all()


def refusals(connection: Connection, kinds: Sequence[str], period: Period) -> Sequence[Row[Any]]:
    """Reasons of the period: kind, refusal, status, info, n, total; REASONS + 1 at most."""
    return connection.execute(_REFUSALS, _values(kinds, period)).all()


def clearance(connection: Connection, kinds: Sequence[str], period: Period) -> Sequence[Row[Any]]:
    """Seconds from filing to clearance: kind, day ("" = the period), n, median, p90."""
    return connection.execute(_CLEARANCE, _values(kinds, period)).all()


def signing(connection: Connection, kinds: Sequence[str]) -> Sequence[Row[Any]]:
    """What was filed and has no signature yet: kind, messages, documents."""
    return connection.execute(_SIGNING, {"kinds": list(kinds)}).all()


def _values(kinds: Sequence[str], period: Period) -> dict[str, Any]:
    return {"kinds": list(kinds), "first": period[0], "last": period[1]}
