"""Servers of one stack: the local ones or those that variables name, and the addresses that follow.

Never mixes: a server named by a variable is used as it is and nothing local is started in its place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis as redis_client

from tools import databases, devices
from tools.errors import ToolError
from tools.launch import Launch
from tools.paths import private_dir
from tools.ports import Ports
from tools.servers import rabbitmq, softhsm
from tools.servers.postgres import Postgres
from tools.servers.redis import Redis
from tools.stack.environment import Estate
from tools.stack.secrets import Passwords


@dataclass
class Servers:
    """What is to be started, what it is called on the system page, and where everything will be."""

    launches: list[Launch] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    postgres_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    amqp_url: str = field(default="", repr=False)
    devices_file: Path = Path()


def prepare(run_dir: Path, ports: Ports, passwords: Passwords, needs: set[str]) -> Servers:
    """Make data folders of the local servers that somebody needs, and say how to start them. Raises ToolError."""
    data = private_dir(run_dir / "data")
    servers = Servers()
    if needs & {"database", "outbox", "schema"}:
        _postgres(servers, data, ports, passwords)
    if "redis" in needs:
        _redis(servers, data, ports, passwords)
    if needs & {"bus", "customs"}:
        _rabbitmq(servers, data, ports, passwords)
    if "hsm" in needs:
        _devices(servers, run_dir, data)
    return servers


def _postgres(servers: Servers, data: Path, ports: Ports, passwords: Passwords) -> None:
    if url := os.environ.get("TONGGUAN_POSTGRES_URL"):
        servers.postgres_url = url
        return
    server = Postgres(data / "postgres", ports.take("postgres"), passwords.get("postgres"))
    server.create()
    servers.postgres_url = server.url
    servers.launches.append(server.launch())
    servers.parts["database"] = f"postgresql {server.version()} (wheel)"


def _redis(servers: Servers, data: Path, ports: Ports, passwords: Passwords) -> None:
    if url := os.environ.get("TONGGUAN_REDIS_URL"):
        servers.redis_url = url
        return
    server = Redis(data / "redis", ports.take("redis"), passwords.get("redis"))
    server.create()
    servers.redis_url = server.url
    servers.launches.append(server.launch())
    servers.parts["cache"] = f"redis {server.version()} (local)"


def _rabbitmq(servers: Servers, data: Path, ports: Ports, passwords: Passwords) -> None:
    if url := os.environ.get("TONGGUAN_AMQP_URL"):
        servers.amqp_url = url
        return
    server = rabbitmq.RabbitMQ(
        data / "rabbitmq",
        ports.take("rabbitmq"),
        ports.take("rabbitmq.distribution"),
        ports.take("rabbitmq.epmd"),
        passwords.get("rabbitmq"),
    )
    server.create()
    servers.amqp_url = server.url
    servers.launches.extend(server.launches())
    servers.parts["bus"] = f"rabbitmq {rabbitmq.version()} (unpacked package)"


def _devices(servers: Servers, run_dir: Path, data: Path) -> None:
    outside = os.environ.get("TONGGUAN_DEVICES_FILE")
    if outside:
        # a vendor's modules: their tokens, PIN files and keys are the operator's
        if not Path(outside).is_file():
            raise ToolError(f"TONGGUAN_DEVICES_FILE: 文件不存在 / no such file: {outside}")
        servers.devices_file = Path(outside).absolute()
        servers.parts["hsm"] = f"{Path(outside).name} (outside)"
        return
    secrets = run_dir / "secrets"
    token = softhsm.SoftHsm(data / "softhsm", secrets / "token-pin", secrets / "token-so-pin")
    token.create()
    sealed = {
        "name": "files",
        "folder": private_dir(run_dir / "sealed-tokens"),
        "key_file": secrets / "sealed-token.key",
    }
    servers.devices_file = devices.write(
        run_dir / "devices.toml",
        data / "token-memory",
        {"pkcs11": ("pkcs11", [token.member("softhsm")]), "sealed": ("sealed", [sealed])},
    )
    servers.parts["hsm"] = "softhsm 2 (unpacked package)"


def connect(run_dir: Path, servers: Servers, services: list[str], passwords: Passwords) -> Estate:
    """With the servers running: make databases and roles, look that outside servers let us in.

    Raises ToolError naming the variable of a server that does not."""
    names = {f"{service}_{role}" for service in services for role in databases.ROLES}
    made = {}
    if servers.postgres_url:
        made = databases.create(servers.postgres_url, services, {name: passwords.get(name) for name in names})
    urls = {name: _with_vhost(servers.amqp_url, name) for name in rabbitmq.VHOSTS}
    _look_outside(servers, urls)
    for folder in ("spool/to-customs", "spool/from-customs", "simulator"):
        private_dir(run_dir / folder)
    return Estate(
        databases=made,
        bus_url=urls["tongguan"],
        customs_url=urls["customs"],
        redis_url=servers.redis_url,
        devices_file=servers.devices_file,
        run_dir=run_dir,
    )


def _look_outside(servers: Servers, vhosts: dict[str, str]) -> None:
    """Ask the servers that we did not start for their version, or at least to let us in."""
    if servers.postgres_url and "database" not in servers.parts:
        with psycopg.connect(servers.postgres_url) as connection:
            version = connection.info.server_version
        servers.parts["database"] = f"postgresql {version // 10000}.{version % 10000} (outside)"
    if servers.amqp_url and "bus" not in servers.parts:
        for name, url in vhosts.items():
            if not rabbitmq.vhost_answers(url):
                raise ToolError(
                    f"TONGGUAN_AMQP_URL: 虚拟主机 {name} 无法连接 / virtual host {name!r} does not let us in; "
                    f"make it there: rabbitmqctl add_vhost {name}; rabbitmqctl set_permissions -p {name} USER '.*' '.*' '.*'"
                )
        servers.parts["bus"] = "rabbitmq (outside)"
    if servers.redis_url and "cache" not in servers.parts:
        try:
            with redis_client.Redis.from_url(servers.redis_url, socket_connect_timeout=5) as client:
                client.ping()
        except redis_client.RedisError as error:
            raise ToolError(f"TONGGUAN_REDIS_URL: {error}") from error
        servers.parts["cache"] = "redis (outside)"


def _with_vhost(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
