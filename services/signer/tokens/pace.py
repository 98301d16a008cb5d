"""How long a call may take, from what calls took: a member that hangs is noticed in seconds, a slow one is let be.

Source of the numbers: quality.md G8 (throughput back within 10 s), and 240 signatures a minute as the slowest HSM.
"""

from __future__ import annotations

import threading
import time

from services.signer.tokens.base import TokenError
from services.signer.tokens.worker import Worker

#: seconds to make a key pair: an HSM may take long to find primes
GENERATE_SECONDS = 60.0
#: no call is given up before: a machine under load pauses that long by itself
LEAST_SECONDS = 2.0
#: how far above the measured time a call may go
_SLACK = 5.0
#: share of an old, longer measurement that is kept at each new one
_KEPT = 0.9
#: a frame should take this long, so that one that is lost costs little, and what is urgent waits for no long one
_FRAME_SECONDS = 0.04


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


class Calls:
    """Calls to the worker processes of one member, each kind of call with its own pace."""

    def __init__(self, most: float) -> None:
        """most: seconds that no call but making keys may take."""
        self._paces = {verb: Pace(most) for verb in (b"sign", b"keys", b"public")}
        self._paces[b"generate"] = Pace(GENERATE_SECONDS)

    def frame(self, most: int) -> int:
        """How many signatures a frame should hold."""
        return self._paces[b"sign"].pieces(most)

    def make(self, worker: Worker, fields: list[bytes], pieces: int) -> list[bytes]:
        """A call under the deadline that follows from earlier ones. Raises TokenError."""
        pace = self._paces[fields[0]]
        begun, limit = time.monotonic(), pace.deadline(pieces)
        try:
            answer = worker.call(fields, limit)
        except TokenError:
            if time.monotonic() - begun >= limit:
                pace.gave_up()
            raise
        pace.took(time.monotonic() - begun, pieces)
        return answer
