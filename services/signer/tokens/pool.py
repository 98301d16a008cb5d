"""The parent's side of tokens: a central queue per device, one minding thread per worker process.

A worker that hangs or dies is killed and replaced and its work given to another, which is safe: a signature has no
effect until it is stored. Must never start a worker again after a PIN was refused.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field

from prometheus_client import Counter

from runtime import log
from runtime.errors import Problem, unavailable
from services.signer.tokens.base import FATAL, SignRequest, TokenError, TokenInfo
from services.signer.tokens.worker import Worker

_LOG = log.get("token")
_SIGNED = Counter("signer_token_signatures", "Signatures made by a device", ["device"])
_LOST = Counter("signer_token_workers_lost", "Token processes that were given up", ["device"])

#: requests of one frame: more than this adds latency and saves nothing (measured)
MICRO_BATCH = 64
#: processes that may fail with one job before the job itself is looked at
ATTEMPTS = 3
_BACKOFF = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between starts


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """kind: pkcs11 | sealed. module: what `python -m` runs. seconds: the deadline of one frame."""

    kind: str
    module: str
    environment: dict[str, str]
    workers: int
    seconds: float = 8.0

    @property
    def patience(self) -> float:
        """Seconds a caller waits: long enough for a job that costs its full number of processes."""
        return ATTEMPTS * self.seconds + 5


@dataclass(slots=True)
class Job:
    """One frame for whichever worker is free."""

    fields: list[bytes]
    future: Future[list[bytes]] = field(default_factory=Future)
    attempts: int = 0


class Device:
    """All worker processes of one token. Any thread may call it."""

    def __init__(self, settings: DeviceSettings) -> None:
        self.settings = settings
        self.info: TokenInfo | None = None
        #: why no worker runs, for people; empty while one does
        self.trouble = "starting"
        #: why the device is not worth asking now; the canary goes on asking, its first success clears this
        self.down = ""
        self.suspect = False
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._closed = threading.Event()
        self._ready = threading.Event()
        self._pids: dict[int, int] = {}
        self._minders = [
            threading.Thread(target=self._mind, args=(index,), name=f"{settings.kind}-{index}", daemon=True)
            for index in range(settings.workers)
        ]
        for minder in self._minders:
            minder.start()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return sorted(self._pids.values())

    def wait_ready(self, seconds: float) -> TokenInfo:
        """What the token is, once a worker has opened it; raises Problem unavailable."""
        self._ready.wait(seconds)
        if self.info is None:
            raise _down(self.trouble)
        return self.info

    def sign(self, requests: Sequence[SignRequest]) -> list[bytes | TokenError]:
        """Begin and finish at once."""
        return self.finish(self.begin(requests))

    def begin(self, requests: Sequence[SignRequest]) -> list[Job]:
        """Spread over the workers, without waiting. Raises Problem unavailable if the device is given up."""
        share = -(-len(requests) // self.settings.workers)
        size = max(1, min(MICRO_BATCH, share))
        chunks = [requests[at : at + size] for at in range(0, len(requests), size)]
        return [self._submit([b"sign", *_packed(chunk)]) for chunk in chunks]

    def finish(self, jobs: Sequence[Job]) -> list[bytes | TokenError]:
        """One answer per request, in order. Raises Problem unavailable if the device is down."""
        results: list[bytes | TokenError] = []
        for job in jobs:
            answer = self._result(job)
            if 3 * len(answer) != 2 * (len(job.fields) - 1):
                raise _down("the token process answered another number of requests")
            for at in range(0, len(answer), 2):
                code = answer[at].decode()
                results.append(
                    TokenError(code, answer[at + 1].decode(errors="replace")) if code else answer[at + 1]
                )
        _SIGNED.labels(self.settings.kind).inc(len(results))
        return results

    def key_names(self) -> list[str]:
        """Names of the keys in the token (domain.token_key)."""
        return [key.decode() for key in self._result(self._submit([b"keys"]))]

    def public_key(self, key: str) -> bytes:
        """SubjectPublicKeyInfo of a key; raises TokenError key-missing."""
        return self._result(self._submit([b"public", key.encode()]))[0]

    def generate(self, key: str) -> bytes:
        """Make the key pair unless it is there; returns its SubjectPublicKeyInfo."""
        return self._result(self._submit([b"generate", key.encode()]))[0]

    def close(self) -> None:
        """End all workers."""
        self._closed.set()
        for _ in self._minders:
            self._jobs.put(None)
        for minder in self._minders:
            minder.join(timeout=self.settings.seconds)

    def _submit(self, fields: list[bytes]) -> Job:
        if self.suspect and not self._pids:
            raise _down(self.trouble)
        job = Job(fields)
        self._jobs.put(job)
        return job

    def _result(self, job: Job) -> list[bytes]:
        try:
            return job.future.result(self.settings.patience)
        except FutureTimeout:
            job.future.cancel()
            self.down = self.trouble or "no answer in time"
        except TokenError as exc:
            if exc.code not in FATAL:
                raise
            if exc.code == "lost" and job.attempts >= ATTEMPTS and self._works_without(job):
                # the device is well: it is this job that kills its processes
                raise Problem(
                    "internal",
                    "签名设备无法处理该请求，设备本身正常。",
                    f"The device is well but cannot handle this request: {exc.reason}",
                ) from exc
            self.down = exc.reason
        raise _down(self.down)

    def _works_without(self, failed: Job) -> bool:
        """Can the device still sign with a key that the failed job did not use?"""
        used = set(failed.fields[1::3])
        mechanism = min(self.info.mechanisms) if self.info else ""
        try:
            listing = Job([b"keys"], attempts=ATTEMPTS)
            self._jobs.put(listing)
            other = next(
                (key for key in listing.future.result(self.settings.patience) if key not in used), None
            )
            if other is None:
                return False
            trial = Job([b"sign", other, mechanism.encode(), b"tongguan trial"], attempts=ATTEMPTS)
            self._jobs.put(trial)
            return trial.future.result(self.settings.patience)[0] == b""
        except (TokenError, FutureTimeout):
            return False

    def _mind(self, index: int) -> None:
        """One worker's life after life: start it, feed it, replace it."""
        worker: Worker | None = None
        failures = 0
        while not self._closed.is_set():
            if worker is None:
                if self.suspect:
                    break
                worker, failures = self._start(index, failures)
                continue
            try:
                job = self._jobs.get(timeout=1.0)
            except queue.Empty:
                continue
            if job is None:
                break
            if not self._perform(worker, job):
                _LOST.labels(self.settings.kind).inc()
                worker.kill()
                self._pids.pop(index, None)
                worker = None
        if worker is not None:
            worker.close()
        self._pids.pop(index, None)
        if self.suspect and not self._pids:
            self._fail_waiting(TokenError("pin", self.trouble))

    def _start(self, index: int, failures: int) -> tuple[Worker | None, int]:
        try:
            worker = Worker(self.settings.module, self.settings.environment)
        except TokenError as exc:
            _LOG.error("token.start_failed", device=self.settings.kind, code=exc.code, reason=exc.reason)
            if exc.code == "pin":
                # never a second attempt by itself: cards lock after three
                self.suspect = True
            if not self._pids:
                # nobody is there to do what waits
                self.trouble = self.down = exc.reason
                self._ready.set()
                self._fail_waiting(exc)
            if self.suspect:
                return None, failures
            self._closed.wait(_BACKOFF[min(failures, len(_BACKOFF) - 1)])
            return None, failures + 1
        self._pids[index] = worker.pid
        self.info, self.trouble = worker.info, ""
        self._ready.set()
        _LOG.info("token.worker_started", device=self.settings.kind, child=worker.pid)
        return worker, 0

    def _perform(self, worker: Worker, job: Job) -> bool:
        """False if the worker is of no more use."""
        if not job.future.running() and not job.future.set_running_or_notify_cancel():
            return True
        started = time.monotonic()
        try:
            job.future.set_result(worker.call(job.fields, self.settings.seconds))
            self.down = ""
        except TokenError as exc:
            if exc.code not in FATAL:
                job.future.set_exception(exc)
                return True
            job.attempts += 1
            waited = round(time.monotonic() - started, 2)
            _LOG.warning("token.worker_lost", device=self.settings.kind, reason=exc.reason, seconds=waited)
            if job.attempts < ATTEMPTS:
                self._jobs.put(job)
            else:
                job.future.set_exception(exc)
            return False
        return True

    def _fail_waiting(self, reason: TokenError) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                self._jobs.put(None)
                return
            if job.future.running() or job.future.set_running_or_notify_cancel():
                job.future.set_exception(reason)


class Pool:
    """The devices of this signer by kind."""

    def __init__(self, settings: Sequence[DeviceSettings]) -> None:
        self.devices = {item.kind: Device(item) for item in settings}

    def close(self) -> None:
        """End all workers of all devices."""
        for device in self.devices.values():
            device.close()


def _packed(requests: Sequence[SignRequest]) -> list[bytes]:
    fields: list[bytes] = []
    for request in requests:
        fields += (request.key.encode(), request.mechanism.encode(), request.data)
    return fields


def _down(reason: str) -> Problem:
    return unavailable("签名设备", f"The signing device ({reason})")
