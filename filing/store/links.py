"""Documents by what links them, and what one does to another. Set-based; see documents.spec.Ref and Effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from filing.store.columns import CHANGED
from filing.store.documents import HEADER

_LOCK_LINKED = text(
    f"SELECT {HEADER}, d.body FROM document d WHERE d.kind = :kind AND d.deleted_at IS NULL"
    " AND d.state = ANY(CAST(:states AS text[])) AND d.app_type = '1' AND d.id IN (SELECT r.document_id FROM document_ref r"
    " WHERE r.name = :name AND r.value = ANY(CAST(:values AS text[])) AND r.kind = :kind)"
    " ORDER BY d.id FOR UPDATE"
)
_LINKED = text(
    f"SELECT {HEADER}, d.body FROM document d WHERE d.deleted_at IS NULL AND d.kind = ANY(CAST(:kinds AS text[]))"
    " AND d.id IN (SELECT r.document_id FROM unnest(CAST(:names AS text[]), CAST(:values AS text[])) AS w(n, v)"
    " CROSS JOIN LATERAL (SELECT document_id FROM document_ref WHERE name = w.n AND value = w.v"
    "  LIMIT :limit) AS r) ORDER BY d.stored_at, d.id LIMIT :limit"
)
_CURRENT = text(
    f"SELECT {HEADER}, d.body, r.value AS ref_value FROM unnest(CAST(:names AS text[]), CAST(:values AS text[]))"
    " AS w(n, v) JOIN document_ref r ON r.name = w.n AND r.value = w.v AND r.kind = :kind"
    " JOIN document d ON d.id = r.document_id WHERE d.deleted_at IS NULL AND d.app_type <> '3'"
    # of several revisions the one that customs has heard of last
    " ORDER BY (d.attempt > 0), d.revision"
)
_REFS_OF = text(
    "SELECT document_id, name, value FROM document_ref WHERE document_id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY name, value LIMIT :limit"
)
# OFFSET 0 as in filing.store.receipts: every step is one probe of an index. Left to the planner, which knows little of
# how links are spread, this joined all links of a tenant with each other (measured: 40 s instead of 5 ms)
_OWN_REFS = (
    "CROSS JOIN LATERAL (SELECT value FROM document_ref WHERE document_id = {owner} AND name = :ref OFFSET 0) AS own"
    " CROSS JOIN LATERAL (SELECT document_id FROM document_ref WHERE name = :ref AND value = own.value"
    "  AND kind = :{kind} OFFSET 0) AS other"
)
_SOURCE = (
    "CROSS JOIN LATERAL (SELECT id, number FROM document WHERE id = {id} AND kind = :source AND state = :on"
    " AND deleted_at IS NULL OFFSET 0) AS source"
)
# one of the documents that lead to it is enough; locked in id order
_EFFECTS = (
    "SELECT d.id, d.state_rank, found.source_id, found.source_number FROM ("
    " SELECT DISTINCT ON ({target}) {target} AS id, source.id AS source_id, source.number AS source_number"
    " FROM unnest(CAST(:ids AS uuid[])) AS given(id) {chain} ORDER BY {target}, source.id) AS found"
    " CROSS JOIN LATERAL (SELECT * FROM document WHERE id = found.id OFFSET 0 FOR UPDATE) AS d"
    " WHERE d.kind = :kind AND d.deleted_at IS NULL AND d.state_rank >= :below"
    " AND (d.state_rank < :rank OR :frees AND d.natural_key <> '')"
)
_EFFECT_OF = text(
    _EFFECTS.format(
        target="other.document_id",
        chain=f"{_SOURCE.format(id='given.id')} {_OWN_REFS.format(owner='source.id', kind='kind')}",
    )
)
_EFFECT_ON = text(
    _EFFECTS.format(
        target="given.id",
        chain=f"{_OWN_REFS.format(owner='given.id', kind='source')} {_SOURCE.format(id='other.document_id')}",
    )
)
# a document never goes back: neither by what another one does, nor by what customs says of it afterwards
_MOVE = text(
    "UPDATE document d SET state = :state, state_rank = :rank, settled = :settled,"
    " natural_key = CASE WHEN :frees THEN '' ELSE d.natural_key END, version = d.version + 1, updated_at = now()"
    f" WHERE d.id = ANY(CAST(:ids AS uuid[])) RETURNING {CHANGED}"
)
_FREE = text("UPDATE document SET natural_key = '' WHERE id = ANY(CAST(:ids AS uuid[]))")
_SUCCEED = text(
    "UPDATE document d SET state = :state, state_rank = :rank, settled = true,"
    " natural_key = CASE WHEN :frees THEN '' ELSE d.natural_key END, version = d.version + 1, updated_at = now()"
    f" WHERE d.id = ANY(CAST(:ids AS uuid[])) AND d.state_rank < :rank RETURNING {CHANGED}"
)


def lock_linked(
    connection: Connection, kind: str, name: str, values: Sequence[str], states: Sequence[str]
) -> Sequence[Row[Any]]:
    """First revisions of a kind in these states with one of the values under a ref's name, locked in id order."""
    wanted = {"kind": kind, "name": name, "values": list(values), "states": list(states)}
    return connection.execute(_LOCK_LINKED, wanted).all()


