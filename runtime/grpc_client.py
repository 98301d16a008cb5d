"""gRPC channels: mutual TLS, the actor's token and a deadline on every call, Problems rebuilt from the wire.

Channels are made on first use, after any fork.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import grpc

from runtime.errors import METADATA_KEY, Problem, unavailable
from runtime.grpc_server import ACTOR_KEY, OPTIONS
from runtime.tls import TlsFiles

DEADLINE = 20.0  # seconds
#: a callee that was started anew is found again within seconds
_OPTIONS = [
    *OPTIONS,
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


class Client:
    """A lazily opened channel to one target, one per process id."""

    def __init__(self, target: str, tls: TlsFiles, name_zh: str, name_en: str) -> None:
        self._target = target
        self._tls = tls
        self._names = (name_zh, name_en)
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._stubs: dict[Any, Any] = {}
        self._pid = 0

    @property
    def channel(self) -> grpc.Channel:
        """The channel of this process."""
        with self._lock:
            return self._opened()

    def _opened(self) -> grpc.Channel:
        if self._channel is None or self._pid != os.getpid():
            self._channel = grpc.secure_channel(self._target, self._tls.client(), _OPTIONS)
            self._stubs = {}
            self._pid = os.getpid()
        return self._channel

    def stub(self, kind: Any) -> Any:
        """kind: a generated class. Made once for the channel: a new one prepares every method of its service anew."""
        with self._lock:
            channel = self._opened()
            if kind not in self._stubs:
                self._stubs[kind] = kind(channel)
            return self._stubs[kind]

    def call(self, kind: Any, method: str, request: Any, token: str, deadline: float = DEADLINE) -> Any:
        """kind: a stub's class; method: its name there. Raises the callee's Problem, or `unavailable` if nobody answers."""
        try:
            return getattr(self.stub(kind), method)(request, timeout=deadline, metadata=((ACTOR_KEY, token),))
        except grpc.RpcError as exc:
            raise _problem(exc, self._names) from exc


def _problem(exc: Any, names: tuple[str, str]) -> Problem:
    for key, value in exc.trailing_metadata() or ():
        if key == METADATA_KEY:
            return Problem.from_bytes(value)
    if exc.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Problem("too_large", "数据超过大小限制。", "The data is larger than allowed.")
    return unavailable(*names)
