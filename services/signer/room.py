"""Bulk work makes room for what somebody waits for.

On a machine whose processors are all at work, each of the many steps of one message queues behind whatever else is
ready to run. Urgent work claims the process for the moment that it takes; work on a backlog looks between two
messages, and rests while anybody claims.
Must never starve the backlog: however much is urgent, it rests a bounded part of the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: of all time that a backlog rests at most: it keeps four fifths of what the others leave (quality.md G10)
PART = 0.15
#: seconds of rest that may be saved up
SAVED = 0.25
#: seconds that it is worth to rest
LEAST = 0.001
#: seconds for which a claim counts: what takes longer waits for something else than a processor
MOMENT = 0.1
#: seconds in which it is known whether what came is urgent
LOOK = 0.01
#: seconds for which a claim goes on after its step, where another process hands the work on to the next one
WAY = 0.02


class Room:
    """One per process. Any thread may call it."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, change: threading.Condition | None = None
    ) -> None:
        """clock: seconds; change: what those who rest wait at."""
        self._clock = clock
        self._change = change or threading.Condition()
        #: steps of urgent work that are under way, and until when they count
        self._inside = 0
        self._until = 0.0
        #: seconds that may be rested, as of when; until when rest was counted, as two may rest at the same time
        self._saved, self._as_of = SAVED, clock()
        self._rested = 0.0

    def expect(self) -> None:
        """Something came that may be urgent: whether it is will be known in a moment."""
        with self._change:
            self._until = max(self._until, self._clock() + LOOK)

    @contextmanager
    def claimed(self, then: float = 0.0) -> Iterator[None]:
        """A step of urgent work. then: seconds for which the claim outlasts it."""
        with self._change:
            self._inside += 1
            self._until = max(self._until, self._clock() + MOMENT)
        try:
            yield
        finally:
            with self._change:
                self._inside -= 1
                if not self._inside:
                    self._until = self._clock() + then
                    self._change.notify_all()

    def give(self) -> None:
        """Called by bulk work between two messages: returns when nobody claims, or when it has rested its part."""
        if self._until <= self._clock():
            return
        with self._change:
            while (left := min(self._until - self._clock(), self._may_rest())) > LEAST:
                began = self._clock()
                self._change.wait(left)
                ended = self._clock()
                self._saved -= ended - max(began, self._rested)
                self._rested = ended

    def _may_rest(self) -> float:
        now = self._clock()
        self._saved = min(SAVED, self._saved + PART * (now - self._as_of))
        self._as_of = now
        return self._saved
