"""Gives a device its work: takes jobs from the database, fairly over tenants, a bounded number at a time.

One process at a time does this for a device (a lock of the database). Two hands take turns: while the device signs
what one of them took, the other writes its outcomes and takes more.
Must never take more than a moment's work: what is taken cannot be withdrawn, and nobody can go before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from prometheus_client import Gauge, Histogram

from runtime import log
from runtime.actor import UNASSIGNED_TENANT
from runtime.errors import Problem
from runtime.wake import Listener
from services.signer import signing
from services.signer.devices import RemoteDevice
from services.signer.fair import Fair
from services.signer.signing import Signing, Work
from services.signer.store import jobs, rates

_LOG = log.get("dispatch")
_ROUND = Histogram("signer_round_seconds", "From taking to outcome, per round", ["device"])
_COST = Gauge("signer_device_seconds", "Seconds of the device per signature, as measured", ["device"])

#: seconds of a device's work that one hand takes at once
ROUND_SECONDS = 0.2
#: seconds between looks when nothing was notified (a notification can be lost with its connection)
IDLE = 1.0
HANDS = 2
#: what a worker is given at once at most: more saves nothing (measured)
MICRO_BATCH = 64
#: seconds per signature until the device was measured: the slowest a clerk would call a device
FIRST_COST = 0.01


class Dispatcher:
    """All work of one device of the pool."""

    def __init__(
        self, making: Signing, device: RemoteDevice, weights: Mapping[str, float] | None = None
    ) -> None:
        self._making = making
        self._name = device.name
        self._device = device
        self._fair = Fair(self._known_cost() or FIRST_COST, weights)
        self._turn = threading.Lock()
        self._mine = threading.Event()

    def _known_cost(self) -> float:
        """Seconds a signature as bench-device measured them; 0 if nobody did."""
        try:
            with self._making.database.transaction(UNASSIGNED_TENANT) as connection:
                rate = rates.known(connection).get(self._name)
        except Problem:
            return 0.0
        return 1 / rate.per_second if rate else 0.0

    def start(self, stop: threading.Event) -> list[threading.Thread]:
        """Begin; the threads end by themselves when stopped."""
        runs = [self._keep_lock, *[self._work] * HANDS]
        threads = [
            threading.Thread(target=run, args=(stop,), name=f"dispatch-{self._name}", daemon=True)
            for run in runs
        ]
        for thread in threads:
            thread.start()
        return threads

    def _keep_lock(self, stop: threading.Event) -> None:
        """Hold the device's lock; whoever gets it anew puts back what the one before had taken."""
        lock = Listener(self._making.database.url, jobs.CHANNEL, f"signer.device:{self._name}")
        while not stop.is_set():
            if not lock.held():
                self._mine.clear()
            elif not self._mine.is_set():
                try:
                    self._put_back_all()
                    self._mine.set()
                except Problem as problem:
                    _LOG.warning("dispatch.waiting", device=self._name, reason=problem.en)
            lock.wait(IDLE)
        self._mine.clear()
        lock.close()

    def _put_back_all(self) -> None:
        database = self._making.database
        with database.transaction(None) as connection:
            tenants = jobs.tenants_waiting(connection, self._name)
        for tenant_id in tenants:
            with database.transaction(tenant_id) as connection:
                jobs.put_all_back(connection, self._name)

    def _work(self, stop: threading.Event) -> None:
        wake = Listener(self._making.database.url, jobs.CHANNEL)
        while not stop.is_set():
            try:
                busy = self._mine.is_set() and not self._device.trouble and self.round(stop)
            except Problem as problem:
                _LOG.warning("dispatch.waiting", device=self._name, reason=problem.en)
                busy = False
            if not busy:
                wake.wait(IDLE)
        wake.close()

    def round(self, stop: threading.Event) -> bool:
        """Take, sign, settle; False if there was nothing to do. Raises Problem unavailable if the database is down."""
        with self._turn:
            taken = self._take()
        if not taken:
            return False
        started = time.monotonic()
        works = [work for group in taken.values() for work in group]
        with _ROUND.labels(self._name).time():
            try:
                signing.sign(self._making, self._device, works)
            except Exception as exc:  # noqa: BLE001 - whatever it was, these jobs must not stay taken
                _LOG.exception("dispatch.failed", device=self._name)
                for work in works:
                    work.put_back = work.put_back or type(exc).__name__
            signed = sum(1 for work in works if work.value)
            with self._turn:
                self._fair.measured(signed, time.monotonic() - started)
            _COST.labels(self._name).set(self._fair.seconds_a_job)
            for tenant_id, group in taken.items():
                self._settle(tenant_id, group, stop)
        return True

    def _take(self) -> dict[str, list[Work]]:
        """What this round signs, by tenant; work-conserving: places that one leaves go to the others."""
        with self._making.database.transaction(None) as connection:
            waiting = jobs.tenants_waiting(connection, self._name)
        taken: dict[str, list[Work]] = {}
        left = self._places()
        while waiting and left:
            for tenant_id, places in self._fair.grants(waiting, left):
                try:
                    works = signing.take(self._making, tenant_id, self._name, places)
                except Problem as problem:
                    # what was taken for the others goes on
                    _LOG.warning("dispatch.waiting", device=self._name, reason=problem.en)
                    waiting.pop(tenant_id)
                    continue
                left -= len(works)
                if works:
                    taken.setdefault(tenant_id, []).extend(works)
                if len(works) < places:
                    self._fair.unused(tenant_id)
                    waiting.pop(tenant_id)
        return taken

    def _places(self) -> int:
        workers = self._device.workers
        return max(workers, min(MICRO_BATCH * workers, int(ROUND_SECONDS / self._fair.seconds_a_job)))

    def _settle(self, tenant_id: str, works: Sequence[Work], stop: threading.Event) -> None:
        """Until the database took it: signatures are made, and may not be made again for nothing."""
        while True:
            try:
                signing.settle(self._making, tenant_id, works)
                return
            except Problem as problem:
                _LOG.warning("dispatch.not_settled", device=self._name, reason=problem.en)
                if stop.wait(IDLE):
                    return  # the intent stands; the next process signs again
