"""Starts what tests run against, by the same tools as `make run`, each in a run folder of its own.

Never attaches to a stack that somebody started by hand, and stops what it started even after a killed test run.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tools.databases import ROLES, make_database, url_for
from tools.paths import ROOT
from tools.procs import start_time
from tools.stack import detached

# one folder per test run, so that two runs in one checkout do not meet
BASE = ROOT / ".run" / "test" / str(os.getpid())
_numbers = itertools.count(1)


class Stack(dict[str, Any]):
    """The parsed stack.json of a running stack; `run_dir` is its folder."""

    def __init__(self, content: Mapping[str, Any], run_dir: Path) -> None:
        super().__init__(content)
        self.run_dir = run_dir

    def processes(self) -> dict[str, dict[str, Any]]:
        """processes.json as of now: name -> {pid, ops_url, ready, restarts}."""
        found: dict[str, dict[str, Any]] = json.loads((self.run_dir / "processes.json").read_text())
        return found

    def servers(self) -> dict[str, Any]:
        """servers.json: addresses (with passwords) of this stack's servers."""
        found: dict[str, Any] = json.loads((self.run_dir / "servers.json").read_text())
        return found

    def user(self, tenant: str, role: str) -> dict[str, str]:
        """A demo user by tenant (name, or its beginning) and role."""
        return next(
            user for user in self["users"] if str(user["tenant"]).startswith(tenant) and user["role"] == role
        )

    def environment(self, name: str) -> dict[str, str]:
        """What the process or task called `name` is told, for running one of its commands by hand."""
        return os.environ | read_environment(self.run_dir, name)


def _environment(run_dir: Path, variables: Mapping[str, str]) -> dict[str, str]:
    # what the person at the terminal set must not reach a test's stack, but for the shared cache of downloads
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "TONGGUAN_CACHE" or not name.startswith("TONGGUAN_")
    }
    return kept | {"RUN_DIR": str(run_dir), "PORT": "0"} | dict(variables)


def tool(
    run_dir: Path, *arguments: str, timeout: float = 300, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`python -m tools.stack …` for one run folder; answers with what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "tools.stack", *arguments],
        cwd=ROOT,
        env=_environment(run_dir, variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def running(
    run_dir: Path, command: str, topology: Path = ROOT / "topology.toml", **variables: str
) -> Iterator[Path]:
    """A fresh stack ("up") or only its servers ("servers") in `run_dir`, stopped at the end.

    It also stops when the test run itself is killed. Raises ToolError with the reason if it does not start."""
    environment = _environment(run_dir, variables)
    process = detached.start(run_dir, command, topology, environment, with_parent=True)
    try:
        yield run_dir
    finally:
        ended = tool(run_dir, "down")
        process.wait(timeout=60)
        assert ended.returncode == 0, ended.stderr
        # logs stay until the next test run; data would only fill the disk
        shutil.rmtree(run_dir / "data", ignore_errors=True)


def clear_up() -> None:
    """Stop and remove what earlier test runs left that were killed, and the folders of those that ended."""
    BASE.parent.mkdir(parents=True, exist_ok=True)
    with (BASE.parent / "clear-up.lock").open("w") as lock:
        # parts of the suite begin at the same time: one of them clears up, the others find it done
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in BASE.parent.glob("*"):
            ended = folder.name.isdigit() and start_time(int(folder.name)) is None
            if ended:
                for run_dir in folder.iterdir():
                    tool(run_dir, "down")
                shutil.rmtree(folder, ignore_errors=True)


def read_environment(run_dir: Path, name: str) -> dict[str, str]:
    """RUN_DIR/env/NAME as a dictionary."""
    lines = (run_dir / "env" / name).read_text().splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key: "".join(shlex.split(value)) for key, _, value in pairs}


def new_database(servers: Mapping[str, Any], service: str) -> dict[str, str]:
    """An empty database with the rights of `service`'s: {"name", "owner", "app", "relay"} (URLs per role)."""
    name = f"test_{service}_{os.getpid()}_{next(_numbers)}"
    admin = servers["postgres_url"]
    with psycopg.connect(admin, autocommit=True) as connection:
        make_database(connection, name, service)
    known = servers["databases"][service]
    result = {"name": name}
    for role in ROLES:
        password = psycopg.conninfo.conninfo_to_dict(known[role])["password"]
        result[role] = url_for(admin, name, f"{service}_{role}", str(password))
    return result
