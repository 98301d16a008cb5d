"""SQL of tenants, enterprises, users, mandates, strategies. Nothing else in the gateway's http part reads them.

Every function takes a connection whose transaction has set the tenant; row-level security does the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from services.gateway.tenants.domain import Enterprise, Mandate, Person

_ENTERPRISE = "code, customs_code, name, short_code, dxp_id, channel, kinds"
_SIGN_IN_AS = text("SELECT set_config('app.sign_in_as', :username, true)")
_BY_NAME = text("SELECT tenant_id, id, password_hash, state, card FROM users WHERE username = :username")
# one name, one user, over all tenants: a unique index would have to begin with the tenant, hence the lock
_NAME_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:username, 7463))")
_PERSON = text(
    "SELECT u.id, u.username, u.name, u.roles, t.tenant_id, t.name AS tenant_name, t.kind "
    "FROM users u JOIN tenants t USING (tenant_id) "
    "WHERE u.tenant_id = :tenant AND u.id = :id AND u.state = 'active' AND t.state = 'active'"
)
_MAIN_ENTERPRISE = text(
    f"SELECT {_ENTERPRISE} FROM enterprises WHERE tenant_id = :tenant AND enabled ORDER BY created_at, id LIMIT 1"
)
_MANDATE = (
    "SELECT id, tenant_id, client_name, broker_id, broker_name, kinds, actions, valid_from, valid_to, revoked_at "
    "FROM mandates "
)
_MANDATES_OF_BROKER = text(_MANDATE + "WHERE broker_id = :broker ORDER BY client_name, valid_to DESC, id")
_MANDATES_OF_CLIENT = text(_MANDATE + "WHERE tenant_id = :tenant ORDER BY valid_to DESC, id")
_MANDATE_BY_ID = text(_MANDATE + "WHERE id = :id AND broker_id = :broker")
_TENANT_ACTIVE = text("SELECT 1 FROM tenants WHERE tenant_id = :tenant AND state = 'active'")
_REVOKE = text(
    "UPDATE mandates SET revoked_at = now() WHERE tenant_id = :tenant AND id = :id AND revoked_at IS NULL RETURNING id"
)
_SET_CARD = text("UPDATE users SET card = :card WHERE tenant_id = :tenant AND id = :id RETURNING id")
_CARD_HOLDER = text("SELECT id FROM users WHERE tenant_id = :tenant AND card = :card")
_USERS = text(
    "SELECT id, username, name, state, roles, card, created_at FROM users WHERE tenant_id = :tenant ORDER BY username"
)
_STRATEGY = "SELECT id, name, trade_mode, kind, logistics_code, enterprise_short_code, defaults, enabled FROM strategies "
_STRATEGIES = text(_STRATEGY + "WHERE tenant_id = :tenant ORDER BY trade_mode, name")
_STRATEGY_BY_ID = text(_STRATEGY + "WHERE tenant_id = :tenant AND id = :id")
_OVERSEEN = text(
    "SELECT t.tenant_id, t.name, t.kind, t.state, t.users, t.created_at, e.code, e.name AS enterprise_name, e.dxp_id, "
    "e.channel, e.kinds, e.enabled FROM tenants t LEFT JOIN enterprises e USING (tenant_id) "
    "ORDER BY t.created_at, t.tenant_id, e.code"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What sign-in needs to know of a user before it knows the user."""

    tenant_id: str
    user_id: str
    password_hash: str
    active: bool
    #: SHA-256 of the certificate of the card they sign in with, hex; None = none
    card: str | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """业务策略: defaults of head fields and the short codes of batch numbers. trade_mode: 9610 | 9710 | 9810."""

    id: str
    name: str
    trade_mode: str
    kind: str
    logistics_code: str
    enterprise_short_code: str
    defaults: Mapping[str, str]
    enabled: bool


def credentials(connection: Connection, username: str) -> list[Credentials]:
    """The users of that name (one, if all is well). Needs no tenant: the policy shows these rows only."""
    connection.execute(_SIGN_IN_AS, {"username": username})
    rows = connection.execute(_BY_NAME, {"username": username})
    return [
        Credentials(str(r.tenant_id), str(r.id), r.password_hash, r.state == "active", r.card) for r in rows
    ]


def set_card(connection: Connection, tenant_id: str, user_id: str, card: str | None) -> bool:
    """Bind a user to a card, or to none; False for a user who is not there."""
    row = connection.execute(_SET_CARD, {"tenant": tenant_id, "id": user_id, "card": card}).first()
    return row is not None


def card_holder(connection: Connection, tenant_id: str, card: str) -> str | None:
    """The user that a card signs in."""
    found = connection.execute(_CARD_HOLDER, {"tenant": tenant_id, "card": card}).scalar()
    return None if found is None else str(found)


