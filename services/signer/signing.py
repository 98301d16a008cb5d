"""The one verb this service is for: sign messages.

It takes two transactions: the intent is committed before a key is used, the outcome and its events after it.
Must never let a signature out that was not verified and recorded, and never accept two for one message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter, Histogram

from runtime import crash, inbox, log, outbox
from runtime.db import Database
from runtime.errors import Problem
from services.signer import certificates, chain, check, domain, emit, store, xmlsign
from services.signer.domain import Facts, Key, Refusal, Submission
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError
from services.signer.tokens.pool import Pool

_LOG = log.get("signer")
_OUTCOMES = Counter("signer_outcomes", "Messages by outcome", ["outcome"])
_DOCUMENTS = Counter("signer_documents", "Documents in signed messages")
_SECONDS = Histogram("signer_batch_seconds", "From delivery to commit, per batch")

#: this consumer's name in the inbox
CONSUMER = "signer.submitted"


@dataclass(frozen=True, slots=True)
class Signing:
    """What signing needs. sm2_encoding: raw | der, what stands in ds:SignatureValue for SM2."""

    database: Database
    pool: Pool
    clock: Callable[[], datetime]
    sm2_encoding: str


@dataclass(slots=True)
class _Work:
    """One message on its way; fields are filled from top to bottom."""

    submission: Submission
    digest: bytes
    facts: Facts | None = None
    refusal: Refusal | None = None
    #: handled before, or signed before under another event id
    done: bool = False
    #: its device is down: nothing happens to the message now
    deferred: bool = False
    key: Key | None = None
    prepared: xmlsign.Prepared | None = None
    value: bytes = b""
    final: bytes = b""


@dataclass(frozen=True, slots=True)
class Deferred:
    """A message that must wait because the device of its key is down."""

    submission: Submission
    device: str


def sign_messages(signing: Signing, submissions: Sequence[Submission]) -> list[Deferred]:
    """Sign or refuse every message; when this returns, outcomes and events are committed, but for the deferred.

    Raises Problem unavailable if the database is down: nothing is lost by calling again.
    """
    deferred: list[Deferred] = []
    waiting = list(submissions)
    while waiting:
        # one message id at a time: a second event for it must see the outcome of the first
        first = {submission.message_id: submission for submission in reversed(waiting)}
        waiting = [item for item in waiting if first[item.message_id] is not item]
        with _SECONDS.time():
            deferred += _sign_wave(signing, [_look(submission) for submission in first.values()])
    return deferred


def _sign_wave(signing: Signing, works: list[_Work]) -> list[Deferred]:
    by_tenant: dict[str, list[_Work]] = {}
    for work in works:
        by_tenant.setdefault(work.submission.actor.tenant_id, []).append(work)
    for tenant_id, group in by_tenant.items():
        _record_intents(signing, tenant_id, group)
    crash.point("signer.intent.committed")
    _make_signatures(
        signing, [work for work in works if work.key and not (work.refusal or work.done or work.deferred)]
    )
    for tenant_id, group in by_tenant.items():
        _record_outcomes(signing, tenant_id, [work for work in group if not work.deferred])
    return [Deferred(work.submission, _decided(work)[0].device_kind) for work in works if work.deferred]


def _look(submission: Submission) -> _Work:
    work = _Work(submission, hashlib.sha256(submission.xml).digest())
    try:
        work.facts = check.read(submission.xml)
    except domain.Refused as refused:
        work.refusal = refused.refusal
    return work


def _record_intents(signing: Signing, tenant_id: str, works: list[_Work]) -> None:
    """Decide what happens to each message and commit the intent to sign it. Nothing is signed yet."""
    now = signing.clock()
    events = [work.submission.event_id for work in works]
    messages = [work.submission.message_id for work in works]
    with signing.database.transaction(tenant_id) as connection:
        handled = store.handled(connection, CONSUMER, events)
        accepted = store.accepted(connection, messages)
        intents = store.open_intents(connection, messages)
        keys = store.active_keys(connection, sorted({work.submission.enterprise_code for work in works}))
        entries = []
        for work in works:
            submission = work.submission
            work.done = submission.event_id in handled or submission.message_id in accepted
            intent = intents.get(submission.message_id)
            before = accepted.get(submission.message_id) or (intent and intent.digest)
            if before and before != work.digest:
                work.refusal = domain.message_changed()
            if work.facts is None or work.refusal or work.done:
                continue
            work.key = keys.get(submission.enterprise_code)
            work.refusal = domain.judge(submission, work.facts, work.key, now) or _no_device(
                signing, work.key
            )
            if work.refusal or work.key is None:
                continue
            work.deferred = bool(signing.pool.devices[work.key.device_kind].down)
            # a try that was broken off left its intent: the same key on the same bytes needs no second one
            if not work.deferred and (intent is None or intent.key_id != work.key.id):
                entries.append(_entry(work, "intent", now))
        store.append(connection, tenant_id, entries)
        crash.point("signer.intent.before-commit")


def _no_device(signing: Signing, key: Key | None) -> Refusal | None:
    if key is None or key.device_kind in signing.pool.devices:
        return None
    return domain.key_unusable(key, f"no device of kind {key.device_kind} is configured")


def _make_signatures(signing: Signing, works: list[_Work]) -> None:
    """Let the devices sign, assemble and verify; a key that cannot sign becomes a refusal."""
    for work in works:
        key, facts = _decided(work)
        algorithm = xmlsign.ALGORITHMS[key.algorithm]
        work.prepared = xmlsign.prepare(algorithm, facts.namespaces, work.submission.xml)
    _sign_once(signing, works)
    crash.point("signer.signed")
    wrong = [work for work in works if work.final and not _verified(signing, work)]
    if wrong:
        # perhaps one bad process: another may do better, once
        _sign_once(signing, wrong)
        for work in wrong:
            if not (work.refusal or work.deferred) and not _verified(signing, work):
                work.refusal = domain.verification_failed(_decided(work)[0])
    crash.point("signer.verified")


def _sign_once(signing: Signing, works: Iterable[_Work]) -> None:
    """All devices at the same time; one that is down defers its own messages only."""
    by_device: dict[str, list[_Work]] = {}
    for work in works:
        by_device.setdefault(_decided(work)[0].device_kind, []).append(work)
    under_way = []
    for kind, group in by_device.items():
        device = signing.pool.devices[kind]
        with _deferring(group):
            mechanisms = device.wait_ready(device.settings.patience).mechanisms
            under_way.append((group, device, device.begin([_request(work, mechanisms) for work in group])))
    for group, device, jobs in under_way:
        with _deferring(group):
            for work, answer in zip(group, device.finish(jobs), strict=True):
                _take(signing, work, answer)


@contextmanager
def _deferring(group: list[_Work]) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        if problem.kind != "unavailable":
            raise
        _LOG.warning("signer.deferred", count=len(group), reason=problem.en)
        for work in group:
            work.deferred = True


def _take(signing: Signing, work: _Work, answer: bytes | TokenError) -> None:
    """Make the final bytes from a device's answer, or a refusal."""
    key, prepared = _asked(work)
    if isinstance(answer, TokenError):
        missing = answer.code == "key-missing"
        work.refusal = domain.key_missing(key) if missing else domain.key_unusable(key, answer.reason)
        return
    der = prepared.algorithm.key_kind == "sm2" and signing.sm2_encoding == "der"
    work.value = certificates.sm2_der(answer) if der else answer
    info = xmlsign.key_info(key.serial, key.certificate)
    work.final = xmlsign.assemble(work.submission.xml, prepared, work.value, info)


