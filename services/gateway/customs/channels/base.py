"""What every way to customs can do: send a batch and be sure of it, and hand over what arrives.

A channel must never say "sent" before the other side's storage has it, and a source must never forget what its
handler did not commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """One envelope on its way out. The id is what the other side knows a repetition by."""

    cop_msg_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """One envelope as it came in, byte for byte. source: "amqp" | "spool"; name: file name or message id."""

    source: str
    name: str
    raw: bytes


class ChannelFailed(Exception):
    """The channel did not confirm the batch. Some of it may have arrived: repeat it with the same bytes."""


Handler = Callable[[Sequence[Arrival]], None]


class Channel(Protocol):
    """A way out. Used by one thread."""

    name: str

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Return when all are safe on the other side; raise ChannelFailed otherwise. Repeating is harmless."""

    def check(self) -> None:
        """Raise if the channel cannot take anything now. May be called from another thread."""

    def close(self) -> None:
        """Let go of connections."""


class Source(Protocol):
    """A way in."""

    name: str

    def run(self, handler: Handler, stop: threading.Event) -> None:
        """Until stopped, hand over batches. handler returns when they are committed; only then they are removed
        from the medium. handler raises Problem "unavailable" or "conflict" where it has to be called again."""

    def check(self) -> None:
        """Raise if nothing can arrive now. May be called from another thread."""