def lock_name(connection: Connection, username: str) -> None:
    """Hold a user name until the end of the transaction, so that nobody else can take it meanwhile."""
    connection.execute(_NAME_LOCK, {"username": username})


def person(connection: Connection, tenant_id: str, user_id: str) -> Person | None:
    """The active user of an active tenant with the enterprise it files for."""
    row = connection.execute(_PERSON, {"tenant": tenant_id, "id": user_id}).one_or_none()
    if row is None:
        return None
    return Person(
        user_id=str(row.id),
        username=row.username,
        name=row.name,
        roles=tuple(row.roles),
        tenant_id=str(row.tenant_id),
        tenant_name=row.tenant_name,
        tenant_kind=row.kind,
        enterprise=enterprise(connection, tenant_id),
    )


def enterprise(connection: Connection, tenant_id: str) -> Enterprise | None:
    """The enterprise a tenant files for."""
    row = connection.execute(_MAIN_ENTERPRISE, {"tenant": tenant_id}).one_or_none()
    if row is None:
        return None
    return Enterprise(
        row.code, row.customs_code, row.name, row.short_code, row.dxp_id, row.channel, tuple(row.kinds)
    )


def tenant_active(connection: Connection, tenant_id: str) -> bool:
    """False for a suspended tenant."""
    return connection.execute(_TENANT_ACTIVE, {"tenant": tenant_id}).one_or_none() is not None


def mandates_of_broker(connection: Connection, broker_id: str) -> list[Mandate]:
    """All mandates given to a broker, the longest of each client first."""
    return [_mandate(row) for row in connection.execute(_MANDATES_OF_BROKER, {"broker": broker_id})]


def mandates_of_client(connection: Connection, tenant_id: str) -> list[Mandate]:
    """All mandates a tenant has given."""
    return [_mandate(row) for row in connection.execute(_MANDATES_OF_CLIENT, {"tenant": tenant_id})]


def mandate(connection: Connection, broker_id: str, mandate_id: str) -> Mandate | None:
    """One mandate, as its broker sees it."""
    row = connection.execute(_MANDATE_BY_ID, {"id": mandate_id, "broker": broker_id}).one_or_none()
    return _mandate(row) if row else None


def revoke(connection: Connection, tenant_id: str, mandate_id: str) -> bool:
    """End a mandate now. False if there is none to end."""
    return connection.execute(_REVOKE, {"tenant": tenant_id, "id": mandate_id}).one_or_none() is not None


def users(connection: Connection, tenant_id: str) -> Sequence[Any]:
    """Rows of all users of a tenant, without secrets."""
    return connection.execute(_USERS, {"tenant": tenant_id}).all()


def strategies(connection: Connection, tenant_id: str) -> list[Strategy]:
    """All strategies of a tenant."""
    return [_strategy(row) for row in connection.execute(_STRATEGIES, {"tenant": tenant_id})]


def strategy(connection: Connection, tenant_id: str, strategy_id: str) -> Strategy | None:
    """One strategy."""
    row = connection.execute(_STRATEGY_BY_ID, {"tenant": tenant_id, "id": strategy_id}).one_or_none()
    return _strategy(row) if row else None


def overseen(connection: Connection) -> Sequence[Any]:
    """Onboarding rows this tenant may see: its own and, for a provider or the platform, those it looks after."""
    return connection.execute(_OVERSEEN).all()


def upsert(connection: Connection, table: str, key: Sequence[str], values: Mapping[str, Any]) -> None:
    """Insert a row or bring the existing one to these values. table and names are ours, never a caller's."""
    names = ", ".join(values)
    marks = ", ".join(f"CAST(:{name} AS jsonb)" if isinstance(value, dict) else f":{name}"
                      for name, value in values.items())  # fmt: skip
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in key)
    connection.execute(
        text(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        ),
        {name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()},
    )


def _mandate(row: Any) -> Mandate:
    return Mandate(
        id=str(row.id),
        client_id=str(row.tenant_id),
        client_name=row.client_name,
        broker_id=str(row.broker_id),
        broker_name=row.broker_name,
        kinds=tuple(row.kinds),
        actions=tuple(row.actions),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        revoked_at=row.revoked_at,
    )


def _strategy(row: Any) -> Strategy:
    return Strategy(
        id=str(row.id),
        name=row.name,
        trade_mode=row.trade_mode,
        kind=row.kind,
        logistics_code=row.logistics_code,
        enterprise_short_code=row.enterprise_short_code,
        defaults=row.defaults,
        enabled=row.enabled,
    )
