"""Imports: the uploaded file, how it is read, what was found in it, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

_BRIEF = (
    "id, kind, state, file_name, batch_no, strategy, mapping, export_date, task_id, attempts, rows, documents, accepted,"
    " rejected, failure, created_by, created_at, updated_at, jsonb_array_length(errors) AS errors_total"
)
_COLUMNS = f"{_BRIEF}, errors, repairs"
_INSERT = text(
    "INSERT INTO import_task (tenant_id, id, kind, state, file_name, file, batch_no, strategy, mapping, export_date,"
    " task_id, created_by)"
    " VALUES (:tenant, :id, :kind, 'waiting', :file_name, :file, :batch_no, :strategy, :mapping, :export_date,"
    " CAST(:task AS uuid), :created_by) ON CONFLICT (tenant_id, id) DO NOTHING"
)
_READ = text(f"SELECT {_COLUMNS} FROM import_task WHERE id = :id")
_READ_FILE = text(f"SELECT {_COLUMNS}, file FROM import_task WHERE id = :id")
_LOCK = text(f"SELECT {_COLUMNS}, file FROM import_task WHERE id = :id FOR UPDATE")
_LIST = text(
    f"SELECT {_BRIEF} FROM import_task WHERE kind = :kind"
    " AND (CAST(:after_id AS uuid) IS NULL OR (created_at, id) < (CAST(:after_at AS timestamptz),"
    " CAST(:after_id AS uuid))) ORDER BY created_at DESC, id DESC LIMIT :limit"
)
_OF_TASK = text(
    f"SELECT {_BRIEF} FROM import_task WHERE task_id = CAST(:task AS uuid) ORDER BY created_at DESC, id DESC LIMIT :limit"
)
_OPEN_OF_TASK = text(
    "SELECT count(*) FROM import_task WHERE task_id = CAST(:task AS uuid) AND state IN ('waiting', 'reading', 'storing')"
)
_STATE = text("SELECT state FROM import_task WHERE id = :id FOR UPDATE")
_SET_STATE = text("UPDATE import_task SET state = :state, updated_at = now() WHERE id = :id")
_TAKE = text(
    "UPDATE import_task SET state = :state, attempts = attempts + 1, updated_at = now() WHERE id = :id RETURNING attempts"
)
_AGAIN = text(
    "UPDATE import_task SET state = :state, attempts = 0, failure = NULL, updated_at = now() WHERE id = :id"
)
_RESULT = text(
    "UPDATE import_task SET state = :state, rows = :rows, documents = :documents, accepted = :accepted,"
    " rejected = :rejected, errors = :errors, repairs = :repairs, failure = :failure, updated_at = now()"
    " WHERE id = :id"
)
_BATCHES = text(
    "SELECT DISTINCT batch_no FROM import_task WHERE batch_no >= :prefix AND batch_no < :end"
    " AND state NOT IN ('failed', 'discarded')"
)


def insert(connection: Connection, row: Mapping[str, Any]) -> bool:
    """A new import in state waiting, with its file; False if one with this id is there already."""
    values = {**row, "strategy": Jsonb(row["strategy"])}
    values["mapping"] = Jsonb(row["mapping"]) if row["mapping"] else None
    return connection.execute(_INSERT, values).rowcount == 1


def read(connection: Connection, import_id: str) -> Row[Any] | None:
    """An import without its file."""
    return connection.execute(_READ, {"id": import_id}).one_or_none()


def read_file(connection: Connection, import_id: str) -> Row[Any] | None:
    """An import with its file."""
    return connection.execute(_READ_FILE, {"id": import_id}).one_or_none()


def lock(connection: Connection, import_id: str) -> Row[Any] | None:
    """An import with its file, locked."""
    return connection.execute(_LOCK, {"id": import_id}).one_or_none()


def lock_state(connection: Connection, import_id: str) -> str:
    """The state of an import that exists, locked; without its file."""
    return str(connection.execute(_STATE, {"id": import_id}).scalar_one())


def page(connection: Connection, kind: str, after: tuple[str, str] | None, limit: int) -> Sequence[Row[Any]]:
    """Newest first, without the wrong cells, which are many."""
    at, after_id = after or (None, None)
    return connection.execute(
        _LIST, {"kind": kind, "after_at": at, "after_id": after_id, "limit": limit}
    ).all()


def of_task(connection: Connection, task_id: str, limit: int) -> Sequence[Row[Any]]:
    """The newest imports into a task, without their wrong cells."""
    return connection.execute(_OF_TASK, {"task": task_id, "limit": limit}).all()


def open_of_task(connection: Connection, task_id: str) -> int:
    """How many imports into a task are under way."""
    return int(connection.execute(_OPEN_OF_TASK, {"task": task_id}).scalar_one())


def set_state(connection: Connection, import_id: str, state: str) -> None:
    """Move an import to another state."""
    connection.execute(_SET_STATE, {"id": import_id, "state": state})


def take(connection: Connection, import_id: str, state: str) -> int:
    """A worker begins (again): the state, and how many did so before and now."""
    return int(connection.execute(_TAKE, {"id": import_id, "state": state}).scalar_one())


def again(connection: Connection, import_id: str, state: str) -> None:
    """Somebody wants another try."""
    connection.execute(_AGAIN, {"id": import_id, "state": state})


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
