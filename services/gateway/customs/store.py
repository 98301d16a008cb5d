"""All SQL of the customs side: transmissions, raw receipts, and the look-ups in enterprises.

Every function works inside a transaction that has its tenant set; only `receivers` runs without one, under the
policy that shows the rows of one named receiver. One statement per batch, never one per row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from services.gateway.customs import envelope
from services.gateway.customs.safexml import Unreadable


@dataclass(frozen=True, slots=True)
class Enterprise:
    """How an enterprise reaches customs. channel: "amqp" | "spool"."""

    code: str
    dxp_id: str
    channel: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message cannot go on; code is stable, the sentences name the thing, the rule and the way out."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A message that is going to be sent, frozen: either envelope and channel, or a refusal."""

    message_id: str
    kind: str
    message_type: str
    enterprise_code: str
    dxp_id: str
    documents: int
    signed_sha256: bytes
    channel: str | None
    envelope: bytes | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transmission that changed its state just now."""

    message_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class RawReceipt:
    """What is kept of one arrival. state: parsed | unmatched (nothing of ours answers to it) | unreadable |
    unassigned (nobody here has this receiver id) | assigned (was unassigned, handed over since)."""

    id: str
    raw: bytes
    source: str
    name: str
    message_type: str
    receiver: str
    state: str
    reason: Refusal | None
    received_at: datetime
    times: int = 1

    @property
    def sha256(self) -> bytes:
        """What a byte-identical repetition is known by."""
        return hashlib.sha256(self.raw).digest()


_ENTERPRISES = text(
    "SELECT code, dxp_id, channel, enabled FROM enterprises WHERE tenant_id = :tenant AND code = ANY(:codes)"
)

_FREEZE = text(
    "INSERT INTO transmissions (tenant_id, message_id, kind, message_type, enterprise_code, dxp_id, documents, "
    "  channel, state, envelope, signed_sha256, code, reason_zh, reason_en, stored_at) "
    "SELECT CAST(:tenant AS uuid), id, kind, type, enterprise, dxp, documents, channel, "
    "  CASE WHEN code IS NULL THEN 'sending' ELSE 'refused' END, envelope, digest, code, zh, en, :now "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:types AS text[]), "
    "  CAST(:enterprises AS text[]), CAST(:dxps AS text[]), CAST(:documents AS integer[]), "
    "  CAST(:channels AS text[]), CAST(:envelopes AS bytea[]), CAST(:digests AS bytea[]), "
    "  CAST(:codes AS text[]), CAST(:zhs AS text[]), CAST(:ens AS text[])) "
    "  AS new (id, kind, type, enterprise, dxp, documents, channel, envelope, digest, code, zh, en) "
    "ON CONFLICT DO NOTHING RETURNING message_id"
)
_DIGESTS = text(
    "SELECT message_id, signed_sha256 FROM transmissions "
    "WHERE tenant_id = :tenant AND message_id = ANY(CAST(:ids AS uuid[]))"
)
# the size of an uncompressed value stored out of line is known without fetching it
_SIZES = text(
    "SELECT message_id, state, octet_length(envelope) AS size FROM transmissions "
    "WHERE tenant_id = :tenant AND message_id = ANY(CAST(:ids AS uuid[]))"
)
_ENVELOPES = text(
    "SELECT message_id, envelope FROM transmissions "
    "WHERE tenant_id = :tenant AND message_id = ANY(CAST(:ids AS uuid[])) AND state IN ('sending', 'waiting')"
)
_SENT = text(
    "UPDATE transmissions SET state = 'sent', sent_at = :now, attempts = attempts + 1, "
    "  code = NULL, reason_zh = NULL, reason_en = NULL "
    "WHERE tenant_id = :tenant AND message_id = ANY(CAST(:ids AS uuid[])) AND state IN ('sending', 'waiting') "
    "RETURNING message_id, kind"
)
_WAITING = text(
    "UPDATE transmissions SET state = 'waiting', attempts = attempts + 1, "
    "  code = :code, reason_zh = :zh, reason_en = :en "
    "WHERE tenant_id = :tenant AND message_id = ANY(CAST(:ids AS uuid[])) AND state IN ('sending', 'waiting')"
)
_REFUSED = text(
    "UPDATE transmissions SET state = 'refused', code = :code, reason_zh = :zh, reason_en = :en "
    "WHERE tenant_id = :tenant AND message_id = :id AND state <> 'refused' RETURNING message_id, kind"
)
_EXISTS = text("SELECT 1 FROM transmissions WHERE tenant_id = :tenant AND message_id = :id")
_TRANSMISSION = text("SELECT * FROM transmissions WHERE tenant_id = :tenant AND message_id = :id")

_WAY = text(
    "SELECT message_id, state, attempts, code, reason_zh, reason_en, stored_at, sent_at FROM transmissions "
    "WHERE tenant_id = :tenant AND message_id = :id"
)
_QUEUE = text(
    "SELECT count(*) AS waiting, min(stored_at) AS since FROM (SELECT stored_at FROM transmissions "
    "WHERE tenant_id = :tenant AND channel = :channel AND state IN ('sending', 'waiting') LIMIT 1000) AS few"
)
_QUEUE_REASON = text(
    "SELECT reason_zh, reason_en FROM transmissions WHERE tenant_id = :tenant AND channel = :channel "
    "AND state IN ('sending', 'waiting') AND code IS NOT NULL ORDER BY stored_at DESC LIMIT 1"
)
# out: when it was given to the channel, or stored for it; the bytes of those that never had an envelope are none
_OUTGOING = text(
    "SELECT message_id AS id, message_type, coalesce(sent_at, stored_at) AS at, octet_length(envelope) AS size, "
    "  documents FROM transmissions WHERE tenant_id = :tenant AND kind = :kind "
    "AND message_id = ANY(CAST(:ids AS uuid[])) AND envelope IS NOT NULL"
)
_INCOMING = text(
    "SELECT id, message_type, received_at AS at, octet_length(raw) AS size, NULL AS documents FROM raw_receipts "
    "WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS uuid[]))"
)
_ODD = text(
    "SELECT count(*) FROM (SELECT 1 FROM raw_receipts WHERE tenant_id = :tenant AND received_at >= :since "
    "AND state IN ('unreadable', 'unmatched') LIMIT 100) AS few"
)

_AS_RECEIVER = text("SELECT set_config('app.receiver_dxp_id', :dxp, true)")
_RECEIVERS = text("SELECT tenant_id, code FROM enterprises WHERE dxp_id = :dxp")

_KEEP = text(
    "INSERT INTO raw_receipts AS kept (tenant_id, id, sha256, raw, source, name, message_type, receiver, "
    "  state, code, reason_zh, reason_en, times, received_at, last_received_at) "
    "SELECT CAST(:tenant AS uuid), id, sha256, raw, source, name, type, receiver, state, "
    "  code, zh, en, times, at, at "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:digests AS bytea[]), CAST(:raws AS bytea[]), "
    "  CAST(:sources AS text[]), "
    "  CAST(:names AS text[]), CAST(:types AS text[]), CAST(:receivers AS text[]), CAST(:states AS text[]), "
    "  CAST(:codes AS text[]), CAST(:zhs AS text[]), CAST(:ens AS text[]), CAST(:times AS integer[]), "
    "  CAST(:ats AS timestamptz[])) "
    "  AS new (id, sha256, raw, source, name, type, receiver, state, code, zh, en, times, at) "
    "ON CONFLICT (tenant_id, sha256) DO UPDATE "
    "SET times = kept.times + excluded.times, last_received_at = excluded.last_received_at "
    "RETURNING id"
)
_STATE = text(
    "UPDATE raw_receipts SET state = :state, code = :code, reason_zh = :zh, reason_en = :en "
    "WHERE tenant_id = :tenant AND id = :id"
)
_RAW = text("SELECT * FROM raw_receipts WHERE tenant_id = :tenant AND id = :id")
_UNASSIGNED = text(
    "SELECT * FROM raw_receipts WHERE tenant_id = :tenant AND state = 'unassigned' "
    "AND receiver = :receiver ORDER BY received_at, id LIMIT :count"
)
_UNASSIGNED_RECEIVERS = text(
    "SELECT DISTINCT receiver FROM raw_receipts WHERE tenant_id = :tenant AND state = 'unassigned'"
)


def enterprises(connection: Connection, tenant_id: str, codes: Iterable[str]) -> dict[str, Enterprise]:
    """The tenant's enterprises by code; what is not there is missing."""
    rows = connection.execute(_ENTERPRISES, {"tenant": tenant_id, "codes": sorted(set(codes))})
    return {row.code: Enterprise(row.code, row.dxp_id, row.channel, row.enabled) for row in rows}


