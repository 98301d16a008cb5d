"""How long a call may take, from what calls took: a member that hangs is noticed in seconds, a slow one is let be.

Source of the numbers: quality.md G8 (throughput back within 10 s), and 240 signatures a minute as the slowest HSM.
"""

from __future__ import annotations

import threading

#: no call is given up before: a machine under load pauses that long by itself
LEAST_SECONDS = 2.0
#: how far above the measured time a call may go
_SLACK = 5.0
#: share of an old, longer measurement that is kept at each new one
_KEPT = 0.9
#: a frame should take this long, so that a frame that is lost costs little
_FRAME_SECONDS = 0.3


class Pace:
    """Measured seconds of one kind of call per piece of work, as a maximum that fades."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._piece = 0.0
        self._strain = 1.0

    def took(self, seconds: float, pieces: int) -> None:
        """A call came back."""
        with self._lock:
            self._piece = max(seconds / max(1, pieces), _KEPT * self._piece)
            self._strain = 1.0

    def gave_up(self) -> None:
        """A call did not come back in time: perhaps the machine is only slow, so the next one may take longer."""
        with self._lock:
            self._strain *= 2

    def deadline(self, pieces: int) -> float:
        """Seconds for the next call; the settings' most while nothing was measured."""
        with self._lock:
            if not self._piece:
                return self._most
            return min(self._most, self._strain * (LEAST_SECONDS + _SLACK * pieces * self._piece))

    def pieces(self, most: int) -> int:
        """How many pieces fit into one frame; few while nothing was measured."""
        with self._lock:
            if not self._piece:
                return min(4, most)
            return max(1, min(most, int(_FRAME_SECONDS / self._piece)))
