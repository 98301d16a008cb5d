"""Runs the loops of one process side by side and ends the process when one of them ends by surprise.

A loop that died silently would look like a healthy process that does nothing; the supervisor can only restart what
has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from runtime import log

_LOG = log.get("customs.loops")
#: seconds the loops have to finish what they hold after the stop signal
PATIENCE = 8.0


def together(loops: Mapping[str, Callable[[], None]], stop: threading.Event) -> None:
    """Until stopped. Raises RuntimeError naming the loops that failed."""
    failed: list[str] = []

    def guarded(name: str, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception:  # noqa: BLE001 - edge of the thread: logged, and raised below so that the process ends
            _LOG.exception("loop.failed", loop=name)
            failed.append(name)
        finally:
            stop.set()

    threads = [
        threading.Thread(target=guarded, args=(name, loop), name=name, daemon=True)
        for name, loop in loops.items()
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        # what does not finish in time is delivered again: nothing was acknowledged
        thread.join(PATIENCE)
    if failed:
        raise RuntimeError(f"loops failed: {', '.join(failed)}")
