"""A TCP line between an agent and a service that a test can cut, or make deaf as a network does that forgets it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

_BYTES = 64 * 1024


class Line:
    """Forwards 127.0.0.1:port to a port of this machine."""

    def __init__(self, target: int, tick: float = 0.02) -> None:
        """tick: seconds within which a line that is idle notices that it is cut."""
        self._target = target
        self._tick = tick
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._mode = "open"
        self._closed = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break all connections and refuse new ones."""
        self._mode = "cut"

    def deafen(self) -> None:
        """Keep all connections, take new ones, and carry nothing: what was sent meanwhile is lost with them."""
        self._mode = "deaf"

    def heal(self) -> None:
        """Carry again; connections that were deaf stay dead."""
        self._mode = "open"

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        for one in (self._listener, *self._pairs):
            one.close()
        self._selector.close()

    def _run(self) -> None:
        deaf: set[socket.socket] = set()
        while not self._closed.is_set():
            events = self._selector.select(self._tick)
            mode = self._mode
            if mode == "cut":
                for one in list(self._pairs):
                    self._drop(one)
            for key, _ in events:
                one = key.fileobj
                assert isinstance(one, socket.socket)
                if one is self._listener:
                    self._take(mode)
                elif one in self._pairs:
                    self._carry(one, mode, deaf)

    def _take(self, mode: str) -> None:
        client, _ = self._listener.accept()
        try:
            if mode == "cut":
                raise OSError
            server = socket.create_connection(("127.0.0.1", self._target), 2)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _carry(self, one: socket.socket, mode: str, deaf: set[socket.socket]) -> None:
        try:
            data = one.recv(_BYTES)
        except OSError:
            data = b""
        if not data:
            self._drop(one)
        elif mode == "deaf" or one in deaf:
            deaf.update((one, self._pairs[one]))
        else:
            with contextlib.suppress(OSError):
                self._pairs[one].sendall(data)

    def _drop(self, one: socket.socket) -> None:
        other = self._pairs.get(one)
        for end in (one, other):
            if end is not None and self._pairs.pop(end, None) is not None:
                self._selector.unregister(end)
                end.close()
