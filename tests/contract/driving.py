"""The order service's processes in threads, for made-up kinds; and a bystander on the bus, in the place of others."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from kombu import Connection, Queue
from lxml import etree

from documents import xsd
from filing import events
from filing.import_events import ImportHandler
from filing.sheet_process import SheetReader
from filing.usecases.import_work import Work
from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Bus, BusConsumer, Message, event_queue
from runtime.db import Database
from runtime.outbox import Relay
from tests.contract.made_up import REGISTRY
from tests.support.eventually import eventually
from tests.support.filing import Office

#: where the import's child process finds the made-up kinds
TYPES = "tests.contract.made_up:ALL"


class Service:
    """What the order service's processes do, in threads, for the made-up kinds."""

    def __init__(self, servers: Mapping[str, Any], base: Office) -> None:
        self.url = servers["bus_url"]
        self._stop = threading.Event()
        # the relay's role, in the test's own database
        known = urlsplit(servers["databases"]["order"]["relay"])
        relay_url = urlunsplit(known._replace(path=urlsplit(base.filing.database.url).path))
        self._relay_database = Database(relay_url, pool_size=1)
        verifier = ActorVerifier(Path(servers["actor_public_key_file"]))
        handler = events.Handler(base.filing, verifier, "test.consume")
        worker = ImportHandler(Work(base.filing, SheetReader(TYPES)), verifier)
        asked = [f"import.requested.{doctype.kind}" for doctype in REGISTRY.types]
        self._consumers = [
            BusConsumer(
                self.url,
                event_queue("test.made-up.events", events.routing_keys(REGISTRY)),
                handler,
                self._stop,
            ),
            BusConsumer(
                self.url, event_queue("test.made-up.imports", asked), worker, self._stop, prefetch=1, batch=1
            ),
        ]
        self._bus = Bus(self.url)
        relay = Relay(self._relay_database, self._bus, self._stop)
        runs: list[Callable[[], None]] = [*(each.run for each in self._consumers), relay.run]
        self._threads = [threading.Thread(target=run, daemon=True) for run in runs]
        for thread in self._threads:
            thread.start()
        eventually(lambda: all(each.connected.is_set() for each in self._consumers), "consumers connected")

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)
        assert not any(thread.is_alive() for thread in self._threads)
        self._bus.close()
        self._relay_database.close()


def _judge(payload: Any) -> None:
    """What is told to the signer is what the definitions say, those of the made-up kinds."""
    if isinstance(payload, events_pb2.MessageSubmitted):
        xsd.schema(payload.message_type, REGISTRY).assertValid(etree.fromstring(payload.xml))


@dataclass
class Bystander:
    """The test on the bus: hears what the service tells, answers as signer, gateway and customs would."""

    url: str
    queue: Queue

    def heard(self, kind: str, payload: type[Any]) -> list[Any]:
        found = []
        with Connection(self.url) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            while (raw := channel.basic_get(self.queue.name, no_ack=True)) is not None:
                if raw.properties["application_headers"]["type"] == kind:
                    found.append(payload.FromString(raw.body))
                    _judge(found[-1])
        return found

    def tell(self, desk: Office, key: str, event: Any, *, times: int = 1) -> None:
        """Publish; with times > 1 the same event again, as a broker may."""
        headers = {"id": str(uuid.uuid4()), "tenant": desk.actor.tenant_id, "actor": desk.token,
                   "type": type(event).__name__}  # fmt: skip
        with closing(Bus(self.url)) as bus:
            bus.publish_many([Message(key, headers, event.SerializeToString())] * times)
