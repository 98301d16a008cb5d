"""Ends the signer's processes, token processes and members, and its broker, and waits until all are ready again."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from tests.fault.killing import BACK, Killer
from tests.support.eventually import eventually
from tests.support.signing import SignerSide
from tests.support.tokens import Cluster

#: what has a process of its own, in the order in which they are started
PROCESSES = ("pool", "consume", "relay")
#: what dies: a process; a token process; a member, whose token is taken away for a while; the broker
VICTIMS = (*PROCESSES, "token", "member", "rabbitmq")
#: what dies in the same moment
TOGETHER = (
    ("consume", "relay"),
    ("pool", "consume"),
    ("token", "consume"),
    ("pool", "rabbitmq"),
    ("consume", "relay", "rabbitmq"),
    ("token", "member"),
    (*PROCESSES, "rabbitmq"),
)


def plan(steps: int, rng: random.Random) -> list[tuple[str, ...]]:
    """What dies at each step: everything alone before anything twice, then together."""
    deck: list[tuple[str, ...]] = []
    while len(deck) < steps:
        for round_ in ([(name,) for name in VICTIMS], list(TOGETHER)):
            rng.shuffle(round_)
            deck += round_
    return deck[:steps]


class SignerKiller:
    """broker: kills what the supervisor of the servers runs. `kills`: victims -> how often; `recoveries`: seconds."""

    def __init__(self, side: SignerSide, cluster: Cluster, broker: Killer, rng: random.Random) -> None:
        self._side = side
        self._cluster = cluster
        self._broker = broker
        self._rng = rng
        self._pause = threading.Event()
        self.kills: Counter[str] = Counter()
        self.recoveries: list[float] = []

    def kill(self, names: Sequence[str]) -> None:
        """End all of these at once; all are back when this returns."""
        began = time.monotonic()
        self.kills.update(names)
        away = self._rng.randrange(len(self._cluster.tokens)) if "member" in names else None
        if away is not None:
            self._cluster.away(away)
        if "token" in names:
            self._kill_token()
        mine = [name for name in PROCESSES if name in names]
        for name in mine:
            self._side.kill(name)
        for name in mine:
            # at once, as a supervisor does: it may find nobody there
            self._side.launch(name)
        if "rabbitmq" in names:
            self._broker.kill("rabbitmq")
        if away is not None:
            self._pause.wait(self._rng.uniform(0.5, 3.0))
            self._cluster.back(away)
        self.wait_ready()
        self.recoveries.append(time.monotonic() - began)

    def wait_ready(self) -> None:
        """All processes say that they are; one that gave up meanwhile is started again, as by a supervisor."""
        for name in PROCESSES:
            eventually(partial(self._ready, name), f"{name} is ready", BACK)

    def _ready(self, name: str) -> bool:
        if not self._side.runs(name):
            self._side.launch(name)
        return self._side.ready(name)[0] == 200

    def _kill_token(self) -> None:
        """A token process that has logged in: one that is about to would take its token along."""
        running = eventually(self._side.token_processes, "a token process has logged in", BACK)
        with suppress(ProcessLookupError):  # its own end was faster
            os.kill(self._rng.choice(running), signal.SIGKILL)
