"""CPU of a piece of work that this process, its children and one database do together.

Reads the kernel's accounts only; must never be told a time by those it measures.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from bench.common import children_cpu, own_cpu, process_cpu

#: CPU seconds of one run by part
Run = Mapping[str, float]


class Meter:
    """CPU seconds by process while one database is worked on: this one, its children, the database's backends."""

    def __init__(self, admin: psycopg.Connection[Any], database: str) -> None:
        self._admin = admin
        self._database = database

    def measure(self, work: Callable[[], Run | None]) -> dict[str, float]:
        """Run `work` once; it may answer parts of its own, which are kept beside."""
        gc.collect()
        backends, own, children = self._backends(), own_cpu(), children_cpu()
        parts = work() or {}
        used = {"own": own_cpu() - own, "child": children_cpu() - children}
        # a backend that was not there before spent all it has on this
        spent = {pid: cpu - backends.get(pid, 0.0) for pid, cpu in self._backends().items()}
        return {**parts, **used, "database": sum(spent.values())}

    def _backends(self) -> dict[int, float]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        return {pid: process_cpu(pid) for (pid,) in self._admin.execute(query, (self._database,))}


def total(run: Run) -> float:
    """All CPU seconds of one run."""
    return run["own"] + run["child"] + run["database"]
