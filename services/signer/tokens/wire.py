"""Frames between the signer and its token processes: a count, then length and bytes of each field.

Nothing is unpickled: a vendor's library shares the child's memory, so the child is not trusted with objects.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence

_COUNT = struct.Struct("!I")
#: most fields of a frame, and most bytes of a field
MAX_FIELDS = 200_000
MAX_BYTES = 1024 * 1024


class FrameError(Exception):
    """The other side closed, sent something else or was too late."""


def send(channel: socket.socket, fields: Sequence[bytes], seconds: float | None = None) -> None:
    """One frame. seconds: until when, None = for ever."""
    channel.settimeout(seconds)
    parts = [_COUNT.pack(len(fields))]
    for field in fields:
        parts.append(_COUNT.pack(len(field)))
        parts.append(field)
    try:
        channel.sendall(b"".join(parts))
    except OSError as exc:
        raise FrameError(str(exc) or "no answer in time") from exc


def receive(channel: socket.socket, seconds: float | None = None) -> list[bytes]:
    """The next frame; `seconds` is the time for all of it."""
    deadline = None if seconds is None else time.monotonic() + seconds
    (count,) = _COUNT.unpack(_exactly(channel, _COUNT.size, deadline))
    if count > MAX_FIELDS:
        raise FrameError("not a frame")
    fields = []
    for _ in range(count):
        (size,) = _COUNT.unpack(_exactly(channel, _COUNT.size, deadline))
        if size > MAX_BYTES:
            raise FrameError("not a frame")
        fields.append(_exactly(channel, size, deadline))
    return fields


def _exactly(channel: socket.socket, size: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if deadline is None:
            channel.settimeout(None)
        else:
            left = deadline - time.monotonic()
            if left <= 0:
                raise FrameError("no answer in time")
            channel.settimeout(left)
        try:
            part = channel.recv(size - len(parts))
        except OSError as exc:
            raise FrameError(str(exc) or "no answer in time") from exc
        if not part:
            raise FrameError("closed")
        parts += part
    return bytes(parts)
