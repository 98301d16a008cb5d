"""The gateway's customs side as a test drives it: real processes, real servers, the test in the place of customs.

Everything is reached from outside: the bus, the customs broker, the spool folder, the database as the app role.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp
import psycopg
from kombu import Connection, Queue, binding
from sqlalchemy import text

from proto.events.v1 import events_pb2
from runtime import migrate
from runtime.actor import Actor, ActorSigner
from runtime.bus import (
    EXCHANGE,
    PARKED,
    RECOVERABLE,
    Bus,
    Message,
    event_queue,
    quorum_queue,
)
from runtime.db import Database
from runtime.outbox import Relay
from services.gateway.customs import envelope
from services.gateway.customs.transmit import lane_queue
from tests.support.eventually import eventually
from tests.support.stack import new_database
from tools.paths import ROOT

CUSTOMS_IN, CUSTOMS_OUT = quorum_queue("customs.in"), quorum_queue("customs.out")
_CAPTURE = Queue(
    "test.customs.events",
    bindings=[
        binding(EXCHANGE, routing_key=key) for key in ("message.sent.#", "message.refused.#", "receipt.#")
    ],
    durable=True,
    queue_arguments={"x-queue-type": "quorum"},
)


@dataclass(frozen=True)
class Tenant:
    id: str
    code: str
    dxp_id: str


@dataclass(frozen=True)
class Told:
    """One event on the bus."""

    key: str
    tenant: str
    body: Any


class CustomsSide:
    """One database, one spool folder, the processes, and what the test sends and sees."""

    def __init__(self, servers: Mapping[str, Any], folder: Path) -> None:
        self.servers = servers
        self.folder = folder
        self.spool = folder / "spool"
        for name in ("to-customs", "from-customs"):
            (self.spool / name).mkdir(parents=True)
        urls = new_database(servers, "gateway")
        self._name = urls["name"]
        migrate.upgrade(urls["owner"], ROOT / "services/gateway/migrations", "gateway_app", "gateway_relay")
        self.database = Database(urls["app"], pool_size=2)
        self._relay_database = Database(urls["relay"], pool_size=1)
        self._signer = ActorSigner(Path(servers["actor_private_key_file"]))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self.crash_file = folder / "crash-point"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": urls["app"],
            "BUS_URL": servers["bus_url"],
            "CUSTOMS_AMQP_URL": servers["customs_amqp_url"],
            "SPOOL_DIR": str(self.spool),
            "ACTOR_PUBLIC_KEY_FILE": servers["actor_public_key_file"],
            "ACTOR_PRIVATE_KEY_FILE": servers["actor_private_key_file"],
            "CRASH_POINTS_FILE": str(self.crash_file),
        }
        self._clear_queues()
        self._relay = threading.Thread(target=self._run_relay, daemon=True)
        self._relay.start()

    # -- set-up ---------------------------------------------------------------------------------------------

    def tenant(self, channel: str, dxp_id: str | None = None) -> Tenant:
        """A tenant with one enterprise."""
        number = uuid.uuid4()
        made = Tenant(
            str(number), f"91{number.int % 10**16:016d}", dxp_id or f"DXPENT{number.int % 10**10:010d}"
        )
        with self.database.transaction(made.id) as connection:
            connection.execute(
                text("INSERT INTO tenants (tenant_id, name, kind) VALUES (:id, '测试企业', 'enterprise')"),
                {"id": made.id},
            )
        self.enterprise(made, channel)
        return made

    def enterprise(self, tenant: Tenant, channel: str) -> None:
        """Put the tenant's enterprise on record."""
        with self.database.transaction(tenant.id) as connection:
            connection.execute(
                text(
                    "INSERT INTO enterprises (tenant_id, id, code, customs_code, name, short_code, dxp_id, channel) "
                    "VALUES (:tenant, :id, :code, '4400000000', '测试企业', 'CS', :dxp, :channel)"
                ),
                {
                    "tenant": tenant.id,
                    "id": str(uuid.uuid4()),
                    "code": tenant.code,
                    "dxp": tenant.dxp_id,
                    "channel": channel,
                },
            )

    # -- processes ------------------------------------------------------------------------------------------

    def start(self, name: str, *, wait: bool = True) -> subprocess.Popen[bytes]:
        """`transmit` or `receipts` as a process of its own; waits until it says it is ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = (self.folder / f"{name}.log").open("ab")
        program = f"from services.gateway.customs.{name} import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=self.environment | {"OPS_LISTEN": f"127.0.0.1:{port}"},
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        log.close()
        self._processes[name] = process
        self.ops = f"http://127.0.0.1:{port}"
        if wait:
            eventually(lambda: self.ready() == 200, f"{name} ready", 20)
        return process

    def ready(self) -> int:
        """What /readyz of the process started last answers; 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"{self.ops}/readyz", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def crash(self, point: str) -> None:
        """The next process that reaches the point dies there."""
        self.crash_file.write_text(point)

    def died(self, name: str) -> None:
        """Wait for the crash."""
        eventually(lambda: self._processes[name].poll() == 137, f"{name} dies at its crash point", 20)

    def stop(self, name: str) -> None:
        """As the supervisor does."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._stop.set()
        self._relay.join(10)
        self.database.close()
        self._relay_database.close()

    # -- the bus --------------------------------------------------------------------------------------------

    def message(self, tenant: Tenant, xml: bytes = b"<signed/>", **changes: Any) -> events_pb2.MessageReady:
        values: dict[str, Any] = {
            "message_id": str(uuid.uuid4()),
            "kind": "order",
            "message_type": "CEB303Message",
            "enterprise_code": tenant.code,
            "dxp_id": tenant.dxp_id,
            "documents": 1,
            "xml": xml,
        }
        return events_pb2.MessageReady(**(values | changes))

    def publish(
        self, tenant: Tenant, *messages: events_pb2.MessageReady, acting: Tenant | None = None
    ) -> None:
        """message.ready as the signer's relay would send it."""
        actor = Actor(
            (acting or tenant).id, tenant.code, str(uuid.uuid4()), "张三", permissions=("document.declare",)
        )
        token = self._signer.token(actor)
        with self._bus(self.servers["bus_url"]) as bus:
            bus.publish_many(
                Message(
                    f"message.ready.{one.kind}",
                    {"id": str(uuid.uuid4()), "tenant": tenant.id, "actor": token, "type": "MessageReady"},
                    one.SerializeToString(),
                )
                for one in messages
            )

    def told(self) -> list[Told]:
        """Take what was told since the last look."""
        types: dict[str, Any] = {
            "message.sent": events_pb2.MessageSent,
            "message.refused": events_pb2.MessageRefused,
            "receipt.arrived": events_pb2.ReceiptArrived,
        }
        found = []
        for raw in self._drain(self.servers["bus_url"], _CAPTURE):
            key = raw.delivery_info["routing_key"]
            body = types[".".join(key.split(".")[:2])].FromString(raw.body)
            found.append(Told(key, raw.properties["application_headers"]["tenant"], body))
        return found

    def parked(self) -> list[bytes]:
        return [raw.body for raw in self._drain(self.servers["bus_url"], PARKED)]

    # -- the customs broker ---------------------------------------------------------------------------------

    def at_customs(self) -> list[Any]:
        """Take what arrived in the customs queue: messages with .body and .properties."""
        return self._drain(self.servers["customs_amqp_url"], CUSTOMS_IN)

    def from_customs(self, *bodies: bytes, **properties: Any) -> None:
        """What customs puts into its outgoing queue."""
        with self._connection(self.servers["customs_amqp_url"]) as connection:
            channel = connection.channel()
            CUSTOMS_OUT(channel).declare()
            for body in bodies:
                message = amqp.Message(body, delivery_mode=2, **properties)
                channel.basic_publish(message, routing_key=CUSTOMS_OUT.name)
            # an answer to a later request: the broker has seen the messages before it
            CUSTOMS_OUT(channel).queue_declare(passive=True)

    def unacknowledged(self) -> int:
        """How many wait in customs.out when nobody is subscribed."""
        with self._connection(self.servers["customs_amqp_url"]) as connection:
            return int(CUSTOMS_OUT(connection.channel()).queue_declare(passive=True).message_count)

    def delete_customs_queue(self) -> None:
        with self._connection(self.servers["customs_amqp_url"]) as connection:
            CUSTOMS_IN(connection.channel()).delete()

    # -- the database ---------------------------------------------------------------------------------------

    def rows(self, tenant_id: str, sql: str) -> list[Any]:
        """As the app role, in one tenant."""
        with self.database.transaction(tenant_id) as connection:
            return list(connection.execute(text(sql)).all())

    def cut_database_connections(self) -> None:
        """As after a failover: every session of this test's database ends."""
        with psycopg.connect(self.servers["postgres_url"], autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self._name,)
            )

    # -- inside ---------------------------------------------------------------------------------------------

    def _run_relay(self) -> None:
        bus = Bus(self.servers["bus_url"])
        Relay(self._relay_database, bus, self._stop).run()
        bus.close()

    def _clear_queues(self) -> None:
        for url, queues in (
            (self.servers["bus_url"], (event_queue("gateway.ready", ["message.ready.#"]), _CAPTURE, PARKED)),
            (self.servers["bus_url"], (lane_queue("amqp"), lane_queue("spool"))),
            (self.servers["customs_amqp_url"], (CUSTOMS_IN, CUSTOMS_OUT)),
        ):
            with self._connection(url) as connection:
                channel = connection.channel()
                for queue in queues:
                    bound = queue(channel)
                    bound.declare()
                    bound.purge()

    def _drain(self, url: str, queue: Queue) -> list[Any]:
        found = []
        with contextlib.suppress(*RECOVERABLE), self._connection(url) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            queue(channel).declare()
            while (raw := channel.basic_get(queue.name, no_ack=True)) is not None:
                found.append(raw)
        return found

    @contextmanager
    def _connection(self, url: str) -> Iterator[Any]:
        connection = Connection(url, connect_timeout=5)
        try:
            connection.connect()
            yield connection
        finally:
            connection.release()

    @contextmanager
    def _bus(self, url: str) -> Iterator[Bus]:
        bus = Bus(url)
        try:
            yield bus
        finally:
            bus.close()


