"""SQL of a person's preferences: a name, a value. They are the person's own, kept where the person is employed.

Every function takes a connection whose transaction has set that tenant; row-level security does the rest.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

#: names one person may have
LIMIT = 200

_READ = text(
    "SELECT name, value FROM preferences WHERE tenant_id = :tenant AND user_id = :user ORDER BY name"
)
# one writer per person at a time, so that many at once cannot get past the limit together
_HOLD = text("SELECT 1 FROM users WHERE tenant_id = :tenant AND id = :user FOR NO KEY UPDATE")
_OTHERS = text(
    "SELECT count(*) FROM preferences WHERE tenant_id = :tenant AND user_id = :user AND name <> :name"
)
_PUT = text(
    "INSERT INTO preferences (tenant_id, user_id, name, value) VALUES (:tenant, :user, :name, :value) "
    "ON CONFLICT (tenant_id, user_id, name) DO UPDATE SET value = excluded.value, updated_at = clock_timestamp()"
)
_DELETE = text("DELETE FROM preferences WHERE tenant_id = :tenant AND user_id = :user AND name = :name")


def of(connection: Connection, tenant_id: str, user_id: str) -> dict[str, str]:
    """All of a person's: name -> JSON text."""
    rows = connection.execute(_READ, {"tenant": tenant_id, "user": user_id})
    return {row.name: row.value for row in rows}


def put(connection: Connection, tenant_id: str, user_id: str, name: str, value: str) -> bool:
    """Set one; False where the person has too many others."""
    values = {"tenant": tenant_id, "user": user_id, "name": name, "value": value}
    connection.execute(_HOLD, values)
    if connection.execute(_OTHERS, values).scalar_one() >= LIMIT:
        return False
    connection.execute(_PUT, values)
    return True


def delete(connection: Connection, tenant_id: str, user_id: str, name: str) -> None:
    """Forget one, if it is there."""
    connection.execute(_DELETE, {"tenant": tenant_id, "user": user_id, "name": name})
