"""What a signer under test told, and what stands in its ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from proto.events.v1 import events_pb2
from tests.support.eventually import eventually
from tests.support.signing import SignerSide, Tenant, Told


class Seen:
    """Collects what is told until enough is there."""

    def __init__(self, side: SignerSide) -> None:
        self._side = side
        self.all: list[Told] = []

    def of(self, kind: type[Any], message_id: str | None = None) -> list[Any]:
        return [
            told.body
            for told in self.all
            if isinstance(told.body, kind) and message_id in (None, told.body.message_id)
        ]

    def wait(self, what: str, enough: Callable[[], Any], timeout: float = 30) -> None:
        def look() -> Any:
            self.all += self._side.told()
            return enough()

        eventually(look, what, timeout)

    def ready(self, count: int, timeout: float = 30) -> list[Any]:
        self.wait(
            f"{count} finished messages", lambda: len(self.of(events_pb2.MessageReady)) >= count, timeout
        )
        return self.of(events_pb2.MessageReady)

    def refused(self, count: int = 1) -> list[Any]:
        self.wait(f"{count} refusals", lambda: len(self.of(events_pb2.MessageRefused)) >= count)
        return self.of(events_pb2.MessageRefused)


def ledger(side: SignerSide, tenant: Tenant) -> list[tuple[str, str]]:
    rows = side.rows(tenant, "SELECT what, code FROM ledger ORDER BY seq")
    return [(row.what, row.code) for row in rows if row.what != "activated"]


def verdict(side: SignerSide, tenant: Tenant) -> Any:
    return json.loads(side.command("verify-ledger", "--tenant", tenant.id))
