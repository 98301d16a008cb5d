"""A service that owns documents, wired up: one function per process. Order and list differ in name and kinds only.

The only place where engines, buses and servers of such a service are made.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from documents.registry import REGISTRY, Registry
from filing import events, export_events, import_events
from filing.context import Filing
from filing.export_events import ExportHandler
from filing.exports_rpc import ExportsServicer
from filing.import_events import ImportHandler
from filing.rpc import DocumentsServicer
from filing.sheet_process import SheetReader
from filing.stats_rpc import StatsServicer
from filing.tasks_rpc import TasksServicer
from filing.usecases.exports import Work as ExportWork
from filing.usecases.import_work import Work
from proto.documents.v1 import documents_pb2_grpc
from proto.exports.v1 import exports_pb2_grpc
from proto.stats.v1 import stats_pb2_grpc
from proto.tasks.v1 import tasks_pb2_grpc
from runtime import config as settings
from runtime import grpc_server, migrate, process, relay
from runtime.actor import ActorVerifier
from runtime.bus import Bus, BusConsumer, event_queue
from runtime.db import Database
from runtime.ops import Check

#: certificates that may call such a service
CALLERS = ("gateway.http",)
# generated code has no types
_ADD_DOCUMENTS: Any = documents_pb2_grpc.add_DocumentsServicer_to_server
_ADD_EXPORTS: Any = exports_pb2_grpc.add_ExportsServicer_to_server
_ADD_STATS: Any = stats_pb2_grpc.add_StatsServicer_to_server
_ADD_TASKS: Any = tasks_pb2_grpc.add_TasksServicer_to_server


@dataclass(frozen=True, slots=True)
class Config:
    """database_url: application role. documents_per_message: 1..100, how many documents ride in one message."""

    database_url: str
    bus_url: str
    ops_listen: str
    grpc_listen: str
    actor_public_key: Path
    documents_per_message: int
    log_level: str


def load() -> Config:
    """From the environment; raises ConfigError that names what is missing."""
    return Config(
        database_url=settings.text("DATABASE_URL"),
        bus_url=settings.text("BUS_URL"),
        ops_listen=settings.text("OPS_LISTEN"),
        grpc_listen=os.environ.get("GRPC_LISTEN", ""),
        actor_public_key=settings.path("ACTOR_PUBLIC_KEY_FILE"),
        documents_per_message=settings.number("DOCUMENTS_PER_MESSAGE", 100, 1, 100),
        log_level=settings.text("LOG_LEVEL", "INFO"),
    )


class Service:
    """The processes of one service. name: as in topology and declarations; migrations: its Alembic folder."""

    def __init__(self, name: str, migrations: Path) -> None:
        self.name = name
        self._migrations = migrations
        self.types: Registry = REGISTRY.owned_by(name)

    def main(self, arguments: list[str], usage: str) -> int:
        """One verb: serve, consume, imports, relay, migrate or check-config."""
        verbs = {"serve": self.serve, "consume": self.consume, "imports": self.imports}
        verb = arguments[0] if len(arguments) == 1 else ""
        try:
            if verb == "migrate":
                url = settings.text("OWNER_DATABASE_URL")
                migrate.upgrade(url, self._migrations, f"{self.name}_app", f"{self.name}_relay")
            elif verb == "relay":
                relay.main(f"{self.name}.relay")
            elif verb == "check-config":
                load()
            elif verb in verbs:
                verbs[verb](load())
            else:
                sys.stderr.write(f"{usage}\n")
                return 2
        except settings.ConfigError as exc:
            sys.stderr.write(f"services.{self.name}: {exc}\n")
            return 2
        return 0

    def _filing(self, config: Config) -> Filing:
        return Filing(Database(config.database_url), self.types, config.documents_per_message)

    def serve(self, config: Config) -> None:
        """gRPC for the gateway."""
        filing = self._filing(config)

        def main(stop: threading.Event) -> None:
            grpc_server.serve(
                config.grpc_listen,
                partial(_register, filing),
                settings.tls().server(),
                grpc_server.Actors(ActorVerifier(config.actor_public_key), *CALLERS),
                stop,
            )

        checks = {"database": filing.database.ping}
        process.run(f"{self.name}.serve", config.ops_listen, config.log_level, main, checks)

    def consume(self, config: Config) -> None:
        """Signed, sent, refused, answered, issued: what happens to documents."""
        filing = self._filing(config)
        name = f"{self.name}.consume"

        def main(stop: threading.Event) -> None:
            handler = events.Handler(filing, ActorVerifier(config.actor_public_key), name)
            queue = event_queue(f"{self.name}.events", events.routing_keys(self.types))
            BusConsumer(config.bus_url, queue, handler, stop, prefetch=200, batch=100).run()

        process.run(name, config.ops_listen, config.log_level, main, _checks(filing, config))

    def imports(self, config: Config) -> None:
        """Reads uploaded workbooks, one after the other, each in a child process; beside it exports, one by one."""
        filing = self._filing(config)

        def main(stop: threading.Event) -> None:
            exports = ExportHandler(ExportWork(filing), ActorVerifier(config.actor_public_key))
            wanted = event_queue(f"{self.name}.exports", export_events.routing_keys(self.types))
            beside = BusConsumer(config.bus_url, wanted, exports, stop, prefetch=1, batch=1)
            thread = threading.Thread(target=_run_beside, args=(beside, stop), name="exports")
            thread.start()
            handler = ImportHandler(Work(filing, SheetReader()), ActorVerifier(config.actor_public_key))
            queue = event_queue(f"{self.name}.imports", import_events.routing_keys(self.types))
            BusConsumer(config.bus_url, queue, handler, stop, prefetch=1, batch=1).run()
            thread.join()

        process.run(
            f"{self.name}.imports", config.ops_listen, config.log_level, main, _checks(filing, config)
        )


def _register(filing: Filing, server: grpc.Server) -> None:
    _ADD_DOCUMENTS(DocumentsServicer(filing, SheetReader()), server)
    _ADD_EXPORTS(ExportsServicer(filing), server)
    _ADD_STATS(StatsServicer(filing), server)
    _ADD_TASKS(TasksServicer(filing, SheetReader()), server)


def _run_beside(consumer: BusConsumer, stop: threading.Event) -> None:
    try:
        consumer.run()
    finally:
        # it only returns when told to; if it broke, the process ends and is started anew
        stop.set()


def _checks(filing: Filing, config: Config) -> dict[str, Check]:
    def bus() -> None:
        probe = Bus(config.bus_url)
        try:
            probe.ping()
        finally:
            probe.close()

    return {"database": filing.database.ping, "bus": bus}
