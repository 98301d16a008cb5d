"""The signer as a test drives it: real processes, real servers and tokens, the test in the place of its neighbours.

Messages are written by hand here, not by documents/, so that the signer is not judged by our own templates.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from kombu import Connection, Queue, binding
from sqlalchemy import text

from proto.events.v1 import events_pb2
from runtime.actor import Actor, ActorSigner
from runtime.bus import EXCHANGE, PARKED, RECOVERABLE, Bus, Message, event_queue
from runtime.db import Database
from services.signer import app, events
from services.signer.provision import Order, provision
from services.signer.tokens import settings
from services.signer.tokens.pool import Pool
from tests.support.eventually import eventually
from tests.support.stack import new_database
from tests.support.tokens import Shim
from tools import devices
from tools.paths import ROOT
from tools.servers import softhsm

CEB = "http://www.chinaport.gov.cn/ceb"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

_CAPTURE = Queue(
    "test.signer.events",
    bindings=[
        binding(EXCHANGE, routing_key=key)
        for key in ("message.signed.#", "message.ready.#", "message.refused.#")
    ],
    durable=True,
    queue_arguments={"x-queue-type": "quorum"},
)
_TYPES: dict[str, Any] = {
    "MessageSigned": events_pb2.MessageSigned,
    "MessageReady": events_pb2.MessageReady,
    "MessageRefused": events_pb2.MessageRefused,
}


def canonical_text(value: str) -> str:
    """Text as canonical XML has it."""
    return escape(value).replace("\r", "&#xD;")


def message(
    code: str,
    dxp_id: str = "DXPENT0000000001",
    documents: int = 1,
    *,
    notes: Sequence[str] = ("",),
    namespaces: Mapping[str, str] | None = None,
    extend: str = "",
    transfer_code: str | None = None,
) -> bytes:
    """A canonical CEB303 message; `notes` are spread over the documents. Order numbers are new each time."""
    declared = "".join(
        f' xmlns:{prefix}="{uri}"' for prefix, uri in sorted({"ceb": CEB, **(namespaces or {})}.items())
    )
    orders = "".join(_order(code, notes[index % len(notes)]) for index in range(documents))
    return (
        f'<ceb:CEB303Message{declared} guid="{str(uuid.uuid4()).upper()}" version="1.0">{orders}'
        f"<ceb:BaseTransfer><ceb:copCode>{transfer_code or code}</ceb:copCode><ceb:copName>测试企业</ceb:copName>"
        f"<ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>{dxp_id}</ceb:dxpId></ceb:BaseTransfer>"
        f"{extend}</ceb:CEB303Message>"
    ).encode()


def _order(code: str, note: str) -> str:
    head = {
        "guid": str(uuid.uuid4()).upper(),
        "appType": "1",
        "appTime": "20260102030405",
        "appStatus": "2",
        "orderType": "B",
        "orderNo": uuid.uuid4().hex,
        "ebpCode": "无",
        "ebpName": "境外平台",
        "ebcCode": code,
        "ebcName": "测试企业",
        "goodsValue": "10",
        "freight": "0",
        "currency": "502",
        "note": note,
    }
    line = {
        "gnum": "1",
        "itemNo": "A1",
        "itemName": "杯子",
        "unit": "011",
        "currency": "502",
        "qty": "1",
        "price": "10",
        "totalPrice": "10",
    }

    def node(name: str, fields: Mapping[str, str]) -> str:
        inner = "".join(f"<ceb:{key}>{canonical_text(value)}</ceb:{key}>" for key, value in fields.items())
        return f"<ceb:{name}>{inner}</ceb:{name}>"

    return f"<ceb:Order>{node('OrderHead', head)}{node('OrderList', line)}</ceb:Order>"


@dataclass(frozen=True)
class Tenant:
    """A tenant with one enterprise."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    code: str = field(default_factory=lambda: f"91{uuid.uuid4().int % 10**16:016d}")
    dxp_id: str = "DXPENT0000000001"

    def actor(self, **changes: Any) -> Actor:
        """A declarant of this tenant."""
        values: dict[str, Any] = {
            "permissions": ("document.declare", "key.read", "key.activate", "audit.read"),
            "roles": ("enterprise_admin",),
            "request_id": "r-1",
        }
        actor = Actor(self.id, self.code, "u-1", "张三", **values)
        return replace(actor, **changes)


