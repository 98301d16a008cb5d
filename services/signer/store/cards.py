"""Cards that edge agents showed, and the agents' seats: which process of an agent is connected now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from services.signer.domain import INTERACTIVE, card_queue
from services.signer.store import jobs

#: of a card that no agent shows at the moment
OUT = "out"


@dataclass(frozen=True, slots=True)
class Card:
    """state: ready | pin-needed | pin-low | pin-locked | failing | out. seconds: that it takes for one signature, as
    measured; 0 = not yet. at: when it was last heard of."""

    fingerprint: str
    agent_id: str
    enterprise_code: str
    certificate: bytes
    serial: str
    subject: str
    not_before: datetime
    not_after: datetime
    token: str
    state: str
    reason: str
    mechanisms: list[str]
    seconds: float
    at: datetime


_COLUMNS = Card.__slots__
_SHOW = text(
    f"INSERT INTO card (tenant_id, {', '.join(_COLUMNS)}) "
    f"VALUES (:tenant, {', '.join(':' + name for name in _COLUMNS)}) "
    "ON CONFLICT (tenant_id, fingerprint) DO UPDATE SET "
    + ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS if name not in ("fingerprint", "seconds"))
)
# an agent that is silent for longer than this lost its seat
_CLAIM = text(
    "INSERT INTO seat (tenant_id, agent_id, instance, connection, heard_at) "
    "VALUES (:tenant, :agent, :instance, :connection, :now) ON CONFLICT (tenant_id, agent_id) DO UPDATE "
    "SET instance = EXCLUDED.instance, connection = EXCLUDED.connection, heard_at = EXCLUDED.heard_at "
    "WHERE seat.instance = EXCLUDED.instance OR seat.heard_at < :silent RETURNING agent_id"
)


def show(connection: Connection, tenant_id: str, agent_id: str, cards: Sequence[Card], at: datetime) -> None:
    """These and no others are at the agent now."""
    for card in sorted(cards, key=lambda card: card.fingerprint):
        connection.execute(_SHOW, {"tenant": tenant_id, **{name: getattr(card, name) for name in _COLUMNS}})
    connection.execute(
        text(
            "UPDATE card SET state = 'out', reason = '', at = :at WHERE agent_id = :agent AND state <> 'out' "
            "AND NOT fingerprint = ANY(:shown)"
        ),
        {"agent": agent_id, "shown": [card.fingerprint for card in cards], "at": at},
    )


def measured(connection: Connection, fingerprint: str, seconds: float) -> None:
    """How long a signature takes, smoothed by who measured."""
    connection.execute(
        text("UPDATE card SET seconds = :seconds WHERE fingerprint = :fingerprint"),
        {"fingerprint": fingerprint, "seconds": seconds},
    )


def all_cards(connection: Connection) -> list[Card]:
    """All cards ever shown, by enterprise and subject."""
    rows = connection.execute(
        text(f"SELECT {', '.join(_COLUMNS)} FROM card ORDER BY enterprise_code, subject, fingerprint")
    )
    return [_card(row) for row in rows]


def one(connection: Connection, fingerprint: str) -> Card | None:
    """A card by its certificate."""
    row = connection.execute(
        text(f"SELECT {', '.join(_COLUMNS)} FROM card WHERE fingerprint = :fingerprint"),
        {"fingerprint": fingerprint},
    ).first()
    return _card(row) if row else None


def _card(row: Any) -> Card:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Card(**{**values, "agent_id": str(row.agent_id), "certificate": bytes(row.certificate)})


# ---- seats ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seat:
    """instance: a process of the agent; connection: one of its connections, the last one counts."""

    agent_id: str
    instance: str
    connection: str


def claim_seat(connection: Connection, tenant_id: str, seat: Seat, now: datetime, silent: datetime) -> bool:
    """Take the agent's seat for a new connection; False while another process of it has it.

    silent: whoever was not heard of since then has lost it."""
    values = {"agent": seat.agent_id, "instance": seat.instance, "connection": seat.connection}
    row = connection.execute(_CLAIM, {"tenant": tenant_id, "now": now, "silent": silent, **values}).first()
    return row is not None


def keep_seat(connection: Connection, seat: Seat, now: datetime) -> bool:
    """Note that the connection lives; False if it has lost its seat to another."""
    row = connection.execute(
        text("UPDATE seat SET heard_at = :now WHERE connection = :connection RETURNING agent_id"),
        {"connection": seat.connection, "now": now},
    ).first()
    return row is not None


def leave_seat(connection: Connection, seat: Seat) -> None:
    """The connection is gone, and its cards with it, unless another one took over."""
    left = connection.execute(
        text("DELETE FROM seat WHERE connection = :connection RETURNING agent_id"),
        {"connection": seat.connection},
    ).first()
    if left is not None:
        connection.execute(
            text(
                "UPDATE card SET state = 'out', reason = 'agent-offline' WHERE agent_id = :agent AND state <> 'out'"
            ),
            {"agent": seat.agent_id},
        )


def seated(connection: Connection, since: datetime) -> dict[str, datetime]:
    """Agents that are connected -> when each was last heard of."""
    rows = connection.execute(
        text("SELECT agent_id, heard_at FROM seat WHERE heard_at >= :since"), {"since": since}
    )
    return {str(row.agent_id): row.heard_at for row in rows}


# ---- challenges ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a card is asked to sign to prove that it is there. state: waiting | signed | refused | used."""

    id: str
    fingerprint: str
    purpose: str  # confirm | sign-in
    key_id: str | None
    body: bytes
    title_zh: str
    title_en: str
    actor: str
    actor_id: str
    request_id: str
    mechanism: str
    state: str
    reason: str
    signature: bytes
    made_at: datetime
    expires_at: datetime


