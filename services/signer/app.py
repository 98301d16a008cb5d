"""The only place where the signer's parts are put together. Nothing is opened at import."""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proto.signer.v1 import cards_pb2_grpc, devices_pb2_grpc, signer_pb2_grpc
from runtime import bus, grpc_server, migrate, process
from runtime.actor import UNASSIGNED_TENANT, ActorVerifier
from runtime.db import Database
from runtime.grpc_client import Client
from runtime.ops import Check
from runtime.outbox import Relay
from services.signer import domain, events, usecases
from services.signer.canary import Canary
from services.signer.cards_rpc import CardsServicer
from services.signer.config import Config
from services.signer.devices import Devices, PoolClient, RemoteDevice
from services.signer.dispatch import Dispatcher
from services.signer.domain import Key
from services.signer.intake import Intake
from services.signer.measure import measure
from services.signer.pool_rpc import DevicesServicer
from services.signer.provision import Order, ProvisionError, device_of, provision
from services.signer.room import Room
from services.signer.rpc import SignerServicer
from services.signer.signing import Signing
from services.signer.store import rates
from services.signer.tokens.pool import Pool

#: common names of certificates that may call signer.serve (topology.toml, called_by)
CALLERS = ("gateway.http",)
#: and signer.pool
POOL_CALLERS = ("signer.consume", "signer.serve")
#: and signer.cards
CARDS_CALLERS = ("gateway.agents",)
#: edge agents that one process of signer.cards serves; each has a thread
CONNECTIONS = 400
#: after which a thread of signer.consume lets another one go on; Python's own 0.005 at each of some thirty steps is more
#: than the signature itself
SWITCH_SECONDS = 0.0005
#: what signer.pool is called when it does not answer
_POOL_NAMES = ("签名设备", "The signing devices")
MIGRATIONS = Path(__file__).with_name("migrations")


def now() -> datetime:
    """The clock of this service."""
    return datetime.now(UTC)


def serve(config: Config) -> None:
    """Answer gRPC calls until stopped."""
    assert config.tls is not None
    assert config.actor_public_key is not None
    tls, verifier = config.tls, ActorVerifier(config.actor_public_key)
    database = Database(config.database_url)
    pool = PoolClient(Client(config.pool_grpc, config.tls, *_POOL_NAMES))
    servicer = SignerServicer(database, verifier, pool, now)
    register: Any = signer_pb2_grpc.add_SignerServicer_to_server

    def main(stop: threading.Event) -> None:
        grpc_server.serve(
            config.grpc_listen,
            lambda server: register(servicer, server),
            tls.server(),
            grpc_server.Actors(verifier, *CALLERS),
            stop,
        )

    process.run("signer.serve", config.ops_listen, config.log_level, main, {"database": database.ping})


def pool(config: Config) -> None:
    """Hold the tokens and sign what signer.consume decided, until stopped."""
    assert config.tls is not None
    assert config.actor_public_key is not None
    tls, verifier = config.tls, ActorVerifier(config.actor_public_key)
    # every device is in the answer from the start: not ready until each was seen to work
    parts: dict[str, Check] = dict.fromkeys((device.name for device in config.devices), _starting)
    failing: dict[str, str] = {}

    def note(tenant_id: str, key_id: str, works: bool, reason: str) -> None:
        name = domain.token_key(tenant_id, key_id)
        if works:
            failing.pop(name, None)
        else:
            failing[name] = reason

    def main(stop: threading.Event) -> None:
        with closing(Pool(config.devices)) as devices:
            canary = Canary(devices, note, config.canary_seconds)
            parts.update({name: partial(canary.check, name) for name in devices.devices})
            canary.start(stop)
            servicer = DevicesServicer(devices, verifier, failing)
            register: Any = devices_pb2_grpc.add_DevicesServicer_to_server
            # the servicer checks the actors that stand in each group of a request
            grpc_server.serve(
                config.grpc_listen,
                lambda server: register(servicer, server),
                tls.server(),
                grpc_server.Callers(*POOL_CALLERS),
                stop,
            )

    process.run("signer.pool", config.ops_listen, config.log_level, main, parts)


