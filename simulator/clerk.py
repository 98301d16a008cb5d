"""The clerk looks again at lists whose wait for order, waybill or payment is over.

What waits is in the books, so a new process goes on where a killed one stopped. Must never decide by itself: the desk
does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

_IDLE_S = 1.0
_LEAST_S = 0.01


class Clerk:
    """One loop."""

    def __init__(
        self, look_again: Callable[[], float | None], wake: threading.Event, stop: threading.Event
    ) -> None:
        """`look_again` decides what is due and says in how many seconds the next is; `wake` is set when one is new."""
        self._look_again = look_again
        self._wake = wake
        self._stop = stop

    def run(self) -> None:
        """Until stopped."""
        while not self._stop.is_set():
            self._wake.clear()
            left = self._look_again()
            self._wake.wait(_IDLE_S if left is None else min(_IDLE_S, max(_LEAST_S, left)))