def linked(
    connection: Connection, kinds: Sequence[str], refs: Sequence[tuple[str, str]], limit: int
) -> Sequence[Row[Any]]:
    """Documents of these kinds with any of the refs (name, value), with bodies, oldest first."""
    names, values = [name for name, _ in refs], [value for _, value in refs]
    return connection.execute(
        _LINKED, {"kinds": list(kinds), "names": names, "values": values, "limit": limit}
    ).all()


def current(connection: Connection, kind: str, refs: Sequence[tuple[str, str]]) -> dict[str, Row[Any]]:
    """By value of a ref: the document of a kind that has it, with its body."""
    names, values = [name for name, _ in refs], [value for _, value in refs]
    rows = connection.execute(_CURRENT, {"kind": kind, "names": names, "values": values})
    return {str(row.ref_value): row for row in rows}


def refs_of(connection: Connection, ids: Sequence[str], limit: int) -> dict[str, list[tuple[str, str]]]:
    """What links each of the documents: (name, value), `limit` in all."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(_REFS_OF, {"ids": list(ids), "limit": limit}):
        found.setdefault(str(row.document_id), []).append((row.name, row.value))
    return found


@dataclass(frozen=True, slots=True)
class Followed:
    """A document that another one moved."""

    row: Row[Any]
    source_id: str
    source_number: str


def effect_of(connection: Connection, ids: Sequence[str], effect: dict[str, Any]) -> list[Followed]:
    """What documents `ids` do to others. effect: source, on, ref, kind, state, rank, settled, frees, below."""
    return _effect(connection, _EFFECT_OF, ids, effect)


def effect_on(connection: Connection, ids: Sequence[str], effect: dict[str, Any]) -> list[Followed]:
    """What others do to documents `ids` that are linked with them, or heard of by customs, only now."""
    return _effect(connection, _EFFECT_ON, ids, effect)


def _effect(
    connection: Connection, statement: TextClause, ids: Sequence[str], effect: dict[str, Any]
) -> list[Followed]:
    found = {str(row.id): row for row in connection.execute(statement, {**effect, "ids": list(ids)})}
    below = [new for new, row in found.items() if row.state_rank < effect["rank"]]
    # one that stands in place of others gives their number free with its own: they are amended, and stay so
    above = [new for new in found if new not in set(below)]
    if above:
        connection.execute(_FREE, {"ids": above})
    moved = connection.execute(_MOVE, {**effect, "ids": below}).all() if below else []
    return [
        Followed(row, str(found[str(row.id)].source_id), found[str(row.id)].source_number) for row in moved
    ]


def succeed(
    connection: Connection, ids: Sequence[str], state: str, rank: int, *, frees: bool
) -> Sequence[Row[Any]]:
    """Documents whose amendment or deletion customs took. Returns those that moved."""
    values = {"ids": list(ids), "state": state, "rank": rank, "frees": frees}
    return connection.execute(_SUCCEED, values).all()
