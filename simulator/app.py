"""Puts the simulator together and keeps it running: the only place that constructs its parts.

Must never go on half-alive: a part that dies unexpectedly takes the process down, so a supervisor can start it anew.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulator import channel, config
from simulator.channel.amqp import AmqpIntake, AmqpOutlet
from simulator.channel.spool import SpoolIntake, SpoolOutlet
from simulator.clerk import Clerk
from simulator.control import Control
from simulator.control_http import Server
from simulator.desk import Desk
from simulator.sender import Sender, waker
from simulator.store import Store
from simulator.verify import Trust

log = logging.getLogger("simulator")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(level: str) -> None:
    """JSON lines on standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The client library narrates every frame at debug level.
    logging.getLogger("amqp").setLevel(logging.WARNING)


class Simulator:
    """All parts, wired. `run` blocks until `stop` or a part fails."""

    def __init__(self, settings: config.Config) -> None:
        """Opens the books and binds the control port. Raises OSError, ValueError or StoreBusy."""
        self._stop = threading.Event()
        self._failed: list[str] = []
        rules = settings.rules
        trust = Trust(settings.authority_dir) if rules.verify_signatures else None
        self._books = Store(settings.data_dir)
        self._senders: list[Sender] = []
        self._wake = waker(self._senders)
        desk = Desk(self._books, trust, rules, self._wake)
        self._lists_wait = desk.lists_wait
        clerk = Clerk(desk.look_again, desk.lists_wait, self._stop)
        self._loops: dict[str, Callable[[], None]] = {"clerk": clerk.run}
        self._connected: dict[str, threading.Event] = {}
        if settings.amqp_url is not None:
            url = settings.amqp_url
            consumer = AmqpIntake(url, settings.in_queue, settings.prefetch, desk.take, self._stop)
            self._loops["amqp-intake"] = consumer.run
            outlet = AmqpOutlet(url, settings.out_queue)
            self._connected = {"amqp-in": consumer.connected, "amqp-out": outlet.connected}
            self._senders.append(Sender(self._books, channel.AMQP, outlet, rules, self._stop))
        if settings.spool_dir is not None:
            intake = SpoolIntake(settings.spool_dir, rules.max_message_bytes, desk.take, self._stop)
            self._loops["spool-intake"] = intake.run
            spool = SpoolOutlet(settings.spool_dir)
            self._senders.append(Sender(self._books, channel.SPOOL, spool, rules, self._stop))
        for number, sender in enumerate(self._senders):
            self._loops[f"sender-{number}"] = sender.run
        control = Control(self._books, rules, self._wake, self._health)
        self._server = Server(settings.listen, control)
        self._loops["control"] = lambda: self._server.serve_forever(poll_interval=0.2)

    @property
    def port(self) -> int:
        """The control port really bound."""
        return int(self._server.server_address[1])

    def _health(self) -> dict[str, Any]:
        channels = {name: event.is_set() for name, event in self._connected.items()}
        return {"status": "ok" if all(channels.values()) else "starting", "channels": channels}

    def stop(self) -> None:
        """Ask every part to end."""
        self._stop.set()

    def run(self) -> int:
        """Until stopped; the exit code."""
        threads = [
            threading.Thread(target=self._guarded, args=(name, loop), name=name, daemon=True)
            for name, loop in self._loops.items()
        ]
        for thread in threads:
            thread.start()
        log.info("simulated customs ready, control port %s", self.port)
        self._stop.wait()
        self._wake()
        self._lists_wait.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in threads:
            thread.join(timeout=10)
        self._books.close()
        return 1 if self._failed else 0

    def _guarded(self, name: str, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception:  # boundary: whatever it was, the process must end instead of limping on
            log.exception("%s failed, ending the process", name)
            self._failed.append(name)
            self._stop.set()


def serve(settings: config.Config) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    configure_logging(settings.log_level)
    simulator = Simulator(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: simulator.stop())
    return simulator.run()
