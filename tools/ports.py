"""Ports of one stack: free ones, kept over restarts, never two stacks on the same.

Never looks whether somebody else's server answers on a port: a port is free or it is not ours.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import tempfile
from pathlib import Path

from tools.errors import ToolError
from tools.paths import write_private

# below the range from which Linux takes the local ports of outgoing connections (32768 and up)
FIRST, LAST = 15_000, 31_999
HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """True if a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def can_connect(port: int) -> bool:
    """True if something listens on the port of 127.0.0.1."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


class Ports:
    """Names to port numbers of one stack, kept in a file. A lock file per port is held as long as this lives,
    so that two stacks which start at the same moment do not choose the same one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._locks: dict[int, int] = {}
        self._folder = Path(tempfile.gettempdir()) / f"tongguan-ports-{os.getuid()}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._numbers: dict[str, int] = {}
        self._earlier: dict[str, int] = {}
        if file.exists():
            self._earlier = {str(name): int(port) for name, port in json.loads(file.read_text()).items()}

    def take(self, name: str, wanted: int = 0) -> int:
        """The port called `name`: the wanted one, else the one of last time if it is free, else a free one.

        Raises ToolError when the wanted one is taken."""
        if name in self._numbers:
            return self._numbers[name]
        if wanted:
            if not (self._lock(wanted) and is_free(wanted)):
                raise ToolError(
                    f"端口 {wanted} 已被占用:请停止占用它的程序,或用 PORT=0 自动选择空闲端口 / "
                    f"port {wanted} is taken: stop what uses it, or choose another with PORT=… (PORT=0: any free one)"
                )
            port = wanted
        else:
            port = self._free(self._earlier.get(name))
        self._numbers[name] = port
        return port

    def save(self) -> None:
        """Write the file that tells which port is what."""
        write_private(self._file, json.dumps(self._numbers, indent=1, sort_keys=True) + "\n")

    def release(self) -> None:
        """Let other stacks have these ports (the end of the process does it too)."""
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks.clear()

    def _free(self, earlier: int | None) -> int:
        if earlier and FIRST <= earlier <= LAST and self._lock(earlier) and is_free(earlier):
            return earlier
        for _ in range(1000):
            port = FIRST + secrets.randbelow(LAST - FIRST + 1)
            if self._lock(port) and is_free(port):
                return port
        raise ToolError(f"no free port between {FIRST} and {LAST} on {HOST}: stop some servers and try again")

    def _lock(self, port: int) -> bool:
        if port in self._locks:
            return port not in self._numbers.values()
        descriptor = os.open(self._folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._locks[port] = descriptor
        return True
