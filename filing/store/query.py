"""The query pages: declared conditions, keyset paging, counts that stop early.

Searchable values are found in document_key; prefixes are ranges in the C collation, because LIKE cannot use an index
under row-level security.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

#: a count beyond this is shown as "more than"
COUNT_LIMIT = 10_000
#: how many documents a search for any number shows
FOUND = 20
#: what a condition may find so that all of it is looked at; of more, rows are looked at in the order asked for
FEW = 1_000
#: sort name -> columns; with the id behind them all are the end of an index that begins with tenant and kind
SORTS = {"stored_at": ("stored_at",), "number": ("number",), "state": ("state", "stored_at")}
#: asked of every row, whatever else is
_ALWAYS = ("d.kind = :kind", "d.deleted_at IS NULL")
_CASTS = {"stored_at": "CAST(:{} AS timestamptz)"}
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


#: from and to, both included; None = open
Period = tuple[str | None, str | None]
OPEN: Period = (None, None)


@dataclass(slots=True)
class Filter:
    """What is asked for. cleared, refused: when customs said so; refusal: why (documents.refusals); overdue: minutes
    that a document may rest, by state. conditions: (field, match, value); after: values of the sort's columns and id of the last row
    seen. found: of each condition how much it finds, at most FEW + 1; None until `weigh` was asked.
    """

    kind: str
    states: Sequence[str] = ()
    settled: bool | None = None
    stored_from: str | None = None
    stored_to: str | None = None
    batch_no: str = ""
    task_id: str | None = None
    cleared: Period = OPEN
    refused: Period = OPEN
    refusal: str = ""
    overdue: Mapping[str, int] | None = None
    conditions: Sequence[tuple[str, str, str]] = ()
    linked: Sequence[Linked] = ()
    sort: str = "stored_at"
    descending: bool = True
    after: Sequence[str] | None = None
    limit: int = 50
    found: Sequence[int] | None = None

    @property
    def by_sets(self) -> bool:
        """Whether it is asked with whole sets of keys or receipts, and not by the document's own columns only."""
        return bool(self.conditions) or self.refused != OPEN or bool(self.refusal)


def weigh(connection: Connection, wanted: Filter) -> None:
    """Note how much each condition finds, without reading all of it.

    The planner cannot tell: which values a field has depends on field, kind and tenant together, and once a statement
    is prepared it plans for a value of average frequency (measured: 400 ms instead of 4 for what most rows have).
    """
    counts, values = [], {"kind": wanted.kind}
    for number, condition in enumerate(wanted.conditions):
        key, more = _key(number, condition)
        counts.append(
            f"(SELECT count(*) FROM (SELECT 1 FROM document_key k WHERE {key} LIMIT {FEW + 1}) AS k)"
        )
        values |= more
    wanted.found = (
        list(connection.execute(text(f"SELECT {', '.join(counts)}"), values).one()) if counts else []
    )


def page(connection: Connection, wanted: Filter) -> Sequence[Row[Any]]:
    """One page, `limit` rows at most."""
    source, where, values = _source(wanted)
    if wanted.after is not None:
        names = SORTS[wanted.sort]
        *given, values["after_id"] = wanted.after
        values |= {f"after_{name}": value for name, value in zip(names, given, strict=True)}
        casts = [_CASTS.get(name, ":{}").format(f"after_{name}") for name in names]
        compare = "<" if wanted.descending else ">"
        where += (
            f" AND ({', '.join(f'd.{name}' for name in names)}, d.id) {compare}"
            f" ({', '.join(casts)}, CAST(:after_id AS uuid))"
        )
    order = order_of(wanted)
    limit = ":limit"
    if _rarest(wanted) is None:
        values["limit"] = wanted.limit
    else:
        limit = str(wanted.limit)  # see _key
    # the head is taken out of bodies only of what is on the page
    statement = (
        f"SELECT {_COLUMNS} FROM (SELECT d.* FROM {source} WHERE {where} ORDER BY {order} LIMIT {limit}) AS d"
        f" ORDER BY {order}"
    )
    return connection.execute(text(statement), values).all()


# joins of whole sets only, until the end of the transaction or until told otherwise
_READ_ONCE = text("SET LOCAL enable_nestloop = off")
_ANY_WAY = text("SET LOCAL enable_nestloop = on")


