"""Answers kept under Idempotency-Key, so that a repeated write is answered again instead of being done again.

The row is written before the act and completed after it. Must never keep an answer of another user.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

#: seconds after which an unfinished attempt counts as died; longer than any call may take
LEASE = 120
#: the same where doing it again does it once all the same: what is made gets its id from the key
SHORT_LEASE = 3
#: days an answer is kept
KEEP = 7

_RESERVE = text(
    "INSERT INTO idempotency AS mine (tenant_id, user_id, key, digest, attempt) "
    "VALUES (:tenant, :user, :key, :digest, :attempt) "
    # a dead attempt is taken over by the same request only; what it reached is guarded by the documents' states
    "ON CONFLICT (tenant_id, user_id, key) DO UPDATE SET started_at = clock_timestamp(), attempt = :attempt "
    "WHERE mine.status IS NULL AND mine.digest = :digest "
    "AND mine.started_at < clock_timestamp() - make_interval(secs => :lease) RETURNING attempt"
)
# a few of the user's old keys go with each new one, so that the table does not grow for ever
_TIDY = text(
    "DELETE FROM idempotency WHERE tenant_id = :tenant AND user_id = :user AND key IN ("
    "SELECT key FROM idempotency WHERE tenant_id = :tenant AND user_id = :user "
    "AND started_at < clock_timestamp() - make_interval(days => :keep) ORDER BY started_at LIMIT 10)"
)
_READ = text(
    "SELECT digest, status, headers, body FROM idempotency WHERE tenant_id = :tenant AND user_id = :user AND key = :key"
)
_FINISH = text(
    "UPDATE idempotency SET status = :status, headers = CAST(:headers AS jsonb), body = :body "
    "WHERE tenant_id = :tenant AND user_id = :user AND key = :key AND attempt = :attempt"
)
_FORGET = text(
    "DELETE FROM idempotency WHERE tenant_id = :tenant AND user_id = :user AND key = :key AND attempt = :attempt"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt's hold on a key."""

    tenant_id: str
    user_id: str
    key: str
    attempt: str

    @property
    def parameters(self) -> dict[str, str]:
        return {"tenant": self.tenant_id, "user": self.user_id, "key": self.key, "attempt": self.attempt}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an earlier request under the key; status None: it is still running."""

    digest: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes


def reserve(connection: Connection, claim: Claim, digest: str, lease: int = LEASE) -> Kept | None:
    """Take the key for this attempt, or tell what stands under it already."""
    values = {**claim.parameters, "digest": digest, "lease": lease}
    connection.execute(_TIDY, {**claim.parameters, "keep": KEEP})
    if connection.execute(_RESERVE, values).one_or_none() is not None:
        return None
    row = connection.execute(_READ, claim.parameters).one_or_none()
    if row is None:
        return Kept(digest, None, {}, b"")  # given up by its owner this very moment: as if still running
    return Kept(row.digest, row.status, row.headers or {}, bytes(row.body or b""))


def finish(
    connection: Connection, claim: Claim, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Keep the answer."""
    values = {**claim.parameters, "status": status, "headers": json.dumps(dict(headers)), "body": body}
    connection.execute(_FINISH, values)


def forget(connection: Connection, claim: Claim) -> None:
    """Give the key back: the request may be tried again."""
    connection.execute(_FORGET, claim.parameters)