def receivers(connection: Connection, dxp_id: str) -> list[tuple[str, str]]:
    """(tenant id, enterprise code) of everyone with this id. Runs in a transaction without a tenant."""
    connection.execute(_AS_RECEIVER, {"dxp": dxp_id})
    rows = connection.execute(_RECEIVERS, {"dxp": dxp_id})
    return [(str(row.tenant_id), row.code) for row in rows]


def freeze(connection: Connection, tenant_id: str, intents: Sequence[Intent], now: datetime) -> set[str]:
    """Store what is going to be sent; returns the ids that are new. Known ones keep their bytes."""
    if not intents:
        return set()
    rows = connection.execute(
        _FREEZE,
        {
            "tenant": tenant_id,
            "now": now,
            "ids": [one.message_id for one in intents],
            "kinds": [one.kind for one in intents],
            "types": [one.message_type for one in intents],
            "enterprises": [one.enterprise_code for one in intents],
            "dxps": [one.dxp_id for one in intents],
            "documents": [one.documents for one in intents],
            "channels": [one.channel for one in intents],
            "envelopes": [one.envelope for one in intents],
            "digests": [one.signed_sha256 for one in intents],
            **_reasons([one.refusal for one in intents]),
        },
    )
    return {str(row.message_id) for row in rows}


