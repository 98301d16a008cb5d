"""Requests for signatures, each published three times, by a publisher that repeats what the broker did not confirm."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from proto.events.v1 import events_pb2
from runtime.bus import PublishFailed
from tests.support.signing import SignerSide, Tenant

#: how often each request is published
COPIES = 3
#: deliveries of one tenant that are published together
BATCH = 100
#: seconds for which a broker may be away
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Request:
    """One message that one tenant wants signed."""

    tenant: Tenant
    submission: events_pb2.MessageSubmitted


@dataclass(frozen=True, slots=True)
class Copy:
    """One of its publications. event_id: a copy's own, or that of one before."""

    request: Request
    event_id: str


def requests(side: SignerSide, tenants: Sequence[Tenant], count: int) -> list[Request]:
    """New ones, of the tenants in turn."""
    turn = (tenants[number % len(tenants)] for number in range(count))
    return [Request(tenant, side.submission(tenant)) for tenant in turn]


def deal(wanted: Sequence[Request], steps: int, rng: random.Random) -> list[list[Copy]]:
    """All copies by the step in which they are published: the later ones at once, or when the first may be signed."""
    dealt: list[list[Copy]] = [[] for _ in range(steps)]
    for number, request in enumerate(wanted):
        first = number * steps // len(wanted)
        event_id = str(uuid.uuid4())
        dealt[first].append(Copy(request, event_id))
        for _ in range(COPIES - 1):
            again = event_id if rng.random() < 0.5 else str(uuid.uuid4())
            dealt[min(steps - 1, first + rng.choice((0, 0, 1, 3)))].append(Copy(request, again))
    for step in dealt:
        rng.shuffle(step)
    return dealt


class Publisher:
    """Publishes in the background, as an outbox does: until the broker says that it has it. Use as a context."""

    def __init__(self, side: SignerSide) -> None:
        self._side = side
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._open: list[Future[None]] = []
        #: batches that had to be published again
        self.repeated = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def publish(self, copies: Sequence[Copy]) -> None:
        """In the background; `join` tells of what went wrong."""
        self._open.append(self._pool.submit(self._publish, copies))

    def join(self) -> None:
        """Wait until the broker has everything."""
        for future in self._open:
            future.result()
        self._open.clear()

    def _publish(self, copies: Sequence[Copy]) -> None:
        by_tenant: dict[Tenant, list[Copy]] = {}
        for copy in copies:
            by_tenant.setdefault(copy.request.tenant, []).append(copy)
        for tenant, mine in by_tenant.items():
            for begin in range(0, len(mine), BATCH):
                self._until_taken(tenant, mine[begin : begin + BATCH])

    def _until_taken(self, tenant: Tenant, batch: Sequence[Copy]) -> None:
        limit, pause = time.monotonic() + PATIENCE, threading.Event()
        ids = [copy.event_id for copy in batch]
        while True:
            try:
                self._side.publish(tenant.actor(), *(copy.request.submission for copy in batch), ids=ids)
            except PublishFailed:
                if time.monotonic() > limit:
                    raise
                self.repeated += 1
                pause.wait(0.2)
            else:
                return
