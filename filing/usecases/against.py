"""Checks of a document against another one that it names, before it is filed.

Only where the other one is kept here: it may belong to another enterprise, and then customs alone can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.spec import DocumentType
from documents.words import Wrong
from filing.store import links


def wrongs(connection: Connection, doctype: DocumentType, rows: Sequence[Any]) -> dict[str, list[Wrong]]:
    """What is wrong with documents (rows with bodies) in the light of others, by document; one query per check."""
    found: dict[str, list[Wrong]] = {}
    for check in doctype.against:
        named = {
            str(row.id): value
            for row in rows
            for name, value in bodies.refs(doctype, row.body)
            if name == check.ref
        }
        refs = [(check.ref, value) for value in sorted(set(named.values()))]
        if not refs:
            continue
        others = links.current(connection, check.kind, refs)
        for row in rows:
            other = others.get(named.get(str(row.id), ""))
            if other is not None:
                told = list(check.rule(row.body, other.number, other.state, other.body))
                if told:
                    found.setdefault(str(row.id), []).extend(told)
    return found
