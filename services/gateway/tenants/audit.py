"""The trail: who did or tried what, in which tenant. Append only: the application role may not change a row.

Written before the act it records, so that nothing is done without a row. Must never hold document content.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from runtime.actor import Actor

_INSERT = text(
    "INSERT INTO audit (tenant_id, id, what, outcome, user_id, user_name, home_tenant_id, mandate_id, object, detail, "
    "request_id, address) VALUES (:tenant, :id, :what, :outcome, :user_id, :user_name, :home, :mandate, :object, "
    "CAST(:detail AS jsonb), :request_id, :address)"
)
_PAGE = text(
    "SELECT at, id, what, outcome, user_id, user_name, home_tenant_id, mandate_id, object, detail, request_id, address "
    "FROM audit WHERE tenant_id = :tenant AND (at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)) "
    "ORDER BY at DESC, id DESC LIMIT :limit"
)
#: later and higher than any row
NEWEST = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. what: sign-in, step-in, declare …; outcome: allowed | refused; object: what it was done to."""

    what: str
    outcome: str
    user_name: str
    request_id: str
    address: str
    object: str = ""
    user_id: str | None = None
    home_tenant_id: str | None = None
    mandate_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def of_actor(
    actor: Actor,
    what: str,
    outcome: str,
    address: str,
    object_: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    """An entry for something a signed-in person did or tried."""
    return Entry(
        what=what,
        outcome=outcome,
        user_name=actor.label,
        request_id=actor.request_id,
        address=address,
        object=object_,
        user_id=actor.user_id,
        home_tenant_id=actor.home_tenant_id,
        mandate_id=actor.mandate_id,
        detail=detail or {},
    )


def write(connection: Connection, tenant_id: str, entry: Entry) -> None:
    """Append one entry to the trail of a tenant."""
    connection.execute(
        _INSERT,
        {
            "tenant": tenant_id,
            "id": str(uuid.uuid4()),
            "what": entry.what,
            "outcome": entry.outcome,
            "user_id": entry.user_id,
            "user_name": entry.user_name,
            "home": entry.home_tenant_id,
            "mandate": entry.mandate_id,
            "object": entry.object,
            "detail": json.dumps(entry.detail),
            "request_id": entry.request_id,
            "address": entry.address,
        },
    )


def page(connection: Connection, tenant_id: str, before: tuple[str, str], limit: int) -> Sequence[Any]:
    """Rows older than `before` (time, id), newest first."""
    values = {"tenant": tenant_id, "at": before[0], "id": before[1], "limit": limit}
    return connection.execute(_PAGE, values).all()
