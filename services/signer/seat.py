"""One edge agent's connection: what its cards can do, what they were asked, and what became of it.

A card is a slow device that may leave at any moment: what it was asked and did not do waits again, and an agent that
did it nevertheless answers the repeat from its journal.
Must never accept a signature that was not asked for in this connection, nor one that does not hold for the card's
certificate.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from runtime import crash, log
from runtime.actor import Actor
from runtime.errors import Problem
from services.signer import card_usecases, certificates, domain, frames, refusals, signing
from services.signer.domain import card_queue
from services.signer.signing import Signing, Work
from services.signer.store import cards, jobs, signatures
from services.signer.store.cards import Card, Challenge

_LOG = log.get("seat")
#: seconds within which an agent begins what it is asked
BEGIN = 120
#: seconds after that for the card, before the work is given up here
GRACE = 60
#: requests that one card holds: one in work and one that waits for it
IN_HAND = 2
#: a card is given this many seconds of work at least, however quick it is
AHEAD = 2.0
_SHARE = 0.2
_STATES = ("ready", "pin-needed", "pin-low", "pin-locked", "failing")
#: answers after which the work waits for the card -> what people read
_WAITS = {
    "card-out": "the card is out",
    "pin-needed": "the card waits for its PIN",
    "pin-low": "the card waits for its PIN, with few tries left",
    "pin-locked": "the card's PIN is locked",
    "expired": "the agent did not begin in time",
}


@dataclass(slots=True)
class _Asked:
    """A request that is out. what: a document's work, or a challenge."""

    what: Work | Challenge
    fingerprint: str
    nonce: bytes
    until: float


@dataclass(slots=True)
class _CardNow:
    card: Card
    asked: set[str] = field(default_factory=set)


