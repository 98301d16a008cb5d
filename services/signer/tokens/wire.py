"""Frames between the signer and its token processes: sizes of all fields, then the fields.

Nothing is unpickled: a vendor's library shares the child's memory, so the child is not trusted with objects. A frame is
read in one piece: a batch has hundreds of fields, and a call to the kernel for each would cost as much as all else.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence

#: bytes of all that follows, number of fields
_HEAD = struct.Struct("!II")
_SIZE = 4
#: most fields of a frame, and most bytes of a frame
MAX_FIELDS = 200_000
MAX_BYTES = 64 * 1024 * 1024


class FrameError(Exception):
    """The other side closed, sent something else or was too late."""


def send(channel: socket.socket, fields: Sequence[bytes], seconds: float | None = None) -> None:
    """One frame. seconds: until when, None = for ever."""
    channel.settimeout(seconds)
    sizes = struct.pack(f"!{len(fields)}I", *map(len, fields))
    body = b"".join((sizes, *fields))
    try:
        channel.sendall(_HEAD.pack(len(body), len(fields)) + body)
    except OSError as exc:
        raise FrameError(str(exc) or "no answer in time") from exc


def receive(channel: socket.socket, seconds: float | None = None) -> list[bytes]:
    """The next frame; `seconds` is the time for all of it."""
    deadline = None if seconds is None else time.monotonic() + seconds
    size, count = _HEAD.unpack(_exactly(channel, _HEAD.size, deadline))
    if count > MAX_FIELDS or size > MAX_BYTES or size < _SIZE * count:
        raise FrameError("not a frame")
    body = _exactly(channel, size, deadline)
    at, fields = _SIZE * count, []
    for length in struct.unpack_from(f"!{count}I", body):
        fields.append(body[at : at + length])
        at += length
    if at != size:
        raise FrameError("not a frame")
    return fields


def _exactly(channel: socket.socket, size: int, deadline: float | None) -> bytes:
    """So many bytes: mostly they are all there at once."""
    parts: list[bytes] = []
    while size:
        try:
            channel.settimeout(_left(deadline))
            part = channel.recv(size)
        except OSError as exc:
            raise FrameError(str(exc) or "no answer in time") from exc
        if not part:
            raise FrameError("closed")
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise FrameError("no answer in time")
    return left
