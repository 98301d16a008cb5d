"""The hash chain of the signing ledger: what a row's hash covers and where a chain is broken. Pure.

Every row's hash covers the row before it, so a changed, removed or inserted row is found by recomputing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

#: the hash before a tenant's first row
GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. what: intent | signed | refused | activated. Texts are empty where they do not apply.

    digest: SHA-256 of the canonical unsigned message; result: SHA-256 of the final bytes (signed only);
    code: of a refusal.
    """

    at: datetime
    what: str
    actor_id: str
    actor: str
    mandate_id: str = ""
    request_id: str = ""
    message_id: str = ""
    event_id: str = ""
    kind: str = ""
    message_type: str = ""
    enterprise_code: str = ""
    documents: int = 0
    key_id: str = ""
    algorithm: str = ""
    certificate_serial: str = ""
    digest: bytes = b""
    result: bytes = b""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A stored row: its place in the tenant's chain, the hash before it and its own."""

    seq: int
    entry: Entry
    previous: bytes
    hash: bytes


def canonical(tenant_id: str, seq: int, entry: Entry) -> bytes:
    """The row as bytes, the same on every machine: a JSON list in the order of Entry's fields."""
    row = [
        "v1", tenant_id, seq, entry.at.astimezone(UTC).isoformat(timespec="microseconds"), entry.what,
        entry.actor_id, entry.actor, entry.mandate_id, entry.request_id, entry.message_id, entry.event_id,
        entry.kind, entry.message_type, entry.enterprise_code, entry.documents, entry.key_id, entry.algorithm,
        entry.certificate_serial, entry.digest.hex(), entry.result.hex(), entry.code,
    ]  # fmt: skip
    return json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode()


def hash_of(tenant_id: str, seq: int, entry: Entry, previous: bytes) -> bytes:
    """sha256(previous hash + canonical row)."""
    return hashlib.sha256(previous + canonical(tenant_id, seq, entry)).digest()


def extend(tenant_id: str, seq: int, previous: bytes, entries: Iterable[Entry]) -> list[Link]:
    """New links after row `seq` (0 = none yet) whose hash is `previous`."""
    links = []
    for entry in entries:
        seq += 1
        own = hash_of(tenant_id, seq, entry, previous)
        links.append(Link(seq, entry, previous, own))
        previous = own
    return links


def first_break(tenant_id: str, seq: int, previous: bytes, links: Iterable[Link]) -> int | None:
    """The number of the first row that does not follow from row `seq` with hash `previous`; None if all do."""
    for link in links:
        seq += 1
        if link.seq != seq or link.previous != previous:
            return seq
        if link.hash != hash_of(tenant_id, seq, link.entry, previous):
            return seq
        previous = link.hash
    return None
