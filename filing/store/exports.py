"""Export tasks, and the rows of all documents that a query finds, read through a cursor of the server's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

from filing.store import query

#: rows that come over the wire at once
_FETCH = 500
_COLUMNS = (
    "id, kind, state, wanted, language, rows, done, file_name, failure, created_by, created_at, started_at,"
    " coalesce(octet_length(file), 0) AS file_bytes"
)
_INSERT = text(
    "INSERT INTO export_task (tenant_id, id, kind, state, wanted, language, file_name, user_id, created_by)"
    " VALUES (:tenant, :id, :kind, 'waiting', :wanted, :language, :file_name, :user, :created_by)"
)
_READ = text(f"SELECT {_COLUMNS} FROM export_task WHERE id = :id")
_LOCK = text(f"SELECT {_COLUMNS} FROM export_task WHERE id = :id FOR UPDATE")
_PART = text("SELECT substr(file, :start, :size) FROM export_task WHERE id = :id AND state = 'done'")
_DELETE = text("DELETE FROM export_task WHERE id = :id")
_DELETE_OLD = text("DELETE FROM export_task WHERE created_at < now() - make_interval(days => :days)")
_ABANDONED = text(
    "UPDATE export_task SET state = 'failed', failure = :failure, updated_at = now()"
    " WHERE (state = 'running' AND updated_at < now() - make_interval(secs => :running))"
    " OR (state = 'waiting' AND updated_at < now() - make_interval(secs => :waiting))"
)
_UNDER_WAY = text(
    "SELECT count(*) FROM export_task WHERE user_id = :user AND state IN ('waiting', 'running')"
)
_RUN = text(
    "UPDATE export_task SET state = 'running', rows = :rows, done = 0, started_at = now(), updated_at = now()"
    " WHERE id = :id AND state IN ('waiting', 'running') RETURNING started_at"
)
_PROGRESS = text(
    "UPDATE export_task SET done = :done, updated_at = now() WHERE id = :id AND state = 'running'"
)
_FINISH = text(
    "UPDATE export_task SET state = 'done', rows = :rows, done = :rows, file = :file, updated_at = now()"
    " WHERE id = :id AND state = 'running'"
)
_FAIL = text(
    "UPDATE export_task SET state = 'failed', failure = :failure, updated_at = now()"
    " WHERE id = :id AND state IN ('waiting', 'running')"
)
# both end with the transaction, and with the connection of a process that dies
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_ONLY_ONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


def insert(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new task in state waiting."""
    connection.execute(_INSERT, {**row, "wanted": Jsonb(row["wanted"])})


def read(connection: Connection, export_id: str) -> Row[Any] | None:
    """A task without its file."""
    return connection.execute(_READ, {"id": export_id}).one_or_none()


def lock(connection: Connection, export_id: str) -> Row[Any] | None:
    """A task without its file, locked."""
    return connection.execute(_LOCK, {"id": export_id}).one_or_none()


def part(connection: Connection, export_id: str, offset: int, size: int) -> bytes | None:
    """A piece of a finished file (empty past its end); None if there is none."""
    found = connection.execute(_PART, {"id": export_id, "start": offset + 1, "size": size}).scalar()
    return None if found is None else bytes(found)


def delete(connection: Connection, export_id: str) -> None:
    """The task and its file; one that runs notices."""
    connection.execute(_DELETE, {"id": export_id})


def delete_old(connection: Connection, days: int) -> None:
    """Tasks of the tenant older than this, with their files."""
    connection.execute(_DELETE_OLD, {"days": days})


def fail_abandoned(
    connection: Connection, running_s: int, waiting_s: int, failure: Mapping[str, Any]
) -> None:
    """Tasks nobody has touched for so long that nobody will."""
    values = {"running": running_s, "waiting": waiting_s, "failure": Jsonb(failure)}
    connection.execute(_ABANDONED, values)


def one_at_a_time(connection: Connection, name: str) -> None:
    """Wait until nobody else holds this name; held until the transaction ends."""
    connection.execute(_ONE_AT_A_TIME, {"name": name})


def only_one(connection: Connection, name: str) -> bool:
    """Take this name until the transaction ends; False if somebody else has it."""
    return bool(connection.execute(_ONLY_ONE, {"name": name}).scalar_one())


def under_way(connection: Connection, user_id: str) -> int:
    """How many tasks of a user wait or run."""
    return int(connection.execute(_UNDER_WAY, {"user": user_id}).scalar_one())


def run(connection: Connection, export_id: str, rows: int) -> bool:
    """Begin, or begin again; False if it is finished or discarded."""
    return connection.execute(_RUN, {"id": export_id, "rows": rows}).one_or_none() is not None


def progress(connection: Connection, export_id: str, done: int) -> bool:
    """How far it is; False if it was discarded meanwhile."""
    return connection.execute(_PROGRESS, {"id": export_id, "done": done}).rowcount == 1


def finish(connection: Connection, export_id: str, rows: int, file: bytes) -> bool:
    """Keep the file; False if the task was discarded meanwhile."""
    return connection.execute(_FINISH, {"id": export_id, "rows": rows, "file": file}).rowcount == 1


def fail(connection: Connection, export_id: str, failure: Mapping[str, Any]) -> bool:
    """End with a reason; False if it has ended already."""
    return connection.execute(_FAIL, {"id": export_id, "failure": Jsonb(failure)}).rowcount == 1


def count(connection: Connection, wanted: query.Filter, limit: int) -> int:
    """How many documents a query finds, at most limit + 1."""
    where, values = query.where_of(wanted)
    statement = text(f"SELECT count(*) FROM (SELECT 1 FROM document d WHERE {where} LIMIT :most) AS found")
    return int(connection.execute(statement, {**values, "most": limit + 1}).scalar_one())


def rows(connection: Connection, wanted: query.Filter) -> Iterator[Row[Any]]:
    """Every document that a query finds as it is now, in its order, with head and lines; a few at a time in memory."""
    where, values = query.where_of(wanted)
    statement = text(
        "SELECT d.number, d.state, d.customs_status, d.return_info, d.batch_no, d.stored_at, d.updated_at,"
        " d.revision, d.app_type, d.created_by, d.body->'head' AS head, d.body->'lines' AS lines"
        f" FROM document d WHERE {where} ORDER BY {query.order_of(wanted)}"
    )
    options = {"stream_results": True, "max_row_buffer": _FETCH}
    with connection.execute(statement, values, execution_options=options) as found:
        yield from found.yield_per(_FETCH)
