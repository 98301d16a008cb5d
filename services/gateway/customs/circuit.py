"""A breaker per channel: after several failures in a row it is left alone and tried with one message at a time.

So a dead channel costs one connection attempt now and then instead of one per message. Not a queue and not a
timer: whoever asks too early is told to come back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: failures in a row that open the circuit
THRESHOLD = 3
#: seconds until the first probe, doubled by each failed one
FIRST_PROBE = 1.0
#: seconds at most between probes: bounds how late we notice that the channel is back
LAST_PROBE = 10.0


class Circuit:
    """States: closed (send all), open (send nothing), half-open (send one). Safe for several threads to read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = FIRST_PROBE
        self._next = 0.0
        self.reason = ""

    def admits(self, wanted: int) -> int:
        """How many of `wanted` messages may be tried now: all, one (a probe) or none."""
        with self._lock:
            if self._failures < THRESHOLD:
                return wanted
            return min(wanted, 1) if self._clock() >= self._next else 0

    def succeeded(self) -> None:
        """The channel took what it was given: closed again."""
        with self._lock:
            self._failures = 0
            self._pause = FIRST_PROBE
            self.reason = ""

    def failed(self, reason: str) -> None:
        """The channel did not take it."""
        with self._lock:
            self._failures += 1
            self.reason = reason
            if self._failures >= THRESHOLD:
                self._next = self._clock() + self._pause
                self._pause = min(self._pause * 2, LAST_PROBE)

    @property
    def open(self) -> bool:
        """True while the channel is known not to work."""
        with self._lock:
            return self._failures >= THRESHOLD