def count(connection: Connection, wanted: Filter) -> int:
    """How many there are, at most COUNT_LIMIT + 1."""
    once = False
    if wanted.found and len(wanted.found) == 1 and len(_rows(wanted)[0]) == len(_ALWAYS):
        # nothing but the one condition: its keys are as many as its documents, and lie side by side
        key, values = _key(0, wanted.conditions[0])
        source, where = "document_key k", key
        values["kind"] = wanted.kind
    elif _rarest(wanted) is not None:
        source, where, values = _source(wanted)
    else:
        # of many all ways lead through as many rows, as long as each is read once. Right after a large import the planner
        # takes the tables for small and would look through all keys for each document (10,000 orders: 20 s, not 20 ms)
        source, where, values = _plain(wanted)
        once = wanted.by_sets
    if once:
        connection.execute(_READ_ONCE)
    values["count_limit"] = COUNT_LIMIT + 1
    statement = text(
        f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where} LIMIT :count_limit) AS found"
    )
    number = int(connection.execute(statement, values).scalar_one())
    if once:
        connection.execute(_ANY_WAY)
    return number


def order_of(wanted: Filter) -> str:
    """The order of rows of `document d`."""
    direction = "DESC" if wanted.descending else "ASC"
    return ", ".join(f"d.{name} {direction}" for name in (*SORTS[wanted.sort], "id"))


def _plain(wanted: Filter) -> tuple[str, str, dict[str, Any]]:
    return "document d", *where_of(wanted)


def _rarest(wanted: Filter) -> int | None:
    """The condition that finds least, if that is few."""
    if not wanted.found:
        return None
    least = min(wanted.found)
    return list(wanted.found).index(least) if least <= FEW else None


def _source(wanted: Filter) -> tuple[str, str, dict[str, Any]]:
    """From where and under which condition, as what was found by `weigh` demands; OFFSET 0 keeps it so."""
    if wanted.found is None:
        return _plain(wanted)
    source, (parts, values), rarest = "document d", _rows(wanted), _rarest(wanted)
    for number, condition in enumerate(wanted.conditions):
        key, more = _key(number, condition)
        values |= more
        if number == rarest:
            source = (
                f"(SELECT DISTINCT k.document_id FROM document_key k WHERE {key} OFFSET 0) AS few"
                " CROSS JOIN LATERAL (SELECT * FROM document WHERE id = few.document_id OFFSET 0) AS d"
            )
        elif condition[1] == "prefix":
            keys = "SELECT kind, field, value FROM document_key WHERE document_id = d.id OFFSET 0"
            parts.append(f"EXISTS (SELECT 1 FROM ({keys}) AS k WHERE {key} OFFSET 0)")
        else:
            parts.append(
                f"EXISTS (SELECT 1 FROM document_key k WHERE k.document_id = d.id AND {key} OFFSET 0)"
            )
    return source, " AND ".join(parts), values


def _key(number: int, condition: tuple[str, str, str], *, settled: bool = True) -> tuple[str, dict[str, Any]]:
    """What a condition means for `document_key k`.

    settled: the statement around it leaves no choice of ways. Then bounds (and a limit) that the planner cannot look
    at let PostgreSQL keep its first plan; to plan anew each time takes longer than to find a number.
    """
    name, match, value = condition
    values = {f"f{number}": name, f"v{number}": value}
    bounds = f"k.value = :v{number}"
    if match == "prefix":
        values[f"w{number}"] = value + "\U0010ffff"
        low, high = (f"(SELECT CAST(:{n}{number} AS text))" if settled else f":{n}{number}" for n in "vw")
        bounds = f"k.value >= {low} AND k.value < {high}"
    return f"k.kind = :kind AND k.field = :f{number} AND {bounds}", values