def _request(work: _Work, mechanisms: Collection[str]) -> SignRequest:
    key, prepared = _asked(work)
    if prepared.digest_info and DIGEST_INFO in mechanisms:
        return SignRequest(key.token_key, DIGEST_INFO, prepared.digest_info)
    # SM2, or a token without CKM_RSA_PKCS: it hashes itself
    return SignRequest(key.token_key, prepared.algorithm.name, prepared.signed_info)


def _verified(signing: Signing, work: _Work) -> bool:
    key, prepared = _asked(work)
    certificate = certificates.read_cached(key.certificate)
    try:
        check.verify(work.final, prepared.digest, prepared.algorithm, certificate, signing.sm2_encoding)
    except check.SignatureWrong as exc:
        _LOG.error("signer.wrong_signature", message=work.submission.message_id, key=key.id, reason=str(exc))
        return False
    return True


def _decided(work: _Work) -> tuple[Key, Facts]:
    """What is known of a message that may be signed."""
    assert work.key is not None
    assert work.facts is not None
    return work.key, work.facts


def _asked(work: _Work) -> tuple[Key, xmlsign.Prepared]:
    """What is known of a message that a device was asked to sign."""
    assert work.key is not None
    assert work.prepared is not None
    return work.key, work.prepared


def _record_outcomes(signing: Signing, tenant_id: str, works: list[_Work]) -> None:
    """Commit signatures, refusals, ledger rows and events at once; redeliveries leave no trace."""
    now = signing.clock()
    with signing.database.transaction(tenant_id) as connection:
        new = inbox.claim(connection, tenant_id, CONSUMER, sorted(work.submission.event_id for work in works))
        works = [work for work in works if work.submission.event_id in new]
        signed = [work for work in works if work.final and not work.refusal]
        first = store.add_signatures(connection, tenant_id, [_signature(work, now) for work in signed])
        winners = [work for work in signed if work.submission.message_id in first]
        refused = [work for work in works if work.refusal]
        by_token: dict[str, list[outbox.Event]] = {}
        for work in winners:
            events = emit.signed(work.submission, _decided(work)[0], work.final, now)
            by_token.setdefault(work.submission.actor_token, []).extend(events)
        for work in refused:
            # what has a signature already stays signed: the changed copy is recorded, nobody is told to stop
            if work.refusal and not work.done:
                event = emit.refused(work.submission, work.refusal, now)
                by_token.setdefault(work.submission.actor_token, []).append(event)
        for token, events in by_token.items():
            outbox.add(connection, tenant_id, token, events)
        entries = [_entry(work, "signed", now) for work in winners]
        entries += [_entry(work, "refused", now) for work in refused]
        link = store.append(connection, tenant_id, entries)
        crash.point("signer.outcome.before-commit")
    crash.point("signer.outcome.committed")
    _report(tenant_id, winners, refused, len(signed) - len(winners), link)


