"""Identities: time-ordered ids for documents, and the guid that names one attempt to file one.

The guid tells receipts of an earlier attempt from those of the current one.
"""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> str:
    """A random uuid."""
    return str(uuid.uuid4())


def ordered_ids(count: int) -> list[str]:
    """`count` time-ordered uuids (version 7 layout), ascending, so that sorting by id is sorting by storage."""
    base = int(time.time() * 1000) << 80 | 0x7 << 76
    tail = int.from_bytes(os.urandom(6), "big")
    ids = []
    for number in range(count):
        # 12 + 20 bits of counter keep the order within a batch, the rest is random
        high, low = number >> 20 & 0xFFF, number & 0xFFFFF
        value = base | high << 64 | 0b10 << 62 | low << 42 | tail >> 6
        ids.append(str(uuid.UUID(int=value)))
    return ids


def guid_of(document_id: str, attempt: int) -> str:
    """The customs guid of one attempt, upper case (spec); attempt counts from 1."""
    if attempt == 1:
        return document_id.upper()
    return str(uuid.uuid5(uuid.UUID(document_id), str(attempt))).upper()
