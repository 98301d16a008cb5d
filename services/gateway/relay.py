"""The process gateway.relay: moves the gateway's outbox to the bus. Its role sees the outbox and nothing else."""

from __future__ import annotations

import threading

from runtime.bus import Bus
from runtime.db import Database
from runtime.outbox import Relay
from runtime.process import run
from services.gateway import config


def main() -> None:
    """Until stopped."""
    settings = config.relay_config()
    database = Database(settings.database_url, pool_size=2)
    probe, lock = Bus(settings.bus_url), threading.Lock()

    def bus_answers() -> None:
        with lock:  # a Bus is for one thread at a time, probes may come together
            probe.ping()

    def work(stop: threading.Event) -> None:
        Relay(database, Bus(settings.bus_url), stop).run()

    checks = {"database": database.ping, "bus": bus_answers}
    run("gateway.relay", settings.ops_listen, settings.log_level, work, checks)
