"""How what happened to a message stands in the ledger, the log and the figures. Shared by all that decide about one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import Counter
from sqlalchemy import Connection

from runtime import log, outbox
from runtime.actor import Actor
from services.signer import chain
from services.signer.domain import Key, Submission
from services.signer.refusals import Refusal
from services.signer.store.cards import Challenge

_LOG = log.get("signer")
_OUTCOMES = Counter("signer_outcomes", "Messages by outcome", ["outcome"])
_DOCUMENTS = Counter("signer_documents", "Documents in signed messages")


def entry(
    submission: Submission,
    digest: bytes,
    what: str,
    now: datetime,
    key: Key | None,
    *,
    final: bytes = b"",
    refusal: Refusal | None = None,
) -> chain.Entry:
    """A ledger row about one message. digest: of the unsigned message; final: the signed bytes."""
    return chain.Entry(
        at=now,
        what=what,
        **_by(submission.actor),
        message_id=submission.message_id,
        event_id=submission.event_id,
        kind=submission.kind,
        message_type=submission.message_type,
        enterprise_code=submission.enterprise_code,
        documents=submission.documents,
        key_id=key.id if key else "",
        algorithm=key.algorithm if key else "",
        certificate_serial=key.serial if key else "",
        digest=digest,
        result=hashlib.sha256(final).digest() if final else b"",
        code=refusal.code if refusal else "",
    )


def key_entry(
    actor: Actor, what: str, now: datetime, key_id: str, algorithm: str, serial: str, enterprise_code: str
) -> chain.Entry:
    """A ledger row about a key and no message. what: activated | confirmed | bound."""
    return chain.Entry(
        at=now,
        what=what,
        **_by(actor),
        enterprise_code=enterprise_code,
        key_id=key_id,
        algorithm=algorithm,
        certificate_serial=serial,
    )


def confirmation(challenge: Challenge, key: Key, now: datetime) -> chain.Entry:
    """The ledger row of a key that answered a challenge, in the name of whoever had asked for it."""
    return chain.Entry(
        at=now,
        what="confirmed",
        actor_id=challenge.actor_id,
        actor=challenge.actor,
        request_id=challenge.request_id,
        enterprise_code=key.enterprise_code,
        key_id=key.id,
        algorithm=key.algorithm,
        certificate_serial=key.serial,
    )


def _by(actor: Actor) -> dict[str, Any]:
    return {
        "actor_id": actor.user_id,
        "actor": actor.label,
        "mandate_id": actor.mandate_id or "",
        "request_id": actor.request_id,
    }


def tell(
    connection: Connection, tenant_id: str, told: Iterable[tuple[Submission, Sequence[outbox.Event]]]
) -> None:
    """Write the events about messages beside their outcomes, together for each actor who had submitted."""
    by_token: dict[str, list[outbox.Event]] = {}
    for submission, events in told:
        by_token.setdefault(submission.actor_token, []).extend(events)
    for token, events in by_token.items():
        outbox.add(connection, tenant_id, token, events)


def report_signed(tenant_id: str, submissions: Sequence[Submission], link: chain.Link | None) -> None:
    """Count them, and keep a copy of the chain's head outside the database."""
    _OUTCOMES.labels("signed").inc(len(submissions))
    _DOCUMENTS.inc(sum(submission.documents for submission in submissions))
    if link is not None:
        _LOG.info(
            "ledger.head", tenant=tenant_id, seq=link.seq, hash=link.hash.hex(), signed=len(submissions)
        )


def report_refused(refused: Sequence[tuple[Submission, Refusal]]) -> None:
    """Count and log them."""
    _OUTCOMES.labels("refused").inc(len(refused))
    for submission, refusal in refused:
        _LOG.warning("signer.refused", message=submission.message_id, code=refusal.code)