def where_of(wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The condition over `document d`, without the cursor. Only names of our own go into the text; every value is a parameter."""
    parts, values = _rows(wanted)
    for number, condition in enumerate(wanted.conditions):
        key, more = _key(number, condition, settled=False)
        parts.append(f"d.id IN (SELECT k.document_id FROM document_key k WHERE {key})")
        values |= more
    return " AND ".join(parts), values


def _rows(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """What is asked of the documents' own columns and links."""
    parts = list(_ALWAYS)
    values: dict[str, Any] = {"kind": wanted.kind}
    if wanted.states:
        parts.append("d.state = ANY(CAST(:states AS text[]))")
        values["states"] = list(wanted.states)
    if wanted.settled is not None:
        parts.append("d.settled = :settled")
        values["settled"] = wanted.settled
    _within("d.stored_at", "stored", (wanted.stored_from, wanted.stored_to), parts, values)
    if wanted.task_id:
        parts.append("d.task_id = CAST(:task_id AS uuid)")
        values["task_id"] = wanted.task_id
    if wanted.batch_no:
        # said twice: the index holds only documents of batches
        parts.append("d.batch_no = :batch_no AND d.batch_no <> ''")
        values["batch_no"] = wanted.batch_no
    _of_customs(wanted, parts, values)
    for number, other in enumerate(wanted.linked):
        negation = "" if other.there else "NOT "
        # most have none: they are looked at one by one; those that have one are few, and found from there
        one_by_one = "" if other.there else " OFFSET 0"
        parts.append(
            f"{negation}EXISTS (SELECT 1 FROM document_ref own JOIN document_ref r ON r.name = own.name"
            f" AND r.value = own.value AND r.kind = :rk{number} JOIN document o ON o.id = r.document_id"
            f" WHERE own.document_id = d.id AND own.name = :rn{number}"
            f" AND o.state = ANY(CAST(:rs{number} AS text[])) AND o.deleted_at IS NULL{one_by_one})"
        )
        values |= {f"rn{number}": other.ref, f"rk{number}": other.kind, f"rs{number}": list(other.states)}
    return parts, values


def _of_customs(wanted: Filter, parts: list[str], values: dict[str, Any]) -> None:
    """What is asked of the answers of customs, and of the time without one."""
    _within("d.cleared_at", "cleared", wanted.cleared, parts, values)
    if wanted.refused != OPEN or wanted.refusal:
        told = ["r.refusal <> ''"]
        _within("r.received_at", "refused", wanted.refused, told, values)
        if wanted.refusal:
            told.append("r.refusal = :refusal")
            values["refusal"] = wanted.refusal
        parts.append(f"d.id IN (SELECT r.document_id FROM receipt r WHERE {' AND '.join(told)})")
    if wanted.overdue is not None:
        parts.append(
            "d.state = ANY(CAST(:limited AS text[])) AND d.updated_at <= now() - make_interval(mins =>"
            " (CAST(:minutes AS int[]))[array_position(CAST(:limited AS text[]), d.state)])"
        )
        values |= {"limited": list(wanted.overdue), "minutes": list(wanted.overdue.values())}


def _within(column: str, name: str, period: Period, parts: list[str], values: dict[str, Any]) -> None:
    for end, compare in zip(("from", "to"), (">=", "<="), strict=True):
        moment = period[end == "to"]
        if moment:
            parts.append(f"{column} {compare} CAST(:{name}_{end} AS timestamptz)")
            values[f"{name}_{end}"] = moment


# one range of the key table for each name of a number; numbers in lines are found as whole links
_SEARCH = text(
    f"SELECT {_COLUMNS} FROM (SELECT d.* FROM document d WHERE d.deleted_at IS NULL AND d.id IN ("
    " SELECT found.document_id FROM unnest(CAST(:fields AS text[]), CAST(:kinds AS text[])) AS n(field, kinds)"
    " CROSS JOIN LATERAL (SELECT k.document_id FROM document_key k WHERE k.field = n.field"
    "  AND k.kind = ANY(string_to_array(n.kinds, ' ')) AND k.value >= (SELECT CAST(:q AS text))"
    "  AND k.value < (SELECT CAST(:end AS text))"
    f"  ORDER BY k.value LIMIT {FOUND}) AS found)"
    f" ORDER BY d.number = :q DESC, d.kind, d.number, d.id LIMIT {FOUND}) AS d"
    " ORDER BY d.number = :q DESC, d.kind, d.number, d.id"
)


def search(connection: Connection, numbers: Sequence[tuple[str, str]], q: str) -> Sequence[Row[Any]]:
    """FOUND documents of which one of the numbers (kind, field) begins with q; those that are exactly it come first."""
    by_field: dict[str, list[str]] = {}
    for kind, name in numbers:
        by_field.setdefault(name, []).append(kind)
    values: Mapping[str, Any] = {
        "fields": list(by_field),
        "kinds": [" ".join(kinds) for kinds in by_field.values()],
        "q": q,
        "end": q + "\U0010ffff",
    }
    return connection.execute(_SEARCH, values).all()