def digests(connection: Connection, tenant_id: str, ids: Iterable[str]) -> dict[str, bytes]:
    """SHA-256 of the signed bytes of known transmissions."""
    rows = connection.execute(_DIGESTS, {"tenant": tenant_id, "ids": list(ids)})
    return {str(row.message_id): bytes(row.signed_sha256) for row in rows}


def sizes(connection: Connection, tenant_id: str, ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """message id -> (state, bytes of the envelope)."""
    rows = connection.execute(_SIZES, {"tenant": tenant_id, "ids": list(ids)})
    return {str(row.message_id): (row.state, row.size or 0) for row in rows}


def envelopes(connection: Connection, tenant_id: str, ids: Iterable[str]) -> dict[str, bytes]:
    """The frozen envelopes of those that are still to be sent."""
    rows = connection.execute(_ENVELOPES, {"tenant": tenant_id, "ids": list(ids)})
    return {str(row.message_id): bytes(row.envelope) for row in rows}


def sent(connection: Connection, tenant_id: str, ids: Iterable[str], now: datetime) -> list[Outcome]:
    """Record what the channel confirmed; returns those that were not recorded (or refused) before."""
    rows = connection.execute(_SENT, {"tenant": tenant_id, "ids": list(ids), "now": now})
    return [Outcome(str(row.message_id), row.kind) for row in rows]


def waiting(connection: Connection, tenant_id: str, ids: Iterable[str], reason: Refusal) -> None:
    """Record that the channel did not take them, for people to see; they will be tried again."""
    values = {"tenant": tenant_id, "ids": list(ids), "code": reason.code, "zh": reason.zh, "en": reason.en}
    connection.execute(_WAITING, values)


def refuse(connection: Connection, tenant_id: str, message_id: str, reason: Refusal) -> Outcome | None:
    """Record the platform's refusal; None if there is no such transmission or it was refused before."""
    values = {"tenant": tenant_id, "id": message_id, "code": reason.code, "zh": reason.zh, "en": reason.en}
    row = connection.execute(_REFUSED, values).one_or_none()
    return None if row is None else Outcome(str(row.message_id), row.kind)


def known(connection: Connection, tenant_id: str, message_id: str) -> bool:
    """True if this tenant has such a transmission."""
    found = connection.execute(_EXISTS, {"tenant": tenant_id, "id": message_id})
    return found.one_or_none() is not None


def transmission(connection: Connection, tenant_id: str, message_id: str) -> dict[str, Any] | None:
    """One transmission with all its columns, for pages; None if it is not there (or not theirs)."""
    row = connection.execute(_TRANSMISSION, {"tenant": tenant_id, "id": message_id}).mappings().one_or_none()
    return None if row is None else dict(row)


def way(connection: Connection, tenant_id: str, message_id: str) -> Any:
    """How far a message is on its way (a row without its bytes), or None."""
    return connection.execute(_WAY, {"tenant": tenant_id, "id": message_id}).one_or_none()


def queue(connection: Connection, tenant_id: str, channel: str) -> tuple[int, datetime | None, Any]:
    """What of this tenant waits for a channel: how many (up to 1,000), since when, and the last reason's row."""
    values = {"tenant": tenant_id, "channel": channel}
    row = connection.execute(_QUEUE, values).one()
    return row.waiting, row.since, connection.execute(_QUEUE_REASON, values).one_or_none()


def odd_receipts(connection: Connection, tenant_id: str, since: datetime) -> int:
    """How many receipts of this tenant could not be read or matched since then; up to 100."""
    return int(connection.execute(_ODD, {"tenant": tenant_id, "since": since}).scalar_one())


def signed_bytes(connection: Connection, tenant_id: str, message_id: str) -> bytes | None:
    """The signed business message exactly as it was sent, for pages; None if it is not there."""
    row = transmission(connection, tenant_id, message_id)
    if row is None or row["envelope"] is None:
        return None
    # ours, so the limit for documents from outside does not apply
    raw = bytes(row["envelope"])
    opened = envelope.read(raw, limit=len(raw))
    return opened.data if isinstance(opened, envelope.DxpMsg) else None


def outgoing(connection: Connection, tenant_id: str, kind: str, ids: Iterable[str]) -> Sequence[Any]:
    """Transmissions of a kind as they are listed for people: id, message_type, at, size, documents."""
    return connection.execute(_OUTGOING, {"tenant": tenant_id, "kind": kind, "ids": list(ids)}).all()


def incoming(connection: Connection, tenant_id: str, ids: Iterable[str]) -> Sequence[Any]:
    """Raw receipts, listed alike; documents is not known of them."""
    return connection.execute(_INCOMING, {"tenant": tenant_id, "ids": list(ids)}).all()


def received_bytes(connection: Connection, tenant_id: str, raw_id: str) -> bytes | None:
    """What customs said, as it stood in its envelope; what has none inside (the platform's own answer) as it came."""
    row = raw_receipt(connection, tenant_id, raw_id)
    if row is None:
        return None
    raw = bytes(row["raw"])
    try:
        opened = envelope.read(raw)
    except Unreadable:
        return raw
    return opened.data if isinstance(opened, envelope.DxpMsg) else raw


def keep(connection: Connection, tenant_id: str, receipts: Sequence[RawReceipt]) -> set[str]:
    """Store arrivals; returns the ids that are new. A byte-identical double only counts up `times`."""
    merged: dict[bytes, tuple[RawReceipt, int]] = {}
    for one in receipts:
        first, times = merged.get(one.sha256, (one, 0))
        merged[one.sha256] = (first, times + one.times)
    rows = [one for one, _ in merged.values()]
    if not rows:
        return set()
    stored = connection.execute(
        _KEEP,
        {
            "tenant": tenant_id,
            "ids": [one.id for one in rows],
            "digests": list(merged),
            "raws": [one.raw for one in rows],
            "sources": [one.source for one in rows],
            "names": [one.name for one in rows],
            "types": [one.message_type for one in rows],
            "receivers": [one.receiver for one in rows],
            "states": [one.state for one in rows],
            "times": [times for _, times in merged.values()],
            "ats": [one.received_at for one in rows],
            **_reasons([one.reason for one in rows]),
        },
    )
    return {str(row.id) for row in stored} & {one.id for one in rows}


def set_state(
    connection: Connection, tenant_id: str, raw_id: str, state: str, reason: Refusal | None
) -> None:
    """Change what became of a raw receipt."""
    values = {"tenant": tenant_id, "id": raw_id, "state": state}
    named = (
        {"code": reason.code, "zh": reason.zh, "en": reason.en}
        if reason
        else {"code": None, "zh": None, "en": None}
    )
    connection.execute(_STATE, values | named)


def raw_receipt(connection: Connection, tenant_id: str, raw_id: str) -> dict[str, Any] | None:
    """One raw receipt with all its columns, for pages; None if it is not there (or not theirs)."""
    row = connection.execute(_RAW, {"tenant": tenant_id, "id": raw_id}).mappings().one_or_none()
    return None if row is None else dict(row)


def unassigned_receivers(connection: Connection, tenant_id: str) -> list[str]:
    """Whom unassigned arrivals are for: receiver ids, several of one envelope with a space between them."""
    return [row.receiver for row in connection.execute(_UNASSIGNED_RECEIVERS, {"tenant": tenant_id})]


def unassigned(connection: Connection, tenant_id: str, receiver: str, count: int) -> list[RawReceipt]:
    """Arrivals for `receiver` nobody was found for, oldest first."""
    values = {"tenant": tenant_id, "receiver": receiver, "count": count}
    return [
        RawReceipt(
            id=str(row.id),
            raw=bytes(row.raw),
            source=row.source,
            name=row.name,
            message_type=row.message_type,
            receiver=row.receiver,
            state=row.state,
            reason=None,
            received_at=row.received_at,
            times=row.times,
        )
        for row in connection.execute(_UNASSIGNED, values)
    ]


def _reasons(reasons: Sequence[Refusal | None]) -> dict[str, list[str | None]]:
    return {
        "codes": [one.code if one else None for one in reasons],
        "zhs": [one.zh if one else None for one in reasons],
        "ens": [one.en if one else None for one in reasons],
    }
