"""python -m bench.fair: what quiet tenants wait for a signature, alone and beside one tenant with a backlog of 50,000.

Real signer processes, bus, database and a SoftHSM token; messages of one document. Twenty tenants submit one every
five seconds, first alone, then while the big one's backlog is worked off, whose rate is compared with its rate alone.
Twice: with a device that takes its time for each signature, as network HSMs do, so that one waits for the device; and
with the token as quick as it is, so that all processes share two busy cores and one waits for the processor at every
step. A wait is from publishing to the signature's time. What the signer tells is taken off the bus all the time, as
those who read it do. Goals: quality.md G10.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bench.common import Report
from runtime.bus import Bus
from tests.support.eventually import eventually
from tests.support.signing import SignerSide, Tenant, message
from tests.support.stack import BASE, running
from tests.support.tokens import Shim

QUIET = 20
#: seconds between two messages of one quiet tenant
EVERY = 5.0
#: of the wait alone; seconds; of the rate that the quiet ones leave
TIMES, ABSOLUTE, LEFT_OVER = 2.0, 5.0, 0.80
#: how the token is: as it comes, or as slow as a device behind a network
QUICK, SLOW = "quick token", "device of its own"
#: milliseconds that such a device takes longer for a call; a signature is two
WAIT_MS = 20
#: seconds in which the dispatcher gets to know a device that became another
WARM_UP = 8
#: messages published at once
BATCH = 500


class Waits:
    """Twenty tenants that submit now and then, and what they waited."""

    def __init__(self, side: SignerSide, tenants: Sequence[Tenant]) -> None:
        self._side, self._tenants = side, tenants
        self._sent: dict[tuple[Tenant, str], datetime] = {}

    def run(self, stop: threading.Event) -> None:
        """Until stopped: each tenant's messages are spread evenly over the others'."""
        # one connection, as the relays of those who submit have
        with closing(self._side.connect()) as bus, ThreadPoolExecutor(1) as publisher:
            number = 0
            while not stop.wait(EVERY / len(self._tenants)):
                publisher.submit(self._submit, self._tenants[number % len(self._tenants)], bus)
                number += 1

    def _submit(self, tenant: Tenant, bus: Bus) -> None:
        one = self._side.submission(tenant)
        self._sent[tenant, one.message_id] = datetime.now(UTC)
        self._side.publish(tenant.actor(), one, bus=bus)

    def seconds(self) -> list[float]:
        """What each waited, in order; all are signed when this returns."""
        found = []
        for tenant in self._tenants:
            mine = {number: at for (owner, number), at in self._sent.items() if owner is tenant}
            eventually(lambda t=tenant: self._side.waiting(t) == 0, "all signed", 120)  # type: ignore[misc]
            rows = self._side.rows(tenant, "SELECT message_id, signed_at FROM signature")
            at = {str(row.message_id): row.signed_at for row in rows}
            found += [(at[number] - sent).total_seconds() for number, sent in mine.items()]
        return sorted(found)


def _p95(values: Sequence[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * 0.95))]


def _signed(side: SignerSide, tenant: Tenant) -> int:
    return int(side.rows(tenant, "SELECT count(*) AS n FROM signature")[0].n)


def _fill(side: SignerSide, tenant: Tenant, count: int) -> None:
    """Queue so many of the tenant's messages; nothing signs meanwhile."""
    actor = tenant.actor()
    for begin in range(0, count, BATCH):
        batch = [
            side.submission(tenant, message(tenant.code, tenant.dxp_id), bulk=True)
            for _ in range(min(BATCH, count - begin))
        ]
        side.publish(actor, *batch)
    eventually(lambda: side.waiting(tenant) == count, "all queued", 600, 1.0)


def _rate(side: SignerSide, tenant: Tenant, seconds: float) -> float:
    begun, before = time.monotonic(), _signed(side, tenant)
    time.sleep(seconds)
    return (_signed(side, tenant) - before) / (time.monotonic() - begun)


def measure(side: SignerSide, shim: Shim, backlog: int, seconds: float) -> Report:
    """All phases; the backlog is filled once, and worked off with the slow device first."""
    report = Report("fair")
    big, quiet = Tenant(), [Tenant() for _ in range(QUIET)]
    for tenant in (big, *quiet):
        side.equip(tenant)
    side.start("consume")
    side.start("relay")
    threading.Thread(target=_read_events, args=(side,), daemon=True).start()
    alone = {}
    for device in (QUICK, SLOW):
        _make(shim, device)
        waits = Waits(side, quiet)
        _for(seconds, waits)
        alone[device] = _p95(waits.seconds())
    side.stop("pool")
    _fill(side, big, backlog)
    side.start("pool")
    report.add("backlog of the big tenant at the beginning", backlog, "messages")
    for device in (SLOW, QUICK):
        _make(shim, device)
        _beside(report, side, big, quiet, device, alone[device], seconds)
    left = side.waiting(big)
    report.add("backlog left at the end", left, "messages")
    if not left:
        raise SystemExit("the backlog was over before the measuring: give --backlog more or --seconds less")
    return report


def _make(shim: Shim, device: str) -> None:
    shim.heal()
    if device == SLOW:
        shim.rule("Sign", f"wait {WAIT_MS}")


def _beside(
    report: Report,
    side: SignerSide,
    big: Tenant,
    quiet: Sequence[Tenant],
    device: str,
    alone: float,
    seconds: float,
) -> None:
    """The big tenant's rate without and with the quiet ones, and what these wait meanwhile."""
    before = _signed(side, big)
    eventually(lambda: _signed(side, big) > before + 10, "it is being worked off", 60)
    # until what a signature costs at this device is known
    time.sleep(WARM_UP)
    rate_alone = _rate(side, big, seconds / 3)
    waits = Waits(side, quiet)
    stop = threading.Event()
    submitting = threading.Thread(target=waits.run, args=(stop,))
    submitting.start()
    rate_beside = _rate(side, big, seconds)
    stop.set()
    submitting.join()
    waited = waits.seconds()
    report.add(f"{device}: rate of the big tenant alone", rate_alone, "messages/s")
    report.add(f"{device}: quiet tenants' messages, beside it", len(waited), "messages")
    report.add(f"{device}: their p95 wait alone", alone, "s")
    report.at_most(f"{device}: their p95 wait beside it", _p95(waited), "s", ABSOLUTE)
    report.at_most(f"{device}: … / alone", _p95(waited) / alone, "times", TIMES)
    report.at_least(
        f"{device}: rate of the big tenant / what the quiet ones leave",
        rate_beside / (rate_alone - QUIET / EVERY),
        "share",
        LEFT_OVER,
    )


def _read_events(side: SignerSide) -> None:
    while True:
        side.forget_told()
        time.sleep(1)


def _for(seconds: float, waits: Waits) -> None:
    stop = threading.Event()
    submitting = threading.Thread(target=waits.run, args=(stop,))
    submitting.start()
    time.sleep(seconds)
    stop.set()
    submitting.join()


def main() -> int:
    """1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backlog", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with (
        tempfile.TemporaryDirectory(prefix="bench-fair-") as folder,
        running(BASE / "servers", "servers") as run_dir,
    ):
        shim = Shim(Path(folder, "shim"))
        side = SignerSide(json.loads((run_dir / "servers.json").read_text()), Path(folder), shim)
        try:
            return measure(side, shim, given.backlog, given.seconds).finish()
        finally:
            side.close()


if __name__ == "__main__":
    sys.exit(main())
