"""提交海关: people file documents, amend what customs holds, delete what is not wanted any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from documents.spec import DocumentType
from documents.xml import Transfer
from filing import changes
from filing.context import Filing
from filing.store import documents as store
from filing.usecases import against, companions, content, sending
from filing.usecases.content import Result, refusal
from runtime import crash, outbox
from runtime.actor import Actor
from runtime.errors import Problem, not_found


def declare(
    filing: Filing,
    actor: Actor,
    token: str,
    kind: str,
    document_ids: Sequence[str],
    transfer: Transfer,
    documents_per_message: int = 0,
    action: str = "declare",
) -> list[Result]:
    """File documents of one kind; an answer per document, in the order asked.

    What may be filed becomes messages of up to `documents_per_message` documents: canonical bytes, state signing and
    the outbox row in one commit. Whatever dies afterwards, the message will be signed and sent once. Kinds that are
    filed together with this one go along where they were not sent yet. action: declare, or push from an import task.
    """
    doctype = filing.doctype(kind)
    actor.require("document.declare", kind)
    sending.may_send(actor, doctype)
    per_message = sending.per_message_of(filing, doctype, documents_per_message)
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, document_ids)
        results = {
            document_id: sending.judge(doctype, document_id, known.get(document_id), action)
            for document_id in document_ids
        }
        fit = [known[result.id] for result in results.values() if result.problem is None]
        for document_id, wrongs in against.wrongs(connection, doctype, fit).items():
            results[document_id].problem = sending.unfit(wrongs)
        ready = [row for row in fit if results[str(row.id)].problem is None]
        if ready:
            for row in sending.file(connection, actor, token, doctype, ready, transfer, per_message):
                results[str(row.id)].state = row.state
            companions.file(filing, connection, actor, token, doctype, ready, transfer)
            crash.point("order.submit.before-commit")
    crash.point("order.submit.committed")
    return list(results.values())


def amend(filing: Filing, actor: Actor, token: str, kind: str, document_ids: Sequence[str]) -> list[Result]:
    """改单: a new revision of documents that customs holds, to be changed and filed with appType 2.

    The document itself stays as it is, readable and in force, until customs takes the new one.
    """
    doctype = filing.doctype(kind)
    actor.require("document.declare", kind)
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, document_ids)
        results = [
            _revisable(doctype, "amend", document_id, known.get(document_id)) for document_id in document_ids
        ]
        olds = [known[result.id] for result in results if result.problem is None]
        news = _revise(connection, doctype, actor, token, olds, "2")
        store.add_events(connection, list(news), "amending", actor.label, {})
        store.add_events(connection, list(news.values()), "amendment", actor.label, {})
        for result in results:
            result.new_id = news.get(result.id, "")
    return results


def delete(
    filing: Filing, actor: Actor, token: str, kind: str, document_ids: Sequence[str], transfer: Transfer
) -> list[Result]:
    """删除: soft where customs does not hold the document, by a message of its own (appType 3) where it does.

    Only in the states that the declaration names; an answer per document.
    """
    doctype = filing.doctype(kind)
    actor.require("document.delete", kind)
    held = doctype.lifecycle.held
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, document_ids)
        results = [
            _revisable(doctype, "delete", document_id, known.get(document_id)) for document_id in document_ids
        ]
        good = [result for result in results if result.problem is None]
        withdrawn = [known[result.id] for result in good if result.state in held]
        if withdrawn:
            actor.require("document.declare", kind)
            sending.may_send(actor, doctype)
            news = _revise(connection, doctype, actor, token, withdrawn, "3")
            store.add_events(connection, list(news), "withdrawing", actor.label, {})
            rows = list(store.lock(connection, kind, list(news.values())).values())
            per_message = sending.per_message_of(filing, doctype, 0)
            sending.file(connection, actor, token, doctype, rows, transfer, per_message)
            for result in good:
                result.new_id = news.get(result.id, "")
        content.remove(connection, actor, token, [known[r.id] for r in good if r.state not in held])
        for result in good:
            if result.state not in held:
                result.state = "deleted"
    return results


def _revisable(doctype: DocumentType, action: str, document_id: str, row: Any) -> Result:
    if row is None:
        return Result(document_id, problem=not_found())
    result = Result(document_id, row.number, row.state, refusal(doctype, action, row.state))
    if result.problem is None and row.replaced_by is not None and row.state in doctype.lifecycle.held:
        result.problem = Problem(
            "conflict",
            "已有未完结的改单或删除申请，请先完成或删除它，不能重复操作。",
            "There is an amendment or deletion of this document already; finish or delete that one first.",
        )
    return result


def _revise(
    connection: Connection,
    doctype: DocumentType,
    actor: Actor,
    token: str,
    olds: Sequence[Any],
    app_type: str,
) -> dict[str, str]:
    """The next revision of each document, with the same content: old id -> new id."""
    if not olds:
        return {}
    checked = doctype.lifecycle.by_name["checked"]
    parts = [
        {
            "kind": doctype.kind,
            "number": old.number,
            "natural_key": old.natural_key,
            "state": checked.name,
            "rank": checked.rank,
            "body": old.body,
            "revision": old.revision + 1,
            "app_type": app_type,
            "replaces": str(old.id),
            "batch_no": old.batch_no,
        }
        for old in olds
    ]
    rows = content.add(connection, doctype, actor, parts)
    news = {str(old.id): row["id"] for old, row in zip(olds, rows, strict=True)}
    changed = store.set_replaced_by(connection, list(news.items()))
    outbox.add(connection, actor.tenant_id, token, changes.changed(changed))
    return news
