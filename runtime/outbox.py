"""Events written in the same commit as the change they tell of, published afterwards by the relay.

A row is deleted only after the broker confirmed it, so nothing is lost; a crash in between publishes twice,
which the inbox of the consumer drops. Must never publish from inside a business transaction.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from runtime import crash, log
from runtime.bus import Bus, Message, PublishFailed
from runtime.db import Database
from runtime.errors import Problem
from runtime.wake import Listener

_LOG = log.get("outbox")
_CHANNEL = "outbox"
#: rows and bytes a relay takes at once: bounded, so that the bus never holds one tenant's whole backlog
BATCH_ROWS = 200
BATCH_BYTES = 8 * 1024 * 1024
#: seconds between looks when no notification came (a notification can be lost with its connection)
IDLE = 1.0

# arrays: a row of its own for each event costs several times as much
_INSERT = text(
    "INSERT INTO outbox (tenant_id, id, routing_key, type, mandatory, actor, body) "
    "SELECT CAST(:tenant AS uuid), u.id, u.key, u.type, u.mandatory, :actor, u.body FROM unnest("
    "CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:types AS text[]), CAST(:mandatory AS boolean[]), "
    "CAST(:bodies AS bytea[])) WITH ORDINALITY AS u(id, key, type, mandatory, body, place) ORDER BY u.place"
)
_NOTIFY = text(f"NOTIFY {_CHANNEL}")
_TAKE = text(
    "SELECT tenant_id, seq, id, routing_key, type, mandatory, actor, body FROM ("
    "  SELECT *, sum(octet_length(body)) OVER (ORDER BY seq) AS bytes FROM ("
    "    SELECT * FROM outbox ORDER BY seq LIMIT :rows FOR UPDATE SKIP LOCKED) AS taken) AS sized "
    "WHERE bytes - octet_length(body) < :bytes ORDER BY seq"
)
_DELETE = text("DELETE FROM outbox WHERE seq = ANY(:seqs)")


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: routing key, type name (for readers of logs) and a serialised protobuf message.

    mandatory=False: a hint for open pages, which nobody needs to be there for.
    """

    routing_key: str
    type: str
    body: bytes
    mandatory: bool = True


def add(connection: Connection, tenant_id: str, actor_token: str, events: Iterable[Event]) -> None:
    """Write events beside the change they tell of. The relay is woken at commit."""
    told = list(events)
    if not told:
        return
    connection.execute(
        _INSERT,
        {
            "tenant": tenant_id,
            "actor": actor_token,
            "ids": [str(uuid.uuid4()) for _ in told],
            "keys": [event.routing_key for event in told],
            "types": [event.type for event in told],
            "mandatory": [event.mandatory for event in told],
            "bodies": [event.body for event in told],
        },
    )
    connection.execute(_NOTIFY)


class Relay:
    """Moves outbox rows to the bus. Several may run: rows are locked while under way."""

    def __init__(self, database: Database, bus: Bus, stop: threading.Event) -> None:
        self._database = database
        self._bus = bus
        self._stop = stop

    def run(self) -> None:
        """Until stopped: publish what is there, then wait for a notification."""
        wake = Listener(self._database.url, _CHANNEL)
        while not self._stop.is_set():
            try:
                moved = self.step()
            except (PublishFailed, Problem) as exc:
                # rows stay where they are; the bus or the database will be back
                _LOG.warning("outbox.waiting", reason=str(exc))
                self._stop.wait(IDLE)
                continue
            if moved == 0:
                wake.wait(IDLE)
        wake.close()

    def step(self) -> int:
        """Publish one batch; returns how many rows left the outbox."""
        with self._database.transaction(None) as connection:
            rows = connection.execute(_TAKE, {"rows": BATCH_ROWS, "bytes": BATCH_BYTES}).all()
            if not rows:
                return 0
            self._bus.publish_many(_message(row) for row in rows)
            crash.point("outbox.published")
            connection.execute(_DELETE, {"seqs": [row.seq for row in rows]})
        return len(rows)


def _message(row: Any) -> Message:
    headers = {"id": str(row.id), "tenant": str(row.tenant_id), "actor": row.actor, "type": row.type}
    return Message(row.routing_key, headers, bytes(row.body), row.mandatory)