@dataclass(frozen=True)
class Told:
    """One event on the bus."""

    key: str
    tenant: str
    body: Any


class SignerSide:
    """One database, one token of each kind, one authority, the signer's processes."""

    def __init__(self, servers: Mapping[str, Any], folder: Path, shim: Shim | None = None) -> None:
        """shim: before the module of the RSA token."""
        self.servers = servers
        self.folder = folder
        self.urls = new_database(servers, "signer")
        self.database = Database(self.urls["app"], pool_size=2)
        self.pin_file, so_pin_file = folder / "pin", folder / "so-pin"
        for file in (self.pin_file, so_pin_file):
            file.write_text(secrets.token_hex(8))
        self.token = softhsm.SoftHsm(folder / "softhsm", self.pin_file, so_pin_file)
        self.token.create()
        (folder / "sealed").mkdir()
        (folder / "sealing-key").write_text(secrets.token_hex(32))
        sealed = {"name": "files", "folder": folder / "sealed", "key_file": folder / "sealing-key"}
        member = self.token.member("softhsm")
        if shim is not None:
            member = shim.through(member)
        self.devices_file = devices.write(
            folder / "devices.toml",
            folder / "memory",
            {"pkcs11": ("pkcs11", [member]), "sealed": ("sealed", [sealed])},
        )
        self.authority = shlex.join(
            (sys.executable, "-m", "simulator", "authority", "--dir", str(folder / "authority"))
        )
        self._quick_authority = _openssl_authority(folder)
        self.crash_file = folder / "crash-point"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.urls["app"],
            "RELAY_DATABASE_URL": self.urls["relay"],
            "OWNER_DATABASE_URL": self.urls["owner"],
            "BUS_URL": servers["bus_url"],
            "ACTOR_PUBLIC_KEY_FILE": servers["actor_public_key_file"],
            "SIGNER_DEVICES_FILE": str(self.devices_file),
            "SIGNER_CANARY_SECONDS": "1",
            "CRASH_POINTS_FILE": str(self.crash_file),
            "SIGNER_POOL_GRPC": free_address(),
        }
        self._signer = ActorSigner(Path(servers["actor_private_key_file"]))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ops: dict[str, str] = {}
        self._clear_queues()
        self.command("migrate")

    # -- commands and processes -----------------------------------------------------------------------------

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run `python -m services.signer …` to its end; answers what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "services.signer", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr

    def provision(
        self, tenant: Tenant, algorithm: str = "rsa-sha1", *, active: bool = True, **options: Any
    ) -> Any:
        """A key for the tenant's enterprise; answers the command's JSON (or all it printed, if a code is expected)."""
        quick = self._quick_authority if algorithm == "rsa-sha1" else self.authority
        printed = self.command(
            *("provision", "--tenant", tenant.id, "--enterprise-code", tenant.code, "--name", "测试企业"),
            *("--algorithm", algorithm, "--authority-command", options.pop("authority", quick)),
            *(("--active",) if active else ()),
            **options,
        )
        return json.loads(printed) if "code" not in options else printed

    def equip(self, tenant: Tenant) -> None:
        """As `provision` with an RSA key, without a process of its own."""
        order = Order(tenant.id, tenant.code, "测试企业", "rsa-sha1", self._quick_authority, active=True)
        provision(self.database, self.pool, order, app.now)

    @cached_property
    def pool(self) -> Pool:
        """The test's own token process on the same token."""
        return Pool([settings.read(self.devices_file)[0].with_workers(1)])

    def start(self, name: str, **variables: str) -> subprocess.Popen[bytes]:
        """`serve`, `consume` (with `pool`) or `relay` as processes of their own, unless they run; waits until ready."""
        if name == "consume":
            self.start("pool", **variables)
        if not self.runs(name):
            self.launch(name, **variables)
        eventually(lambda: self.ready(name)[0] == 200, f"{name} ready", 30)
        return self._processes[name]

    def launch(self, name: str, **variables: str) -> subprocess.Popen[bytes]:
        """As `start`, without waiting."""
        self._ops[name] = free_address()
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.signer", name],
                env=self._environment(name) | variables,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        self._processes[name] = process
        return process

    def _environment(self, name: str) -> dict[str, str]:
        tls = Path(self.servers["tls_dir"], f"signer.{name}")
        return self.environment | {
            "OPS_LISTEN": self._ops[name],
            "GRPC_LISTEN": self.environment["SIGNER_POOL_GRPC"],
            "TLS_CA_FILE": str(tls.with_name("ca.pem")),
            "TLS_CERT_FILE": f"{tls}.pem",
            "TLS_KEY_FILE": f"{tls}.key",
        }

    def ready(self, name: str) -> tuple[int, dict[str, str]]:
        """Status and failures that /readyz answers; (0, {}) while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://{self._ops[name]}/readyz", timeout=5) as answer:
                return int(answer.status), json.loads(answer.read())["failures"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())["failures"]
        except OSError:
            return 0, {}

    def token_processes(self, module: str = "pkcs11_worker") -> list[int]:
        """Process ids of the pool's token workers that have logged in.

        Never kill one before: SoftHSM loses its token if a login is cut off."""
        parent = self._processes["pool"].pid
        children = Path(f"/proc/{parent}/task").glob("*/children")
        pids = [int(word) for file in children for word in file.read_text().split()]
        log = self.log("pool")
        return [pid for pid in pids if module in _command_line(pid) and f'"child": {pid},' in log]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def crash(self, point: str) -> None:
        """The next process that reaches the point dies there."""
        self.crash_file.write_text(point)

    def died(self, name: str) -> None:
        eventually(lambda: self._processes[name].poll() == 137, f"{name} dies at its crash point", 30)

    def stop(self, name: str) -> None:
        """As the supervisor does."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    def runs(self, name: str) -> bool:
        """It was started and has not ended."""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def pid(self, name: str) -> int:
        """The process id of one that was started."""
        return self._processes[name].pid

    def address(self, name: str) -> str:
        """host:port of its operations: readiness and figures."""
        return self._ops[name]

    def kill(self, name: str) -> None:
        """As the power does."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()
        self.crash_file.unlink(missing_ok=True)

    def close(self) -> None:
        self.stop_all()
        self.pool.close()
        self.database.close()

    # -- the bus --------------------------------------------------------------------------------------------

    def token_of(self, actor: Actor) -> str:
        return self._signer.token(actor)

    def submission(
        self, tenant: Tenant, xml: bytes | None = None, **changes: Any
    ) -> events_pb2.MessageSubmitted:
        """message.submitted as the order service sends it."""
        documents = changes.pop("documents", 1)
        values: dict[str, Any] = {
            "message_id": str(uuid.uuid4()),
            "kind": "order",
            "message_type": "CEB303Message",
            "enterprise_code": tenant.code,
            "dxp_id": tenant.dxp_id,
            "document_ids": [str(uuid.uuid4()) for _ in range(documents)],
            "xml": xml or message(tenant.code, tenant.dxp_id, documents),
        }
        return events_pb2.MessageSubmitted(**(values | changes))

    def publish(
        self,
        actor: Actor,
        *submissions: events_pb2.MessageSubmitted,
        tenant: str | None = None,
        ids: Sequence[str] = (),
        token: str | None = None,
        bus: Bus | None = None,
    ) -> list[str]:
        """Publish; answers the event ids. bus: an open connection, which stays open."""
        used = list(ids) or [str(uuid.uuid4()) for _ in submissions]
        headers = {"tenant": tenant or actor.tenant_id, "actor": token or self.token_of(actor)}
        with contextlib.nullcontext(bus) if bus else contextlib.closing(self.connect()) as connection:
            connection.publish_many(
                Message(
                    f"message.submitted.{one.kind}",
                    headers | {"id": number, "type": "MessageSubmitted"},
                    one.SerializeToString(),
                )
                for one, number in zip(submissions, used, strict=True)
            )
        return used

    def connect(self) -> Bus:
        """A connection to the bus, for who publishes often; to be closed."""
        return Bus(self.servers["bus_url"])

    def told(self) -> list[Told]:
        """Take what was told since the last look."""
        found = []
        for raw in self._drain(_CAPTURE):
            headers = raw.properties["application_headers"]
            body = _TYPES[headers["type"]].FromString(raw.body)
            found.append(Told(raw.delivery_info["routing_key"], headers["tenant"], body))
        return found

    def parked(self) -> list[bytes]:
        return [raw.body for raw in self._drain(PARKED)]

    def waiting(self, tenant: Tenant) -> int:
        """The tenant's messages that wait for a signature or are being signed."""
        return len(self.rows(tenant, "SELECT 1 FROM job"))

    # -- the database ---------------------------------------------------------------------------------------

    def rows(self, tenant: Tenant, sql: str, **parameters: Any) -> list[Any]:
        """As the app role, in one tenant."""
        with self.database.transaction(tenant.id) as connection:
            result = connection.execute(text(sql), parameters)
            return list(result.all()) if result.returns_rows else []

    @contextmanager
    def as_owner(self, tenant: Tenant) -> Iterator[Any]:
        """A transaction of the schema's owner, for what no service may do."""
        with (
            contextlib.closing(Database(self.urls["owner"], pool_size=1)) as database,
            database.transaction(tenant.id) as connection,
        ):
            yield connection

    def expire(self, tenant: Tenant, at: datetime) -> None:
        """Let the tenant's certificates end at that time."""
        self.rows(tenant, "UPDATE key SET not_after = :at", at=at)

    def forget_told(self) -> None:
        """Throw away the events that were told so far, as if somebody had read them."""
        with contextlib.suppress(*RECOVERABLE), self._connection() as connection:
            _CAPTURE(connection.channel()).purge()

    # -- inside ---------------------------------------------------------------------------------------------

    def _clear_queues(self) -> None:
        with self._connection() as connection:
            channel = connection.channel()
            for queue in (event_queue(events.QUEUE, events.BINDINGS), _CAPTURE, PARKED):
                bound = queue(channel)
                bound.declare()
                bound.purge()

    def _drain(self, queue: Queue) -> list[Any]:
        found = []
        with contextlib.suppress(*RECOVERABLE), self._connection() as connection:
            channel = connection.channel()
            channel.auto_decode = False
            queue(channel).declare()
            while (raw := channel.basic_get(queue.name, no_ack=True)) is not None:
                found.append(raw)
        return found

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        connection = Connection(self.servers["bus_url"], connect_timeout=5)
        try:
            connection.connect()
            yield connection
        finally:
            connection.release()


def _openssl_authority(folder: Path) -> str:
    """A command that certifies RSA keys as the simulator's authority does, but starts at once."""
    home = folder / "openssl-authority"
    home.mkdir()
    subject = ["-subj", "/CN=test authority", "-days", "30", "-keyout", "ca.key", "-out", "ca.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run(command, cwd=home, check=True, capture_output=True)
    (home / "extensions").write_text(
        "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
    )
    script = home / "issue.sh"
    script.write_text(
        f'#!/bin/sh\ncd "{home}" && exec openssl x509 -req -in "$2" -out "$4" -days 30 -CA ca.pem -CAkey ca.key '
        "-set_serial 0x$(openssl rand -hex 16) -extfile extensions\n"
    )
    script.chmod(0o700)
    return shlex.quote(str(script))


def free_address() -> str:
    """host:port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    except FileNotFoundError:
        return ""
