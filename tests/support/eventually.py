"""Waiting in tests: for a named condition, with a limit, and saying what was seen last.

Never a fixed pause: a test goes on as soon as the condition holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], what: str, timeout: float = 10.0, interval: float = 0.05) -> T:
    """Call `condition` until it answers something true, and return that.

    An AssertionError counts as "not yet"; after `timeout` seconds the test fails with `what` and the last answer."""
    pause = threading.Event()
    limit = time.monotonic() + timeout
    while True:
        try:
            seen: object = condition()
            if seen:
                return seen  # type: ignore[return-value]
        except AssertionError as error:
            seen = error
        if time.monotonic() > limit:
            raise AssertionError(f"{what}: not within {timeout} s; last seen: {seen!r}")
        pause.wait(interval)
