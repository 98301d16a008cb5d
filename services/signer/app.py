"""The only place where the signer's parts are put together. Nothing is opened at import."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proto.signer.v1 import signer_pb2_grpc
from runtime import bus, grpc_server, migrate, process
from runtime.actor import ActorVerifier
from runtime.db import Database
from runtime.ops import Check
from runtime.outbox import Relay
from services.signer import events, usecases
from services.signer.canary import Canary
from services.signer.config import Config
from services.signer.domain import Key
from services.signer.provision import Order, device_of, provision
from services.signer.rpc import SignerServicer
from services.signer.signing import Signing
from services.signer.tokens.pool import Pool

#: common names of certificates that may call signer.serve (topology.toml, called_by)
CALLERS = ("gateway.http",)
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
    servicer = SignerServicer(database, now)
    register: Any = signer_pb2_grpc.add_SignerServicer_to_server

    def main(stop: threading.Event) -> None:
        grpc_server.serve(
            config.grpc_listen, lambda server: register(servicer, server), tls, verifier, CALLERS, stop
        )

    process.run("signer.serve", config.ops_listen, config.log_level, main, {"database": database.ping})


def consume(config: Config) -> None:
    """Sign what is submitted until stopped."""
    assert config.actor_public_key is not None
    verifier = ActorVerifier(config.actor_public_key)
    database = Database(config.database_url)
    # every part is in the answer from the start: not ready until each was seen to work
    parts: dict[str, Check] = dict.fromkeys(("bus", *(device.name for device in config.devices)), _starting)
    parts["database"] = database.ping

    def main(stop: threading.Event) -> None:
        bus.declare_parking(config.bus_url)
        with closing(Pool(config.devices)) as pool:
            signing = Signing(database, pool, now, config.sm2_encoding)
            canary = Canary(
                pool,
                lambda tenant, key, works, reason: usecases.record_probe(
                    database, now(), tenant, key, works, reason
                ),
                config.canary_seconds,
            )
            parts.update({name: partial(canary.check, name) for name in pool.devices})
            canary.start(stop)
            publisher = bus.Bus(config.bus_url)
            consumers = [
                _consumer(
                    config, events.QUEUE, events.BINDINGS, events.handler(signing, verifier, publisher), stop
                )
            ]
            consumers += [
                _consumer(
                    config, events.waiting_queue(name), (), events.waiting_handler(signing, verifier), stop
                )
                for name in pool.devices
            ]
            parts["bus"] = partial(_connected, [consumer.connected for consumer in consumers])
            threads = [threading.Thread(target=consumer.run, daemon=True) for consumer in consumers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            publisher.close()

    process.run("signer.consume", config.ops_listen, config.log_level, main, parts)


def _starting() -> None:
    raise RuntimeError("starting")


def _consumer(
    config: Config, name: str, bindings: tuple[str, ...], handle: events.Handle, stop: threading.Event
) -> bus.BusConsumer:
    return bus.BusConsumer(
        config.bus_url,
        bus.event_queue(name, bindings),
        handle,
        stop,
        # half a batch more is on its way while one is being worked on: messages are large
        prefetch=config.batch + config.batch // 2,
        batch=config.batch,
    )


def _connected(consumers: list[threading.Event]) -> None:
    if not all(connected.is_set() for connected in consumers):
        raise RuntimeError("not connected")


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


def give_key(config: Config, order: Order) -> Key:
    """Provision; see provision.py. Only the device that makes such keys is started."""
    pool = Pool([device_of(config.devices, order.algorithm)])
    with closing(pool), closing(Database(config.database_url, pool_size=1)) as database:
        return provision(database, pool, order, now)


def verify(config: Config, tenant_id: str) -> usecases.Verdict:
    """Verify a tenant's ledger."""
    with closing(Database(config.database_url, pool_size=1)) as database:
        return usecases.verify_ledger(database, tenant_id)
