"""The query pages: declared conditions, keyset paging, counts that stop early.

Searchable values are found in document_key; prefixes are ranges in the C collation, because LIKE cannot use an index
under row-level security.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

#: a count beyond this is shown as "more than"
COUNT_LIMIT = 10_000
#: sort name -> column; all have an index that begins with tenant and kind, or are bounded by the page
SORTS = {"stored_at": "stored_at", "number": "number", "state": "state"}
_COLUMNS = (
    "d.id, d.kind, d.number, d.state, d.settled, d.customs_status, d.return_info, d.version, d.batch_no,"
    " d.created_by, d.stored_at, d.updated_at, d.revision, d.app_type, d.replaces, d.replaced_by, d.task_id,"
    " d.body->'head' AS head"
)


@dataclass(frozen=True, slots=True)
class Linked:
    """Whether there is, or is not, a document of a kind in these states that shares a ref."""

    ref: str
    kind: str
    states: Sequence[str]
    there: bool


@dataclass(slots=True)
class Filter:
    """What is asked for. conditions: (field, match, value); after: (sort value, id) of the last row seen."""

    kind: str
    states: Sequence[str] = ()
    settled: bool | None = None
    stored_from: str | None = None
    stored_to: str | None = None
    batch_no: str = ""
    task_id: str | None = None
    conditions: Sequence[tuple[str, str, str]] = ()
    linked: Sequence[Linked] = ()
    sort: str = "stored_at"
    descending: bool = True
    after: tuple[str, str] | None = None
    limit: int = 50
    values: dict[str, Any] = field(default_factory=dict)


def page(connection: Connection, wanted: Filter) -> Sequence[Row[Any]]:
    """One page, `limit` rows at most."""
    where, values = where_of(wanted)
    column = SORTS[wanted.sort]
    direction = "DESC" if wanted.descending else "ASC"
    if wanted.after is not None:
        compare = "<" if wanted.descending else ">"
        cast = "CAST(:after_value AS timestamptz)" if column == "stored_at" else ":after_value"
        where += f" AND (d.{column}, d.id) {compare} ({cast}, CAST(:after_id AS uuid))"
        values["after_value"], values["after_id"] = wanted.after
    values["limit"] = wanted.limit
    order = f"d.{column} {direction}, d.id {direction}"
    return connection.execute(
        text(f"SELECT {_COLUMNS} FROM document d WHERE {where} ORDER BY {order} LIMIT :limit"), values
    ).all()


def count(connection: Connection, wanted: Filter) -> int:
    """How many there are, at most COUNT_LIMIT + 1."""
    where, values = where_of(wanted)
    values["count_limit"] = COUNT_LIMIT + 1
    statement = text(
        f"SELECT count(*) FROM (SELECT 1 FROM document d WHERE {where} LIMIT :count_limit) AS found"
    )
    return int(connection.execute(statement, values).scalar_one())


def where_of(wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The condition over `document d`, without the cursor. Only names of our own go into the text; every value is a parameter."""
    parts = ["d.kind = :kind", "d.deleted_at IS NULL"]
    values: dict[str, Any] = {"kind": wanted.kind}
    if wanted.states:
        parts.append("d.state = ANY(CAST(:states AS text[]))")
        values["states"] = list(wanted.states)
    if wanted.settled is not None:
        parts.append("d.settled = :settled")
        values["settled"] = wanted.settled
    if wanted.stored_from:
        parts.append("d.stored_at >= CAST(:stored_from AS timestamptz)")
        values["stored_from"] = wanted.stored_from
    if wanted.stored_to:
        parts.append("d.stored_at <= CAST(:stored_to AS timestamptz)")
        values["stored_to"] = wanted.stored_to
    if wanted.task_id:
        parts.append("d.task_id = CAST(:task_id AS uuid)")
        values["task_id"] = wanted.task_id
    if wanted.batch_no:
        parts.append("d.batch_no = :batch_no")
        values["batch_no"] = wanted.batch_no
    for number, (name, match, value) in enumerate(wanted.conditions):
        bounds = f"k.value = :v{number}"
        if match == "prefix":
            bounds = f"k.value >= :v{number} AND k.value < :w{number}"
            values[f"w{number}"] = value + "\U0010ffff"
        parts.append(
            f"d.id IN (SELECT k.document_id FROM document_key k WHERE k.kind = :kind AND k.field = :f{number}"
            f" AND {bounds})"
        )
        values[f"f{number}"], values[f"v{number}"] = name, value
    for number, other in enumerate(wanted.linked):
        negation = "" if other.there else "NOT "
        parts.append(
            f"{negation}EXISTS (SELECT 1 FROM document_ref own JOIN document_ref r ON r.name = own.name"
            " AND r.value = own.value JOIN document o ON o.id = r.document_id"
            f" WHERE own.document_id = d.id AND own.name = :rn{number} AND o.kind = :rk{number}"
            f" AND o.state = ANY(CAST(:rs{number} AS text[])) AND o.deleted_at IS NULL)"
        )
        values |= {f"rn{number}": other.ref, f"rk{number}": other.kind, f"rs{number}": list(other.states)}
    return " AND ".join(parts), values


# one range of the key table for each declared number of each kind; numbers in lines are found as whole links
_SEARCH = text(
    f"SELECT {_COLUMNS} FROM document d WHERE d.deleted_at IS NULL AND d.id IN ("
    " SELECT found.document_id FROM unnest(CAST(:kinds AS text[]), CAST(:fields AS text[])) AS n(kind, field)"
    " CROSS JOIN LATERAL (SELECT k.document_id FROM document_key k WHERE k.kind = n.kind AND k.field = n.field"
    "  AND k.value >= :q AND k.value < :end ORDER BY k.value LIMIT :limit) AS found)"
    " ORDER BY d.number = :q DESC, d.kind, d.number, d.id LIMIT :limit"
)


def search(
    connection: Connection, numbers: Sequence[tuple[str, str]], q: str, limit: int
) -> Sequence[Row[Any]]:
    """Documents of which one of the numbers (kind, field) begins with q; those that are exactly it come first."""
    values: Mapping[str, Any] = {
        "kinds": [kind for kind, _ in numbers],
        "fields": [field for _, field in numbers],
        "q": q,
        "end": q + "\U0010ffff",
        "limit": limit,
    }
    return connection.execute(_SEARCH, values).all()
