"""The two ways messages come and receipts go: a broker's queues and a shared directory.

Must never confirm an arrival before the desk has booked it, nor call a receipt sent before the other side has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

AMQP = "amqp"
SPOOL = "spool"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One sealed receipt message. `name` is unique and stays the same when it is sent again."""

    id: int
    name: str
    msg_type: str
    body: bytes


class ChannelDown(Exception):
    """The other side cannot be reached now; what was not confirmed is to be sent again later."""


class Outlet(Protocol):
    """Where receipts go."""

    def publish(self, items: Sequence[Outgoing]) -> None:
        """Send all and return when all are confirmed. Raises ChannelDown when one is not."""

    def idle(self) -> None:
        """Called now and then while nothing is due. Raises ChannelDown."""

    def close(self) -> None:
        """Let go of connections."""
