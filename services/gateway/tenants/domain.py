"""Who may do what: roles, mandates, permissions. Pure: no database, no clock of its own.

Deny by default: a permission that no line below grants is granted to nobody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runtime.actor import Actor

#: what somebody who makes documents may do; also the most a mandate can hand on
DECLARANT = (
    "document.read",
    "document.write",
    "document.delete",
    "document.declare",
    "document.import",
    # workbooks and print: data that leaves the system, a scope of its own in a mandate
    "document.export",
    # the signed XML as it went out, receipts as they came in: named in a mandate by its whole name
    "message.read",
    "key.read",
)

#: role -> permissions. The one table; nothing else in the gateway grants anything.
ROLES: Mapping[str, tuple[str, ...]] = {
    "declarant": DECLARANT,
    "enterprise_admin": (
        *DECLARANT,
        "key.activate",
        "agent.read",
        "agent.manage",
        "user.read",
        "user.card",
        "mandate.read",
        "mandate.revoke",
        "audit.read",
        "tenant.read",
    ),
    # in clients' tenants a mandate decides; at home a broker has nothing of its own to file yet
    "broker": (),
    "provider_admin": ("tenant.read",),
    "platform_admin": ("tenant.read",),
}

#: characters; longer input is refused before it is hashed
PASSWORD_LENGTH = 256
USERNAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Enterprise:
    """The enterprise in whose name a tenant files. channel: amqp | spool; kinds: see documents.parties."""

    code: str
    customs_code: str
    name: str
    short_code: str
    dxp_id: str
    channel: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mandate:
    """A client's word that a broker may act for it: which kinds, which actions, from when to when."""

    id: str
    client_id: str
    client_name: str
    broker_id: str
    broker_name: str
    kinds: tuple[str, ...]
    actions: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    revoked_at: datetime | None

    def live(self, now: datetime) -> bool:
        """True while it can be acted upon."""
        return self.revoked_at is None and self.valid_from <= now < self.valid_to


@dataclass(frozen=True, slots=True)
class Person:
    """A user as found for a session: active user of an active tenant."""

    user_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    tenant_id: str
    tenant_name: str
    tenant_kind: str
    enterprise: Enterprise | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Who makes a request and, where a broker has stepped into a client, for whom.

    mandate_ended: the session is still inside a client whose mandate is over; then nothing is allowed there.
    """

    person: Person
    mandate: Mandate | None = None
    client_enterprise: Enterprise | None = None
    mandate_ended: bool = False

    @property
    def tenant_id(self) -> str:
        """Whose data this request may touch."""
        return self.mandate.client_id if self.mandate else self.person.tenant_id

    @property
    def enterprise(self) -> Enterprise | None:
        """In whose name this request files."""
        return self.client_enterprise if self.mandate else self.person.enterprise

    @property
    def enterprise_kinds(self) -> tuple[str, ...]:
        """As what this request may file: what the enterprise is, and as its agent where a broker acts for it."""
        own = self.enterprise.kinds if self.enterprise else ()
        return tuple(dict.fromkeys((*own, "agent"))) if self.mandate else own

    @property
    def permissions(self) -> tuple[str, ...]:
        """What this person may do in `tenant_id`."""
        if self.mandate_ended:
            return ()
        if self.mandate:
            return mandate_permissions(self.mandate)
        return role_permissions(self.person.roles)

    def actor(self, request_id: str) -> Actor:
        """The identity that travels to the services."""
        enterprise = self.enterprise
        return Actor(
            tenant_id=self.tenant_id,
            enterprise_code=enterprise.code if enterprise else "",
            user_id=self.person.user_id,
            user_name=self.person.name,
            roles=self.person.roles,
            permissions=self.permissions,
            kinds=self.mandate.kinds if self.mandate else None,
            mandate_id=self.mandate.id if self.mandate else None,
            home_tenant_id=self.person.tenant_id,
            request_id=request_id,
            enterprise_name=enterprise.name if enterprise else "",
            enterprise_kinds=self.enterprise_kinds,
        )


def role_permissions(roles: tuple[str, ...]) -> tuple[str, ...]:
    """All permissions of some roles, each once; an unknown role grants nothing."""
    return tuple(dict.fromkeys(item for role in roles for item in ROLES.get(role, ())))


def mandate_permissions(mandate: Mandate) -> tuple[str, ...]:
    """What a mandate hands on: its actions, never more than a declarant has."""
    return tuple(item for item in DECLARANT if item.removeprefix("document.") in mandate.actions)


def username(text: str) -> str:
    """The one spelling under which a user name is kept and looked up."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def password(text: str) -> str:
    """The one spelling of a password: the same characters typed on another keyboard give the same bytes."""
    return unicodedata.normalize("NFC", text)
