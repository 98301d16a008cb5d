"""What each process is told: its environment, from the table, the ports and the servers.

A process gets what its needs name and nothing else; never the password of another role or service.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools import fonts
from tools.databases import ServiceDatabase
from tools.paths import ROOT
from tools.ports import HOST
from tools.topology import Process, Task


@dataclass(frozen=True)
class Estate:
    """Everything that processes share: addresses (with passwords) and files of one running stack."""

    databases: Mapping[str, ServiceDatabase] = field(repr=False)
    bus_url: str = field(repr=False)
    customs_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    devices_file: Path
    run_dir: Path

    @property
    def secrets(self) -> Path:
        return self.run_dir / "secrets"

    def need(self, need: str) -> dict[str, str]:
        """The variables that one need of the table stands for."""
        kind, _, service = need.partition(":")
        match kind:
            case "database":
                return {"DATABASE_URL": self.databases[service].app}
            case "outbox":
                return {"RELAY_DATABASE_URL": self.databases[service].relay}
            case "schema":
                return {"OWNER_DATABASE_URL": self.databases[service].owner}
            case "bus":
                return {"BUS_URL": self.bus_url}
            case "redis":
                return {"REDIS_URL": self.redis_url}
            case "customs":
                return {
                    "CUSTOMS_AMQP_URL": self.customs_url,
                    "CUSTOMS_IN_QUEUE": "customs.in",
                    "CUSTOMS_OUT_QUEUE": "customs.out",
                }
            case "spool":
                return {"SPOOL_DIR": str(self.run_dir / "spool")}
            case "hsm":
                return {"SIGNER_DEVICES_FILE": str(self.devices_file)}
            case "actor-key":
                return {"ACTOR_PRIVATE_KEY_FILE": str(self.secrets / "actor-private.pem")}
            case "edge-authority":
                edge = self.secrets / "edge"
                return {
                    "EDGE_AUTHORITY_FILE": str(edge / "authority.pem"),
                    "EDGE_AUTHORITY_KEY_FILE": str(edge / "authority.key"),
                    "EDGE_CERT_FILE": str(edge / "server.pem"),
                    "EDGE_KEY_FILE": str(edge / "server.key"),
                }
            case "authority":
                return {"AUTHORITY_DIR": str(self.run_dir / "authority")}
        return _fixed(need)


def _fixed(need: str) -> dict[str, str]:
    """Needs that are the same for every stack of this checkout."""
    if need == "web":
        return {"WEB_DIST": str(ROOT / "services/gateway/web/dist")}
    if need == "font":
        font = fonts.find()
        return {"FONT_FILE": str(font)} if font else {}
    raise KeyError(need)


def base_environment(run_dir: Path) -> dict[str, str]:
    """What every process gets: the machine's own settings and the files that all know.

    Settings of services (LOG_LEVEL, SIGNER_BATCH …) pass through from whoever starts the stack; addresses and
    secrets never do, so that a variable left in a shell cannot send a process to another database."""
    managed = {
        name
        for name in os.environ
        if name.endswith(("_URL", "_FILE", "_DIR", "_LISTEN", "_GRPC", "_ADDRESS"))
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in managed
        and not name.startswith("TONGGUAN_")
        and name not in {"PORT", "MAKEFLAGS", "MFLAGS"}
    }
    secrets = run_dir / "secrets"
    return kept | {
        "PYTHONUNBUFFERED": "1",
        "ACTOR_PUBLIC_KEY_FILE": str(secrets / "actor-public.pem"),
        "CRASH_POINTS_FILE": str(run_dir / "crash-point"),
    }


def task_environment(task: Task, estate: Estate) -> dict[str, str]:
    """Environment of a task."""
    result = base_environment(estate.run_dir)
    for need in task.needs:
        result |= estate.need(need)
    return result


def process_environment(
    process: Process, callees: list[Process], estate: Estate, ports: Mapping[tuple[str, str], int]
) -> dict[str, str]:
    """Environment of a process. `ports` has (process name, kind of listener) -> number."""
    result = base_environment(estate.run_dir)
    for need in process.needs:
        result |= _edge_address(estate, ports) if need == "edge-address" else estate.need(need)
    tls = estate.secrets / "tls"
    result |= {
        "TLS_CA_FILE": str(tls / "ca.pem"),
        "TLS_CERT_FILE": str(tls / f"{process.name}.pem"),
        "TLS_KEY_FILE": str(tls / f"{process.name}.key"),
    }
    for kind in process.listens:
        address = f"{HOST}:{ports[process.name, kind]}"
        if kind == "control":
            result["SIMULATOR_LISTEN"] = address
            result["SIMULATOR_DATA_DIR"] = str(estate.run_dir / "simulator")
        else:
            result[f"{kind.upper()}_LISTEN"] = address
    for callee in callees:
        # order.serve is ORDER_GRPC, signer.pool is SIGNER_POOL_GRPC
        words = callee.name.removesuffix(".serve").replace(".", "_").upper()
        result[f"{words}_GRPC"] = f"{HOST}:{ports[callee.name, 'grpc']}"
    return result


def _edge_address(estate: Estate, ports: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """What an agent is told to dial, and whom to trust there."""
    return {
        "EDGE_ADDRESS": f"{HOST}:{ports['gateway.agents', 'edge']}",
        "ENROL_ADDRESS": f"{HOST}:{ports['gateway.agents', 'enrol']}",
        "EDGE_AUTHORITY_FILE": str(estate.secrets / "edge" / "authority.pem"),
    }


def command_of(entry: Process | Task) -> tuple[str, ...]:
    """The command with this very Python in place of the word."""
    first, *rest = entry.command
    return (sys.executable if first == "python" else first, *rest)
