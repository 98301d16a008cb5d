"""The desk where requests for signatures arrive: checked, confirmed by a person where needed, signed card by card.

A request that was answered is answered from the journal, one that is being worked on is only given its newer lease.
Must never use a card without an intent in the journal, nor answer with a signature that is not in it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from agent import certificates, crash, policy, times
from agent.algorithms import MECHANISMS
from agent.cards.base import CardError
from agent.cards.shelf import Shelf
from agent.cards.token import CardView
from agent.journal import FAILED, REFUSED, Entry, Journal
from agent.log import Log
from agent.policy import Refusal
from agent.wish import Malformed, Wish
from proto.agent.v1 import agent_pb2

_LOG = Log("desk")
_REMEMBERED = 5
_TICK_SECONDS = 0.5

#: stages of an open request
ASKING, QUEUED, SIGNING = "asking", "queued", "signing"


@dataclass(slots=True)
class Open:
    """A request that is not answered yet. since: when it came."""

    wish: Wish
    stage: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A request that the service took back."""

    wish: Wish
    at: datetime


class Desk:
    """send: takes a Result for the service; it may be lost, then the service asks again or the journal is sent again.
    service_time: the service's clock, as far as this PC knows it."""

    def __init__(
        self,
        shelf: Shelf,
        journal: Journal,
        confirm: Mapping[str, bool],
        send: Callable[[agent_pb2.Result], None],
        service_time: Callable[[], datetime] = times.now,
    ) -> None:
        self._shelf = shelf
        self._journal = journal
        self._confirm = confirm
        self._send = send
        self._service_time = service_time
        self._lock = threading.Lock()
        self._open: dict[str, Open] = {}
        self._queues: dict[str, ThreadPoolExecutor] = {}
        self._withdrawn: deque[Withdrawn] = deque(maxlen=_REMEMBERED)
        self._stopping = threading.Event()
        self._minder = threading.Thread(target=self._mind, name="desk-minder", daemon=True)
        self._minder.start()

    def close(self) -> None:
        """What the card has begun is finished and journalled; what waits is left to the service."""
        self._stopping.set()
        self._minder.join()
        with self._lock:
            queues = list(self._queues.values())
        for one in queues:
            one.shutdown(wait=True, cancel_futures=True)

    def opened(self) -> list[Open]:
        """What is not answered yet, oldest first."""
        with self._lock:
            return [Open(one.wish, one.stage, one.since) for one in self._open.values()]

    def withdrawn(self) -> list[Withdrawn]:
        """What the service took back lately, newest first."""
        with self._lock:
            return list(reversed(self._withdrawn))

    def receive(self, frame: agent_pb2.SignRequest) -> None:
        """A request from the service. Returns at once."""
        try:
            wish = policy.read(frame)
        except Malformed as exc:
            _LOG.warning("request cannot be read", reason=str(exc))
            self._send(
                agent_pb2.Result(
                    request_id=frame.request_id, nonce=frame.nonce, code="failed", reason=f"data: {exc}"
                )
            )
            return
        with self._lock:
            if self._repeated(wish):
                return
            known = self._journal.find(wish.request_id)
            if known is not None and self._known(wish, known):
                return
            try:
                wish = policy.examine(wish)
                policy.allow(wish, self._shelf.find(wish.fingerprint), self._service_time())
            except Refusal as exc:
                self._fail(wish, FAILED, exc.code, exc.reason)
                return
            stage = ASKING if policy.must_confirm(wish, self._confirm) else QUEUED
            self._open[wish.request_id] = Open(wish, stage, times.now())
            if stage == QUEUED:
                self._queue(wish)

    def confirm(self, request_id: str, *, yes: bool) -> bool:
        """A person's word about a request that asks for it; False if it does not ask (any more)."""
        with self._lock:
            one = self._open.get(request_id)
            if one is None or one.stage != ASKING:
                return False
            if yes:
                one.stage = QUEUED
                self._queue(one.wish)
            else:
                del self._open[request_id]
                self._fail(one.wish, REFUSED, "refused", "by the person at the agent")
            return True

    def withdraw(self, request_id: str) -> None:
        """The service takes a request back. A card that signs already is not stopped; the service judges the result."""
        with self._lock:
            one = self._open.get(request_id)
            if one is None or one.stage == SIGNING:
                return
            del self._open[request_id]
            self._withdrawn.append(Withdrawn(one.wish, times.now()))
        _LOG.info("request withdrawn", request_id=request_id)

    def outcome(self, frame: agent_pb2.Outcome) -> None:
        """The service has the signature, or does not want it."""
        crash.point("before-outcome")
        self._journal.outcome(frame.request_id, accepted=frame.accepted, reason=frame.reason)

    def send_unconfirmed(self) -> None:
        """After a new beginning: all signatures of which the service has not said that it has them."""
        for entry in self._journal.unconfirmed():
            self._send(_from_journal(entry, entry.nonce))

    # below: the lock is held

    def _repeated(self, wish: Wish) -> bool:
        one = self._open.get(wish.request_id)
        if one is None:
            return False
        if wish.same_as(one.wish.digest, one.wish.fingerprint, one.wish.mechanism):
            one.wish = one.wish.leased(wish)
        else:
            self._other_data(wish)
        return True

    def _known(self, wish: Wish, known: Entry) -> bool:
        if not wish.same_as(known.data_sha256, known.fingerprint, known.mechanism):
            self._other_data(wish)
        elif known.answered:
            self._journal.lease(wish.request_id, wish.nonce)
            self._send(_from_journal(known, wish.nonce))
        elif known.state == REFUSED:
            self._send(_without(wish, known.code, known.reason))
        else:
            # failed, or the agent died before it had the signature: nobody has one, so the card is asked again
            return False
        return True

    def _other_data(self, wish: Wish) -> None:
        _LOG.warning("request id came with other data", request_id=wish.request_id)
        self._send(_without(wish, "other-data", "this request id belongs to other data or another card"))

    def _fail(self, wish: Wish, state: str, code: str, reason: str) -> None:
        _LOG.warning("not signed", request_id=wish.request_id, answer=code, reason=reason)
        self._journal.failed(wish, state, code, reason)
        self._send(_without(wish, code, reason))

    def _queue(self, wish: Wish) -> None:
        line = self._queues.get(wish.fingerprint)
        if line is None:
            # one thread: a card's requests are signed in the order in which they may be
            line = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"card-{wish.fingerprint[:8]}")
            self._queues[wish.fingerprint] = line
        line.submit(self._work, wish.request_id)

    # below: in the threads of cards and of the minder

    def _work(self, request_id: str) -> None:
        try:
            with self._lock:
                one = self._open.get(request_id)
                if one is None or self._stopping.is_set():
                    return
                one.stage = SIGNING
                wish = one.wish
            self._sign(wish)
        except Exception:  # noqa: BLE001 - logged
            # the request stays unanswered and the service asks again
            _LOG.failure("signing broke", request_id=request_id)
            with self._lock:
                self._open.pop(request_id, None)

    def _sign(self, wish: Wish) -> None:
        try:
            card = policy.allow(wish, self._shelf.find(wish.fingerprint), self._service_time())
            signature, seconds = self._use_card(wish, card)
        except (Refusal, CardError) as exc:
            code = "failed" if exc.code == "lost" else exc.code
            with self._lock:
                wish = self._open.pop(wish.request_id).wish
                self._fail(wish, FAILED, code, exc.reason)
            return
        crash.point("after-sign")
        with self._lock:
            # the newest lease, if it was repeated meanwhile
            wish = self._open.pop(wish.request_id).wish
            self._journal.signed(wish, signature, seconds)
            crash.point("after-result")
            self._send(
                agent_pb2.Result(
                    request_id=wish.request_id, nonce=wish.nonce, signature=signature, seconds=seconds
                )
            )
        crash.point("after-send")
        _LOG.info("signed", request_id=wish.request_id, seconds=round(seconds, 3), purpose=wish.purpose)

    def _use_card(self, wish: Wish, card: CardView) -> tuple[bytes, float]:
        mechanism = MECHANISMS[wish.mechanism]
        crash.point("before-intent")
        self._journal.intend(wish)
        crash.point("after-intent")
        signature, seconds = self._shelf.sign(wish.fingerprint, mechanism, wish.data)
        if not certificates.holds(card.certificate, mechanism, wish.data, signature, card.sm2_user_id):
            raise CardError("failed", "signature: the certificate does not confirm it")
        return signature, seconds

    def _mind(self) -> None:
        """Requests that nobody confirmed in time are answered."""
        while not self._stopping.wait(_TICK_SECONDS):
            now = self._service_time()
            with self._lock:
                late = [
                    one.wish
                    for one in self._open.values()
                    if one.stage == ASKING and now >= one.wish.expires_at
                ]
                for wish in late:
                    del self._open[wish.request_id]
                    self._fail(wish, FAILED, "expired", "nobody confirmed it in time")


def _without(wish: Wish, code: str, reason: str) -> agent_pb2.Result:
    return agent_pb2.Result(request_id=wish.request_id, nonce=wish.nonce, code=code, reason=reason)


def _from_journal(entry: Entry, nonce: bytes) -> agent_pb2.Result:
    return agent_pb2.Result(request_id=entry.request_id, nonce=nonce, signature=entry.signature)
