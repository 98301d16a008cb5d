"""RabbitMQ from Debian's packages, unpacked without root and started in place.

Never uses Debian's wrappers (they change the user and expect /usr/lib) and never leaves an epmd behind:
epmd is a supervised process of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import amqp

from tools import debs
from tools.errors import ToolError
from tools.launch import Launch, dies_with_parent
from tools.paths import private_dir, write_private
from tools.ports import HOST, can_connect

USER = "tongguan"
VHOSTS = ("tongguan", "customs")
# the data folder belongs to the node name, so the name must not depend on a port
NODE = "tongguan@localhost"


@dataclass(frozen=True)
class Installation:
    """Folders of one RabbitMQ: its own (with sbin/) and Erlang's."""

    rabbit: Path
    erlang: Path
    erts: Path


def installation() -> Installation:
    """The unpacked packages, else installed ones. Raises ToolError where there are none."""
    rabbit = next(debs.find("usr/lib/rabbitmq/lib/rabbitmq_server-*"), None)
    erts = next(debs.find("usr/lib/erlang/erts-*"), None)
    if rabbit and erts:
        return Installation(rabbit, erts.parent, erts)
    raise ToolError(
        "RabbitMQ: not unpacked and not installed; run `make setup` (needs apt-get and dpkg), "
        "or name a server with TONGGUAN_AMQP_URL"
    )


def version() -> str:
    """For example "3.10.8"."""
    return installation().rabbit.name.rpartition("-")[2]


class RabbitMQ:
    """One local broker and the epmd it needs."""

    def __init__(self, data: Path, port: int, distribution_port: int, epmd_port: int, password: str) -> None:
        self._data = data
        self._port = port
        self._distribution_port = distribution_port
        self._epmd_port = epmd_port
        self._password = password
        self._installation = installation()

    @property
    def url(self) -> str:
        """URL without a virtual host."""
        return f"amqp://{USER}:{self._password}@{HOST}:{self._port}"

    def create(self) -> None:
        """Write settings, accounts and our own `erl` (Debian's has its folder written into it)."""
        private_dir(self._data)
        private_dir(self._data / "bin")
        erl = self._data / "bin/erl"
        erl.write_text(
            "#!/bin/sh\n"
            f'ROOTDIR="{self._installation.erlang}"\nBINDIR="{self._installation.erts}/bin"\n'
            "EMU=beam\nPROGNAME=erl\nexport ROOTDIR BINDIR EMU PROGNAME\n"
            'exec "$BINDIR/erlexec" ${1+"$@"}\n'
        )
        erl.chmod(0o700)
        (self._data / "enabled_plugins").write_text("[].\n")
        # names the file that is read instead of /etc/rabbitmq/rabbitmq-env.conf of the machine
        (self._data / "environment.conf").write_text("")
        (self._data / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {HOST}:{self._port}\n"
            f"load_definitions = {self._data}/definitions.json\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
            # a developer's machine: alarms must not depend on the size of its memory
            "vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 100MB\n"
            "raft.wal_max_size_bytes = 67108864\n"
        )
        write_private(self._data / "definitions.json", json.dumps(self._definitions()))

    def launches(self) -> tuple[Launch, Launch]:
        """epmd first, then the broker."""
        programs = self._installation.erts / "bin"
        epmd = Launch(
            name="epmd",
            command=dies_with_parent(
                (str(programs / "epmd"), "-address", HOST, "-port", str(self._epmd_port))
            ),
            environment=self._environment(),
            ready=self._epmd_ready,
            folder=self._data,
            address=f"{HOST}:{self._epmd_port}",
        )
        broker = Launch(
            name="rabbitmq",
            command=dies_with_parent(("/bin/sh", str(self._installation.rabbit / "sbin/rabbitmq-server"))),
            environment=self._environment(),
            ready=self._ready,
            folder=self._data,
            after=("epmd",),
            stop_seconds=30.0,
            start_seconds=120.0,
            address=f"{HOST}:{self._port}",
        )
        return epmd, broker

    def _environment(self) -> dict[str, str]:
        path = os.environ.get("PATH", "/usr/bin:/bin")
        data = str(self._data)
        return debs.library_path("rabbitmq-server") | {
            "PATH": f"{data}/bin:{self._installation.erts}/bin:{path}",
            "HOME": data,  # where Erlang keeps its cookie
            "LC_ALL": "C.UTF-8",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": f"{data}/mnesia",
            "RABBITMQ_LOG_BASE": f"{data}/log",
            "RABBITMQ_PID_FILE": f"{data}/rabbitmq.pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{data}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{data}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{data}/environment.conf",
            # no busy waiting of schedulers: other processes want the processor too
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none "
            "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            # the script then becomes the broker instead of guarding it, and the pid we see is the right one
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _definitions(self) -> dict[str, object]:
        salt = secrets.token_bytes(4)
        digest = hashlib.sha256(salt + self._password.encode()).digest()
        return {
            "users": [
                {
                    "name": USER,
                    "password_hash": base64.b64encode(salt + digest).decode(),
                    "hashing_algorithm": "rabbit_password_hashing_sha256",
                    "tags": "administrator",
                }
            ],
            "vhosts": [{"name": name} for name in VHOSTS],
            "permissions": [
                {"user": USER, "vhost": name, "configure": ".*", "write": ".*", "read": ".*"}
                for name in VHOSTS
            ],
        }

    def _epmd_ready(self) -> bool:
        return can_connect(self._epmd_port)

    def _ready(self) -> bool:
        return can_connect(self._port) and all(vhost_answers(f"{self.url}/{name}") for name in VHOSTS)


def vhost_answers(url: str) -> bool:
    """True if the virtual host of an amqp:// URL lets us in within two seconds."""
    parts = urlsplit(url)
    secure = parts.scheme == "amqps"
    try:
        connection = amqp.Connection(
            host=f"{parts.hostname}:{parts.port or (5671 if secure else 5672)}",
            userid=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            virtual_host=unquote(parts.path[1:]) or "/",
            connect_timeout=2,
            read_timeout=2,
            write_timeout=2,
            ssl=secure,
        )
        connection.connect()
        connection.close()
    except (OSError, amqp.AMQPError):
        return False
    return True
