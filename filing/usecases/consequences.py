"""What follows from a move of customs: revisions take the place of those before, one document moves another.

Declared in the types (documents.spec.Effect). Whichever of the two came first, the end is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.spec import CUSTOMS_RANK, DocumentType, Effect
from filing.context import Filing
from filing.store import documents as store
from filing.store import links, receipts

#: app_type of a revision -> the state of the one before once customs holds it
_TAKEN = {"2": "amended", "3": "deleted"}
#: who acts where customs does
CUSTOMS = "海关"


def filled(
    filing: Filing,
    connection: Connection,
    rows: Mapping[str, Any],
    fills: Mapping[str, Mapping[str, str]],
) -> list[Any]:
    """Numbers that receipts brought: into the documents, into what they are found by; others may speak of them now."""
    if not fills:
        return []
    changed = list(receipts.fill(connection, fills))
    by_kind: dict[str, list[str]] = {}
    for document_id in fills:
        by_kind.setdefault(rows[document_id].kind, []).append(document_id)
    for kind, ids in by_kind.items():
        doctype = filing.doctype(kind)
        terms = []
        for document_id in ids:
            head = {**rows[document_id].head, **fills[document_id]}
            terms.append((document_id, bodies.terms(doctype, {"head": head, "lines": []})))
        store.add_terms(connection, kind, terms)
        changed += _effects(filing, connection, links.effect_on, ids, target=kind)
    return changed


def moved(
    filing: Filing,
    connection: Connection,
    rows: Mapping[str, Any],
    changed: Sequence[Any],
    held: Iterable[str],
) -> list[Any]:
    """Documents took a new state. rows: what they were, with app_type and replaces.

    held: documents of which customs said that it holds them, be it now or, as was known before, until later.
    """
    followed: list[Any] = []
    for app_type, state in _TAKEN.items():
        taken = [rows[document_id] for document_id in held if rows[document_id].app_type == app_type]
        if taken:
            followed += _succeed(filing, connection, taken, state)
    # what others did counts for a document only from its first answer on
    first = [row for row in changed if rows[str(row.id)].state_rank < CUSTOMS_RANK]
    for kind in {row.kind for row in first}:
        ids = [str(row.id) for row in first if row.kind == kind]
        followed += _effects(filing, connection, links.effect_on, ids, target=kind)
    return followed + caused(filing, connection, changed)


def caused(filing: Filing, connection: Connection, changed: Sequence[Any]) -> list[Any]:
    """What documents that took a new state do to others."""
    followed: list[Any] = []
    for kind in {row.kind for row in changed}:
        ids = [str(row.id) for row in changed if row.kind == kind]
        followed += _effects(filing, connection, links.effect_of, ids, source=kind)
    return followed


def _succeed(filing: Filing, connection: Connection, taken: Sequence[Any], name: str) -> list[Any]:
    state = filing.doctype(taken[0].kind).lifecycle.by_name[name]
    ids = [str(row.replaces) for row in taken]
    if name == "deleted":
        ids += [str(row.id) for row in taken]  # the request itself is over, too
    changed = list(links.succeed(connection, ids, state.name, state.rank, frees=state.frees))
    store.add_events(connection, [str(row.id) for row in changed], name, CUSTOMS, {})
    return changed


def _effects(
    filing: Filing,
    connection: Connection,
    apply: Any,
    ids: Sequence[str],
    *,
    source: str = "",
    target: str = "",
) -> list[Any]:
    changed: list[Any] = []
    for doctype, effect in _declared(filing, source, target):
        state = filing.doctype(effect.kind).lifecycle.by_name[effect.state]
        wanted = {
            "source": doctype.kind,
            "on": effect.on,
            "ref": effect.ref,
            "kind": effect.kind,
            "state": state.name,
            "rank": state.rank,
            "settled": state.settled,
            "frees": state.frees,
            "below": CUSTOMS_RANK,
        }
        # one statement for all that a document moves: a declaration closes the cases of a thousand lists
        by_source: dict[tuple[str, str], list[str]] = {}
        for followed in apply(connection, ids, wanted):
            by_source.setdefault((followed.source_id, followed.source_number), []).append(
                str(followed.row.id)
            )
            changed.append(followed.row)
        for (source_id, number), moved_ids in by_source.items():
            detail = {"kind": doctype.kind, "number": number, "id": source_id, "state": state.name}
            store.add_events(connection, moved_ids, "followed", CUSTOMS, detail)
    return changed


def _declared(filing: Filing, source: str, target: str) -> Iterable[tuple[DocumentType, Effect]]:
    for doctype in filing.registry.types:
        for effect in doctype.effects:
            if (not source or doctype.kind == source) and (not target or effect.kind == target):
                yield doctype, effect
