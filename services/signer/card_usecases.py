"""What people do with cards: look at them, make one a key, prove that it is there.

Must never take a certificate from anywhere but the card's agent, nor call a key confirmed that did not sign.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from runtime.actor import Actor
from runtime.db import Database
from runtime.errors import Detail, Problem, not_found
from services.signer import certificates, domain, outcomes, refusals, xmlsign
from services.signer.domain import Key
from services.signer.store import cards, keys, ledger
from services.signer.store.cards import Card, Challenge

#: seconds that a challenge waits for its card
CHALLENGE_SECONDS = 180
#: the algorithm of a card's key where the administrator names none: the specification's
_DEFAULT = {"rsa": "rsa-sha1", "sm2": "sm2-sm3"}

#: sign(key, algorithm, data, actor's token) with a key of the pool; raises Problem
PoolSign = Callable[[Key, str, bytes, str], bytes]


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, its kind of key, and the key it was made, if any."""

    card: Card
    kind: str
    key_id: str


def list_cards(database: Database, actor: Actor, now: datetime) -> tuple[list[Shown], dict[str, datetime]]:
    """All cards that the enterprise's agents ever showed, and the agents that are connected now."""
    actor.require("key.read")
    with database.transaction(actor.tenant_id) as connection:
        made = {key.fingerprint: key.id for key, _works in keys.all_keys(connection)}
        shown = [
            Shown(card, certificates.read_cached(card.certificate).kind, made.get(card.fingerprint, ""))
            for card in cards.all_cards(connection)
        ]
        return shown, cards.seated(connection, now - timedelta(seconds=domain.SILENT))


def register_card(
    database: Database, actor: Actor, fingerprint: str, label: str, algorithm: str, now: datetime
) -> str:
    """Make a card a key of the enterprise, not active yet; returns the key's id. Repeating it answers the same."""
    actor.require("key.activate")
    with database.transaction(actor.tenant_id) as connection:
        keys.lock(connection, actor.tenant_id)
        card = cards.one(connection, fingerprint)
        if card is None or card.enterprise_code != actor.enterprise_code:
            raise not_found()
        known = next((key for key, _ in keys.all_keys(connection) if key.fingerprint == fingerprint), None)
        if known is not None:
            return known.id
        certificate = certificates.read_cached(card.certificate)
        chosen = algorithm or _DEFAULT[certificate.kind]
        _check(certificate, card, chosen, actor, now)
        key_id = str(uuid.uuid4())
        values = {
            "tenant_id": actor.tenant_id,
            "id": key_id,
            "enterprise_code": actor.enterprise_code,
            "label": label.strip() or f"{card.token} · {certificate.serial}",
            "algorithm": chosen,
            "device": card.token,
            "hardware": True,
            "certificate": certificate.der,
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "not_before": certificate.not_before,
            "not_after": certificate.not_after,
            "agent_id": card.agent_id,
        }
        keys.add_card(connection, values)
        entry = outcomes.key_entry(
            actor, "bound", now, key_id, chosen, certificate.serial, actor.enterprise_code
        )
        ledger.append(connection, actor.tenant_id, [entry])
    return key_id


def _check(
    certificate: certificates.Certificate, card: Card, algorithm: str, actor: Actor, now: datetime
) -> None:
    method = xmlsign.ALGORITHMS.get(algorithm)
    if method is None or method.key_kind != certificate.kind or algorithm not in card.mechanisms:
        allowed = sorted(
            name
            for name, item in xmlsign.ALGORITHMS.items()
            if item.key_kind == certificate.kind and name in card.mechanisms
        )
        zh = f"此卡不能用算法 {algorithm} 签名，可用：{'、'.join(allowed) or '无'}。"
        en = f"This card cannot sign with {algorithm}; it can with: {', '.join(allowed) or 'none'}."
        raise Problem("invalid", zh, en, [Detail("/algorithm", "invalid", zh, en, algorithm[:40])])
    # assumed, as for keys of the pool: the subject's OU is the enterprise's code
    if certificate.units != (actor.enterprise_code,):
        raise Problem(
            "invalid",
            f"卡内证书主体的 OU 应为企业代码 {actor.enterprise_code}，实际为 {'、'.join(certificate.units) or '空'}，请换用本企业的卡。",
            f"The OU of the card's certificate must be {actor.enterprise_code}, it is "
            f"{', '.join(certificate.units) or 'empty'}; use a card of this enterprise.",
        )
    if not certificate.not_before <= now <= certificate.not_after:
        raise Problem(
            "invalid",
            "卡内证书不在有效期内，请换用有效的卡。",
            "The card's certificate is not valid now; use another card.",
        )


def confirm_key(
    database: Database, actor: Actor, token: str, key_id: str, origin: str, sign: PoolSign, now: datetime
) -> Challenge:
    """Challenge a key. One of the pool answers at once; a card's holder is asked at the agent.

    Raises not_found, or Problem unavailable while the pool is down."""
    actor.require("key.activate")
    if not domain.is_uuid(key_id):
        raise not_found()
    with database.transaction(actor.tenant_id) as connection:
        key = keys.one(connection, key_id)
    if key is None:
        raise not_found()
    challenge = new_challenge(actor, key.fingerprint, key.algorithm, "confirm", origin, now, key.id)
    if key.device_kind == domain.CARD:
        with database.transaction(actor.tenant_id) as connection:
            cards.add_challenge(connection, actor.tenant_id, challenge)
        return challenge
    signature = sign(key, key.algorithm, challenge.body, token)
    public = certificates.read_cached(key.certificate).public_key
    if not certificates.verifier(public)(key.algorithm, challenge.body, signature):
        refusal = refusals.verification_failed(key)
        raise Problem("invalid", refusal.zh, refusal.en)
    with database.transaction(actor.tenant_id) as connection:
        _confirm(connection, actor, key, now)
    return _ended(challenge, "used")