_CHALLENGE = Challenge.__slots__


def add_challenge(connection: Connection, tenant_id: str, challenge: Challenge) -> None:
    """Ask; the card's agent is woken at commit."""
    connection.execute(
        text(
            f"INSERT INTO challenge (tenant_id, {', '.join(_CHALLENGE)}) "
            f"VALUES (:tenant, {', '.join(':' + name for name in _CHALLENGE)})"
        ),
        {"tenant": tenant_id, **{name: getattr(challenge, name) for name in _CHALLENGE}},
    )
    jobs.notify(connection, tenant_id, [(card_queue(challenge.fingerprint), INTERACTIVE)])


def challenge(connection: Connection, challenge_id: str) -> Challenge | None:
    """One by its id."""
    row = connection.execute(
        text(f"SELECT {', '.join(_CHALLENGE)} FROM challenge WHERE id = :id"), {"id": challenge_id}
    ).first()
    return _challenge(row) if row else None


def waiting_challenges(connection: Connection, fingerprints: Sequence[str], now: datetime) -> list[Challenge]:
    """Challenges for these cards that nobody answered yet, oldest first."""
    rows = connection.execute(
        text(
            f"SELECT {', '.join(_CHALLENGE)} FROM challenge WHERE state = 'waiting' AND expires_at > :now "
            "AND fingerprint = ANY(:fingerprints) ORDER BY made_at"
        ),
        {"fingerprints": list(fingerprints), "now": now},
    )
    return [_challenge(row) for row in rows]


def end_challenge(
    connection: Connection,
    challenge_id: str,
    before: str,
    state: str,
    reason: str = "",
    signature: bytes = b"",
) -> bool:
    """Move a challenge on; False if it was not in the state `before` any more."""
    row = connection.execute(
        text(
            "UPDATE challenge SET state = :state, reason = :reason, signature = CASE WHEN :signature = ''::bytea "
            "THEN signature ELSE :signature END WHERE id = :id AND state = :before RETURNING id"
        ),
        {"id": challenge_id, "before": before, "state": state, "reason": reason, "signature": signature},
    ).first()
    return row is not None


def _challenge(row: Any) -> Challenge:
    values = {name: getattr(row, name) for name in _CHALLENGE}
    values |= {"id": str(row.id), "body": bytes(row.body), "signature": bytes(row.signature)}
    return Challenge(**{**values, "key_id": str(row.key_id) if row.key_id else None})
