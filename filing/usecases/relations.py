"""How documents hang together: their revisions with what changed, and those they are linked with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from documents.spec import DocumentType, Field
from documents.words import Words
from filing.context import Filing, check_id
from filing.store import documents as store
from filing.store import links
from runtime.actor import Actor
from runtime.errors import Problem, not_found

#: refs that one question may name, documents that one answer may hold
MAX_REFS = 1000
MAX_LINKED = 500
#: refs that one answer tells of all its documents together
MAX_REFS_TOLD = 5000


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs from the revision before; "" where it is missing."""

    pointer: str
    words: Words
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A document with what links it."""

    row: Any
    refs: Sequence[tuple[str, str]]


def versions(filing: Filing, actor: Actor, kind: str, document_id: str) -> list[tuple[Any, list[Change]]]:
    """All revisions of a document, the first one first, each with what differs from the one before."""
    doctype = filing.doctype(kind)
    actor.require("document.read", kind)
    with filing.database.transaction(actor.tenant_id) as connection:
        rows = store.versions(connection, kind, check_id(document_id))
    if not rows:
        raise not_found()
    by_id = {str(row.id): row for row in rows}
    found = []
    for row in rows:
        before = by_id.get(str(row.replaces))
        found.append((row, list(difference(doctype, before.body, row.body)) if before is not None else []))
    return found


def difference(doctype: DocumentType, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Fields that differ, head first, then line by line; a line that is only in one of them differs in every field."""
    yield from _fields(doctype.head, old["head"], new["head"], "/head")
    for index in range(max(len(old["lines"]), len(new["lines"]))):
        before = old["lines"][index] if index < len(old["lines"]) else {}
        after = new["lines"][index] if index < len(new["lines"]) else {}
        yield from _fields(doctype.lines, before, after, f"/lines/{index}")


def _fields(
    fields: Sequence[Field], old: Mapping[str, str], new: Mapping[str, str], path: str
) -> Iterator[Change]:
    for field in fields:
        before, after = old.get(field.name, ""), new.get(field.name, "")
        if before != after:
            yield Change(f"{path}/{field.name}", field.words, before, after)


def refs_of(filing: Filing, actor: Actor, document_id: str) -> list[tuple[str, str]]:
    """What links one document."""
    with filing.database.transaction(actor.tenant_id) as connection:
        return links.refs_of(connection, [document_id], MAX_REFS).get(document_id, [])


def linked(
    filing: Filing, actor: Actor, refs: Sequence[tuple[str, str]], limit: int
) -> tuple[list[Linked], bool]:
    """Documents with any of these refs, of the kinds the actor may read; and whether there are more."""
    size = limit or MAX_LINKED
    if not 0 < len(refs) <= MAX_REFS or not 1 <= size <= MAX_LINKED:
        raise Problem(
            "invalid",
            f"一次须给出 1 至 {MAX_REFS} 个关联值，最多返回 {MAX_LINKED} 份单据。",
            f"Name 1 to {MAX_REFS} links at once; at most {MAX_LINKED} documents are answered.",
        )
    kinds = [doctype.kind for doctype in filing.registry.types if actor.may("document.read", doctype.kind)]
    with filing.database.transaction(actor.tenant_id) as connection:
        rows = list(links.linked(connection, kinds, refs, size + 1))
        more, rows = len(rows) > size, rows[:size]
        told = links.refs_of(connection, [str(row.id) for row in rows], MAX_REFS_TOLD)
    return [Linked(row, told.get(str(row.id), [])) for row in rows], more
