"""Frames over a pipe: a count, then length and bytes of each field. Nothing is unpickled.

Fields are read into bytearrays and nowhere else, so that one that held a PIN can be wiped. Pipes, because Windows has
no socket pairs that a child could inherit.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

_NUMBER = struct.Struct("!I")
MOST_FIELDS = 64
MOST_BYTES = 4 * 1024 * 1024


class FrameError(Exception):
    """The other side closed the pipe or sent something else."""


def send(pipe: io.RawIOBase, fields: Sequence[bytes | bytearray]) -> None:
    """One frame. Field by field: joining them would make another copy of a PIN."""
    try:
        _all(pipe, _NUMBER.pack(len(fields)))
        for field in fields:
            _all(pipe, _NUMBER.pack(len(field)))
            _all(pipe, field)
    except (OSError, ValueError) as exc:
        raise FrameError(str(exc)) from exc


def _all(pipe: io.RawIOBase, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[pipe.write(view) :]


def receive(pipe: io.RawIOBase) -> list[bytearray]:
    """The next frame; raises FrameError at its end."""
    (count,) = _NUMBER.unpack(_exactly(pipe, _NUMBER.size))
    if count > MOST_FIELDS:
        raise FrameError("not a frame")
    fields = []
    for _ in range(count):
        (size,) = _NUMBER.unpack(_exactly(pipe, _NUMBER.size))
        if size > MOST_BYTES:
            raise FrameError("not a frame")
        fields.append(_exactly(pipe, size))
    return fields


def _exactly(pipe: io.RawIOBase, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        try:
            got = pipe.readinto(view)
        except (OSError, ValueError) as exc:
            raise FrameError(str(exc)) from exc
        if not got:
            raise FrameError("closed")
        view = view[got:]
    return data
