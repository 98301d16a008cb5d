"""Where a secret left a trace: files, databases, the bus, and what the system shows of processes, their memory included."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from kombu import Connection, Queue, binding
from psycopg import sql

from runtime.bus import EXCHANGE
from tools.databases import url_for


def in_files(folder: Path, secret: bytes) -> list[str]:
    """Files of a folder that hold it: logs, settings, journals, the data of servers."""
    found = []
    for path in folder.rglob("*"):
        # a server's own files come and go
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink() and secret in path.read_bytes():
                found.append(str(path.relative_to(folder)))
    return found


def in_databases(admin_url: str, secret: str) -> list[str]:
    """Tables of all databases of a server with a row that holds it, as text or as bytes."""
    wanted, found = {"text": secret, "bytes": secret.encode().hex()}, []
    with psycopg.connect(admin_url) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
            if name != "template0"
        ]
    known = psycopg.conninfo.conninfo_to_dict(admin_url)
    for name in names:
        with psycopg.connect(
            url_for(admin_url, name, str(known["user"]), str(known["password"]))
        ) as connection:
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for table in tables:
                query = sql.SQL(
                    "SELECT count(*) FROM {} AS one WHERE strpos(one::text, %(text)s) > 0 OR strpos(one::text, %(bytes)s) > 0"
                ).format(sql.Identifier(*table))
                counted = connection.execute(query, wanted).fetchone()
                if counted and counted[0]:
                    found.append(".".join((name, *table)))
    return found


class Bus:
    """Everything that is published from now on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._queue = Queue("test.traces", bindings=[binding(EXCHANGE, routing_key="#")], durable=True,
                            queue_arguments={"x-queue-type": "quorum"})  # fmt: skip
        self.all: list[bytes] = []
        self.look()

    def look(self) -> list[bytes]:
        """Headers and bodies so far, as they travel."""
        with Connection(self._url, connect_timeout=5) as connection:
            channel: Any = connection.channel()
            channel.auto_decode = False
            self._queue(channel).declare()
            while (raw := channel.basic_get(self._queue.name, no_ack=True)) is not None:
                body = raw.body.encode() if isinstance(raw.body, str) else bytes(raw.body)
                self.all.append(repr(raw.properties).encode() + body)
        return self.all

    def close(self) -> None:
        """Nobody listens any more."""
        with Connection(self._url, connect_timeout=5) as connection:
            self._queue(connection.channel()).delete()


def processes(roots: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """These processes and all below them: (name and command line, pid)."""
    for name, pid in roots.items():
        with contextlib.suppress(FileNotFoundError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            yield f"{name}: {line}", pid
            below = [
                int(word)
                for file in Path(f"/proc/{pid}/task").glob("*/children")
                for word in file.read_text().split()
            ]
            yield from processes({f"{name}/{child}": child for child in below})


def in_process(pid: int, secret: bytes) -> int:
    """How often it stands in a process's memory, arguments and environment included."""
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            bounds, rights, *_ = line.split()
            begin, end = (int(number, 16) for number in bounds.split("-"))
            # the kernel's own pages cannot be read
            if rights.startswith("r") and "[v" not in line:
                memory.seek(begin)
                found += memory.read(end - begin).count(secret)
    return found
