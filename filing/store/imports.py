"""Import tasks: the uploaded file, what was found in it, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

_BRIEF = (
    "id, kind, state, file_name, batch_no, strategy, rows, documents, accepted, rejected, failure, created_by,"
    " created_at, jsonb_array_length(errors) AS errors_total"
)
_COLUMNS = f"{_BRIEF}, errors, repairs"
_INSERT = text(
    "INSERT INTO import_task (tenant_id, id, kind, state, file_name, file, batch_no, strategy, created_by)"
    " VALUES (:tenant, :id, :kind, 'waiting', :file_name, :file, :batch_no, :strategy, :created_by)"
)
_READ = text(f"SELECT {_COLUMNS} FROM import_task WHERE id = :id")
_READ_FILE = text(f"SELECT {_COLUMNS}, file FROM import_task WHERE id = :id")
_LOCK = text(f"SELECT {_COLUMNS}, file FROM import_task WHERE id = :id FOR UPDATE")
_LIST = text(
    f"SELECT {_BRIEF} FROM import_task WHERE kind = :kind"
    " AND (CAST(:after_id AS uuid) IS NULL OR (created_at, id) < (CAST(:after_at AS timestamptz),"
    " CAST(:after_id AS uuid))) ORDER BY created_at DESC, id DESC LIMIT :limit"
)
_STATE = text("SELECT state FROM import_task WHERE id = :id FOR UPDATE")
_SET_STATE = text("UPDATE import_task SET state = :state, updated_at = now() WHERE id = :id")
_RESULT = text(
    "UPDATE import_task SET state = :state, rows = :rows, documents = :documents, accepted = :accepted,"
    " rejected = :rejected, errors = :errors, repairs = :repairs, failure = :failure, updated_at = now()"
    " WHERE id = :id"
)
_BATCHES = text(
    "SELECT DISTINCT batch_no FROM import_task WHERE batch_no >= :prefix AND batch_no < :end"
    " AND state NOT IN ('failed', 'discarded')"
)


def insert(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new task in state waiting, with its file."""
    connection.execute(_INSERT, {**row, "strategy": Jsonb(row["strategy"])})


def read(connection: Connection, import_id: str) -> Row[Any] | None:
    """A task without its file."""
    return connection.execute(_READ, {"id": import_id}).one_or_none()


def read_file(connection: Connection, import_id: str) -> Row[Any] | None:
    """A task with its file."""
    return connection.execute(_READ_FILE, {"id": import_id}).one_or_none()


def lock(connection: Connection, import_id: str) -> Row[Any] | None:
    """A task with its file, locked."""
    return connection.execute(_LOCK, {"id": import_id}).one_or_none()


def lock_state(connection: Connection, import_id: str) -> str:
    """The state of a task that exists, locked; without its file."""
    return str(connection.execute(_STATE, {"id": import_id}).scalar_one())


def page(connection: Connection, kind: str, after: tuple[str, str] | None, limit: int) -> Sequence[Row[Any]]:
    """Newest first, without the wrong cells, which are many."""
    at, after_id = after or (None, None)
    return connection.execute(
        _LIST, {"kind": kind, "after_at": at, "after_id": after_id, "limit": limit}
    ).all()


def set_state(connection: Connection, import_id: str, state: str) -> None:
    """Move a task to another state."""
    connection.execute(_SET_STATE, {"id": import_id, "state": state})


def set_result(connection: Connection, import_id: str, result: Mapping[str, Any]) -> None:
    """state, rows, documents, accepted, rejected, errors, repairs, failure."""
    values = {**result, "id": import_id}
    for name in ("errors", "repairs"):
        values[name] = Jsonb(values[name])
    values["failure"] = Jsonb(values["failure"]) if values["failure"] else None
    connection.execute(_RESULT, values)


def batches(connection: Connection, prefix: str) -> list[str]:
    """Batch numbers in use that begin with prefix."""
    return list(connection.execute(_BATCHES, {"prefix": prefix, "end": prefix + "\U0010ffff"}).scalars())
