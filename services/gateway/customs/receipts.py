"""The process gateway.receipts: envelopes from customs, over all sources, into the database and onto the bus.

One thread per source, and one that looks again at what belonged to nobody when it came.
"""

from __future__ import annotations

import threading
from functools import partial

from runtime import crash, log, ops, process
from runtime.actor import UNASSIGNED_TENANT, ActorSigner
from runtime.db import Database
from runtime.errors import Problem
from services.gateway.customs import ceb, config, store
from services.gateway.customs.channels.amqp import AmqpSource
from services.gateway.customs.channels.base import Source
from services.gateway.customs.channels.spool import SpoolSource
from services.gateway.customs.loops import together
from services.gateway.customs.receiving import Receiver

_LOG = log.get("customs.receipts")

_PAGE = 50


class Unassigned:
    """Hands parked receipts over as soon as an enterprise with their receiver id is set up."""

    def __init__(self, database: Database, receiver: Receiver, interval: float) -> None:
        self._database = database
        self._receiver = receiver
        self._interval = interval

    def run(self, stop: threading.Event) -> None:
        """Until stopped."""
        while not stop.wait(self._interval):
            try:
                self.step()
            except Problem as problem:
                _LOG.warning("unassigned.waiting", reason=problem.en)

    def step(self) -> int:
        """Look at all of them once; returns how many were handed over."""
        with self._database.transaction(UNASSIGNED_TENANT) as connection:
            waiting = store.unassigned_receivers(connection, UNASSIGNED_TENANT)
        known = [one for one in waiting if any(self._receiver.tenants_of(dxp_id) for dxp_id in one.split())]
        return sum(self._deliver(one) for one in known)

    def _deliver(self, receiver: str) -> int:
        handed = 0
        while True:
            with self._database.transaction(UNASSIGNED_TENANT) as connection:
                page = store.unassigned(connection, UNASSIGNED_TENANT, receiver, _PAGE)
            moved = sum(self._hand_over(parked) for parked in page)
            handed += moved
            if not moved:
                return handed

    def _hand_over(self, parked: store.RawReceipt) -> bool:
        if not self._receiver.hand_over(parked):
            return False
        crash.point("receipts.handed-over")
        # whoever dies before this hands it over again: counted as a double there, told only once
        with self._database.transaction(UNASSIGNED_TENANT) as connection:
            store.set_state(connection, UNASSIGNED_TENANT, parked.id, "assigned", None)
        return True


class Receipts:
    """Wires sources and receiver."""

    def __init__(self, settings: config.Receipts) -> None:
        customs = settings.customs
        self._database = Database(customs.database_url, pool_size=4)
        known = ceb.reader(spellings=settings.spellings)
        self._receiver = Receiver(self._database, ActorSigner(settings.actor_private_key), known)
        self._look_again = settings.look_again
        self._sources: tuple[Source, ...] = (
            AmqpSource(customs.customs_url, settings.out_queue),
            SpoolSource(customs.spool),
        )

    @property
    def checks(self) -> dict[str, ops.Check]:
        """What has to answer for this process to be ready. The bus is not among them: only the relay needs it."""
        return {
            "database": self._database.ping,
            **{f"channel.{one.name}": one.check for one in self._sources},
        }

    def run(self, stop: threading.Event) -> None:
        """Until stopped."""
        unassigned = Unassigned(self._database, self._receiver, self._look_again)
        sources = {f"source.{one.name}": partial(one.run, self._receiver.take, stop) for one in self._sources}
        try:
            together({"unassigned": partial(unassigned.run, stop), **sources}, stop)
        finally:
            self._database.close()


def main() -> None:
    """`python -m services.gateway receipts`."""
    settings = config.receipts()
    receipts = Receipts(settings)
    customs = settings.customs
    process.run("gateway.receipts", customs.ops_listen, customs.log_level, receipts.run, receipts.checks)
