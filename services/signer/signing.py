"""The one verb this service is for: sign messages.

It takes two transactions: the intent is committed before a key is used, the outcome and its events after it.
Must never let a signature out that was not verified and recorded, and never accept two for one message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime import crash, log
from runtime.actor import ActorVerifier
from runtime.db import Database
from runtime.errors import Problem
from services.signer import certificates, check, domain, emit, outcomes, refusals, xmlsign
from services.signer.devices import Asked, RemoteDevice
from services.signer.domain import Key, Submission
from services.signer.refusals import Refusal
from services.signer.store import jobs, keys, ledger, signatures
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError

_LOG = log.get("signer")
#: what keys sign with
MECHANISMS = frozenset(xmlsign.ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Signing:
    """What signing needs. sm2_encoding: raw | der, what stands in ds:SignatureValue for SM2."""

    database: Database
    verifier: ActorVerifier
    clock: Callable[[], datetime]
    sm2_encoding: str


@dataclass(frozen=True, slots=True)
class Manner:
    """How work is done. urgent: the device is asked before what it was asked to do earlier. rest: called between two
    pieces of work, never while another transaction of the tenant could wait for this one."""

    urgent: bool = False
    rest: Callable[[], None] = lambda: None


PLAIN = Manner()
#: signatures that each worker of a device is asked for between two rests: a few milliseconds of the processors
PIECE = 4


@dataclass(slots=True)
class Work:
    """One message on its way; fields are filled from top to bottom."""

    submission: Submission
    digest: bytes
    key: Key
    namespaces: xmlsign.Namespaces
    refusal: Refusal | None = None
    prepared: xmlsign.Prepared | None = None
    value: bytes = b""
    final: bytes = b""
    #: why nothing came of it this time, for people; it waits again
    put_back: str = ""
    lease: bytes = b""
    #: nothing was left in the queue when it was taken
    emptied: bool = False


def take(
    signing: Signing,
    tenant_id: str,
    queue: str,
    limit: int,
    *,
    lease: bytes = b"",
    lane: int = domain.BULK,
    manner: Manner = PLAIN,
) -> list[Work]:
    """Take the tenant's next jobs of a queue and commit the intent to sign them. Nothing is signed yet.

    A job whose key may not sign any more comes with its refusal, and without an intent. lease, lane: see
    store.jobs.take.
    """
    now = signing.clock()
    with signing.database.transaction(tenant_id) as connection:
        taken = jobs.take(connection, queue, limit, lease, lane)
        if not taken:
            jobs.clear_mark(connection, queue)
            return []
        known = keys.by_ids(connection, sorted({job.key_id for job in taken}))
        intents = signatures.open_intents(connection, [job.message_id for job in taken])
        works, entries = [], []
        for job in taken:
            manner.rest()
            work = _work(signing, job, known[job.key_id], lease)
            work.emptied = len(taken) < limit
            works.append(work)
            try:
                domain.may_sign(work.submission, work.key, now)
            except refusals.Refused as refused:
                work.refusal = refused.refusal
                continue
            # a try that was broken off left its intent: the same key on the same bytes needs no second one
            intent = intents.get(job.message_id)
            if intent is None or intent.key_id != job.key_id or intent.digest != job.digest:
                entries.append(outcomes.entry(work.submission, work.digest, "intent", now, work.key))
        ledger.append(connection, tenant_id, entries)
        crash.point("signer.intent.before-commit")
    crash.point("signer.intent.committed")
    return works


def submission_of(job: jobs.Job, verifier: ActorVerifier) -> Submission:
    """What was submitted, from its job."""
    return Submission(
        event_id=job.event_id,
        # it was verified when it came in; the actor follows from the token, from nothing else
        actor=verifier.verify(job.actor_token, event=True),
        actor_token=job.actor_token,
        message_id=job.message_id,
        kind=job.kind,
        message_type=job.message_type,
        enterprise_code=job.enterprise_code,
        dxp_id=job.dxp_id,
        documents=job.documents,
        xml=job.xml,
        lane=job.lane,
    )


def _work(signing: Signing, job: jobs.Job, key: Key, lease: bytes) -> Work:
    pairs = tuple(zip(job.namespaces[::2], job.namespaces[1::2], strict=True))
    return Work(submission_of(job, signing.verifier), job.digest, key, pairs, lease=lease)


def sign(signing: Signing, device: RemoteDevice, works: Sequence[Work], manner: Manner) -> None:
    """Let a device sign, assemble and verify; a key that cannot sign becomes a refusal, a device that is down puts back."""
    asked = [work for work in works if not work.refusal]
    for work in asked:
        manner.rest()
        prepare(work)
    _ask(signing, device, asked, manner)
    crash.point("signer.signed")
    wrong = _wrong(signing, asked, manner)
    # perhaps one bad process: another may do better, once
    for work in wrong:
        work.final = b""
    _ask(signing, device, wrong, manner)
    for work in _wrong(signing, wrong, manner):
        work.refusal = refusals.verification_failed(work.key)
    crash.point("signer.verified")


def _wrong(signing: Signing, works: Sequence[Work], manner: Manner) -> list[Work]:
    """Those that were made and do not hold."""
    wrong = []
    for work in works:
        if work.final:
            manner.rest()
            if not verified(signing, work):
                wrong.append(work)
    return wrong


def prepare(work: Work) -> xmlsign.Prepared:
    """What the key is asked to sign."""
    work.prepared = xmlsign.prepare(
        xmlsign.ALGORITHMS[work.key.algorithm], work.namespaces, work.submission.xml
    )
    return work.prepared


def _ask(signing: Signing, device: RemoteDevice, works: Sequence[Work], manner: Manner) -> None:
    size = PIECE * device.workers
    try:
        for at in range(0, len(works), size):
            manner.rest()
            _ask_piece(signing, device, works[at : at + size], manner)
    except Problem as problem:
        # it is down: the pieces that follow would find out in their turn, each after its deadline
        left = [work for work in works if not (work.final or work.refusal)]
        _LOG.warning("signer.put_back", count=len(left), reason=problem.en)
        for work in left:
            work.put_back = problem.en


def _ask_piece(signing: Signing, device: RemoteDevice, works: Sequence[Work], manner: Manner) -> None:
    """Raises Problem unavailable."""
    try:
        answers = device.sign([_request(work, device.mechanisms) for work in works], urgent=manner.urgent)
    except Problem as problem:
        if problem.kind == "unavailable":
            raise
        _one_by_one(signing, device, works, manner, problem)
        return
    for work, answer in zip(works, answers, strict=True):
        if isinstance(answer, TokenError):
            missing = answer.code == "key-missing"
            work.refusal = (
                refusals.key_missing(work.key) if missing else refusals.key_unusable(work.key, answer.reason)
            )
        else:
            manner.rest()
            assemble(signing, work, answer)


def _one_by_one(
    signing: Signing, device: RemoteDevice, works: Sequence[Work], manner: Manner, problem: Problem
) -> None:
    """The device is well, but something in this batch kills its processes: only that is refused."""
    if len(works) == 1:
        works[0].refusal = refusals.key_unusable(works[0].key, problem.en)
        return
    for work in works:
        _ask_piece(signing, device, [work], manner)


def assemble(signing: Signing, work: Work, raw: bytes) -> None:
    """Make the final bytes. raw: the signature as a device gives it (RSA: PKCS#1; SM2: r||s)."""
    prepared = _prepared(work)
    der = prepared.algorithm.key_kind == "sm2" and signing.sm2_encoding == "der"
    work.value = certificates.sm2_der(raw) if der else raw
    info = xmlsign.key_info(work.key.serial, work.key.certificate)
    work.final = xmlsign.assemble(work.submission.xml, prepared, work.value, info)


def _request(work: Work, mechanisms: Collection[str]) -> Asked:
    prepared, key = _prepared(work), work.key.token_key
    # SM2, or a token without CKM_RSA_PKCS: it hashes itself
    request = SignRequest(key, prepared.algorithm.name, prepared.signed_info)
    if prepared.digest_info and DIGEST_INFO in mechanisms:
        request = SignRequest(key, DIGEST_INFO, prepared.digest_info)
    return Asked(request, work.submission.actor_token)


def verified(signing: Signing, work: Work) -> bool:
    """The final bytes hold for the certificate that the key is bound to."""
    prepared = _prepared(work)
    certificate = certificates.read_cached(work.key.certificate)
    try:
        check.verify(work.final, prepared.digest, prepared.algorithm, certificate, signing.sm2_encoding)
    except check.SignatureWrong as exc:
        _LOG.error(
            "signer.wrong_signature", message=work.submission.message_id, key=work.key.id, reason=str(exc)
        )
        return False
    return True


def _prepared(work: Work) -> xmlsign.Prepared:
    """What is known of a message that a device was asked to sign."""
    assert work.prepared is not None
    return work.prepared


def settle(signing: Signing, tenant_id: str, works: Sequence[Work], manner: Manner = PLAIN) -> None:
    """Commit signatures, refusals, ledger rows and events of one tenant at once, and end their jobs."""
    now = signing.clock()
    back = [work for work in works if work.put_back and not work.refusal]
    signed = [work for work in works if work.final and not work.refusal]
    refused = [work for work in works if work.refusal]
    with signing.database.transaction(tenant_id) as connection:
        for reason, lease in sorted({(work.put_back, work.lease) for work in back}):
            ids = [
                work.submission.message_id for work in back if (work.put_back, work.lease) == (reason, lease)
            ]
            jobs.put_back(connection, ids, reason, lease)
        manner.rest()
        first = signatures.add(connection, tenant_id, [_signature(work, now) for work in signed])
        winners = [work for work in signed if work.submission.message_id in first]
        manner.rest()
        told = [
            (work.submission, emit.signed(work.submission, work.key, work.final, now)) for work in winners
        ]
        told += [
            (work.submission, [emit.refused(work.submission, work.refusal, now)])
            for work in refused
            if work.refusal
        ]
        outcomes.tell(connection, tenant_id, told)
        manner.rest()
        jobs.done(connection, [work.submission.message_id for work in (*signed, *refused)])
        for queue in sorted({work.key.queue for work in works if work.emptied}):
            jobs.clear_mark(connection, queue)
        entries = [
            outcomes.entry(work.submission, work.digest, "signed", now, work.key, final=work.final)
            for work in winners
        ]
        entries += [
            outcomes.entry(work.submission, work.digest, "refused", now, work.key, refusal=work.refusal)
            for work in refused
        ]
        link = ledger.append(connection, tenant_id, entries)
        crash.point("signer.outcome.before-commit")
    crash.point("signer.outcome.committed")
    outcomes.report_signed(tenant_id, [work.submission for work in winners], link)
    outcomes.report_refused([(work.submission, work.refusal) for work in refused if work.refusal])
    if len(winners) < len(signed):
        _LOG.warning("signer.discarded", tenant=tenant_id, count=len(signed) - len(winners))


def _signature(work: Work, now: datetime) -> signatures.Signature:
    return signatures.Signature(
        message_id=work.submission.message_id,
        event_id=work.submission.event_id,
        key_id=work.key.id,
        algorithm=work.key.algorithm,
        message_digest=work.digest,
        value=work.value,
        final_digest=hashlib.sha256(work.final).digest(),
        documents=work.submission.documents,
        signed_at=now,
    )
