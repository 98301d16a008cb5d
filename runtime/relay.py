"""The relay process, the same in every service: outbox to bus, with a role that sees nothing but the outbox."""

from __future__ import annotations

import threading

from runtime import config, process
from runtime.bus import Bus
from runtime.db import Database
from runtime.outbox import Relay


def main(name: str) -> None:
    """Run as process `name` until stopped; settings RELAY_DATABASE_URL, BUS_URL, OPS_LISTEN."""
    database = Database(config.text("RELAY_DATABASE_URL"), pool_size=2)
    bus_url = config.text("BUS_URL")

    def run(stop: threading.Event) -> None:
        Relay(database, Bus(bus_url), stop).run()

    process.run(
        name, config.text("OPS_LISTEN"), config.text("LOG_LEVEL", "INFO"), run, {"database": database.ping}
    )
