"""A document of another kind is begun from this one: a cancellation or a return from a list.

What the declaration can take over is taken over, the rest is for people to say; the new one is a draft until then.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from documents.spec import Derived
from filing.context import Filing
from filing.store import documents as store
from filing.times import SHANGHAI
from filing.usecases import content
from filing.usecases.content import Result, refusal
from runtime.actor import Actor
from runtime.errors import not_found


def derive(
    filing: Filing, actor: Actor, kind: str, derived: Derived, document_ids: Sequence[str]
) -> list[Result]:
    """One new document for each of these; an answer per document, with the new one's id."""
    doctype, target = filing.doctype(kind), filing.doctype(derived.kind)
    actor.require("document.write", target.kind)
    actor.require("document.read", kind)
    today = datetime.now(SHANGHAI).strftime("%y%m%d%H%M%S")
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, document_ids)
        results, parts = [], []
        for document_id in document_ids:
            row = known.get(document_id)
            result = Result(document_id, problem=not_found())
            if row is not None:
                result = Result(
                    document_id, row.number, row.state, refusal(doctype, derived.action, row.state)
                )
            results.append(result)
            if row is not None and result.problem is None:
                body = derived.make(row.body)
                number = f"{derived.prefix}{today}{secrets.randbelow(10**6):06d}"
                whole = {"head": {**body["head"], target.number: number}, "lines": list(body["lines"])}
                part, _ = content.row_of(target, whole)
                parts.append(part)
        if parts:
            made = content.add(connection, target, actor, parts)
            store.add_events(connection, [new["id"] for new in made], "saved", actor.label, {})
            good = [result for result in results if result.problem is None]
            for result, new in zip(good, made, strict=True):
                result.new_id, result.new_kind = new["id"], target.kind
    return results
