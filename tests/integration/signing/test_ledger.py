"""The ledger: the service cannot change it, tampering is found, and nothing is signed without it."""

from __future__ import annotations

import json

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.eventually import eventually
from tests.support.seen import Seen, verdict
from tests.support.signing import SignerSide, Tenant


def test_the_service_cannot_change_the_ledger(side: SignerSide, tenant: Tenant) -> None:
    for statement in (
        "UPDATE ledger SET actor = 'x'",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "UPDATE signature SET value = ''",
        "DELETE FROM signature",
    ):
        with pytest.raises(DBAPIError) as caught:
            side.rows(tenant, statement)
        assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE ledger SET actor = '李四' WHERE seq = 3", 3),
        ("UPDATE ledger SET at = at + interval '1 microsecond' WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)", None),
    ],
)
def test_tampering_is_found(side: SignerSide, tenant: Tenant, statement: str, broken_at: int | None) -> None:
    side.publish(tenant.actor(), *(side.submission(tenant) for _ in range(2)))
    Seen(side).ready(2)
    assert verdict(side, tenant)["valid"]
    with pytest.raises(DBAPIError), side.as_owner(tenant) as connection:
        connection.execute(text(statement))
    with side.as_owner(tenant) as connection:
        connection.execute(text("ALTER TABLE ledger DISABLE TRIGGER ledger_append_only"))
        assert connection.execute(text(statement)).rowcount == 1
        connection.execute(text("ALTER TABLE ledger ENABLE TRIGGER ledger_append_only"))
    found = json.loads(side.command("verify-ledger", "--tenant", tenant.id, code=1))
    assert not found["valid"]
    assert found["broken_at"] == broken_at
    assert bool(found["unrecorded_signatures"]) == (broken_at is None)


def test_nothing_is_signed_while_the_ledger_refuses_rows(side: SignerSide, tenant: Tenant) -> None:
    with side.as_owner(tenant) as connection:
        connection.execute(text("REVOKE INSERT ON ledger FROM signer_app"))
    one = side.submission(tenant)
    try:
        side.publish(tenant.actor(), one)
        eventually(lambda: "dispatch.waiting" in side.log("consume"), "the dispatcher waits")
        assert side.rows(tenant, "SELECT 1 FROM signature") == []
    finally:
        with side.as_owner(tenant) as connection:
            connection.execute(text("GRANT INSERT ON ledger TO signer_app"))
    assert [body.message_id for body in Seen(side).ready(1)] == [one.message_id]