class Seat:
    """The signer's side of one connection. `frames` runs in one thread, `heard` in another."""

    def __init__(self, making: Signing, actor: Actor, heartbeat: int) -> None:
        self._making = making
        self._actor = actor
        self._agent = actor.user_id
        self._heartbeat = heartbeat
        self._seat: cards.Seat | None = None
        self._lease = os.urandom(16)
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._cards: dict[str, _CardNow] = {}
        self._asked: dict[str, _Asked] = {}
        self._wrong: dict[str, int] = {}
        self._closed = threading.Event()
        self._last_heard = time.monotonic()
        self._noted = 0.0

    @property
    def queues(self) -> set[str]:
        """Of the cards that are there."""
        with self._lock:
            return {card_queue(fingerprint) for fingerprint in self._cards}

    def wake(self) -> None:
        """There may be work."""
        self._out.put(None)

    # ---- out -------------------------------------------------------------------------------------------------------

    def frames(self, active: Callable[[], bool]) -> Iterator[Any]:
        """What goes to the agent, until the connection ends."""
        sent = time.monotonic()
        while active() and not self._closed.is_set():
            frame = self._next()
            now = time.monotonic()
            if now - self._last_heard > 3 * self._heartbeat:
                _LOG.warning("seat.silent", agent=self._agent)
                return
            if frame is None and now - sent > self._heartbeat / 2:
                frame = frames.alive()
            if frame is not None:
                sent = now
                yield frame
                if frame.HasField("goodbye"):
                    return

    def _next(self) -> Any | None:
        """What is to be said; None after a while without anything, or once what may be done was looked for."""
        try:
            frame = self._out.get(timeout=1.0)
        except queue.Empty:
            frame = None
        else:
            if frame is None:
                self._feed()
        if frame is None:
            self._give_up_late(time.monotonic())
        return frame

    def _feed(self) -> None:
        """Give the cards that can sign as much as they should hold."""
        with self._lock:
            ready = {
                fingerprint: now for fingerprint, now in self._cards.items() if now.card.state == "ready"
            }
        if self._seat is None or not ready:
            return
        try:
            self._ask_challenges(list(ready))
            for now in ready.values():
                wanted = max(IN_HAND, int(AHEAD / now.card.seconds) if now.card.seconds else 0)
                room = wanted - len(now.asked)
                if room > 0:
                    self._ask_documents(now, room)
        except Problem as problem:
            # what was taken may not have been asked: the next connection puts it back and begins anew
            _LOG.warning("seat.ends", agent=self._agent, reason=problem.en)
            self._closed.set()

    def _ask_documents(self, now: _CardNow, room: int) -> None:
        fingerprint = now.card.fingerprint
        works = signing.take(
            self._making, self._actor.tenant_id, card_queue(fingerprint), room, lease=self._lease
        )
        crash.point("signer.card.taken")
        for work in works:
            if not work.refusal:
                self._ask(work, frames.document(fingerprint, work.submission, signing.prepare(work)))
        refused = [work for work in works if work.refusal]
        if refused:
            signing.settle(self._making, self._actor.tenant_id, refused)

    def _ask_challenges(self, fingerprints: list[str]) -> None:
        now = self._making.clock()
        with self._making.database.transaction(self._actor.tenant_id) as connection:
            waiting = cards.waiting_challenges(connection, fingerprints, now)
        for challenge in waiting:
            if challenge.id not in self._asked:
                self._ask(challenge, frames.challenge(challenge))

    def _ask(self, what: Work | Challenge, request: Any) -> None:
        asked = _Asked(what, request.fingerprint, os.urandom(16), time.monotonic() + BEGIN + GRACE)
        with self._lock:
            self._asked[request.request_id] = asked
            here = self._cards.get(request.fingerprint)
            if here is not None:
                here.asked.add(request.request_id)
        if here is None:
            # it was pulled out while its work was being looked for
            self._end(request.request_id, _WAITS["card-out"])
            return
        self._out.put(frames.leased(request, asked.nonce, self._making.clock(), BEGIN))

    def _give_up_late(self, now: float) -> None:
        with self._lock:
            late = [request_id for request_id, asked in self._asked.items() if asked.until < now]
        for request_id in late:
            self._end(request_id, "the agent gave no answer")

    # ---- in --------------------------------------------------------------------------------------------------------

    def heard(self, frame: Any) -> None:
        """Take one frame of the agent. Raises Problem for what no agent of ours sends."""
        self._last_heard = time.monotonic()
        match frame.WhichOneof("frame"):
            case "hello":
                self._hello(frame.hello)
            case "cards" if self._seat:
                self._show(frame.cards.cards)
            case "result" if self._seat:
                self._result(frame.result)
            case "alive" if self._seat:
                self._stay()
            case _:
                raise Problem(
                    "malformed", "签名代理的消息顺序不正确。", "The agent's frames are out of order."
                )

    def _hello(self, hello: Any) -> None:
        if self._seat or not 8 <= len(hello.instance) <= 64:
            raise Problem("malformed", "签名代理的问候不正确。", "The agent's greeting is not usable.")
        self._seat = cards.Seat(self._agent, hello.instance, str(uuid.uuid4()))
        now = self._making.clock()
        silent = now - timedelta(seconds=3 * self._heartbeat)
        self._noted = time.monotonic()
        with self._making.database.transaction(self._actor.tenant_id) as connection:
            seated = cards.claim_seat(connection, self._actor.tenant_id, self._seat, now, silent)
        if not seated:
            self._seat = None
            self._out.put(frames.attending_elsewhere())
            return
        self._out.put(
            frames.welcome(self._agent, self._actor.enterprise_name, self._heartbeat, self._making.clock())
        )

    def _stay(self) -> None:
        """Keep the seat; if a later connection of the same process has it, this one ends."""
        if self._seat is None or time.monotonic() - self._noted < self._heartbeat / 2:
            return
        self._noted = time.monotonic()
        with self._making.database.transaction(self._actor.tenant_id) as connection:
            if not cards.keep_seat(connection, self._seat, self._making.clock()):
                self._closed.set()

    def _show(self, shown: Any) -> None:
        now = self._making.clock()
        with self._making.database.transaction(self._actor.tenant_id) as connection:
            known = {card.fingerprint: card for card in cards.all_cards(connection)}
            here = [card for item in shown if (card := self._card(item, known)) is not None]
            cards.show(connection, self._actor.tenant_id, self._agent, here, now)
            with self._lock:
                new = [card.fingerprint for card in here if card.fingerprint not in self._cards]
            for fingerprint in new:
                # whoever had this card before is gone, and what it was asked waits again
                jobs.put_all_back(connection, card_queue(fingerprint))
        with self._lock:
            before = self._cards
            self._cards = {
                card.fingerprint: _CardNow(
                    card, before[card.fingerprint].asked if card.fingerprint in before else set()
                )
                for card in here
            }
            gone = [
                request_id
                for fingerprint, old in before.items()
                if fingerprint not in self._cards
                for request_id in old.asked
            ]
        for request_id in gone:
            self._end(request_id, _WAITS["card-out"])
        self.wake()

    def _card(self, item: Any, known: dict[str, Card]) -> Card | None:
        try:
            certificate = certificates.read_cached(bytes(item.certificate))
        except certificates.CertificateError as exc:
            _LOG.warning("seat.card_refused", agent=self._agent, reason=exc.en)
            return None
        before = known.get(certificate.fingerprint)
        return Card(
            fingerprint=certificate.fingerprint,
            agent_id=self._agent,
            enterprise_code=self._actor.enterprise_code,
            certificate=certificate.der,
            serial=certificate.serial,
            subject=certificate.subject,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            token=" · ".join(filter(None, (item.token_model.strip(), item.token_label.strip())))[:200],
            state=item.state if item.state in _STATES else "failing",
            reason=item.reason[:200],
            mechanisms=sorted(set(item.mechanisms) & signing.MECHANISMS),
            seconds=before.seconds if before else 0.0,
            at=self._making.clock(),
        )

    def _result(self, result: Any) -> None:
        with self._lock:
            asked = self._asked.get(result.request_id)
        if asked is None or asked.nonce != bytes(result.nonce):
            self._answer_stray(result.request_id)
            return
        if isinstance(asked.what, Challenge):
            self._settle_challenge(asked.what, result)
        else:
            self._settle_document(asked, asked.what, result)
        self.wake()

    def _answer_stray(self, request_id: str) -> None:
        """Not asked in this connection: if it counts, it does so because it was accepted before."""
        accepted = False
        if domain.is_uuid(request_id):
            with self._making.database.transaction(self._actor.tenant_id) as connection:
                accepted = request_id in signatures.accepted(connection, [request_id])
        self._tell(request_id, accepted, "" if accepted else "not-asked")

    def _settle_document(self, asked: _Asked, work: Work, result: Any) -> None:
        request_id = work.submission.message_id
        if result.code in _WAITS:
            self._end(request_id, _WAITS[result.code])
            self._tell(request_id, False, result.code)
            return
        if result.code == "refused":
            work.refusal = refusals.refused_by_person(work.key)
        elif result.code:
            work.refusal = refusals.key_unusable(work.key, f"{result.code}: {result.reason[:200]}")
        else:
            signing.assemble(self._making, work, bytes(result.signature))
            if not signing.verified(self._making, work):
                work.final, work.value = b"", b""
                self._wrong[request_id] = self._wrong.get(request_id, 0) + 1
                if self._wrong[request_id] == 1:
                    # perhaps one bad reply: the card is asked once more
                    self._end(request_id, "the signature did not hold")
                    self._tell(request_id, False, "does-not-hold")
                    return
                work.refusal = refusals.verification_failed(work.key)
        crash.point("signer.card.answered")
        signing.settle(self._making, self._actor.tenant_id, [work])
        self._drop(request_id)
        self._wrong.pop(request_id, None)
        if not work.refusal:
            self._measure(asked.fingerprint, result.seconds)
        self._tell(request_id, not work.refusal, work.refusal.code if work.refusal else "")

    def _settle_challenge(self, challenge: Challenge, result: Any) -> None:
        signature, reason = bytes(result.signature), result.code
        with self._lock:
            here = self._cards.get(challenge.fingerprint)
        if here is None:
            self._drop(challenge.id)
            self._tell(challenge.id, False, "card-out")
            return
        certificate = certificates.read_cached(here.card.certificate)
        holds = certificates.verifier(certificate.public_key)
        if not reason and not holds(challenge.mechanism, challenge.body, signature):
            reason = "does-not-hold"
        with self._making.database.transaction(self._actor.tenant_id) as connection:
            card_usecases.answered(
                connection, self._actor.tenant_id, challenge, signature, reason, self._making.clock()
            )
        self._drop(challenge.id)
        self._tell(challenge.id, not reason, reason)

    def _measure(self, fingerprint: str, seconds: float) -> None:
        """Remember how long the card takes; answers from a journal say nothing about it."""
        if not 0 < seconds < GRACE + BEGIN:
            return
        with self._lock:
            now = self._cards.get(fingerprint)
        if now is None:
            return
        known = now.card.seconds
        smoothed = known + _SHARE * (seconds - known) if known else seconds
        now.card = replace(now.card, seconds=smoothed)
        with self._making.database.transaction(self._actor.tenant_id) as connection:
            cards.measured(connection, fingerprint, smoothed)

    def _tell(self, request_id: str, accepted: bool, reason: str) -> None:
        self._out.put(frames.outcome(request_id, accepted, reason))

    # ---- ends ------------------------------------------------------------------------------------------------------

    def _drop(self, request_id: str) -> _Asked | None:
        with self._lock:
            asked = self._asked.pop(request_id, None)
            if asked is not None and asked.fingerprint in self._cards:
                self._cards[asked.fingerprint].asked.discard(request_id)
            return asked

    def _end(self, request_id: str, reason: str) -> None:
        """Nothing came of it: it waits again."""
        asked = self._drop(request_id)
        if asked is not None and isinstance(asked.what, Work):
            asked.what.put_back = reason
            signing.settle(self._making, self._actor.tenant_id, [asked.what])

    def stop(self) -> None:
        """Nothing more will be heard: end `frames`."""
        self._closed.set()
        self._out.put(None)

    def close(self) -> None:
        """The connection ended: what is out waits again, and the seat is free."""
        self._closed.set()
        with self._lock:
            out = list(self._asked)
        try:
            for request_id in out:
                self._end(request_id, "the agent's connection was cut")
            if self._seat:
                with self._making.database.transaction(self._actor.tenant_id) as connection:
                    cards.leave_seat(connection, self._seat)
        except Problem as problem:
            # whoever shows the cards next puts their work back
            _LOG.warning("seat.close", agent=self._agent, reason=problem.en)
