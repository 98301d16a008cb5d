"""Every table of every database, found in the catalogue: row-level security is on, forced, and complete.

Nothing is exempted by hand but Alembic's own version table. Policies beyond the tenant's own are named below with
the role and the purpose they are for; any other is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.people import tenant_id
from tests.support.stack import Stack

SERVICES = ("order", "list", "signer", "gateway")
#: (service, table, policy) -> role it is for. Each shows rows of another tenant on purpose, and why:
NARROW = {
    ("order", "outbox", "relay"): "order_relay",  # publishes everybody's events, sees nothing else
    ("list", "outbox", "relay"): "list_relay",
    ("signer", "outbox", "relay"): "signer_relay",
    ("gateway", "outbox", "relay"): "gateway_relay",
    # which tenants have work for a device: no more than that is in the table
    ("signer", "backlog", "dispatch"): "signer_app",
    # the one agent that a code, or a certificate, is for, before the tenant is known
    ("gateway", "edge_agents", "enrolling"): "gateway_app",
    ("gateway", "edge_agents", "attending"): "gateway_app",
    ("gateway", "users", "sign_in"): "gateway_app",  # the one user of a name, before the tenant is known
    ("gateway", "mandates", "broker"): "gateway_app",  # mandates given to the tenant that looks
    ("gateway", "tenants", "overseer"): "gateway_app",  # onboarding records of a provider's customers
    ("gateway", "enterprises", "overseer"): "gateway_app",
    (
        "gateway",
        "enterprises",
        "receiver",
    ): "gateway_app",  # the addressee of a receipt, before the tenant is known
}

TABLES = """
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity, c.relforcerowsecurity, c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND c.relname <> 'alembic_version'
    ORDER BY 2, 3"""
POLICIES = """
    SELECT p.polname, p.polcmd, p.polroles::regrole[]::text[] AS roles, p.polpermissive,
           pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
    FROM pg_policy p WHERE p.polrelid = %s"""
KEYS = """
    SELECT con.conname, con.contype, con.confrelid::regclass::text AS target,
           (SELECT attname FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = con.conkey[1]) AS first,
           (SELECT attname FROM pg_attribute WHERE attrelid = con.confrelid AND attnum = con.confkey[1]) AS far
    FROM pg_constraint con WHERE con.conrelid = %s AND con.contype IN ('p', 'u', 'f', 'x')"""
UNIQUE = """
    SELECT i.indexrelid::regclass::text AS name,
           (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0]) AS first
    FROM pg_index i WHERE i.indrelid = %s AND i.indisunique"""
OWN = "(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)"

Row = dict[str, Any]


class Catalogue:
    """One service's database, seen by its administrator and by its own roles."""

    def __init__(self, stack: Stack, service: str) -> None:
        servers = stack.servers()
        self.service = service
        self.urls: dict[str, str] = servers["databases"][service]
        admin = psycopg.conninfo.make_conninfo(servers["postgres_url"], dbname=f"tongguan_{service}")
        self._admin = psycopg.connect(admin, autocommit=True, row_factory=psycopg.rows.dict_row)

    def ask(self, statement: str, *values: object) -> list[Row]:
        return self._admin.execute(statement, values or None).fetchall()

    def tables(self) -> list[Row]:
        return self.ask(TABLES)

    def close(self) -> None:
        self._admin.close()


@pytest.fixture(scope="module", params=SERVICES)
def catalogue(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Catalogue]:
    found = Catalogue(stack, request.param)
    yield found
    found.close()


def test_every_table_is_protected_and_forced(catalogue: Catalogue) -> None:
    tables = catalogue.tables()
    assert tables
    open_ones = [row["name"] for row in tables if not (row["relrowsecurity"] and row["relforcerowsecurity"])]
    assert open_ones == []
    assert {row["schema"] for row in tables} == {"public"}


def test_every_table_has_the_tenants_policy_and_only_named_others(catalogue: Catalogue) -> None:
    for table in catalogue.tables():
        policies = {row["polname"]: row for row in catalogue.ask(POLICIES, table["oid"])}
        own = policies.pop("tenant", None)
        assert own is not None, table["name"]
        assert (own["using"], own["check"], own["polcmd"]) == (OWN, OWN, "*"), table["name"]
        for name, row in policies.items():
            place = (catalogue.service, table["name"], name)
            assert place in NARROW, f"{place} lets rows of others be seen: name it, or remove it"
            assert row["roles"] == [NARROW[place]], place
            # for reading only; what writes must be checked too
            assert row["polcmd"] == "r" or row["check"] is not None, place


def test_every_key_begins_with_the_tenant(catalogue: Catalogue) -> None:
    for table in catalogue.tables():
        keys = catalogue.ask(KEYS, table["oid"])
        assert any(row["contype"] == "p" for row in keys), f"{table['name']} has no primary key"
        for row in keys + catalogue.ask(UNIQUE, table["oid"]):
            assert row["first"] == "tenant_id", (table["name"], row)
            if row.get("contype") == "f":
                assert row["far"] == "tenant_id", (table["name"], row)


def test_roles_own_nothing_and_cannot_bypass(catalogue: Catalogue) -> None:
    names = [f"{catalogue.service}_{role}" for role in ("app", "relay", "owner")]
    roles = catalogue.ask(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
        "WHERE rolname = ANY(%s)",
        names,
    )
    assert len(roles) == 3
    for row in roles:
        assert not any(value for name, value in row.items() if name != "rolname"), row
    for name in names[:2]:
        owned = catalogue.ask(
            "SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = %s",
            name,
        )
        assert owned == []
        member = catalogue.ask("SELECT pg_has_role(%s, %s, 'MEMBER') AS yes", name, names[2])
        assert not member[0]["yes"]


