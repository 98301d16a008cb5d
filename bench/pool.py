"""python -m bench.pool: a device of three SoftHSM tokens under full load when one of them is killed, or hangs.

Killed: its process by SIGKILL, and its token's folder moved away. Hanging: its module never comes back from C_Sign.
Goals: quality.md G8. Beside it: the pool against PKCS#11 in plain C and OpenSSL alone, and what a signature costs in
a token of many keys.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Self

import structlog
from cryptography.hazmat.primitives.asymmetric import rsa

from bench import limits
from bench.common import Report, cpu_clock, machine_busy, median, process_cpu, spread
from runtime.errors import Problem
from services.signer.domain import token_key
from services.signer.tokens.pool import Device
from tests.support.eventually import eventually
from tests.support.tokens import Cluster, good, pool_of, put_keys, requests, sign, states
from tools import devices
from tools.servers import softhsm

MEMBERS = 3
BATCH = 64
#: batches under way at a time
CALLERS = 4
#: short turns of each side with few and with many keys
TURNS = 25
#: share of the rate before that must be there again, and within how many seconds; seconds until a member is used again
SHARE, WITHIN, USED_AGAIN = 0.6, 10, 30


class Load:
    """Callers that let the device sign without a pause; what came back, when."""

    def __init__(self, device: Device, keys: list[str]) -> None:
        self._device, self._keys = device, keys
        self._stop = threading.Event()
        self._lock = threading.Lock()
        #: (when, signatures)
        self._done: list[tuple[float, int]] = []
        self.failed = 0
        self._callers = [threading.Thread(target=self._call, daemon=True) for _ in range(CALLERS)]
        for caller in self._callers:
            caller.start()

    def _call(self) -> None:
        while not self._stop.is_set():
            try:
                answers = self._device.sign(requests(self._keys, BATCH))
            except Problem:
                signed, lost = 0, BATCH
            else:
                signed = good(answers)
                lost = len(answers) - signed
            with self._lock:
                self._done.append((time.monotonic(), signed))
                self.failed += lost

    def rate(self, begin: float, end: float) -> float:
        """Signatures per second between two moments."""
        with self._lock:
            return sum(count for at, count in self._done if begin < at <= end) / (end - begin)

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        for caller in self._callers:
            caller.join()


class Share:
    """How much of the machine's busy CPU was this program's and its token processes': what others took tells why a
    rate is low."""

    def __init__(self, device: Device) -> None:
        self._pids = [os.getpid(), *device.pids]
        self.value = 0.0

    def __enter__(self) -> Self:
        self._machine, self._ours = machine_busy(), self._cpu()
        return self

    def __exit__(self, *_: object) -> None:
        self.value = (self._cpu() - self._ours) / max(0.01, machine_busy() - self._machine)

    def _cpu(self) -> float:
        return sum(process_cpu(pid) for pid in self._pids)


def fault(
    report: Report, name: str, cluster: Cluster, harm: Callable[[Device], None], heal: Callable[[], None]
) -> None:
    """One run: load, harm to member 0, load, heal, load."""
    with pool_of(cluster.file) as device:
        load = Load(device, cluster.keys)
        time.sleep(3)
        begun = time.monotonic()
        with Share(device) as ours_before:
            time.sleep(10)
        before = load.rate(begun, time.monotonic())
        harmed = time.monotonic()
        harm(device)
        back = _until_back(load, harmed, before)
        time.sleep(max(0.0, harmed + WITHIN - time.monotonic()))
        with Share(device) as ours_after:
            time.sleep(max(0.0, harmed + 2 * WITHIN - time.monotonic()))
        after = load.rate(harmed + WITHIN, harmed + 2 * WITHIN)
        worst = min(load.rate(harmed + at, harmed + at + 1) for at in range(WITHIN))
        used = cluster.shims[0].calls("SignInit")
        heal()
        healed = time.monotonic()
        eventually(lambda: states(device)[0] == "healthy", "the member is well", 120)
        eventually(lambda: cluster.shims[0].calls("SignInit") > used + BATCH, "the member is used", 60)
        again = time.monotonic() - healed
        load.stop()
    report.add(f"{name}: before", before, "signatures/s")
    report.at_most(f"{name}: failed signatures", load.failed, "signatures", 0)
    report.at_most(f"{name}: seconds until {SHARE:.0%} of the rate before", back, "s", WITHIN)
    report.at_least(
        f"{name}: rate from {WITHIN} to {2 * WITHIN} s after / before", after / before, "share", SHARE
    )
    report.add(f"{name}: our share of the busy machine, before", ours_before.value, "share")
    report.add(f"{name}: our share of the busy machine, after", ours_after.value, "share")
    report.add(f"{name}: worst second of the first {WITHIN} / before", worst / before, "share")
    report.at_most(f"{name}: member used again after", again, "s", USED_AGAIN)


def _until_back(load: Load, harmed: float, before: float) -> float:
    """Seconds until two seconds in a row had the wanted rate."""
    while True:
        time.sleep(0.25)
        now = time.monotonic()
        if now - harmed >= 2 and load.rate(now - 2, now) >= SHARE * before:
            # the window lies behind: what counts is where it began, if the rate never fell it began at once
            return max(0.0, now - 2 - harmed)
        if now - harmed > 6 * WITHIN:
            return now - harmed


def kill(report: Report, folder: Path) -> None:
    cluster = Cluster(folder, MEMBERS)

    def harm(device: Device) -> None:
        for pid in device.members[0].pids:
            os.kill(pid, signal.SIGKILL)
        cluster.away(0)

    fault(report, "killed", cluster, harm, lambda: cluster.back(0))


def hang(report: Report, folder: Path) -> None:
    cluster = Cluster(folder, MEMBERS)
    shim = cluster.shims[0]
    fault(report, "hanging", cluster, lambda _: shim.rule("Sign", "hang"), shim.heal)


def against_limits(report: Report, folder: Path, rounds: int) -> None:
    """In turn: the pool with two processes, plain C with two, openssl with two."""
    cluster = Cluster(folder, 1, workers=2)
    entry = cluster.tokens[0].member("softhsm")
    key_id = cluster.keys[0].partition("/")[2].replace("-", "")
    ours, plain, alone = [], [], []
    for _ in range(rounds):
        with pool_of(cluster.file) as device:
            eventually(lambda: len(device.pids) == 2, "both processes run", 30)
            sign(device, cluster.keys[:1], 500)
            begun = time.monotonic()
            signed = good(sign(device, cluster.keys[:1], 8000, BATCH))
            ours.append(signed / (time.monotonic() - begun))
        plain.append(limits.c_loop(entry, key_id, 3, 2))
        alone.append(limits.openssl_rsa(3, 2))
    report.add("pool of one SoftHSM, two processes", median(ours), "signatures/s")
    report.add("plain C on SoftHSM, two processes", median(plain), "signatures/s")
    report.add("openssl speed -multi 2 rsa2048", median(alone), "signatures/s")
    report.add("pool / plain C", median(a / b for a, b in zip(ours, plain, strict=True)), "share")
    report.add("plain C / openssl", median(a / b for a, b in zip(plain, alone, strict=True)), "share")


def many_keys(report: Report, folder: Path) -> None:
    """CPU of the token's process per signature, in turn with 10 and with 1,000 keys in the token."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    sides = {}
    for count in (10, 1000):
        place = folder / str(count)
        place.mkdir()
        for name in ("pin", "so-pin"):
            (place / name).write_text(secrets.token_hex(4))
        token = softhsm.SoftHsm(place / "token", place / "pin", place / "so-pin")
        token.create()
        names = [token_key(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(count)]
        entry = token.member("softhsm", workers=1)
        pem = place / "keys"
        pem.write_text("\n".join(names))
        _put(entry, pem, private)
        file = devices.write(place / "devices.toml", place / "memory", {"hsm": ("pkcs11", [entry])})
        sides[count] = (file, names)
    costs: dict[int, list[float]] = {10: [], 1000: []}
    with pool_of(sides[10][0]) as few, pool_of(sides[1000][0]) as many:
        for device, names in ((few, sides[10][1]), (many, sides[1000][1])):
            sign(device, names, 1000, BATCH)
        # many short turns: what others do to the machine's caches falls on both sides alike
        for _ in range(TURNS):
            for count, device in ((10, few), (1000, many)):
                (pid,) = device.pids
                begun = cpu_clock(pid)
                signed = good(sign(device, sides[count][1], 8 * BATCH, BATCH))
                costs[count].append(1e6 * (cpu_clock(pid) - begun) / signed)
    report.add("CPU of the token's process per signature, 10 keys", median(costs[10]), "µs")
    report.add("CPU of the token's process per signature, 1,000 keys", median(costs[1000]), "µs")
    report.add("… spread of the turns", max(spread(costs[10]), spread(costs[1000])), "%")
    ratios = [many / few for few, many in zip(costs[10], costs[1000], strict=True)]
    report.at_most("1,000 keys / 10 keys", median(ratios), "ratio", 1.05)


def _put(entry: dict[str, object], names: Path, private: rsa.RSAPrivateKey) -> None:
    """In a process of its own: the library reads its settings once."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            environment = entry["environment"]
            assert isinstance(environment, dict)
            os.environ.update(environment)
            put_keys(entry, names.read_text().split(), private)
            code = 0
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise subprocess.SubprocessError("the keys could not be put into the token")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pool", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of what is compared in turn")
    parser.add_argument("--parts", nargs="*", default=["keys", "limits", "killed", "hanging"])
    asked = parser.parse_args()
    # what the pool logs is for operators of a service
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    report = Report("pool")
    with tempfile.TemporaryDirectory() as name:
        for part, begin in (
            ("keys", lambda place: many_keys(report, place)),
            ("limits", lambda place: against_limits(report, place, asked.rounds)),
            ("killed", lambda place: kill(report, place)),
            ("hanging", lambda place: hang(report, place)),
        ):
            if part in asked.parts:
                place = Path(name, part)
                place.mkdir()
                begin(place)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
