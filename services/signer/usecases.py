"""What people and operators do with keys and the ledger, one function per verb and one transaction each.

Signing itself is in signing.py. Must never answer about another tenant's keys: what is foreign is "not found".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from runtime.actor import Actor
from runtime.db import Database
from runtime.errors import Detail, Problem, not_found
from services.signer import chain, domain, outcomes
from services.signer.domain import Key
from services.signer.store import cards, jobs, keys, ledger

#: rows of a ledger page
PAGE = 50
MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key and what can be done with it now. state: usable | expired | unavailable; reason: why not, technical.

    messages, documents: what waits for it or is being signed."""

    key: Key
    state: str
    reason: str
    days_left: int
    warning: int
    messages: int = 0
    documents: int = 0


def list_keys(database: Database, actor: Actor, now: datetime) -> list[KeyState]:
    """All keys of the actor's tenant that have a certificate."""
    actor.require("key.read")
    with database.transaction(actor.tenant_id) as connection:
        return _states(connection, now)


def key_state(database: Database, actor: Actor, key_id: str, now: datetime) -> KeyState:
    """One of them. Raises not_found."""
    found = [state for state in list_keys(database, actor, now) if state.key.id == key_id]
    if not found:
        raise not_found()
    return found[0]


def _states(connection: Connection, now: datetime) -> list[KeyState]:
    lengths = jobs.lengths(connection)
    shown = {card.fingerprint: card for card in cards.all_cards(connection)}
    states = []
    for key, works in keys.all_keys(connection):
        card = shown.get(key.fingerprint) if key.device_kind == domain.CARD else None
        reason = ("" if works else "probe") if card is None else _card_trouble(card)
        state = "unavailable" if reason else "usable"
        if not key.not_before <= now <= key.not_after:
            state, reason = "expired", ""
        states.append(
            KeyState(
                key,
                state,
                reason,
                domain.days_left(key.not_after, now),
                domain.warning(key.not_after, now),
                *lengths.get(key.id, (0, 0)),
            )
        )
    return states


def _card_trouble(card: cards.Card) -> str:
    return "" if card.state == "ready" else card.reason or card.state


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
        rows = keys.throughput(connection, now)
    return [
        Throughput(str(row.id), row.taken, int(row.signatures), float(row.busy), row.last_at) for row in rows
    ]


def activate_key(database: Database, actor: Actor, key_id: str, now: datetime) -> KeyState:
    """Make this the one key that signs for its enterprise and purpose; what waits for the one before waits for it.

    Raises not_found for unknown and foreign ids alike."""
    actor.require("key.activate")
    if not domain.is_uuid(key_id):
        raise not_found()
    with database.transaction(actor.tenant_id) as connection:
        keys.lock(connection, actor.tenant_id)
        key = keys.one(connection, key_id)
        if key is None:
            raise not_found()
        if not key.not_before <= now <= key.not_after:
            raise Problem(
                "invalid",
                f"密钥“{key.label}”的证书不在有效期内，不能启用，请先更换证书。",
                f"The certificate of {key.label} is not valid now; renew it before activating the key.",
            )
        if key.device_kind == domain.CARD and key.confirmed_at is None:
            raise Problem(
                "conflict",
                f"卡“{key.label}”尚未确认，请先用“确认”让它签一次。",
                f"The card {key.label} was never confirmed; let it sign a challenge first.",
            )
        if not key.active:
            keys.activate(connection, key.enterprise_code, key.purpose, key.id)
            jobs.free_of_gone(connection, now - timedelta(seconds=domain.SILENT))
            jobs.move(connection, actor.tenant_id, key.enterprise_code, key.id, key.queue)
            entry = outcomes.key_entry(
                actor, "activated", now, key.id, key.algorithm, key.serial, key.enterprise_code
            )
            ledger.append(connection, actor.tenant_id, [entry])
        return next(state for state in _states(connection, now) if state.key.id == key_id)


def record_probe(
    database: Database, now: datetime, tenant_id: str, key_id: str, works: bool, reason: str
) -> None:
    """Keep what the canary found, for the keys page."""
    with database.transaction(tenant_id) as connection:
        keys.record_probe(connection, tenant_id, key_id, works, reason, now)


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
    size, before_seq = page_size_of(page_size or PAGE), place_of(cursor)
    with database.transaction(actor.tenant_id) as connection:
        links = ledger.page(connection, before_seq, message_id, size + 1)
        shown = links[:size]
        before = ledger.hashes_of(connection, [link.seq - 1 for link in shown])
    valid = all(
        chain.first_break(actor.tenant_id, link.seq - 1, before.get(link.seq - 1, chain.GENESIS), [link])
        is None
        for link in shown
    )
    return LedgerPage(shown, str(shown[-1].seq) if len(links) > size else "", valid)


def page_size_of(asked: int) -> int:
    """The size of a page; raises Problem invalid."""
    if not 1 <= asked <= MAX_PAGE:
        raise _wrong("page_size", f"1-{MAX_PAGE}", str(asked))
    return asked


def place_of(cursor: str) -> int | None:
    """The number in a cursor, None = from the beginning; raises Problem invalid."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise _wrong("cursor", "next_cursor", cursor)
    return int(cursor)


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
        for link in ledger.all_links(connection):
            rows += 1
            if broken_at is None:
                broken_at = chain.first_break(tenant_id, seq, previous, [link])
            seq, previous = link.seq, link.hash
        unrecorded = ledger.unrecorded_signatures(connection)
    return Verdict(rows, broken_at, unrecorded, previous.hex())
