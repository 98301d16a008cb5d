"""What happens to the lines of bench.agents: cuts and returns, messages meanwhile, and when each seat is taken again."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.offices import Office
from tests.support.signing import SignerSide
from tests.support.verdicts import Books

SEED = 20261127
#: how long a line is away, and how many messages are published how long before it goes, in seconds
AWAY, BURST, BEFORE = (1.0, 6.0), 3, (0.1, 0.8)
#: seconds between looks at the seats
LOOK = 0.25


@dataclass(slots=True)
class Cut:
    """One cut of an office's line. seat: its connection then. under_way: what its card was asked when the line was cut."""

    office: Office
    at: datetime
    seat: str
    under_way: list[str]
    healed: datetime | None = None
    back: datetime | None = None


class Traffic:
    """Publishes for offices in the background. sent: message id -> (office, bytes)."""

    def __init__(self, side: SignerSide) -> None:
        self._side = side
        self._pool = ThreadPoolExecutor(4)
        self._open: list[Future[None]] = []
        self.sent: dict[str, tuple[Office, bytes]] = {}

    def publish(self, office: Office, count: int = 1) -> None:
        """So many new messages; `join` tells of what went wrong."""
        self._open.append(self._pool.submit(self._publish, office, count))

    def _publish(self, office: Office, count: int) -> None:
        made = [self._side.submission(office.tenant) for _ in range(count)]
        self._side.publish(office.tenant.actor(), *made)
        self.sent |= {one.message_id: (office, one.xml) for one in made}

    def join(self) -> None:
        """Wait until the broker has everything."""
        self._pool.shutdown()
        for future in self._open:
            future.result()


class Course:
    """What happens to the lines, by time."""

    def __init__(self, books: Books, traffic: Traffic, offices: Sequence[Office], every: float) -> None:
        self._books, self._traffic, self._offices, self._every = books, traffic, offices, every
        self._rng = random.Random(SEED)  # noqa: S311
        self.cuts: list[Cut] = []

    def run(self, seconds: float, pace: float) -> None:
        """Until the time is over and all lines are whole. pace: seconds between two messages of one office."""
        pause, begun = threading.Event(), time.monotonic()
        for at, office, what in self._events(seconds, pace):
            pause.wait(max(0.0, begun + at - time.monotonic()))
            if what == "publish":
                self._traffic.publish(office)
            elif what == "burst":
                self._traffic.publish(office, BURST)
            elif what == "cut":
                self._cut(office)
            else:
                self._heal(office)

    def _events(self, seconds: float, pace: float) -> Iterator[tuple[float, Office, str]]:
        events: list[tuple[float, int, str]] = []
        for number in range(len(self._offices)):
            share = number / len(self._offices)
            events += [(at, number, "publish") for at in _times(pace * share, pace, seconds)]
            for at in _times(self._every * (share + 0.2), self._every, seconds):
                events.append((at - self._rng.uniform(*BEFORE), number, "burst"))
                events.append((at, number, "cut"))
                events.append((at + self._rng.uniform(*AWAY), number, "heal"))
        heapq.heapify(events)
        while events:
            at, number, what = heapq.heappop(events)
            yield at, self._offices[number], what

    def _cut(self, office: Office) -> None:
        query = "SELECT message_id::text FROM job WHERE taken AND tenant_id = %s"
        asked = [row[0] for row in self._books.rows(query, office.tenant.id)]
        self.cuts.append(
            Cut(office, datetime.now(UTC), seats(self._books).get(office.agent_id, ("",))[0], asked)
        )
        office.line.cut()

    def _heal(self, office: Office) -> None:
        cut = next(cut for cut in reversed(self.cuts) if cut.office is office)
        cut.healed = datetime.now(UTC)
        office.line.heal()


def _times(first: float, step: float, end: float) -> list[float]:
    return [first + number * step for number in range(int((end - first) / step) + 1)]


def seats(books: Books) -> dict[str, tuple[str, datetime]]:
    """Agents that are connected -> their connection, and when it was last heard of."""
    rows = books.rows("SELECT agent_id::text, connection::text, heard_at FROM seat")
    return {agent_id: (connection, heard_at) for agent_id, connection, heard_at in rows}


def watch(books: Books, course: Course, stop: threading.Event) -> None:
    """Note when each office's seat was taken again: the signer writes it down when it welcomes the agent."""
    while not stop.wait(LOOK):
        taken = seats(books)
        for cut in list(course.cuts):
            seat, at = taken.get(cut.office.agent_id, ("", cut.at))
            if cut.back is None and cut.healed is not None and seat not in ("", cut.seat):
                cut.back = at
