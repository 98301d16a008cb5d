"""Bodies: completing what the declaration fills in, and the values of searchable fields."""

from __future__ import annotations

from collections.abc import Mapping
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

    Empty while a part is missing (an unfinished draft). Orders and bookings share CEB303 and so their numbers.
    """
    parts = [str(head.get(name, "")) for name in doctype.unique]
    return "|".join([doctype.message.root, *parts]) if all(parts) else ""


def keys(doctype: DocumentType, body: Body) -> list[tuple[str, str]]:
    """(field, value) of every searchable head field that has a value."""
    head = body["head"]
    return [(name, str(head[name])) for name in doctype.searchable if head.get(name)]
