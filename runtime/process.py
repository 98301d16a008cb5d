"""The life of a process: logs, the stop signal, the operations port, a clean end.

Every `python -m services.x verb` that stays up goes through `run`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping

from runtime import log, ops


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(
    name: str,
    ops_listen: str,
    level: str,
    main: Callable[[threading.Event], None],
    checks: Mapping[str, ops.Check],
) -> None:
    """Serve the operations port and call main(stop) until it returns."""
    log.configure(name, level)
    stop = stop_on_signals()
    server = ops.serve(ops_listen, checks)
    log.get("process").info("process.started")
    try:
        main(stop)
    finally:
        server.shutdown()
        log.get("process").info("process.stopped")
