"""What people do with the signing queue: look at it, and take out what shall not be signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from documents.registry import REGISTRY
from runtime import outbox
from runtime.actor import Actor, ActorVerifier
from runtime.db import Database
from runtime.errors import not_found
from services.signer import domain, emit, outcomes, refusals
from services.signer.signing import submission_of
from services.signer.store import jobs, ledger
from services.signer.usecases import PAGE, page_size_of, place_of

#: messages of one withdrawal
MAX_WITHDRAW = 100


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Oldest first. next_cursor: "" at the end."""

    items: list[jobs.Waiting]
    next_cursor: str


def read_queue(database: Database, actor: Actor, key_id: str, page_size: int, cursor: str) -> QueuePage:
    """Messages that wait for a key ("" = all), of the kinds that the actor may read."""
    actor.require("key.read")
    size = page_size_of(page_size or PAGE)
    if key_id and not domain.is_uuid(key_id):
        raise not_found()
    with database.transaction(actor.tenant_id) as connection:
        found = jobs.page(
            connection, _kinds(actor, "document.read"), key_id or None, place_of(cursor) or 0, size + 1
        )
    shown = found[:size]
    return QueuePage(shown, str(shown[-1].place) if len(found) > size else "")


def withdraw(
    database: Database,
    verifier: ActorVerifier,
    actor: Actor,
    token: str,
    message_ids: Sequence[str],
    now: datetime,
) -> tuple[list[str], set[str]]:
    """Take messages out of the queue; their documents go back to where they were before they were filed.

    Returns those that were withdrawn and those that are being signed already; the others are not there."""
    actor.require("document.declare")
    wanted = [one for one in dict.fromkeys(message_ids) if domain.is_uuid(one)][:MAX_WITHDRAW]
    with database.transaction(actor.tenant_id) as connection:
        kinds = _kinds(actor, "document.declare")
        jobs.free_of_gone(connection, now - timedelta(seconds=domain.SILENT))
        taken_out = jobs.withdraw(connection, wanted, kinds)
        being_signed = jobs.known(connection, wanted, kinds)
        refusal = refusals.withdrawn()
        events, entries = [], []
        for job in taken_out:
            submission = submission_of(job, verifier)
            events.append(emit.refused(submission, refusal, now))
            # in the ledger stands who took it out, not who had filed it
            entries.append(
                outcomes.entry(
                    replace(submission, actor=actor), job.digest, "withdrawn", now, None, refusal=refusal
                )
            )
        outbox.add(connection, actor.tenant_id, token, events)
        ledger.append(connection, actor.tenant_id, entries)
    return [job.message_id for job in taken_out], being_signed


def _kinds(actor: Actor, permission: str) -> list[str]:
    return [doctype.kind for doctype in REGISTRY.types if actor.may(permission, doctype.kind)]
