"""The work of one device: jobs that wait for a member that may do them.

One queue for all members, from which whoever is free takes: fast members do more, a hung one holds one job for each
of its processes. Must never give a job to a member that does not hold its keys while another may.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from services.signer.tokens.base import SignRequest, TokenError


@dataclass(slots=True, eq=False)
class Job:
    """One frame. only: the one member it is for, empty for any. pieces: how much work it is. tried: members that
    failed with it since one last did well. missing: members that do not have its key. vanished: its keys that a member
    held a moment ago and did not find; again: asked once more for that reason."""

    fields: list[bytes]
    requests: Sequence[SignRequest] = ()
    only: str = ""
    #: where its requests stand among those of its caller
    places: Sequence[int] = ()
    future: Future[list[bytes]] = field(default_factory=Future)
    attempts: int = 0
    tried: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    vanished: frozenset[str] = frozenset()
    again: bool = False
    failed_at: float = 0.0
    #: who did it last
    by: str = ""
    #: the keys it uses
    keys: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = frozenset(request.key for request in self.requests)

    @property
    def pieces(self) -> int:
        """How much work it is, for the time it may take."""
        return max(1, len(self.requests))

    def fail(self, reason: TokenError) -> None:
        """End it without an answer, unless its caller gave up before."""
        if self.future.running() or self.future.set_running_or_notify_cancel():
            self.future.set_exception(reason)


class Board:
    """Any thread may put and take."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> bool:
        """Is there work that nobody has taken yet?"""
        return bool(self._jobs)

    def put(self, job: Job, *, first: bool = False) -> None:
        """Give work. first: it waited before, or is urgent."""
        with self._changed:
            if first:
                self._jobs.appendleft(job)
            else:
                self._jobs.append(job)
            self._changed.notify_all()

    def take(self, may: Callable[[Job], bool], seconds: float) -> Job | None:
        """The first job that `may` allows, or None after that time or a wake."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                for job in self._jobs:
                    if may(job):
                        self._jobs.remove(job)
                        return job
                left = limit - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None

    def wake(self) -> None:
        """Something changed in what members may do."""
        with self._changed:
            self._changed.notify_all()

    def drop(self, which: Callable[[Job], bool]) -> list[Job]:
        """Take away and answer the jobs that nobody will do."""
        with self._changed:
            dropped = [job for job in self._jobs if which(job)]
            for job in dropped:
                self._jobs.remove(job)
        return dropped


def packed(*requests: SignRequest) -> list[bytes]:
    """Requests as fields of a frame."""
    fields: list[bytes] = []
    for request in requests:
        fields += (request.key.encode(), request.mechanism.encode(), request.data)
    return fields
