"""The order service wired up: the only place that makes engines, buses and servers. One function per process."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from documents.registry import REGISTRY
from filing import events
from filing.context import Filing
from filing.import_events import ImportHandler
from filing.rpc import DocumentsServicer
from filing.sheet_process import SheetReader
from filing.usecases.imports import Work
from proto.documents.v1 import documents_pb2_grpc
from runtime import config as settings
from runtime import grpc_server, migrate, process
from runtime.actor import ActorVerifier
from runtime.bus import Bus, BusConsumer, declare_parking, event_queue
from runtime.db import Database
from runtime.ops import Check
from services.order.config import Config

NAME = "order"
APP_ROLE, RELAY_ROLE = "order_app", "order_relay"
#: certificates that may call this service
CALLERS = ("gateway.http",)
TYPES = REGISTRY.owned_by(NAME)


def _filing(config: Config) -> Filing:
    return Filing(Database(config.database_url), TYPES, config.documents_per_message)


def serve(config: Config) -> None:
    """gRPC for the gateway."""
    filing = _filing(config)

    def main(stop: threading.Event) -> None:
        servicer = DocumentsServicer(filing, SheetReader())
        grpc_server.serve(
            config.grpc_listen,
            partial(documents_pb2_grpc.add_DocumentsServicer_to_server, servicer),
            settings.tls(),
            ActorVerifier(config.actor_public_key),
            CALLERS,
            stop,
        )

    process.run(
        f"{NAME}.serve", config.ops_listen, config.log_level, main, {"database": filing.database.ping}
    )


def consume(config: Config) -> None:
    """Signed, sent, refused, answered: what happens to filed orders."""
    filing = _filing(config)

    def main(stop: threading.Event) -> None:
        declare_parking(config.bus_url)
        handler = events.Handler(filing, ActorVerifier(config.actor_public_key), "order.consume")
        queue = event_queue("order.events", events.routing_keys(TYPES))
        BusConsumer(config.bus_url, queue, handler, stop, prefetch=200, batch=100).run()

    process.run(f"{NAME}.consume", config.ops_listen, config.log_level, main, _checks(filing, config))


def imports(config: Config) -> None:
    """Reads uploaded workbooks, one after the other, each in a child process."""
    filing = _filing(config)

    def main(stop: threading.Event) -> None:
        declare_parking(config.bus_url)
        handler = ImportHandler(Work(filing, SheetReader()), ActorVerifier(config.actor_public_key))
        queue = event_queue("order.imports", [f"import.requested.{doctype.kind}" for doctype in TYPES.types])
        BusConsumer(config.bus_url, queue, handler, stop, prefetch=1, batch=1).run()

    process.run(f"{NAME}.imports", config.ops_listen, config.log_level, main, _checks(filing, config))


def migrate_schema(owner_url: str) -> None:
    """Bring the schema to the newest version, as its owner."""
    migrate.upgrade(owner_url, Path(__file__).parent / "migrations", APP_ROLE, RELAY_ROLE)


def _checks(filing: Filing, config: Config) -> dict[str, Check]:
    def bus() -> None:
        probe = Bus(config.bus_url)
        try:
            probe.ping()
        finally:
            probe.close()

    return {"database": filing.database.ping, "bus": bus}
