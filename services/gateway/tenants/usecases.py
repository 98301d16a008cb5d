"""One function per verb about people and mandates, one transaction each.

Must never answer differently for "does not exist" and "belongs to somebody else".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import argon2

from runtime.db import Database
from runtime.errors import Problem, not_found
from services.gateway.tenants import audit, domain, store
from services.gateway.tenants.domain import Mandate, Person, Standing


class Passwords:
    """argon2id. A stand-in hash is checked where there is no user, so that both take the same time."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher()
        self._nobody = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """A hash to be stored."""
        return self._hasher.hash(domain.password(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """True if the password is the stored one's; never for stored=None, which takes as long."""
        try:
            return (
                self._hasher.verify(stored or self._nobody, domain.password(password)) and stored is not None
            )
        except argon2.exceptions.VerifyMismatchError:
            return False


@dataclass(frozen=True, slots=True)
class SignIn:
    """The outcome of a sign-in. tenant_id and user_id are set for a known user even if the password was wrong."""

    person: Person | None
    tenant_id: str | None = None
    user_id: str | None = None


def sign_in(database: Database, passwords: Passwords, username: str, password: str) -> SignIn:
    """Find the user of that name and check the password; every failure looks alike to the caller."""
    with database.transaction(None) as connection:
        found = store.credentials(connection, username)
    known = found[0] if len(found) == 1 else None
    right = passwords.matches(known.password_hash if known else None, password)
    if known is None:
        return SignIn(None)
    if not right or not known.active:
        return SignIn(None, known.tenant_id, known.user_id)
    with database.transaction(known.tenant_id) as connection:
        person = store.person(connection, known.tenant_id, known.user_id)
    return SignIn(person, known.tenant_id, known.user_id)


def standing(
    database: Database, tenant_id: str, user_id: str, mandate_id: str | None, now: datetime
) -> Standing | None:
    """Who this session is right now; None if the user or tenant is no longer active.

    Asked at every request, so that a revoked mandate or a disabled user acts at once.
    """
    with database.transaction(tenant_id) as connection:
        person = store.person(connection, tenant_id, user_id)
        if person is None:
            return None
        if mandate_id is None:
            return Standing(person)
        mandate = store.mandate(connection, tenant_id, mandate_id)
    if mandate is None or not mandate.live(now):
        return Standing(person, mandate_ended=True)
    with database.transaction(mandate.client_id) as connection:
        if not store.tenant_active(connection, mandate.client_id):
            return Standing(person, mandate_ended=True)
        return Standing(person, mandate, store.enterprise(connection, mandate.client_id))


def clients(database: Database, person: Person, now: datetime) -> list[Mandate]:
    """The live mandates of a broker, one per client (the one that lasts longest)."""
    if "broker" not in person.roles:
        return []
    with database.transaction(person.tenant_id) as connection:
        mandates = store.mandates_of_broker(connection, person.tenant_id)
    chosen: dict[str, Mandate] = {}
    for mandate in mandates:
        if mandate.live(now):
            chosen.setdefault(mandate.client_id, mandate)
    return list(chosen.values())


def mandate_for(database: Database, person: Person, client_id: str, now: datetime) -> Mandate:
    """The mandate under which a broker may step into a client; not found without one."""
    for mandate in clients(database, person, now):
        if mandate.client_id == client_id:
            return mandate
    raise not_found()


def revoke_mandate(database: Database, tenant_id: str, mandate_id: str, entry: audit.Entry) -> Mandate:
    """The client takes its word back; acts at the broker's next request."""
    with database.transaction(tenant_id) as connection:
        known = {item.id: item for item in store.mandates_of_client(connection, tenant_id)}.get(mandate_id)
        if known is None:
            raise not_found()
        if not store.revoke(connection, tenant_id, mandate_id):
            raise Problem("conflict", "该委托已经撤销。", "This mandate has been revoked already.")
        audit.write(connection, tenant_id, entry)
        return known


def record(database: Database, tenant_id: str, entry: audit.Entry) -> None:
    """Append to the trail; raises `unavailable` if it cannot be written, and then the act must not be done."""
    with database.transaction(tenant_id) as connection:
        audit.write(connection, tenant_id, entry)