def consume(config: Config) -> None:
    """Take in what is submitted and have it signed, until stopped."""
    assert config.tls is not None
    assert config.actor_public_key is not None
    verifier = ActorVerifier(config.actor_public_key)
    database = Database(config.database_url, pool_size=12)
    making = Signing(database, verifier, now, config.sm2_encoding)
    client = PoolClient(Client(config.pool_grpc, config.tls, *_POOL_NAMES))
    room = Room()
    parts: dict[str, Check] = {"bus": _starting, "devices": _starting, "database": database.ping}

    def record(key: str, works: bool, reason: str) -> None:
        tenant_id, _, key_id = key.partition("/")
        usecases.record_probe(database, now(), tenant_id, key_id, works, reason)

    def main(stop: threading.Event) -> None:
        # a hand that works off a backlog is busy all the time: who has little to do must not wait for it at every step
        sys.setswitchinterval(SWITCH_SECONDS)
        threads: list[threading.Thread] = []

        def appeared(device: RemoteDevice) -> None:
            parts[device.name] = device.check
            threads.extend(Dispatcher(making, device, room, config.weights).start(stop))

        devices = Devices(client, record, appeared)
        parts["devices"] = devices.check
        threads.append(devices.start(stop))
        consumer = bus.BusConsumer(
            config.bus_url,
            bus.event_queue(events.QUEUE, events.BINDINGS),
            events.handler(Intake(database, now, devices.names), verifier, room),
            stop,
            # half a batch more is on its way while one is being worked on: messages are large
            prefetch=config.batch + config.batch // 2,
            batch=config.batch,
            arrived=room.expect,
        )
        parts["bus"] = partial(_connected, consumer.connected)
        consumer.run()
        for thread in threads:
            # a round that is under way is written down before the end
            thread.join()

    process.run("signer.consume", config.ops_listen, config.log_level, main, parts)


def _starting() -> None:
    raise RuntimeError("starting")


def _connected(connected: threading.Event) -> None:
    if not connected.is_set():
        raise RuntimeError("not connected")


def cards(config: Config) -> None:
    """Hold the connections of edge agents and have their cards sign, until stopped."""
    assert config.tls is not None
    assert config.actor_public_key is not None
    tls, verifier = config.tls, ActorVerifier(config.actor_public_key)
    database = Database(config.database_url, pool_size=12)
    servicer = CardsServicer(Signing(database, verifier, now, config.sm2_encoding), config.heartbeat_seconds)
    register: Any = cards_pb2_grpc.add_CardsServicer_to_server

    def main(stop: threading.Event) -> None:
        servicer.start(stop)
        grpc_server.serve(
            config.grpc_listen,
            lambda server: register(servicer, server),
            tls.server(),
            grpc_server.Actors(verifier, *CARDS_CALLERS),
            stop,
            threads=CONNECTIONS,
        )

    process.run("signer.cards", config.ops_listen, config.log_level, main, {"database": database.ping})


def relay(config: Config) -> None:
    """Move the outbox to the bus until stopped."""
    database = Database(config.relay_database_url, pool_size=2)

    def main(stop: threading.Event) -> None:
        connection = bus.Bus(config.bus_url)
        Relay(database, connection, stop).run()
        connection.close()

    def bus_answers() -> None:
        # a connection of its own: the relay's is not for two threads
        with closing(bus.Bus(config.bus_url)) as connection:
            connection.ping()

    checks = {"database": database.ping, "bus": bus_answers}
    process.run("signer.relay", config.ops_listen, config.log_level, main, checks)


def upgrade(config: Config) -> None:
    """Bring the schema up to date. The roles are named after the owner: x_owner, x_app, x_relay."""
    owner = urlsplit(config.owner_database_url).username or "signer_owner"
    service = owner.removesuffix("_owner")
    migrate.upgrade(config.owner_database_url, MIGRATIONS, f"{service}_app", f"{service}_relay")


def give_key(config: Config, order: Order) -> Key | None:
    """Provision; see provision.py. Only the device that makes such keys is started."""
    pool = Pool([device_of(config.devices, order.algorithm)])
    with closing(pool), closing(Database(config.database_url, pool_size=1)) as database:
        return provision(database, pool, order, now)


def verify(config: Config, tenant_id: str) -> usecases.Verdict:
    """Verify a tenant's ledger."""
    with closing(Database(config.database_url, pool_size=1)) as database:
        return usecases.verify_ledger(database, tenant_id)


def measure_device(config: Config, name: str, seconds: float) -> rates.Rate:
    """Let a device sign for so long, and keep how quick it was. Raises ProvisionError for one that cannot."""
    chosen = next((device for device in config.devices if device.name == name), None)
    if chosen is None:
        known = ", ".join(device.name for device in config.devices)
        raise ProvisionError(f"没有设备 {name}，已配置：{known} / no such device; there are: {known}")
    with closing(Pool([chosen])) as pool, closing(Database(config.database_url, pool_size=1)) as database:
        rate = measure(pool.devices[name], seconds, now())
        with database.transaction(UNASSIGNED_TENANT) as connection:
            rates.keep(connection, UNASSIGNED_TENANT, rate)
    return rate
