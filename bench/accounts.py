"""CPU of a whole running stack by process, with the databases' backends told apart by role.

Reads the kernel's accounts of processes and asks PostgreSQL which backend serves whom; changes nothing.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping

import psycopg

from bench.common import process_cpu, reaped_cpu, tree
from tests.support.stack import Stack

CLIENT = "this program (client)"
_BACKENDS = "SELECT pid, usename FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()"


class Accounts:
    """Takes readings of one stack: {name: CPU seconds since its start}."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._admin = stack.servers()["postgres_url"]

    def read(self) -> Mapping[str, float]:
        """By process of the topology and by server; PostgreSQL's backends by role ("postgres: order_app")."""
        found: defaultdict[str, float] = defaultdict(float)
        with psycopg.connect(self._admin, autocommit=True) as connection:
            roles: dict[int, str] = dict(connection.execute(_BACKENDS).fetchall())
        for name, entry in self._stack.processes().items():
            if entry["pid"] is None:
                continue
            for pid in tree(entry["pid"]):
                place = f"{name}: {roles[pid]}" if pid in roles else name
                found[place] += process_cpu(pid)
                found[name] += reaped_cpu(pid)
        found[CLIENT] = process_cpu(os.getpid())
        return found


def difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """What was used between two readings. A backend that ended moves into its server's own line: never below 0."""
    return {name: max(0.0, cpu - before.get(name, 0.0)) for name, cpu in after.items()}
