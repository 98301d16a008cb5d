"""Save, replace and delete documents: what people do before customs is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy.exc import IntegrityError

from documents import body as bodies
from documents.check import checker
from documents.describe import state_text
from documents.spec import DocumentType
from documents.words import Wrong
from filing import changes, ids
from filing.context import Filing, check_id
from filing.store import documents as store
from runtime import db, outbox
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found

#: wrong fields that are told at once; a body may have any number of them
MAX_DETAILS = 200
#: what an unfinished draft may lack; anything that is there must be right
_MAY_WAIT = {"required"}


@dataclass(slots=True)
class Result:
    """What became of one document of a batch action."""

    id: str
    number: str = ""
    state: str = ""
    problem: Problem | None = None


@dataclass(slots=True)
class Saved:
    """A stored document and what it still lacks before it can be filed."""

    id: str
    warnings: list[Wrong] = field(default_factory=list)


def details(wrongs: Iterable[Wrong]) -> list[Detail]:
    """The first MAX_DETAILS wrong fields as details of a Problem."""
    first = islice(wrongs, MAX_DETAILS)
    return [Detail(w.pointer, w.code, w.words.zh, w.words.en, w.value) for w in first]


def save(filing: Filing, actor: Actor, kind: str, body: Any) -> Saved:
    """Store a new document (暂存): checked if nothing is missing, else a draft with warnings."""
    doctype = filing.doctype(kind)
    actor.require("document.write", kind)
    row, warnings = _row(doctype, body)
    row |= {
        "tenant": actor.tenant_id,
        "id": ids.ordered_ids(1)[0],
        "batch_no": "",
        "mandate": actor.mandate_id,
        "created_by": actor.label,
    }
    with filing.database.transaction(actor.tenant_id) as connection:
        try:
            store.insert(connection, row, bodies.keys(doctype, row["body"]))
        except IntegrityError as exc:
            raise _taken(doctype, row, exc) from exc
        store.add_events(connection, [row["id"]], "saved", actor.label, {})
    return Saved(row["id"], warnings)


def replace(
    filing: Filing, actor: Actor, token: str, kind: str, document_id: str, version: int, body: Any
) -> Saved:
    """Replace the content of a document that customs does not hold; `stale` if somebody was faster."""
    doctype = filing.doctype(kind)
    actor.require("document.write", kind)
    document_id = check_id(document_id)
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, [document_id]).get(document_id)
        if known is None:
            raise not_found()
        if known.version != version:
            raise _stale(known.version)
        _allowed(doctype, "edit", known.state)
        row, warnings = _row(doctype, body)
        row |= {"id": document_id, "version": version}
        try:
            if not store.update(connection, row, bodies.keys(doctype, row["body"])):
                raise _stale(known.version)
        except IntegrityError as exc:
            raise _taken(doctype, row, exc) from exc
        store.add_events(connection, [document_id], "edited", actor.label, {"version": version + 1})
        after = store.read(connection, kind, document_id)
        outbox.add(connection, actor.tenant_id, token, changes.changed([after]))
    return Saved(document_id, warnings)


def delete(filing: Filing, actor: Actor, kind: str, document_ids: Sequence[str]) -> list[Result]:
    """Soft deletion, only in the states the declaration names; an answer per document."""
    doctype = filing.doctype(kind)
    actor.require("document.delete", kind)
    results: list[Result] = []
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, document_ids)
        gone = []
        for document_id in document_ids:
            row = known.get(document_id)
            result = Result(document_id)
            if row is None:
                result.problem = not_found()
            else:
                result.number, result.state = row.number, row.state
                result.problem = refusal(doctype, "delete", row.state)
            if result.problem is None:
                gone.append(document_id)
                result.state = "deleted"
            results.append(result)
        store.delete(connection, gone)
        store.add_events(connection, gone, "deleted", actor.label, {})
    return results


def refusal(doctype: DocumentType, action: str, state: str) -> Problem | None:
    """Why an action is not allowed in a state, or None if it is."""
    declared = doctype.action(action)
    if declared is None:
        return not_found()
    if state in declared.states:
        return None
    allowed = [doctype.lifecycle.by_name[name].words for name in declared.states]
    return Problem(
        "conflict",
        f"当前状态“{state_text(doctype, state)}”不能{declared.words.zh}；"
        f"仅限：{'、'.join(words.zh for words in allowed)}。",
        f"Not possible in state “{state_text(doctype, state, 'en')}”: {declared.words.en.lower()} is allowed in "
        f"{', '.join(words.en.lower() for words in allowed)} only.",
    )


def _allowed(doctype: DocumentType, action: str, state: str) -> None:
    problem = refusal(doctype, action, state)
    if problem is not None:
        raise problem


def _row(doctype: DocumentType, body: Any) -> tuple[dict[str, Any], list[Wrong]]:
    wrongs = checker(doctype).wrongs(body)
    hard = [wrong for wrong in wrongs if wrong.code not in _MAY_WAIT or len(wrong.path) < 2]
    if hard:
        raise Problem(
            "invalid",
            f"有 {len(hard)} 处内容不正确，请按提示修改后再保存。",
            f"{len(hard)} values are wrong; correct them as described and save again.",
            details(hard),
        )
    content = body if wrongs else bodies.complete(doctype, body)
    state = doctype.lifecycle.by_name["draft" if wrongs else "checked"]
    row = {
        "kind": doctype.kind,
        "number": bodies.number(doctype, content),
        "natural_key": bodies.natural_key(doctype, content["head"]),
        "state": state.name,
        "rank": state.rank,
        "body": content,
    }
    return row, wrongs


def _taken(doctype: DocumentType, row: dict[str, Any], exc: IntegrityError) -> Problem:
    if not db.is_unique_violation(exc):
        raise exc
    label = doctype.head_field(doctype.number).words
    detail = Detail(
        f"/head/{doctype.number}", "exists", f"{label.zh}已存在。", f"{label.en} exists.", row["number"]
    )
    return Problem(
        "conflict",
        f"{label.zh}“{row['number']}”已存在，请更换编号或修改原单据。",
        f"{label.en} “{row['number']}” exists already; use another number or edit that document.",
        [detail],
    )


def _stale(version: int) -> Problem:
    return Problem(
        "stale",
        f"单据已被他人修改（当前版本 {version}），请刷新后在新版本上重做修改。",
        f"Somebody changed this document meanwhile (now version {version}); reload and apply your changes again.",
    )
