"""The devices of the pool as seen from the process that decides what they sign: a gRPC client and what it last heard.

Must never take silence for health: a device of which nothing was heard for a while counts as down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from proto.signer.v1 import devices_pb2 as pb
from proto.signer.v1 import devices_pb2_grpc
from runtime import log
from runtime.errors import Problem
from runtime.grpc_client import Client
from services.signer import asking, refusals
from services.signer.domain import Key
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError

_LOG = log.get("devices")
_STUB: Any = devices_pb2_grpc.DevicesStub
#: seconds between questions
EVERY = 1.0
#: seconds without an answer after which nothing is assumed any more
SILENCE = 10.0
#: seconds on top of a device's own patience, for the way
_WAY = 5.0
#: seconds for the one signature that somebody waits for at a page
_ONE = 15.0

#: (key's name in its token, it works, reason)
Record = Callable[[str, bool, str], None]


class Asked(NamedTuple):
    """A request and the token of the actor who asked for it."""

    request: SignRequest
    actor_token: str


class PoolClient:
    """Calls to signer.pool. Raises its Problems, or unavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def describe(self) -> Any:
        """All devices, their members and the keys that fail (DescribeReply)."""
        return self._client.call(_STUB, "Describe", pb.DescribeRequest(), "", EVERY * 5)

    def sign(
        self, device: str, asked: Sequence[Asked], deadline: float, *, urgent: bool = False
    ) -> list[bytes | TokenError]:
        """One answer per request, in order. urgent: before what waits at the device."""
        groups = [
            pb.Group(actor=token, key=key, mechanism=mechanism, data=[one.request.data for one in same])
            for (token, key, mechanism), same in groupby(asked, key=_kind_of)
        ]
        batch = pb.SignBatch(device=device, groups=groups, urgent=urgent)
        reply = self._client.call(_STUB, "Sign", batch, "", deadline)
        answers: list[bytes | TokenError] = list(reply.signatures)
        if len(answers) != len(asked):
            raise Problem("internal", "签名设备应答数量不符。", "The pool answered another number of items.")
        for failed in reply.failed:
            answers[failed.place] = TokenError(failed.code, failed.reason)
        return answers

    def sign_one(self, key: Key, algorithm: str, data: bytes, actor_token: str) -> bytes:
        """Let the pool hash and sign with one key. Raises Problem invalid if the device does not want to."""
        # for RSA the way that every token offers
        request = asking.request(key.token_key, algorithm, data, (DIGEST_INFO,))
        (answer,) = self.sign(key.device_kind, [Asked(request, actor_token)], _ONE, urgent=True)
        if isinstance(answer, TokenError):
            refusal = refusals.key_unusable(key, answer.reason)
            raise Problem("invalid", refusal.zh, refusal.en)
        return answer


def _kind_of(asked: Asked) -> tuple[str, str, str]:
    return asked.actor_token, asked.request.key, asked.request.mechanism


class RemoteDevice:
    """One device of the pool. Any thread may call it."""

    def __init__(self, name: str, devices: Devices) -> None:
        self.name = name
        self._devices = devices

    @property
    def trouble(self) -> str:
        """Why it is not worth asking now; empty if it is."""
        known, heard = self._devices.heard(self.name)
        if known is None or time.monotonic() - heard > SILENCE:
            return "the pool of devices does not answer"
        if not known.ready or known.trouble:
            return str(known.trouble) or "starting"
        return ""

    def check(self) -> None:
        """For readiness: raise unless it can sign."""
        if self.trouble:
            raise RuntimeError(self.trouble)

    @property
    def workers(self) -> int:
        """How many requests it can work on at the same time."""
        known, _heard = self._devices.heard(self.name)
        return max(1, known.workers) if known else 1

    @property
    def mechanisms(self) -> frozenset[str]:
        """What it offers."""
        known, _heard = self._devices.heard(self.name)
        return frozenset(known.mechanisms) if known else frozenset()

    def sign(self, asked: Sequence[Asked], *, urgent: bool = False) -> list[bytes | TokenError]:
        """One answer per request, in order. urgent: before what waits there. Raises Problem unavailable if the device is
        down."""
        known, _heard = self._devices.heard(self.name)
        patience = known.patience if known else 0.0
        try:
            return self._devices.pool.sign(self.name, asked, patience + _WAY, urgent=urgent)
        except Problem as problem:
            if problem.kind == "unavailable":
                self._devices.doubt(self.name)
            raise


class Devices:
    """All devices that the pool told of. appeared: called with each as it is heard of for the first time."""

    def __init__(self, pool: PoolClient, record: Record, appeared: Callable[[RemoteDevice], object]) -> None:
        self.pool = pool
        self._record = record
        self._appeared = appeared
        self._known: dict[str, Any] = {}
        self._heard: dict[str, float] = {}
        self._failing: dict[str, str] = {}

    def names(self) -> Collection[str] | None:
        """The devices that there are; None while nothing was heard."""
        return self._known.keys() or None

    def check(self) -> None:
        """For readiness: raise while the pool was never heard."""
        if not self._known:
            raise RuntimeError("the pool of devices does not answer")

    def heard(self, name: str) -> tuple[Any | None, float]:
        """The last description of a device and when it came (monotonic)."""
        return self._known.get(name), self._heard.get(name, 0.0)

    def doubt(self, name: str) -> None:
        """It did not do what was asked: nobody asks again before it was heard of again."""
        self._heard[name] = 0.0

    def start(self, stop: threading.Event) -> threading.Thread:
        """Go on asking until stopped."""
        thread = threading.Thread(target=self._run, args=(stop,), name="devices", daemon=True)
        thread.start()
        return thread

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.look()
            except Problem as problem:
                _LOG.warning("devices.silent", reason=problem.en)
            stop.wait(EVERY)

    def look(self) -> None:
        """Ask once."""
        reply = self.pool.describe()
        for device in reply.devices:
            new = device.name not in self._known
            self._known[device.name], self._heard[device.name] = device, time.monotonic()
            if new:
                self._appeared(RemoteDevice(device.name, self))
        self._note({item.key: item.reason for item in reply.failing})

    def _note(self, failing: dict[str, str]) -> None:
        """Tell of the keys that began or ceased to fail."""
        for key in sorted(failing.keys() ^ self._failing.keys()):
            self._record(key, key not in failing, failing.get(key, ""))
        self._failing = failing