def test_nobody_may_truncate_or_tie_tables(catalogue: Catalogue) -> None:
    for role in (f"{catalogue.service}_app", f"{catalogue.service}_relay"):
        for table in catalogue.tables():
            for right in ("TRUNCATE", "REFERENCES", "TRIGGER"):
                (row,) = catalogue.ask(
                    "SELECT has_table_privilege(%s, %s, %s) AS yes", role, table["oid"], right
                )
                assert not row["yes"], (role, table["name"], right)
        (row,) = catalogue.ask("SELECT has_schema_privilege(%s, 'public', 'CREATE') AS yes", role)
        assert not row["yes"], role


def test_the_relay_sees_the_outbox_and_nothing_else(catalogue: Catalogue) -> None:
    role = f"{catalogue.service}_relay"
    for table in catalogue.tables():
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            (row,) = catalogue.ask("SELECT has_table_privilege(%s, %s, %s) AS yes", role, table["oid"], right)
            assert row["yes"] == (table["name"] == "outbox" and right != "INSERT"), (table["name"], right)


def test_no_view_or_function_goes_around_the_policies(catalogue: Catalogue) -> None:
    views = catalogue.ask(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' "
        "AND (c.relkind = 'm' OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)))"
    )
    assert views == []
    functions = catalogue.ask(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' "
        "AND p.prosecdef"
    )
    assert functions == []


def test_the_audit_trail_and_the_ledger_are_append_only(stack: Stack) -> None:
    for service, table in (("gateway", "audit"),):
        found = Catalogue(stack, service)
        try:
            for right in ("UPDATE", "DELETE"):
                (row,) = found.ask(
                    "SELECT has_table_privilege(%s, %s, %s) AS yes", f"{service}_app", table, right
                )
                assert not row["yes"], (table, right)
        finally:
            found.close()


def _visible(connection: psycopg.Connection[Any], name: str) -> int:
    statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
    return int(connection.execute(statement).fetchone()[0])  # type: ignore[index]


def test_without_a_tenant_no_row_is_seen(catalogue: Catalogue) -> None:
    names = [row["name"] for row in catalogue.tables()]
    with psycopg.connect(catalogue.urls["app"], autocommit=True) as connection:
        for name in names:
            assert _visible(connection, name) == 0, name
        # after a first transaction the setting reads as an empty string, not as nothing
        with connection.transaction():
            connection.execute(
                "SELECT set_config('app.tenant', '00000000-0000-0000-0000-00000000000a', true)"
            )
        for name in names:
            assert _visible(connection, name) == 0, name
    if catalogue.service == "gateway":
        assert catalogue.ask("SELECT 1 FROM users"), "the check proves nothing on empty tables"


def test_inside_a_tenant_only_its_rows_are_seen(stack: Stack, catalogue: Catalogue) -> None:
    tenant = tenant_id(stack, "B")
    with psycopg.connect(catalogue.urls["app"]) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
        for table in catalogue.tables():
            name = sql.Identifier(table["name"])
            foreign = connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE tenant_id <> %s").format(name), [tenant]
            ).fetchone()
            assert foreign == (0,), table["name"]


def test_no_row_can_be_put_into_another_tenant(stack: Stack) -> None:
    foreign = tenant_id(stack, "A")
    with psycopg.connect(stack.servers()["databases"]["gateway"]["app"]) as connection:
        for tenant in ("", tenant_id(stack, "B")):
            connection.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(
                    "INSERT INTO audit (tenant_id, id, what, outcome, user_name, object, detail, request_id, address) "
                    "VALUES (%s, gen_random_uuid(), 'x', 'allowed', 'x', '', '{}', '', '')",
                    [foreign],
                )
            connection.rollback()
            connection.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
            changed = connection.execute("UPDATE users SET name = 'x' WHERE tenant_id = %s", [foreign])
            assert changed.rowcount == 0
            connection.rollback()


def test_the_narrow_policies_show_only_what_they_are_for(stack: Stack) -> None:
    """Each one alone: the broker its mandates, the provider onboarding, sign-in one name; nothing may be written."""
    broker, provider, client = (tenant_id(stack, label) for label in ("C", "provider", "A"))
    name = stack.user("A", "declarant")["username"]
    with psycopg.connect(stack.servers()["databases"]["gateway"]["app"]) as connection:

        def seen(table: str, **settings: str) -> set[str]:
            connection.rollback()
            for setting, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, true)", [f"app.{setting}", value])
            statement = sql.SQL("SELECT DISTINCT tenant_id::text FROM {}").format(sql.Identifier(table))
            return {row[0] for row in connection.execute(statement)}

        assert client in seen("mandates", tenant=broker)
        assert connection.execute("SELECT 1 FROM mandates WHERE broker_id <> %s", [broker]).fetchall() == []
        assert seen("users", tenant=broker) == {broker}
        assert seen("strategies", tenant=broker) == set()
        assert {client, provider} <= seen("tenants", tenant=provider)
        assert seen("users", tenant=provider) == {provider}
        assert seen("audit", tenant=provider) <= {provider}
        assert seen("users", sign_in_as=name) == {client}
        assert seen("audit", sign_in_as=name) == set()
        assert connection.execute("SELECT username FROM users").fetchall() == [(name,)]
        connection.rollback()
        assert connection.execute("SELECT username FROM users").fetchall() == [], (
            "it ends with its transaction"
        )
        for statement in ("UPDATE users SET name = 'x'", "UPDATE mandates SET revoked_at = now()"):
            seen("users", sign_in_as=name, tenant=broker)
            others = connection.execute(f"{statement} WHERE tenant_id = %s", [client])  # type: ignore[arg-type]
            assert others.rowcount == 0