def new_challenge(
    actor: Actor,
    fingerprint: str,
    algorithm: str,
    purpose: str,
    origin: str,
    now: datetime,
    key_id: str | None = None,
    code: str = "",
) -> Challenge:
    """A challenge for one card, bound to where it was asked for and by whom."""
    if not origin or not origin.isprintable() or len(origin) > 200:
        raise Problem("malformed", "缺少请求来源。", "The origin of the request is missing.")
    words = {
        "confirm": ("确认此卡可用于签名", "Confirm that this card may sign"),
        "sign-in": ("用此卡登录", "Sign in with this card"),
    }
    zh, en = words[purpose]
    if code:
        zh, en = f"{zh}（核对码 {code}）", f"{en} (code {code})"
    return Challenge(
        id=str(uuid.uuid4()),
        fingerprint=fingerprint,
        purpose=purpose,
        key_id=key_id,
        body=domain.challenge(origin, purpose, actor.user_name, os.urandom(16), now),
        title_zh=f"{zh}：{actor.user_name}，{origin}",
        title_en=f"{en}: {actor.user_name}, {origin}",
        actor=actor.label,
        actor_id=actor.user_id,
        request_id=actor.request_id,
        mechanism=algorithm,
        state="waiting",
        reason="",
        signature=b"",
        made_at=now,
        expires_at=now + timedelta(seconds=CHALLENGE_SECONDS),
    )


def read_challenge(database: Database, actor: Actor, challenge_id: str, now: datetime) -> Challenge:
    """How far a challenge of this very person is. Raises not_found."""
    actor.require("key.activate")
    if not domain.is_uuid(challenge_id):
        raise not_found()
    with database.transaction(actor.tenant_id) as connection:
        found = cards.challenge(connection, challenge_id)
    if found is None or found.actor_id != actor.user_id or found.purpose != "confirm":
        raise not_found()
    if found.state == "waiting" and found.expires_at <= now:
        return _ended(found, "refused", "expired")
    return found


def answered(
    connection: Connection, tenant_id: str, challenge: Challenge, signature: bytes, reason: str, now: datetime
) -> None:
    """A card signed its challenge (signature holds), or did not (reason). A key is confirmed by that, whoever looks."""
    if reason:
        cards.end_challenge(connection, challenge.id, "waiting", "refused", reason)
    elif challenge.purpose == "sign-in":
        cards.end_challenge(connection, challenge.id, "waiting", "signed", "", signature)
    elif cards.end_challenge(connection, challenge.id, "waiting", "used", "", signature):
        key = keys.one(connection, challenge.key_id or "")
        if key is not None:
            keys.confirm(connection, key.id, challenge.actor, now)
            ledger.append(connection, tenant_id, [outcomes.confirmation(challenge, key, now)])


def challenge_card(
    database: Database, actor: Actor, fingerprint: str, origin: str, code: str, now: datetime
) -> Challenge:
    """Ask a card to sign its holder in. Raises not_found for a card that no agent of the tenant ever showed."""
    actor.require("card.challenge")
    with database.transaction(actor.tenant_id) as connection:
        card = cards.one(connection, fingerprint)
        if card is None:
            raise not_found()
        algorithm = _DEFAULT[certificates.read_cached(card.certificate).kind]
        challenge = new_challenge(actor, fingerprint, algorithm, "sign-in", origin, now, code=code)
        cards.add_challenge(connection, actor.tenant_id, challenge)
    return challenge


def take_challenge(database: Database, actor: Actor, challenge_id: str, now: datetime) -> Challenge:
    """How far signing in is; `signed` is answered once and never again. Raises not_found."""
    actor.require("card.challenge")
    if not domain.is_uuid(challenge_id):
        raise not_found()
    with database.transaction(actor.tenant_id) as connection:
        found = cards.challenge(connection, challenge_id)
        if found is None or found.actor_id != actor.user_id or found.purpose != "sign-in":
            raise not_found()
        if found.state == "signed" and cards.end_challenge(connection, found.id, "signed", "used"):
            # too late is late, also for a signature
            return found if found.expires_at > now else _ended(found, "refused", "expired")
        if found.state == "waiting" and found.expires_at <= now:
            return _ended(found, "refused", "expired")
    return found


def _ended(challenge: Challenge, state: str, reason: str = "") -> Challenge:
    return replace(challenge, state=state, reason=reason)


def _confirm(connection: Connection, actor: Actor, key: Key, now: datetime) -> None:
    keys.confirm(connection, key.id, actor.label, now)
    entry = outcomes.key_entry(
        actor, "confirmed", now, key.id, key.algorithm, key.serial, key.enterprise_code
    )
    ledger.append(connection, actor.tenant_id, [entry])
