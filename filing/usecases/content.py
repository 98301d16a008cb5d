"""Save, replace and remove documents: what people do before customs is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection
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
    new_id: str = ""
    new_kind: str = ""


@dataclass(slots=True)
class Saved:
    """A stored document and what it still lacks before it can be filed."""

    id: str
    warnings: list[Wrong] = field(default_factory=list)
    parts: int = 1


def details(wrongs: Iterable[Wrong]) -> list[Detail]:
    """The first MAX_DETAILS wrong fields as details of a Problem."""
    first = islice(wrongs, MAX_DETAILS)
    return [Detail(w.pointer, w.code, w.words.zh, w.words.en, w.value) for w in first]


def save(filing: Filing, actor: Actor, kind: str, body: Any, new_id: str = "") -> Saved:
    """Store a new document (暂存): checked if nothing is missing, else a draft with warnings.

    More lines than one message takes become several documents, its parts; the first one is answered. new_id: the
    caller's id for the document, so that a repeated call finds the first one's work.
    """
    doctype = filing.doctype(kind)
    actor.require("document.write", kind)
    _ours_to_write(doctype)
    body = _with_lines(doctype, body)
    row, warnings = row_of(doctype, body)
    parts = [row]
    if not warnings:
        parts = [row | content_of(doctype, part) for part in bodies.split(doctype, row["body"])]
    try:
        first = _save(filing, actor, doctype, parts, new_id)
    except Problem as problem:
        if problem.kind != "conflict" or not new_id:
            raise
        # the call before was still at it, or its document is deleted since and the id with it
        with filing.database.transaction(actor.tenant_id) as connection:
            there = store.read(connection, kind, new_id) is not None
        first = new_id if there else _save(filing, actor, doctype, parts, "")
    return Saved(first, warnings, len(parts))


def _save(
    filing: Filing, actor: Actor, doctype: DocumentType, parts: Sequence[dict[str, Any]], new_id: str
) -> str:
    with filing.database.transaction(actor.tenant_id) as connection:
        if new_id and store.read(connection, doctype.kind, new_id) is not None:
            return new_id
        rows = add(connection, doctype, actor, parts, new_id)
        store.add_events(connection, [part["id"] for part in rows], "saved", actor.label, {})
    return str(rows[0]["id"])


def add(
    connection: Connection,
    doctype: DocumentType,
    actor: Actor,
    parts: Sequence[dict[str, Any]],
    new_id: str = "",
) -> list[dict[str, Any]]:
    """Insert documents (rows as of `_row`); `conflict` names the first number that is in use."""
    new_ids = ids.ordered_ids(len(parts))
    if new_id:
        new_ids[0] = new_id
    rows = [
        {
            "tenant": actor.tenant_id,
            "id": document_id,
            "batch_no": "",
            "mandate": actor.mandate_id,
            "created_by": actor.label,
            **part,
        }
        for document_id, part in zip(new_ids, parts, strict=True)
    ]
    if doctype.reuse_months:
        store.release_old_keys(connection, [row["natural_key"] for row in rows], doctype.reuse_months)
    try:
        store.insert(connection, [(row, bodies.terms(doctype, row["body"])) for row in rows])
    except IntegrityError as exc:
        raise _taken(doctype, rows[0], exc) from exc
    return rows


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
        numbers = bodies.of_customs(doctype, known.body["head"])
        given = bodies.without_customs(_with_lines(doctype, body), numbers)
        row, warnings = row_of(doctype, given, numbers)
        if known.replaces is not None and row["natural_key"] != known.natural_key:
            raise _other_number(doctype, row["number"])
        row |= {"id": document_id, "version": version}
        try:
            if not store.update(connection, row, bodies.terms(doctype, row["body"])):
                raise _stale(known.version)
        except IntegrityError as exc:
            raise _taken(doctype, row, exc) from exc
        store.add_events(connection, [document_id], "edited", actor.label, {"version": version + 1})
        after = store.read(connection, kind, document_id)
        outbox.add(connection, actor.tenant_id, token, changes.changed([after]))
    return Saved(document_id, warnings)


def remove(connection: Connection, actor: Actor, token: str, rows: Sequence[Any]) -> None:
    """Soft deletion of documents that customs does not hold; a revision's predecessor may be amended again."""
    gone = [str(row.id) for row in rows]
    if not gone:
        return
    changed = list(store.delete(connection, gone))
    store.add_events(connection, gone, "deleted", actor.label, {})
    changed += store.set_replaced_by(connection, [(str(row.replaces), None) for row in rows if row.replaces])
    outbox.add(connection, actor.tenant_id, token, changes.changed(changed))


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


def _ours_to_write(doctype: DocumentType) -> None:
    if doctype.message.direction == "in":
        raise Problem(
            "forbidden",
            f"{doctype.title.zh}由海关下发，不能录入或修改。",
            f"{doctype.title.en} is issued by customs and cannot be entered or changed.",
        )


def _with_lines(doctype: DocumentType, body: Any) -> Any:
    """A body whose kind has no lines, or need not have any, may leave them out."""
    if isinstance(body, dict) and "lines" not in body and not (doctype.lines and doctype.message.min_lines):
        return {**body, "lines": []}
    return body


def row_of(
    doctype: DocumentType, body: Any, numbers: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Wrong]]:
    """A document's row and what it still lacks. numbers: what customs assigned, kept beside what people write."""
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
    if numbers:
        content = {**content, "head": {**content["head"], **numbers}}
    state = doctype.lifecycle.by_name["draft" if wrongs else "checked"]
    return {"state": state.name, "rank": state.rank, **content_of(doctype, content)}, wrongs


def content_of(doctype: DocumentType, body: Any) -> dict[str, Any]:
    """The columns of a document that follow from its body."""
    return {
        "kind": doctype.kind,
        "number": bodies.number(doctype, body),
        "natural_key": bodies.natural_key(doctype, body["head"]),
        "body": body,
    }


def _other_number(doctype: DocumentType, number: str) -> Problem:
    label = doctype.head_field(doctype.number).words
    names = [doctype.head_field(name).words for name in doctype.unique]
    zh, en = "、".join(name.zh for name in names), ", ".join(name.en for name in names)
    return Problem(
        "invalid",
        f"改单不能修改{zh}：海关按它们找到原单据。请恢复原值，或删除此改单后新增单据。",
        f"An amendment cannot change {en}: customs finds the document by them. Restore them, or delete this "
        "amendment and enter a new document.",
        [
            Detail(
                f"/head/{doctype.number}",
                "fixed",
                f"{label.zh}不能修改。",
                f"{label.en} cannot be changed.",
                number,
            )
        ],
    )


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
