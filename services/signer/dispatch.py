"""Gives a device its work: takes jobs from the database, fairly over tenants, a bounded number at a time.

One process at a time does this for a device (a lock of the database). Two hands take turns at what has piled up: while
the device signs what one of them took, the other writes its outcomes and takes more. A third one lets those go first
who come with little while others have a backlog.
Must never take more than a moment's work: what is taken cannot be withdrawn, and nobody can go before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from prometheus_client import Gauge, Histogram

from runtime import log
from runtime.actor import UNASSIGNED_TENANT
from runtime.errors import Problem
from runtime.wake import Listener
from services.signer import domain, signing
from services.signer.devices import RemoteDevice
from services.signer.fair import Fair, Flow
from services.signer.room import WAY, Room
from services.signer.signing import Manner, Signing, Work
from services.signer.store import jobs, rates

_LOG = log.get("dispatch")
_ROUND = Histogram("signer_round_seconds", "From taking to outcome, per round", ["device", "hand"])
_COST = Gauge("signer_device_seconds", "Seconds of the device per signature, as measured", ["device"])

#: seconds of a device's work that one hand takes at once
ROUND_SECONDS = 0.1
#: and at most that many of one newcomer: who has more has a backlog
FIRST_JOBS = 8
#: seconds between looks when nothing was notified (a notification can be lost with its connection)
IDLE = 1.0
#: at work on what has piled up
HANDS = 2
#: what a worker is given at once at most: more saves nothing (measured)
MICRO_BATCH = 64
#: seconds per signature until the device was measured: the slowest a clerk would call a device
FIRST_COST = 0.01

#: how those are served who come with little
URGENT = Manner(urgent=True)

#: what a hand took, by tenant
Taken = dict[str, list[Work]]


@dataclass(frozen=True, slots=True)
class Hand:
    """What one thread does again and again. called: set when there is something to take."""

    name: str
    take: Callable[[], Taken]
    called: threading.Event
    manner: Manner


class Dispatcher:
    """All work of one device of the pool."""

    def __init__(
        self,
        making: Signing,
        device: RemoteDevice,
        room: Room,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self._making = making
        self._room = room
        #: how a backlog is worked off
        self._giving = Manner(rest=room.give)
        self._name = device.name
        self._device = device
        self._fair = Fair(self._known_cost() or FIRST_COST, weights)
        #: for the moments in which the shares are looked at or changed
        self._sharing = threading.Lock()
        #: one hand after the other takes of what has piled up
        self._turn = threading.Lock()
        self._mine = threading.Event()
        #: what was notified and not looked at yet; when all was looked at (monotonic)
        self._told: list[Flow] = []
        self._looked = 0.0
        #: something came in; something has piled up
        self._news = threading.Event()
        self._piled_up = threading.Event()

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
        new = Hand("new", self._take_new, self._news, URGENT)
        share = Hand("share", self._take_share, self._piled_up, self._giving)
        threads = [threading.Thread(target=self._listen, args=(stop,), daemon=True)]
        threads += [
            threading.Thread(target=self._work, args=(hand, stop), daemon=True)
            for hand in (new, *[share] * HANDS)
        ]
        for thread in threads:
            thread.name = f"dispatch-{self._name}"
            thread.start()
        return threads

    def _listen(self, stop: threading.Event) -> None:
        """Hold the device's lock; whoever gets it anew puts back what the one before had taken. Calls the hands."""
        listener = Listener(self._making.database.url, jobs.CHANNEL, f"signer.device:{self._name}")
        while not stop.is_set():
            if not listener.held():
                self._mine.clear()
            elif not self._mine.is_set():
                try:
                    self._put_back_all()
                    self._mine.set()
                except Problem as problem:
                    _LOG.warning("dispatch.waiting", device=self._name, reason=problem.en)
            said = [
                (tenant, lane)
                for queue, tenant, lane in jobs.heard(listener.wait(IDLE))
                if queue == self._name
            ]
            if said:
                with self._sharing:
                    self._told += said
                self._news.set()
        self._mine.clear()
        for called in (self._news, self._piled_up):
            called.set()
        listener.close()

    def _put_back_all(self) -> None:
        database = self._making.database
        for tenant_id in {tenant for tenant, _ in self._flows()}:
            with database.transaction(tenant_id) as connection:
                jobs.put_all_back(connection, self._name)

    def _work(self, hand: Hand, stop: threading.Event) -> None:
        while not stop.is_set():
            # before the look: what comes during it calls again
            hand.called.clear()
            try:
                busy = self._mine.is_set() and not self._device.trouble and self._round(hand, stop)
            except Problem as problem:
                _LOG.warning("dispatch.waiting", device=self._name, reason=problem.en)
                busy = False
            if not busy:
                hand.called.wait(IDLE)

    def _round(self, hand: Hand, stop: threading.Event) -> bool:
        """Take, sign, settle; False if there was nothing to do. Raises Problem unavailable if the database is down."""
        manner = hand.manner
        manner.rest()
        taken = hand.take()
        if not taken:
            return False
        claim = self._room.claimed() if manner.urgent else nullcontext()
        with _ROUND.labels(self._name, hand.name).time(), claim:
            self._sign(taken, manner)
            for tenant_id, group in taken.items():
                manner.rest()
                self._settle(tenant_id, group, manner, stop)
        return True

    def _sign(self, taken: Taken, manner: Manner) -> None:
        started = time.monotonic()
        works = [work for group in taken.values() for work in group]
        try:
            signing.sign(self._making, self._device, works, manner)
        except Exception as exc:  # noqa: BLE001 - whatever it was, these jobs must not stay taken
            _LOG.exception("dispatch.failed", device=self._name)
            for work in works:
                work.put_back = work.put_back or type(exc).__name__
        if not manner.urgent:
            # the few that went first mostly waited for each other
            self._measured(sum(1 for work in works if work.value), time.monotonic() - started)

    def _measured(self, signed: int, seconds: float) -> None:
        with self._sharing:
            self._fair.measured(signed, seconds)
        _COST.labels(self._name).set(self._fair.seconds_a_job)

    def _take_new(self) -> Taken:
        """A few jobs of each who has no backlog yet."""
        flows = self._told_flows() or self._flows()
        with self._sharing:
            fresh = self._fair.newcomers(flows)
            left = self._places()
        few = min(FIRST_JOBS, left)
        piled_up = any(lane > fresh.get(tenant_id, -1) for tenant_id, lane in flows)
        taken: Taken = {}
        with self._room.claimed(WAY) if fresh else nullcontext():
            for tenant_id, lane in fresh.items():
                if left <= 0:
                    break
                works = self._taken(tenant_id, few, lane, URGENT)
                if works is None:
                    continue
                left -= len(works)
                if works:
                    taken[tenant_id] = works
                more = len(works) == few
                with self._sharing:
                    self._fair.went(tenant_id, lane, more=more)
                piled_up |= more
        if piled_up:
            self._piled_up.set()
        return taken

    def _told_flows(self) -> list[Flow]:
        """What was notified; nothing if it is time to look for what was not."""
        with self._sharing:
            told, self._told = list(dict.fromkeys(self._told)), []
        if not told or time.monotonic() - self._looked > IDLE:
            self._looked = time.monotonic()
            return []
        return told

    def _take_share(self) -> Taken:
        """What this round signs; work-conserving: places that one leaves go to the others."""
        with self._turn:
            if not self._fair.rounds:
                return {}
            flows = self._flows()
            with self._sharing:
                waiting = self._fair.backlog(flows)
                left = self._places()
            taken: Taken = {}
            while waiting and left:
                with self._sharing:
                    granted = self._fair.grants(waiting, left)
                for tenant_id, places in granted:
                    works = self._taken(tenant_id, places, domain.BULK, self._giving)
                    if works is None:
                        waiting.pop(tenant_id)
                        continue
                    left -= len(works)
                    if works:
                        taken.setdefault(tenant_id, []).extend(works)
                    if len(works) < places:
                        with self._sharing:
                            self._fair.unused(tenant_id)
                        waiting.pop(tenant_id)
            return taken

    def _flows(self) -> list[Flow]:
        with self._making.database.transaction(None) as connection:
            return jobs.waiting(connection, self._name)

    def _taken(self, tenant_id: str, places: int, lane: int, manner: Manner) -> list[Work] | None:
        """None if the tenant's jobs cannot be had now: what was taken for the others goes on."""
        try:
            return signing.take(self._making, tenant_id, self._name, places, lane=lane, manner=manner)
        except Problem as problem:
            _LOG.warning("dispatch.waiting", device=self._name, reason=problem.en)
            return None

    def _places(self) -> int:
        workers = self._device.workers
        return max(workers, min(MICRO_BATCH * workers, int(ROUND_SECONDS / self._fair.seconds_a_job)))

    def _settle(self, tenant_id: str, works: Sequence[Work], manner: Manner, stop: threading.Event) -> None:
        """Until the database took it: signatures are made, and may not be made again for nothing."""
        while True:
            try:
                signing.settle(self._making, tenant_id, works, manner)
                return
            except Problem as problem:
                _LOG.warning("dispatch.not_settled", device=self._name, reason=problem.en)
                if stop.wait(IDLE):
                    return  # the intent stands; the next process signs again
