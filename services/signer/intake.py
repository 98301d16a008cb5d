"""Takes in what was submitted: refuses what may not be signed, queues the rest, in one transaction per tenant.

From here on the backlog is in the database: the bus only ever holds what is under way to it.
Must never queue a message that somebody not entitled submitted, nor two wishes for one message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime import crash, inbox
from runtime.db import Database
from services.signer import check, domain, emit, outcomes, refusals
from services.signer.domain import Facts, Key, Submission
from services.signer.refusals import Refusal
from services.signer.store import jobs, keys, ledger, signatures

#: this consumer's name in the inbox
CONSUMER = "signer.submitted"


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking in needs. devices: names of those that are there, cards not among them; None while nobody knows."""

    database: Database
    clock: Callable[[], datetime]
    devices: Callable[[], Collection[str] | None]


@dataclass(slots=True)
class _Arrival:
    submission: Submission
    digest: bytes
    facts: Facts | None
    refusal: Refusal | None
    key: Key | None = None
    #: known already: it waits, or has its signature
    known: bool = False


def take_in(intake: Intake, submissions: Iterable[Submission]) -> None:
    """Queue or refuse every message; when this returns, it is committed.

    Raises Problem unavailable if the database is down: nothing is lost by calling again.
    """
    by_tenant: dict[str, list[_Arrival]] = {}
    for submission in submissions:
        by_tenant.setdefault(submission.actor.tenant_id, []).append(_look(submission))
    for tenant_id, arrivals in by_tenant.items():
        _take_in(intake, tenant_id, arrivals)


def _look(submission: Submission) -> _Arrival:
    digest = hashlib.sha256(submission.xml).digest()
    try:
        return _Arrival(submission, digest, check.read(submission.xml), None)
    except refusals.Refused as refused:
        return _Arrival(submission, digest, None, refused.refusal)


def _take_in(intake: Intake, tenant_id: str, arrivals: Sequence[_Arrival]) -> None:
    now = intake.clock()
    with intake.database.transaction(tenant_id) as connection:
        new = inbox.claim(
            connection, tenant_id, CONSUMER, sorted({item.submission.event_id for item in arrivals})
        )
        # the same event twice in one batch is one
        arrivals = list({a.submission.event_id: a for a in arrivals if a.submission.event_id in new}.values())
        messages = [item.submission.message_id for item in arrivals]
        # a message id stands for its bytes: whatever waits or is signed decides what may come under it
        before = signatures.accepted(connection, messages) | jobs.digests(connection, messages)
        active = keys.active(
            connection, sorted({item.submission.enterprise_code for item in arrivals}), domain.MESSAGES
        )
        for item in arrivals:
            _decide(intake, item, before, active.get(item.submission.enterprise_code), now)
        queued = [item for item in arrivals if not (item.refusal or item.known)]
        refused = [item for item in arrivals if item.refusal]
        jobs.add(connection, tenant_id, [_job(item) for item in queued])
        # what has a signature already stays signed: the changed copy is recorded, nobody is told to stop
        outcomes.tell(
            connection,
            tenant_id,
            [
                (item.submission, [emit.refused(item.submission, item.refusal, now)])
                for item in refused
                if item.refusal and not item.known
            ],
        )
        ledger.append(
            connection,
            tenant_id,
            [
                outcomes.entry(item.submission, item.digest, "refused", now, item.key, refusal=item.refusal)
                for item in refused
            ],
        )
        crash.point("signer.taken-in.before-commit")
    crash.point("signer.taken-in")
    outcomes.report_refused([(item.submission, item.refusal) for item in refused if item.refusal])


def _decide(intake: Intake, item: _Arrival, before: dict[str, bytes], key: Key | None, now: datetime) -> None:
    """Fill in what happens to one arrival; what is queued is known to those that follow in the batch."""
    submission = item.submission
    earlier = before.get(submission.message_id)
    if earlier is not None:
        item.known = True
        item.refusal = None if earlier == item.digest else refusals.message_changed()
        return
    if item.refusal or item.facts is None:
        return
    item.key = key
    item.refusal = domain.judge(submission, item.facts, key, now) or _no_device(intake, key)
    if not item.refusal:
        before[submission.message_id] = item.digest


def _no_device(intake: Intake, key: Key | None) -> Refusal | None:
    devices = intake.devices()
    if key is None or key.device_kind == domain.CARD or devices is None or key.device_kind in devices:
        return None
    return refusals.key_unusable(key, f"no device {key.device_kind} is configured")


def _job(item: _Arrival) -> jobs.Job:
    submission, key, facts = item.submission, item.key, item.facts
    assert key is not None
    assert facts is not None
    return jobs.Job(
        message_id=submission.message_id,
        event_id=submission.event_id,
        queue=key.queue,
        key_id=key.id,
        lane=submission.lane,
        kind=submission.kind,
        message_type=submission.message_type,
        enterprise_code=submission.enterprise_code,
        dxp_id=submission.dxp_id,
        documents=submission.documents,
        namespaces=[part for pair in facts.namespaces for part in pair],
        actor_token=submission.actor_token,
        digest=item.digest,
        xml=submission.xml,
    )
