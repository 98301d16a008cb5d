"""One thread owns one PKCS#11 module: it looks, logs in and signs, one thing at a time, each under a deadline.

Two processes per module: one never logs in and may start its library anew at every look, the other holds the logins.
The second is made anew whenever cards come or go. Must never offer a PIN twice unless the card took it before, and
never to a card whose flags warn.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from agent.cards.base import PIN_PAD, CardError, SeenToken, load
from agent.cards.pins import Pin
from agent.cards.process import Process
from agent.cards.token import READY, CardView, Token, identity
from agent.config import Config, Module
from agent.log import Log

T = TypeVar("T")

_LOG = Log("cards")
#: pauses between starts of a module that cannot be used
_BACKOFF = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
#: how long a card that failed is not asked again, unless it is put in anew
_FAILING_SECONDS = 30.0


class Owner:
    """Start with `start`; all other methods may be called from any thread."""

    def __init__(self, module: Module, config: Config, changed: Callable[[], None]) -> None:
        self.module = module
        #: why the module cannot be used; empty if it can
        self.trouble = ""
        #: it has been looked at once
        self.looked = threading.Event()
        self._config = config
        self._changed = changed
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._tokens: dict[tuple[str, ...], Token] = {}
        self._views: tuple[CardView, ...] = ()
        self._watcher: Process | None = None
        self._worker: Process | None = None
        self._failures = 0
        self._next_look = 0.0
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"module-{module.name}", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Log out, wipe PINs, end both processes."""
        with self._lock:
            self._closed = True
            # behind what was asked before
            self._jobs.put(None)
        self._thread.join(self._config.sign_seconds + 5)

    @property
    def cards(self) -> tuple[CardView, ...]:
        """Cards at the last look."""
        return self._views

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes of the module that run."""
        return tuple(one.pid for one in (self._watcher, self._worker) if one is not None and one.alive)

    def login(self, fingerprint: str, pin: Pin, *, although_low: bool) -> None:
        """One attempt. The PIN is the owner's from here on. Raises CardError."""
        try:
            self._do(lambda: self._login(fingerprint, pin, although_low=although_low))
        except CardError:
            pin.wipe()
            raise

    def logout(self, fingerprint: str) -> None:
        """A person wants the card's PIN forgotten."""
        self._do(lambda: self._logout(fingerprint))

    def sign(
        self, fingerprint: str, prepare: Callable[[SeenToken], tuple[int, bytes]]
    ) -> tuple[bytes, float]:
        """The token's answer and how many seconds it took. prepare: mechanism number and bytes for the token as it is
        then. Raises CardError."""
        return self._do(lambda: self._sign(fingerprint, prepare))

    def _do(self, work: Callable[[], T]) -> T:
        """Each piece of work has its deadlines, and only a few can be before ours."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(work())
            except BaseException as exc:  # noqa: BLE001 - it is the caller's
                future.set_exception(exc)

        with self._lock:
            if self._closed:
                raise CardError("failed", "the agent is stopping")
            self._jobs.put(job)
        return future.result()

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=max(0.0, self._next_look - time.monotonic()))
            except queue.Empty:
                job = _nothing
            if job is None:
                break
            job()
            if time.monotonic() >= self._next_look:
                self._turn()
        for token in self._tokens.values():
            token.forget()
        self._tokens.clear()
        self._publish()
        for process in (self._watcher, self._worker):
            if process is not None:
                process.close()

    # the rest runs in the owner's thread alone

    def _turn(self) -> None:
        try:
            self._look()
        except Exception:  # noqa: BLE001 - logged; without this thread the module would be lost for good
            _LOG.failure("the look broke", module=self.module.name)
            self._next_look = time.monotonic() + _BACKOFF[-1]

    def _look(self) -> None:
        try:
            if self._watcher is None or not self._watcher.alive:
                self._watcher = Process(self.module.path, self.module.environment)
            seen = load(bytes(self._watcher.call([b"look"], self._config.look_seconds)[0]))
        except CardError as exc:
            self._look_failed(exc)
            return
        finally:
            self.looked.set()
        self._next_look = time.monotonic() + self._config.poll_seconds
        if self._failures:
            _LOG.info("module works again", module=self.module.name)
        self._failures, self.trouble = 0, ""
        self._take(seen)

    def _look_failed(self, exc: CardError) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher = None
        pause = _BACKOFF[min(self._failures, len(_BACKOFF) - 1)]
        self._failures += 1
        self._next_look = time.monotonic() + pause
        if exc.reason != self.trouble:
            _LOG.warning("module cannot be used", module=self.module.name, reason=exc.reason)
        self.trouble = exc.reason
        # what is not seen is not gone: only a look that works says so
        for token in self._tokens.values():
            token.failing, token.failing_since = exc.reason, time.monotonic()
        self._publish()

    def _take(self, seen: list[SeenToken]) -> None:
        now = {identity(one): one for one in seen}
        gone = self._tokens.keys() - now.keys()
        come = now.keys() - self._tokens.keys()
        for key in gone:
            token = self._tokens.pop(key)
            token.forget()
            _LOG.info("card out", module=self.module.name, serial=token.seen.serial)
        for key, one in now.items():
            if key in come:
                self._tokens[key] = Token(one)
                _LOG.info("card in", module=self.module.name, serial=one.serial, label=one.label)
            else:
                token = self._tokens[key]
                moved = token.seen.slot != one.slot
                token.seen = one
                if moved:
                    come.add(key)
                if token.failing and time.monotonic() - token.failing_since > _FAILING_SECONDS:
                    token.failing = ""
        if (gone or come) and self._worker is not None:
            # its library may still believe in the cards of before
            self._end_worker()
        self._publish()

    def _publish(self) -> None:
        views = tuple(
            view
            for token in self._tokens.values()
            for view in token.views(self.module.name, self.module.profile)
        )
        if views != self._views:
            self._views = views
            self._changed()

    def _end_worker(self) -> None:
        """Cards whose PIN is kept are logged in again when they are next needed."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        for token in self._tokens.values():
            token.session = False

    def _token(self, fingerprint: str) -> Token:
        for token in self._tokens.values():
            if any(certificate.fingerprint == fingerprint for certificate in token.certificates):
                return token
        raise CardError("card-out", "the card is not here")

    def _login(self, fingerprint: str, pin: Pin, *, although_low: bool) -> None:
        # the flags of now, not those of two seconds ago
        self._look()
        token = self._token(fingerprint)
        if token.failing and self.trouble:
            raise CardError("failed", self.trouble)
        if token.state == READY:
            raise CardError("failed", "the card is logged in already")
        token.failing = ""
        self._attempt(token, pin, although_low=although_low)
        if PIN_PAD not in token.seen.flags:
            token.pin = pin
        self._publish()

    def _attempt(self, token: Token, pin: Pin, *, although_low: bool) -> None:
        """Exactly one C_Login, or none. Where it ends without an answer, the PIN counts as used."""
        name = token.certificates[0].fingerprint
        order = [b"login", name.encode(), b"1" if although_low else b"0", pin.buffer]
        try:
            self._working().call(order, self._config.login_seconds)
        except CardError as exc:
            token.forget()
            if exc.code == "lost":
                self._end_worker()
                token.failing, token.failing_since = exc.reason, time.monotonic()
            if exc.code in {"pin-needed", "pin-locked"}:
                token.refused = exc.reason
            if exc.left and exc.left not in token.seen.flags:
                token.seen = replace(token.seen, flags=(*token.seen.flags, exc.left))
            _LOG.warning("login refused", serial=token.seen.serial, answer=exc.code, reason=exc.reason)
            self._publish()
            raise
        token.session, token.refused = True, ""
        _LOG.info("logged in", module=self.module.name, serial=token.seen.serial)

    def _logout(self, fingerprint: str) -> None:
        token = self._token(fingerprint)
        token.forget()
        self._end_worker()
        self._publish()

    def _working(self) -> Process:
        if self._worker is None or not self._worker.alive:
            self._end_worker()
            self._worker = Process(self.module.path, self.module.environment)
        return self._worker

    def _sign(
        self, fingerprint: str, prepare: Callable[[SeenToken], tuple[int, bytes]]
    ) -> tuple[bytes, float]:
        token = self._token(fingerprint)
        if token.state != READY:
            code = "failed" if token.failing else token.state
            raise CardError(code, token.failing or token.refused or "the card waits for its PIN")
        number, payload = prepare(token.seen)
        order = [b"sign", fingerprint.encode(), str(number).encode(), payload]
        for last in (False, True):
            try:
                return self._sign_once(token, order)
            except CardError as exc:
                if exc.code != "lost":
                    raise
                # a second process may do better, unless the card is gone
                self._end_worker()
                self._look()
                token = self._token(fingerprint)
                if last:
                    token.failing, token.failing_since = exc.reason, time.monotonic()
                    self._publish()
                    raise CardError("failed", exc.reason) from exc
        raise AssertionError("unreachable")

    def _sign_once(self, token: Token, order: list[bytes]) -> tuple[bytes, float]:
        worker = self._working()
        if not token.session:
            if token.pin is None:
                raise CardError("pin-needed", "the card waits for its PIN")
            self._attempt(token, token.pin, although_low=False)
        begun = time.monotonic()
        answer = bytes(worker.call(order, self._config.sign_seconds)[0])
        return answer, time.monotonic() - begun


def _nothing() -> None:
    """What there is to do when nobody asks."""