def collect(take: Callable[[], list[Any]], count: int, what: str, timeout: float = 20) -> list[Any]:
    """Gather until there are `count`."""
    found: list[Any] = []

    def enough() -> bool:
        found.extend(take())
        return len(found) >= count

    eventually(enough, what, timeout)
    return found


def opened(raw: bytes) -> envelope.DxpMsg:
    message = envelope.read(raw)
    assert isinstance(message, envelope.DxpMsg)
    return message


def wrapped(
    receiver: str, business: str | bytes, message_type: str = "CEB304Message", number: str = "r-1"
) -> bytes:
    """An envelope as customs sends it: written by hand, with the platform's namespace as default."""
    data = business.encode() if isinstance(business, str) else business
    return (
        f'<DxpMsg xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0"><TransInfo><CopMsgId>{number}</CopMsgId>'
        f"<SenderId>DXPEDCCEB0000003</SenderId><ReceiverIds><ReceiverId>{receiver}</ReceiverId></ReceiverIds>"
        f"<CreatTime>2026-01-02T03:04:05</CreatTime><MsgType>{message_type}</MsgType></TransInfo>"
        f"<Data>{base64.b64encode(data).decode()}</Data></DxpMsg>"
    ).encode()


def answer(receiver: str, original: str, code: str, words: str) -> bytes:
    """A DxpRep about one message of `receiver`."""
    return (
        '<dxp:DxpRep xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<dxp:RecevierId>{receiver}</dxp:RecevierId><dxp:Response><dxp:ResponseCode>{code}</dxp:ResponseCode>"
        f"<dxp:ResponseInfo>{words}</dxp:ResponseInfo><dxp:NoticeTime>2026-01-02</dxp:NoticeTime><dxp:OriHead>"
        f"<dxp:CopMsgId>{original}</dxp:CopMsgId><dxp:SenderId>{receiver}</dxp:SenderId><dxp:ReceiverIds>"
        "<dxp:ReceiverId>DXPEDCCEB0000003</dxp:ReceiverId></dxp:ReceiverIds>"
        "<dxp:CreatTime>2026-01-02T03:04:05</dxp:CreatTime><dxp:MsgType>CEB303Message</dxp:MsgType></dxp:OriHead>"
        "</dxp:Response></dxp:DxpRep>"
    ).encode()


def order_receipt(*orders: tuple[str, str], prefix: str = "") -> str:
    """A CEB304 with one node per (order number, status); with or without a namespace prefix."""
    dot = f"{prefix}:" if prefix else ""
    declared = f"xmlns:{prefix}" if prefix else "xmlns"
    nodes = "".join(
        f"<{dot}OrderReturn><{dot}guid>{uuid.uuid5(uuid.NAMESPACE_OID, number)}</{dot}guid>"
        f"<{dot}ebpCode>4400000001</{dot}ebpCode><{dot}ebcCode>4400000002</{dot}ebcCode>"
        f"<{dot}orderNo>{number}</{dot}orderNo><{dot}returnStatus>{status}</{dot}returnStatus>"
        f"<{dot}returnTime>20260102030405678</{dot}returnTime><{dot}returnInfo>[{status}]收到</{dot}returnInfo>"
        f"<{dot}later>新元素</{dot}later></{dot}OrderReturn>"
        for number, status in orders
    )
    return (
        f'<{dot}CEB304Message {declared}="http://www.chinaport.gov.cn/ceb" guid="{uuid.uuid4()}" version="1.0">'
        f"{nodes}</{dot}CEB304Message>"
    )
