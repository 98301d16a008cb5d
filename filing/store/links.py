"""Documents by what links them, and what one does to another. Set-based; see documents.spec.Ref and Effect."""

from __future__ import annotations

from collections.abc import Sequence
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
# a document never goes back: neither by what another one does, nor by what customs says of it afterwards
_EFFECT = (
    "UPDATE document d SET state = :state, state_rank = :rank, settled = :settled,"
    " natural_key = CASE WHEN :frees THEN '' ELSE d.natural_key END, version = d.version + 1, updated_at = now()"
    " FROM document_ref t JOIN document_ref s ON s.name = t.name AND s.value = t.value AND s.kind = :source"
    " JOIN document o ON o.id = s.document_id"
    " WHERE t.document_id = d.id AND d.kind = :kind AND d.deleted_at IS NULL AND d.state_rank < :rank"
    " AND d.state_rank >= :below AND t.name = :ref AND o.state = :on AND o.deleted_at IS NULL"
    " AND {which} = ANY(CAST(:ids AS uuid[])) RETURNING "
    + CHANGED
    + ", o.id AS source_id, o.number AS source_number"
)
_EFFECT_OF = text(_EFFECT.format(which="o.id"))
_EFFECT_ON = text(_EFFECT.format(which="d.id"))
# what stands in place of others gives their number free with its own: an amended list was cancelled with its amendment
_FREE = (
    "UPDATE document d SET natural_key = ''"
    " FROM document_ref t JOIN document_ref s ON s.name = t.name AND s.value = t.value AND s.kind = :source"
    " JOIN document o ON o.id = s.document_id"
    " WHERE t.document_id = d.id AND d.kind = :kind AND d.natural_key <> '' AND d.deleted_at IS NULL"
    " AND d.state_rank > :rank AND t.name = :ref AND o.state = :on AND o.deleted_at IS NULL"
    " AND {which} = ANY(CAST(:ids AS uuid[]))"
)
_FREE_OF = text(_FREE.format(which="o.id"))
_FREE_ON = text(_FREE.format(which="d.id"))
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


def effect_of(connection: Connection, ids: Sequence[str], effect: dict[str, Any]) -> Sequence[Row[Any]]:
    """What documents `ids` do to others. effect: source, on, ref, kind, state, rank, settled, frees, below."""
    return _effect(connection, _EFFECT_OF, _FREE_OF, ids, effect)


def effect_on(connection: Connection, ids: Sequence[str], effect: dict[str, Any]) -> Sequence[Row[Any]]:
    """What others do to documents `ids` that are linked with them only now."""
    return _effect(connection, _EFFECT_ON, _FREE_ON, ids, effect)


def _effect(
    connection: Connection, move: TextClause, free: TextClause, ids: Sequence[str], effect: dict[str, Any]
) -> Sequence[Row[Any]]:
    values = {**effect, "ids": list(ids)}
    if effect["frees"]:
        connection.execute(free, values)
    return connection.execute(move, values).all()


def succeed(
    connection: Connection, ids: Sequence[str], state: str, rank: int, *, frees: bool
) -> Sequence[Row[Any]]:
    """Documents whose amendment or deletion customs took. Returns those that moved."""
    values = {"ids": list(ids), "state": state, "rank": rank, "frees": frees}
    return connection.execute(_SUCCEED, values).all()
