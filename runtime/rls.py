"""The statements that put a table under row-level security; every migration uses these and nothing else.

The policy reads the tenant that `Database.transaction` set. `nullif` because the setting reads as an empty
string, not NULL, after a first transaction on a pooled connection.
"""

from __future__ import annotations

TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


def protect(table: str, app_role: str, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Enable and force the tenant policy on `table` and grant `rights` to the application role."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})",
        f"GRANT {rights} ON {table} TO {app_role}",
    ]


def outbox_and_inbox(app_role: str, relay_role: str) -> list[str]:
    """The two tables that make events certain. The relay's role sees the outbox of all tenants and nothing else."""
    return [
        """CREATE TABLE outbox (
            tenant_id uuid NOT NULL,
            seq bigint GENERATED ALWAYS AS IDENTITY,
            id uuid NOT NULL,
            routing_key text NOT NULL,
            type text NOT NULL,
            mandatory boolean NOT NULL,
            actor text NOT NULL,
            body bytea NOT NULL,
            stored_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, seq))""",
        "CREATE INDEX outbox_order ON outbox (seq)",
        "ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL",
        *protect("outbox", app_role, "SELECT, INSERT"),
        f"CREATE POLICY relay ON outbox TO {relay_role} USING (true) WITH CHECK (true)",
        # UPDATE: PostgreSQL asks for it with SELECT … FOR UPDATE SKIP LOCKED
        f"GRANT SELECT, UPDATE, DELETE ON outbox TO {relay_role}",
        """CREATE TABLE inbox (
            tenant_id uuid NOT NULL,
            consumer text NOT NULL,
            id uuid NOT NULL,
            handled_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, consumer, id))""",
        *protect("inbox", app_role, "SELECT, INSERT, DELETE"),
    ]
