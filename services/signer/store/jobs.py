"""What waits for a signature: the backlog of every queue, oldest first within its lane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from services.signer import domain

#: whoever waits for work listens here
CHANNEL = "signer_jobs"
# what came for whom is said, so that nobody need look
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', said) FROM unnest(CAST(:said AS text[])) AS u(said)")
_DISPATCH = text("SELECT set_config('app.purpose', 'dispatch', true)")


@dataclass(frozen=True, slots=True)
class Job:
    """One message and where it waits. digest: SHA-256 of xml."""

    message_id: str
    event_id: str
    queue: str
    key_id: str
    lane: int
    kind: str
    message_type: str
    enterprise_code: str
    dxp_id: str
    documents: int
    namespaces: list[str]
    actor_token: str
    digest: bytes
    xml: bytes


_COLUMNS = Job.__slots__
#: what is not text
_TYPES = {
    **dict.fromkeys(("message_id", "event_id", "key_id"), "uuid"),
    "lane": "smallint",
    "documents": "integer",
    "digest": "bytea",
    "xml": "bytea",
}
#: an array in an array would have to be a rectangle: namespaces travel as one text
_SEPARATOR = "\x1f"
_ADD = text(
    f"INSERT INTO job (tenant_id, {', '.join(_COLUMNS)}) SELECT CAST(:tenant AS uuid), "
    + ", ".join(
        f"string_to_array(u.{name}, E'\\x1f')" if name == "namespaces" else f"u.{name}" for name in _COLUMNS
    )
    + " FROM unnest("
    + ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'text')}[])" for name in _COLUMNS)
    + f") AS u({', '.join(_COLUMNS)})"
)
# the row is locked until commit, so that nobody finds the queue empty and says so meanwhile
_MARK = text(
    "INSERT INTO backlog (tenant_id, queue, lane) SELECT DISTINCT CAST(:tenant AS uuid), queue, lane "
    "FROM unnest(CAST(:queues AS text[]), CAST(:lanes AS smallint[])) AS u(queue, lane) ORDER BY queue, lane "
    "ON CONFLICT (tenant_id, queue, lane) DO UPDATE SET since = backlog.since"
)
# the locked rows are found once: as a subquery they could be looked for again for every row, and more would be taken
_TAKE = text(
    "WITH next AS MATERIALIZED (SELECT tenant_id, message_id FROM job WHERE queue = :queue AND lane <= :lane AND NOT taken "
    " ORDER BY lane, place LIMIT :limit FOR UPDATE SKIP LOCKED) "
    "UPDATE job AS j SET taken = true, attempts = attempts + 1, reason = '', lease = :lease FROM next "
    "WHERE j.tenant_id = next.tenant_id AND j.message_id = next.message_id "
    f"RETURNING j.place, {', '.join('j.' + name for name in _COLUMNS)}"
)


def add(connection: Connection, tenant_id: str, jobs: Sequence[Job]) -> None:
    """Queue these messages; whoever waits for work is woken at commit."""
    if not jobs:
        return
    columns = {name: [getattr(job, name) for job in jobs] for name in _COLUMNS if name != "namespaces"}
    columns["namespaces"] = [_SEPARATOR.join(job.namespaces) for job in jobs]
    connection.execute(_ADD, {"tenant": tenant_id, **columns})
    _mark(connection, tenant_id, [(job.queue, job.lane) for job in jobs])


def _mark(connection: Connection, tenant_id: str, places: Sequence[tuple[str, int]]) -> None:
    queues, lanes = [queue for queue, _ in places], [lane for _, lane in places]
    connection.execute(_MARK, {"tenant": tenant_id, "queues": queues, "lanes": lanes})
    notify(connection, tenant_id, places)


def notify(connection: Connection, tenant_id: str, places: Sequence[tuple[str, int]]) -> None:
    """At commit, wake whoever waits for work. places: (queue, lane) of what came."""
    connection.execute(_NOTIFY, {"said": sorted({f"{tenant_id} {lane} {queue}" for queue, lane in places})})


def heard(said: Iterable[str]) -> list[tuple[str, str, int]]:
    """(queue, tenant, lane) of what was notified."""
    words = (one.split(" ", 2) for one in said)
    return [(queue, tenant_id, int(lane)) for tenant_id, lane, queue in words]


def digests(connection: Connection, message_ids: Sequence[str]) -> dict[str, bytes]:
    """Messages that wait or are being signed -> SHA-256 of what is to be signed."""
    rows = connection.execute(
        text("SELECT message_id, digest FROM job WHERE message_id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": list(message_ids)},
    )
    return {str(row.message_id): bytes(row.digest) for row in rows}


def waiting(connection: Connection, queue: str) -> list[tuple[str, int]]:
    """(tenant, lane) of all that may have work in this queue, or that have some under way: who waits at a page first,
    then by the time since when. Needs no tenant; sees nothing but this."""
    connection.execute(_DISPATCH)
    rows = connection.execute(
        text("SELECT tenant_id, lane FROM backlog WHERE queue = :queue ORDER BY lane, since, tenant_id"),
        {"queue": queue},
    )
    return [(str(row.tenant_id), row.lane) for row in rows]


def take(
    connection: Connection, queue: str, limit: int, lease: bytes = b"", lane: int = domain.BULK
) -> list[Job]:
    """Take the next jobs of the tenant: what somebody waits for first, then by age. Taken jobs are nobody else's.

    lease: says by whom, where several may come to hold the same queue one after the other. lane: the last one."""
    rows = connection.execute(_TAKE, {"queue": queue, "limit": limit, "lease": lease, "lane": lane}).all()
    return [_job(row) for row in sorted(rows, key=lambda row: (row.lane, row.place))]


def clear_mark(connection: Connection, queue: str) -> None:
    """Forget that the tenant has work in this queue, unless it has."""
    # first the lock, then a look of its own: a job that was added meanwhile is seen
    locked = connection.execute(
        text("SELECT lane FROM backlog WHERE queue = :queue ORDER BY lane FOR UPDATE"), {"queue": queue}
    ).all()
    if locked:
        connection.execute(
            text(
                "DELETE FROM backlog AS b WHERE queue = :queue AND NOT EXISTS (SELECT 1 FROM job AS j "
                "WHERE j.tenant_id = b.tenant_id AND j.queue = b.queue AND j.lane = b.lane)"
            ),
            {"queue": queue},
        )


def done(connection: Connection, message_ids: Sequence[str]) -> None:
    """These have an outcome: they wait no longer."""
    connection.execute(
        text("DELETE FROM job WHERE message_id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(message_ids)}
    )


def put_back(connection: Connection, message_ids: Sequence[str], reason: str, lease: bytes = b"") -> None:
    """Nothing came of these: they wait again, at their old place. What somebody else has taken since is left to him."""
    connection.execute(
        text(
            "UPDATE job SET taken = false, reason = :reason "
            "WHERE message_id = ANY(CAST(:ids AS uuid[])) AND lease = :lease"
        ),
        {"ids": list(message_ids), "reason": reason, "lease": lease},
    )


def put_all_back(connection: Connection, queue: str) -> int:
    """Whoever had taken jobs of this queue is gone: they wait again. Returns how many."""
    return connection.execute(
        text("UPDATE job SET taken = false WHERE queue = :queue AND taken"), {"queue": queue}
    ).rowcount


def free_of_gone(connection: Connection, since: datetime) -> None:
    """Put back what cards had taken whose agents were not heard of since then: a process that died left it so."""
    connection.execute(
        text(
            "UPDATE job AS j SET taken = false FROM card AS c WHERE j.taken AND j.queue = 'card:' || c.fingerprint "
            "AND NOT EXISTS (SELECT 1 FROM seat AS s WHERE s.agent_id = c.agent_id AND s.heard_at >= :since)"
        ),
        {"since": since},
    )


def move(connection: Connection, tenant_id: str, enterprise_code: str, key_id: str, queue: str) -> int:
    """What waits for another key of the enterprise waits for this one from now on. Returns how many."""
    rows = connection.execute(
        text(
            "UPDATE job SET key_id = :key, queue = :queue, reason = '' "
            "WHERE enterprise_code = :code AND NOT taken AND key_id <> :key RETURNING lane"
        ),
        {"key": key_id, "queue": queue, "code": enterprise_code},
    ).all()
    if rows:
        _mark(connection, tenant_id, [(queue, row.lane) for row in rows])
    return len(rows)


def withdraw(connection: Connection, message_ids: Sequence[str], kinds: Sequence[str]) -> list[Job]:
    """Take these out of their queues; those that are being signed, or are of other kinds, stay."""
    rows = connection.execute(
        text(
            "DELETE FROM job WHERE message_id = ANY(CAST(:ids AS uuid[])) AND NOT taken AND kind = ANY(:kinds) "
            f"RETURNING {', '.join(_COLUMNS)}"
        ),
        {"ids": list(message_ids), "kinds": list(kinds)},
    )
    return [_job(row) for row in rows]


def known(connection: Connection, message_ids: Sequence[str], kinds: Sequence[str]) -> set[str]:
    """Those of these messages that are in a queue."""
    rows = connection.execute(
        text(
            "SELECT message_id FROM job WHERE message_id = ANY(CAST(:ids AS uuid[])) AND kind = ANY(:kinds)"
        ),
        {"ids": list(message_ids), "kinds": list(kinds)},
    )
    return {str(row.message_id) for row in rows}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the signing queue's page."""

    place: int
    message_id: str
    key_id: str
    kind: str
    message_type: str
    enterprise_code: str
    documents: int
    lane: int
    taken: bool
    reason: str
    queued_at: datetime


