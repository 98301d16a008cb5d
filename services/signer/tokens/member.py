"""One member of a device: its worker processes, each minded by a thread, and what is known of them.

A process that hangs or dies is killed and replaced and its work given to another, which is safe: a signature has no
effect until it is stored. A member signs a trial, judged by other code, before it gets work and after each failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import InvalidStateError
from contextlib import suppress

from prometheus_client import Counter

from runtime import log
from services.signer.tokens import trial
from services.signer.tokens.base import FATAL, TokenError, TokenInfo
from services.signer.tokens.board import Board, Job
from services.signer.tokens.pace import Calls
from services.signer.tokens.settings import ATTEMPTS, MemberSettings
from services.signer.tokens.states import Standing, State
from services.signer.tokens.worker import Worker

_LOG = log.get("token")
_SIGNED = Counter("signer_token_signatures", "Signatures made by a member", ["device", "member"])
_LOST = Counter("signer_token_workers_lost", "Token processes that were given up", ["device", "member"])

_BACKOFF = (0.1, 0.5, 1.0, 2.0, 5.0)  # seconds between starts
#: seconds between looks at a token that needs a person: nothing is asked of it (attempts.py), only files and flags read
_LOCKED_SECONDS = 10.0
#: seconds without work after which a process uses its session: far below what firewalls and HSMs cut off as idle
KEEP_ALIVE_SECONDS = 20.0


class Member:
    """All worker processes of one token. Its threads begin with `start`."""

    def __init__(
        self,
        device: str,
        settings: MemberSettings,
        board: Board,
        may: Callable[[Member, Job], bool],
        settled: Callable[[], None],
    ) -> None:
        """may: is this job for this member now? settled: called when its state may have changed."""
        self.settings = settings
        self.standing = Standing(device, settings.name)
        self.info: TokenInfo | None = None
        #: keys it holds; None until it was opened once
        self.keys: frozenset[str] | None = None
        #: the last trial that held: when, with which key
        self.proved: tuple[float, str] = (0.0, "")
        self._labels = (device, settings.name)
        self._signed = _SIGNED.labels(*self._labels)
        self._board, self._may, self._settled = board, may, settled
        self._closed = threading.Event()
        self._opening = threading.Lock()
        self._pids: dict[int, int] = {}
        self._failures, self._next_start = 0, 0.0
        self._blamed: frozenset[str] = frozenset()
        self._calls = Calls(settings.seconds)
        self._minders = [
            threading.Thread(
                target=self._mind, args=(index,), name=f"{device}-{self.name}-{index}", daemon=True
            )
            for index in range(settings.workers)
        ]

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    @property
    def state(self) -> State:
        """As of now."""
        return self.standing.state

    @property
    def mechanisms(self) -> Collection[str] | None:
        """Ways of signing that it offers; None until it was opened once."""
        return self.info.mechanisms if self.info else None

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return sorted(self._pids.values())

    def start(self) -> None:
        """Begin to open the token."""
        for minder in self._minders:
            minder.start()

    def frame(self, most: int) -> int:
        """How many signatures a frame should hold."""
        return self._calls.frame(most)

    def distrust(self, reason: str) -> None:
        """It signed wrongly: let its processes end, and open the token anew."""
        if self.state in (State.HEALTHY, State.SUSPECT):
            self._set(State.DRAINING, reason)

    def stop(self) -> None:
        """Begin to end."""
        self._closed.set()
        self._board.wake()

    def join(self) -> None:
        """Wait for the end, as long as a call may take."""
        for minder in self._minders:
            minder.join(timeout=self.settings.seconds)

    # ---- threads ---------------------------------------------------------------------------------------------------

    def _mind(self, index: int) -> None:
        """One worker's life after life: start it, feed it, replace it."""
        worker: Worker | None = None
        while not self._closed.is_set():
            if worker is None:
                worker = self._open(index)
                continue
            if self.state is State.DRAINING:
                self._end(index, worker)
                worker = None
                continue
            if self.state is State.SUSPECT:
                well = self._tried_again(worker)
            else:
                job = self._board.take(lambda job: self._may(self, job), 1.0)
                well = self._perform(worker, job) if job else self._alive(worker)
            if not well:
                self._give_up(index, worker)
                worker = None
        if worker is not None:
            worker.close()
        self._pids.pop(index, None)

    def _open(self, index: int) -> Worker | None:
        """A worker that signed a trial; None after a pause if there is none."""
        pause = self._next_start - time.monotonic()
        if pause > 0:
            self._closed.wait(pause)
            return None
        if self.state is State.DRAINING and self._pids:
            # nothing new begins until all that runs has ended
            self._closed.wait(0.1)
            return None
        if self._pids:
            # the token is open already: more processes may start side by side
            return self._opened(index)
        with self._opening:
            if self._closed.is_set() or self._next_start > time.monotonic():
                return None
            return self._opened(index)

    def _opened(self, index: int) -> Worker | None:
        try:
            worker = Worker(self.settings.module, self.settings.environment)
        except TokenError as exc:
            self._cannot(exc)
            return None
        try:
            self._try(worker)
        except TokenError as exc:
            worker.kill()
            self._cannot(exc)
            return None
        self._pids[index] = worker.pid
        self._failures = 0
        _LOG.info("token.worker_started", device=self._labels[0], member=self.name, child=worker.pid)
        self._set(State.HEALTHY)
        return worker

    def _cannot(self, exc: TokenError) -> None:
        """A worker could not be started, or did not sign."""
        _LOG.error(
            "token.start_failed", device=self._labels[0], member=self.name, code=exc.code, reason=exc.reason
        )
        pause = _LOCKED_SECONDS if exc.code == "pin" else _BACKOFF[min(self._failures, len(_BACKOFF) - 1)]
        self._failures += 1
        self._next_start = time.monotonic() + pause
        if exc.code == "lost" and self._failures == 1 and self.state is State.RESETTING:
            # the next start follows at once: what waits need not be sent away for one that failed
            self.standing.set(State.RESETTING, exc.reason)
        elif self._pids:
            # others of its processes go on; what is wrong is told beside
            self.standing.set(self.state, exc.reason)
        else:
            self._set(State.LOCKED if exc.code == "pin" else State.ABSENT, exc.reason)

    def _try(self, worker: Worker) -> None:
        """List the keys and let one of them sign (trial.py). Raises TokenError."""
        begun = time.monotonic()
        keys = [key.decode() for key in self._calls.make(worker, [b"keys"], 1)]
        self.info, self.keys = worker.info, frozenset(keys)
        self.proved = (begun, trial.run(self._calls, worker, keys, self._blamed))

    def _tried_again(self, worker: Worker) -> bool:
        """After another process failed: one that still runs finds out whether the member is well."""
        with self._opening:
            if self.state is not State.SUSPECT:
                return True
            try:
                self._try(worker)
            except TokenError as exc:
                self.standing.set(State.SUSPECT, exc.reason)
                return False
            self._set(State.HEALTHY)
        return True

    def _alive(self, worker: Worker) -> bool:
        """While nothing is to do: a process that ended, or whose session died, is replaced before somebody needs it."""
        if not worker.alive:
            self._set(State.SUSPECT, "the token process ended by itself")
            return False
        if time.monotonic() - worker.used < KEEP_ALIVE_SECONDS:
            return True
        try:
            self._try(worker)
        except TokenError as exc:
            self._set(State.SUSPECT, exc.reason)
            return False
        return True

    def _give_up(self, index: int, worker: Worker) -> None:
        _LOST.labels(*self._labels).inc()
        worker.kill()
        self._gone(index)

    def _end(self, index: int, worker: Worker) -> None:
        worker.close()
        self._gone(index)

    def _gone(self, index: int) -> None:
        self._pids.pop(index, None)
        if not self._pids:
            self._set(State.RESETTING, self.standing.reason)

    def _perform(self, worker: Worker, job: Job) -> bool:
        """False if the worker is of no more use."""
        if not job.future.running() and not job.future.set_running_or_notify_cancel():
            return True
        job.by = self.name
        begun = time.monotonic()
        try:
            answer = self._calls.make(worker, job.fields, job.pieces)
        except TokenError as exc:
            if exc.code not in FATAL:
                job.future.set_exception(exc)
                return True
            seconds = round(time.monotonic() - begun, 2)
            _LOG.warning(
                "token.worker_lost",
                device=self._labels[0], member=self.name, reason=exc.reason, seconds=seconds,
            )  # fmt: skip
            self._failed(job, exc)
            return False
        self._note(job, answer)
        with suppress(InvalidStateError):
            job.future.set_result(answer)
        return True

    def _failed(self, job: Job, exc: TokenError) -> None:
        job.attempts += 1
        job.failed_at = time.monotonic()
        job.tried.add(self.name)
        self._blamed = job.keys
        self._set(State.SUSPECT, exc.reason)
        if job.attempts < ATTEMPTS and not job.only:
            self._board.put(job, first=True)
            self._settled()
        else:
            job.fail(exc)

    def _note(self, job: Job, answer: list[bytes]) -> None:
        """Learn from an answer which keys it holds."""
        keys = self.keys or frozenset()
        match job.fields[0]:
            case b"keys":
                self.keys = frozenset(key.decode() for key in answer)
            case b"generate":
                self.keys = keys | {job.fields[1].decode()}
            case b"sign":
                codes = answer[::2]
                self._signed.inc(codes.count(b""))
                if not any(codes) and job.keys <= keys:
                    return  # as ever: nothing is new
                pairs = list(zip(job.requests, codes, strict=False))
                absent = frozenset(one.key for one, code in pairs if code == b"key-missing")
                job.vanished = keys & absent
                held = keys.union(one.key for one, code in pairs if code == b"") - absent
                if held != keys:
                    self.keys = held

    def _set(self, state: State, reason: str = "") -> None:
        self.standing.set(state, reason)
        self._settled()
        self._board.wake()