def _report(
    tenant_id: str, winners: list[_Work], refused: list[_Work], discarded: int, link: chain.Link | None
) -> None:
    _OUTCOMES.labels("signed").inc(len(winners))
    _OUTCOMES.labels("refused").inc(len(refused))
    _DOCUMENTS.inc(sum(work.submission.documents for work in winners))
    for work in refused:
        assert work.refusal is not None
        _LOG.warning("signer.refused", message=work.submission.message_id, code=work.refusal.code)
    if discarded:
        _LOG.warning("signer.discarded", tenant=tenant_id, count=discarded)
    if link is not None:
        # a copy of the chain's head outside the database
        _LOG.info("ledger.head", tenant=tenant_id, seq=link.seq, hash=link.hash.hex(), signed=len(winners))


def _signature(work: _Work, now: datetime) -> store.Signature:
    key, _facts = _decided(work)
    return store.Signature(
        message_id=work.submission.message_id,
        event_id=work.submission.event_id,
        key_id=key.id,
        algorithm=key.algorithm,
        message_digest=work.digest,
        value=work.value,
        final_digest=hashlib.sha256(work.final).digest(),
        documents=work.submission.documents,
        signed_at=now,
    )


def _entry(work: _Work, what: str, now: datetime) -> chain.Entry:
    submission, actor, key = work.submission, work.submission.actor, work.key
    return chain.Entry(
        at=now,
        what=what,
        actor_id=actor.user_id,
        actor=actor.label,
        mandate_id=actor.mandate_id or "",
        request_id=actor.request_id,
        message_id=submission.message_id,
        event_id=submission.event_id,
        kind=submission.kind,
        message_type=submission.message_type,
        enterprise_code=submission.enterprise_code,
        documents=submission.documents,
        key_id=key.id if key else "",
        algorithm=key.algorithm if key else "",
        certificate_serial=key.serial if key else "",
        digest=work.digest,
        result=hashlib.sha256(work.final).digest() if what == "signed" else b"",
        code=work.refusal.code if work.refusal else "",
    )