def page(
    connection: Connection, kinds: Sequence[str], key_id: str | None, after: int, limit: int
) -> list[Waiting]:
    """Jobs behind place `after`, oldest first."""
    names = ", ".join(Waiting.__slots__)
    rows = connection.execute(
        text(
            f"SELECT {names} FROM job WHERE place > :after AND kind = ANY(:kinds) "
            "AND (CAST(:key AS uuid) IS NULL OR key_id = :key) ORDER BY place LIMIT :limit"
        ),
        {"after": after, "kinds": list(kinds), "key": key_id, "limit": limit},
    )
    return [Waiting(**{name: _plain(getattr(row, name)) for name in Waiting.__slots__}) for row in rows]


def lengths(connection: Connection) -> dict[str, tuple[int, int]]:
    """Key id -> (messages, documents) that wait for it or are being signed."""
    rows = connection.execute(
        text("SELECT key_id, count(*) AS messages, sum(documents) AS documents FROM job GROUP BY key_id")
    )
    return {str(row.key_id): (row.messages, row.documents) for row in rows}


def _plain(value: Any) -> Any:
    return str(value) if hasattr(value, "hex") and not isinstance(value, bytes | int | float) else value


def _job(row: Any) -> Job:
    values = {name: _plain(getattr(row, name)) for name in _COLUMNS}
    return Job(**{**values, "digest": bytes(row.digest), "xml": bytes(row.xml)})
