"""Bodies: completing what the declaration fills in, and the values of searchable fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from documents.spec import Body, DocumentType


def complete(doctype: DocumentType, body: Body) -> dict[str, Any]:
    """The body with declared defaults and computed head fields filled in; empty optional texts left out.

    Computed fields are filled only if the lines allow it (all amounts right); call after `Checker.wrongs`.
    """
    head = {name: value for name, value in body["head"].items() if value != ""}
    for field in doctype.head:
        if field.default is not None:
            head.setdefault(field.name, field.default)
    lines = [{name: value for name, value in line.items() if value != ""} for line in body["lines"]]
    for field in doctype.lines:
        if field.default is not None:
            for line in lines:
                line.setdefault(field.name, field.default)
    whole = {"head": head, "lines": lines}
    for name, compute in doctype.computed:
        if name not in head:
            head[name] = compute(whole)
    return whole


def number(doctype: DocumentType, body: Body) -> str:
    """The document's own number, e.g. the order number; empty in an unfinished draft."""
    return str(body["head"].get(doctype.number, ""))


def natural_key(doctype: DocumentType, head: Mapping[str, Any]) -> str:
    """What must be unique in a tenant among documents of one message, e.g. platform and order number.

    Empty while a required part is missing (an unfinished draft). Orders and bookings share CEB303 and so their
    numbers.
    """
    parts = [str(head.get(name, "")) for name in doctype.unique]
    if not all(part or not needed for part, needed in zip(parts, _needed(doctype), strict=True)):
        return ""
    return "|".join([doctype.message.root, *parts])


@cache
def _needed(doctype: DocumentType) -> tuple[bool, ...]:
    return tuple(doctype.head_field(name).required for name in doctype.unique)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a document is found by: (field, value) of searchable fields, and (name, value) of its links."""

    keys: list[tuple[str, str]]
    refs: list[tuple[str, str]]


def terms(doctype: DocumentType, body: Body) -> Terms:
    """Keys and refs of a body."""
    return Terms(keys(doctype, body), refs(doctype, body))


def keys(doctype: DocumentType, body: Body) -> list[tuple[str, str]]:
    """(field, value) of every searchable head field that has a value."""
    head = body["head"]
    return [(name, str(head[name])) for name in doctype.searchable if head.get(name)]


def refs(doctype: DocumentType, body: Body) -> list[tuple[str, str]]:
    """(name, value) of every link this document has, each once; values of several fields are joined by "|"."""
    found: dict[tuple[str, str], None] = {}
    head = body["head"]
    for ref in doctype.refs:
        for part in body["lines"] if ref.level == "line" else (head,):
            values = [str(part.get(name) or head.get(name, "")) for name in ref.fields]
            if all(values):
                found[ref.name, "|".join(values)] = None
    return list(found)


def split(doctype: DocumentType, body: Body) -> Iterator[Body]:
    """The body in parts that fit one message each, numbered in the fields of part count and part number.

    Only where the type says so and there are more lines than a part takes; otherwise the body as it is.
    """
    size = doctype.message.split_lines
    lines = body["lines"]
    if not size or len(lines) <= size or doctype.parts is None:
        yield body
        return
    count, number = doctype.parts
    total = -(-len(lines) // size)
    for index in range(total):
        head = {**body["head"], count: str(total), number: str(index + 1)}
        yield {"head": head, "lines": lines[index * size : (index + 1) * size]}


def of_customs(doctype: DocumentType, head: Mapping[str, Any]) -> dict[str, str]:
    """The part of a head that customs filled."""
    names = [item.name for item in doctype.head if item.filled_by == "customs"]
    return {name: head[name] for name in names if head.get(name)}


def without_customs(body: Any, known: Mapping[str, str]) -> Any:
    """A body as it came, without the values of customs that its sender only repeats.

    Forms send back what they were given; what differs stays, and is refused like any field nobody may fill.
    """
    head = body.get("head") if isinstance(body, Mapping) else None
    if not isinstance(head, Mapping):
        return body
    kept = {name: value for name, value in head.items() if name not in known or value != known[name]}
    return {**body, "head": kept}
