"""What people and operators do with keys and the ledger, one function per verb and one transaction each.

Signing itself is in signing.py. Must never answer about another tenant's keys: what is foreign is "not found".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runtime.actor import Actor
from runtime.db import Database
from runtime.errors import Detail, Problem, not_found
from services.signer import chain, domain, store
from services.signer.domain import Key

#: rows of a ledger page
PAGE = 50
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key and what can be done with it now. state: usable | expired | unavailable."""

    key: Key
    state: str


def list_keys(database: Database, actor: Actor, now: datetime) -> list[KeyState]:
    """All keys of the actor's tenant that have a certificate."""
    actor.require("key.read")
    with database.transaction(actor.tenant_id) as connection:
        return [KeyState(key, _state(key, works, now)) for key, works in store.keys(connection)]


def _state(key: Key, works: bool, now: datetime) -> str:
    if not key.not_before <= now <= key.not_after:
        return "expired"
    return "usable" if works else "unavailable"


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a key has in hand (taken), and how many signatures it made in how many seconds of work lately."""

    key_id: str
    taken: int
    signatures: int
    busy_seconds: float
    last_at: datetime | None


def throughput(database: Database, actor: Actor, now: datetime) -> list[Throughput]:
    """Of all keys of the actor's tenant that have a certificate; measured from the ledger, never a constant."""
    actor.require("key.read")
    with database.transaction(actor.tenant_id) as connection:
        rows = store.throughput(connection, now)
    return [
        Throughput(str(row.id), row.taken, int(row.signatures), float(row.busy), row.last_at) for row in rows
    ]


def activate_key(database: Database, actor: Actor, key_id: str, now: datetime) -> KeyState:
    """Make this the one key that signs for its enterprise. Raises not_found for unknown and foreign ids alike."""
    actor.require("key.activate")
    if not domain.is_uuid(key_id):
        raise not_found()
    with database.transaction(actor.tenant_id) as connection:
        store.lock_keys(connection, actor.tenant_id)
        key = store.key(connection, key_id)
        if key is None:
            raise not_found()
        if not key.not_before <= now <= key.not_after:
            raise Problem(
                "invalid",
                f"密钥“{key.label}”的证书不在有效期内，不能启用，请先更换证书。",
                f"The certificate of {key.label} is not valid now; renew it before activating the key.",
            )
        if not key.active:
            store.activate(connection, key.enterprise_code, key.id)
            store.append(connection, actor.tenant_id, [_activation(actor, key, now)])
        works = {item.id: works for item, works in store.keys(connection)}
    return KeyState(replace(key, active=True), _state(key, works[key.id], now))


def _activation(actor: Actor, key: Key, now: datetime) -> chain.Entry:
    return chain.Entry(
        at=now,
        what="activated",
        actor_id=actor.user_id,
        actor=actor.label,
        mandate_id=actor.mandate_id or "",
        request_id=actor.request_id,
        enterprise_code=key.enterprise_code,
        key_id=key.id,
        algorithm=key.algorithm,
        certificate_serial=key.serial,
    )


def record_probe(
    database: Database, now: datetime, tenant_id: str, key_id: str, works: bool, reason: str
) -> None:
    """Keep what the canary found, for the keys page."""
    with database.transaction(tenant_id) as connection:
        store.record_probe(connection, tenant_id, key_id, works, reason, now)


# ---- ledger --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Newest first. next_cursor: "" at the end. valid: every row's hash is right and follows from the row before."""

    links: list[chain.Link]
    next_cursor: str
    valid: bool


def read_ledger(database: Database, actor: Actor, page_size: int, cursor: str, message_id: str) -> LedgerPage:
    """A page of the tenant's ledger, checked as it is read. message_id: "" = all."""
    actor.require("audit.read")
    size = page_size or PAGE
    if not 1 <= size <= MAX_PAGE:
        raise _wrong("page_size", f"1-{MAX_PAGE}", str(page_size))
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise _wrong("cursor", "next_cursor", cursor)
    with database.transaction(actor.tenant_id) as connection:
        links = store.ledger_page(connection, int(cursor) if cursor else None, message_id, size + 1)
        shown = links[:size]
        before = store.hashes_of(connection, [link.seq - 1 for link in shown])
    valid = all(
        chain.first_break(actor.tenant_id, link.seq - 1, before.get(link.seq - 1, chain.GENESIS), [link])
        is None
        for link in shown
    )
    return LedgerPage(shown, str(shown[-1].seq) if len(links) > size else "", valid)


def _wrong(field: str, allowed: str, value: str) -> Problem:
    zh, en = f"参数 {field} 应为 {allowed}。", f"{field} must be {allowed}."
    return Problem("invalid", zh, en, [Detail(f"/{field}", "invalid", zh, en, value[:40])])


@dataclass(frozen=True, slots=True)
class Verdict:
    """rows: how many there are. broken_at: the first wrong row's number. unrecorded: accepted signatures that the
    ledger does not know (its end was cut off). head: hash of the last row, hex, to compare with logs."""

    rows: int
    broken_at: int | None
    unrecorded: list[str]
    head: str

    @property
    def valid(self) -> bool:
        return self.broken_at is None and not self.unrecorded


def verify_ledger(database: Database, tenant_id: str) -> Verdict:
    """Recompute a tenant's whole chain and compare it with the accepted signatures."""
    rows, seq, previous, broken_at = 0, 0, chain.GENESIS, None
    with database.transaction(tenant_id) as connection:
        for link in store.all_links(connection):
            rows += 1
            if broken_at is None:
                broken_at = chain.first_break(tenant_id, seq, previous, [link])
            seq, previous = link.seq, link.hash
        unrecorded = store.unrecorded_signatures(connection)
    return Verdict(rows, broken_at, unrecorded, previous.hex())
