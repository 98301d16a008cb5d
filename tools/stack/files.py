"""The files that a running stack leaves for other programs; each is written whole and readable by its owner only.

Never left behind: what says "running" is removed at stop.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.paths import private_dir, write_private
from tools.stack.environment import Estate
from tools.stack.supervisor import Unit


class StackFiles:
    """Names and writers below one run folder."""

    def __init__(self, run_dir: Path) -> None:
        self.stack = run_dir / "stack.json"
        self.servers = run_dir / "servers.json"
        self.processes = run_dir / "processes.json"
        self.ports = run_dir / "ports.json"
        self.lock = run_dir / "lock"
        self.pids = run_dir / "pids"
        self.logs = run_dir / "logs"
        self.environments = run_dir / "env"
        self.own_pid = self.pids / "supervisor.json"

    def write_stack(self, content: Mapping[str, Any]) -> None:
        """stack.json, for whoever uses the running product."""
        _write(self.stack, content)

    def write_servers(self, estate: Estate, postgres_url: str, parts: Mapping[str, str]) -> None:
        """servers.json, for tests and people who need only the servers; addresses carry passwords."""
        secrets = estate.secrets
        content = {
            "postgres_url": postgres_url,
            "databases": {name: asdict(value) for name, value in estate.databases.items()},
            "redis_url": estate.redis_url,
            "bus_url": estate.bus_url,
            "customs_amqp_url": estate.customs_url,
            "devices_file": str(estate.devices_file),
            "actor_public_key_file": str(secrets / "actor-public.pem"),
            "actor_private_key_file": str(secrets / "actor-private.pem"),
            "tls_dir": str(secrets / "tls"),
            "spool_dir": str(estate.run_dir / "spool"),
            "parts": dict(parts),
        }
        _write(self.servers, content)

    def write_processes(self, units: Iterable[Unit], ops_urls: Mapping[str, str]) -> None:
        """processes.json: pid and operations address of everything that is supervised, as of now."""
        content = {
            unit.name: {
                "pid": unit.pid,
                "ops_url": ops_urls.get(unit.name),
                "ready": unit.ready,
                "restarts": unit.restarts,
            }
            for unit in units
        }
        _write(self.processes, content)

    def write_environment(self, name: str, environment: Mapping[str, str]) -> None:
        """env/NAME: one process's own variables as lines for a shell (`set -a; . file`)."""
        own = {key: value for key, value in environment.items() if os.environ.get(key) != value}
        lines = (f"{key}={shlex.quote(value)}\n" for key, value in sorted(own.items()))
        write_private(private_dir(self.environments) / name, "".join(lines))

    def remove(self) -> None:
        """At stop: nothing may say that a stack is running."""
        for path in (self.stack, self.servers, self.processes, self.own_pid):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.environments, ignore_errors=True)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_private(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
