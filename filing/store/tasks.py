"""Import tasks (基础数据导入) and the documents that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

from filing.store.columns import CHANGED
from runtime import db

_COLUMNS = (
    "t.id, t.task_no, t.kind, t.state, t.strategy, t.customer_no, t.failure, t.attempts, t.created_by, t.created_at,"
    " t.updated_by, t.updated_at"
)
_END = "\U0010ffff"
_INSERT = text(
    "INSERT INTO filing_task (tenant_id, id, task_no, kind, state, strategy, customer_no, created_by, updated_by)"
    " VALUES (:tenant, :id, :task_no, :kind, 'draft', :strategy, :customer_no, :actor, :actor) ON CONFLICT DO NOTHING"
)
_READ = text(f"SELECT {_COLUMNS} FROM filing_task t WHERE t.id = :id AND t.deleted_at IS NULL")
_LOCK = text(f"SELECT {_COLUMNS} FROM filing_task t WHERE t.id = :id AND t.deleted_at IS NULL FOR UPDATE")
# deleted ones too: a number is not proposed twice
_NUMBERS = text("SELECT task_no FROM filing_task WHERE task_no >= :prefix AND task_no < :end")
_SET_STATE = text(
    "UPDATE filing_task SET state = :state, failure = :failure, updated_by = :actor, updated_at = now() WHERE id = :id"
)
_SET_STRATEGY = text("UPDATE filing_task SET strategy = :strategy, attempts = 0 WHERE id = :id")
_TAKE = text("UPDATE filing_task SET attempts = attempts + 1 WHERE id = :id RETURNING attempts")
_DELETE = text(
    "UPDATE filing_task SET deleted_at = now(), state = 'deleted', updated_by = :actor, updated_at = now()"
    " WHERE id = :id"
)
_STATES = text(
    "SELECT task_id, state, count(*) AS n FROM document WHERE task_id = ANY(CAST(:ids AS uuid[]))"
    " AND deleted_at IS NULL GROUP BY task_id, state"
)
_LOCK_DOCUMENTS = text(
    "SELECT d.id, d.number, d.state, d.natural_key, d.replaces, d.body FROM document d"
    " WHERE d.task_id = CAST(:task AS uuid) AND d.deleted_at IS NULL ORDER BY d.id FOR UPDATE"
)
_HOLDERS = text(
    "SELECT natural_key, id FROM document WHERE natural_key = ANY(CAST(:keys AS text[])) AND natural_key <> ''"
    " AND deleted_at IS NULL AND (:months = 0 OR stored_at >= now() - make_interval(months => :months))"
)
_READY = text(
    "UPDATE document d SET number = r.number, natural_key = r.natural_key, body = r.body, state = :state,"
    " state_rank = :rank, version = d.version + 1, updated_at = now() FROM made_ready r WHERE d.id = r.id"
    f" RETURNING {CHANGED}"
)
_KEYS_DELETE = text("DELETE FROM document_key WHERE document_id = ANY(CAST(:ids AS uuid[]))")
_REFS_DELETE = text("DELETE FROM document_ref WHERE document_id = ANY(CAST(:ids AS uuid[]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a query of tasks, or of their documents, asks for; "" and () are left open. after: (time, id) last seen."""

    kinds: Sequence[str]
    limit: int
    states: Sequence[str] = ()
    task_id: str = ""
    task_no: str = ""
    exact_task_no: str = ""
    number: str = ""
    strategy_name: str = ""
    customer_no: str = ""
    modified_from: str = ""
    modified_to: str = ""
    after: tuple[str, str] | None = None


def insert(connection: Connection, row: Mapping[str, Any]) -> bool:
    """A new task in state draft; False if its id or number is in use."""
    return connection.execute(_INSERT, {**row, "strategy": Jsonb(row["strategy"])}).rowcount == 1


def read(connection: Connection, task_id: str) -> Row[Any] | None:
    """A task that is not deleted."""
    return connection.execute(_READ, {"id": task_id}).one_or_none()


def lock(connection: Connection, task_id: str) -> Row[Any] | None:
    """A task that is not deleted, locked."""
    return connection.execute(_LOCK, {"id": task_id}).one_or_none()


def numbers(connection: Connection, prefix: str) -> list[str]:
    """Task numbers that begin with prefix, of deleted tasks too."""
    return list(connection.execute(_NUMBERS, {"prefix": prefix, "end": prefix + _END}).scalars())


def set_state(
    connection: Connection, task_id: str, state: str, actor: str, failure: Mapping[str, Any] | None = None
) -> None:
    """Move a task to another state."""
    kept = Jsonb(dict(failure)) if failure else None
    connection.execute(_SET_STATE, {"id": task_id, "state": state, "failure": kept, "actor": actor})


def set_strategy(connection: Connection, task_id: str, strategy: Mapping[str, Any]) -> None:
    """The strategy as it is kept with a task."""
    connection.execute(_SET_STRATEGY, {"id": task_id, "strategy": Jsonb(dict(strategy))})


def take(connection: Connection, task_id: str) -> int:
    """A worker begins (again): how many did so before and now."""
    return int(connection.execute(_TAKE, {"id": task_id}).scalar_one())


def delete(connection: Connection, task_id: str, actor: str) -> None:
    """Soft: the row stays, recorded; its number is free again."""
    connection.execute(_DELETE, {"id": task_id, "actor": actor})


def documents(connection: Connection, task_ids: Sequence[str]) -> dict[str, tuple[int, dict[str, int]]]:
    """Of each task: how many documents, and how many in each state."""
    found: dict[str, tuple[int, dict[str, int]]] = {task_id: (0, {}) for task_id in task_ids}
    for row in connection.execute(_STATES, {"ids": list(task_ids)}):
        total, states = found[str(row.task_id)]
        found[str(row.task_id)] = (total + row.n, {**states, row.state: row.n})
    return found


def lock_documents(connection: Connection, task_id: str) -> Sequence[Row[Any]]:
    """All documents of a task with their bodies, locked in id order."""
    return connection.execute(_LOCK_DOCUMENTS, {"task": task_id}).all()


def holders(connection: Connection, natural_keys: Iterable[str], months: int) -> dict[str, str]:
    """Which documents hold these natural keys. months: those stored longer ago do not count; 0 = all do."""
    values = {"keys": list(natural_keys), "months": months}
    return {row.natural_key: str(row.id) for row in connection.execute(_HOLDERS, values)}


def make_ready(
    connection: Connection, state: str, rank: int, rows: Sequence[tuple[str, str, str, str]]
) -> Sequence[Row[Any]]:
    """New content and state of documents: (id, number, natural key, body as JSON). Returns the changed ones."""
    columns = (("id", "uuid"), ("number", "text"), ("natural_key", "text"), ("body", "jsonb"))
    db.stage(connection, columns, rows, "made_ready")
    return connection.execute(_READY, {"state": state, "rank": rank}).all()


def forget_terms(connection: Connection, ids: Sequence[str]) -> None:
    """What documents were found and linked by, before it is written anew."""
    connection.execute(_KEYS_DELETE, {"ids": list(ids)})
    connection.execute(_REFS_DELETE, {"ids": list(ids)})


def page(connection: Connection, wanted: Wanted) -> Sequence[Row[Any]]:
    """Tasks, newest first."""
    where, values = _of_tasks(wanted)
    if wanted.states:
        where.append("t.state = ANY(CAST(:states AS text[]))")
        values["states"] = list(wanted.states)
    if wanted.number:
        where.append(
            "EXISTS (SELECT 1 FROM document d WHERE d.task_id = t.id AND d.number >= :number AND d.number < :number_end"
            " AND d.deleted_at IS NULL)"
        )
        values |= {"number": wanted.number, "number_end": wanted.number + _END}
    _modified(where, values, "t.updated_at", wanted)
    _after(where, values, "t.created_at", "t.id", wanted)
    return connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM filing_task t WHERE {' AND '.join(where)}"
            " ORDER BY t.created_at DESC, t.id DESC LIMIT :limit"
        ),
        values,
    ).all()


def task_documents(connection: Connection, wanted: Wanted) -> Sequence[Row[Any]]:
    """Documents of tasks with what their task says, newest first; states are of their life course."""
    where, values = _of_tasks(wanted)
    where.append("d.deleted_at IS NULL")
    if wanted.states:
        where.append("d.state = ANY(CAST(:states AS text[]))")
        values["states"] = list(wanted.states)
    if wanted.number:
        where.append("d.number >= :number AND d.number < :number_end")
        values |= {"number": wanted.number, "number_end": wanted.number + _END}
    _modified(where, values, "d.updated_at", wanted)
    _after(where, values, "d.stored_at", "d.id", wanted)
    return connection.execute(
        text(
            "SELECT d.id, d.kind, d.number, d.state, d.settled, d.customs_status, d.return_info, d.version, d.batch_no,"
            " d.created_by, d.stored_at, d.updated_at, d.revision, d.app_type, d.replaces, d.replaced_by, d.task_id,"
            " d.body->'head' AS head, t.task_no, t.strategy, t.customer_no,"
            " (SELECT e.actor FROM document_event e WHERE e.document_id = d.id ORDER BY e.seq DESC LIMIT 1) AS modified_by"
            " FROM document d JOIN filing_task t ON t.id = d.task_id"
            f" WHERE {' AND '.join(where)} ORDER BY d.stored_at DESC, d.id DESC LIMIT :limit"
        ),
        values,
    ).all()


def _of_tasks(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """Only names of our own go into the text; every value is a parameter."""
    where = ["t.deleted_at IS NULL", "t.kind = ANY(CAST(:kinds AS text[]))"]
    values: dict[str, Any] = {"kinds": list(wanted.kinds), "limit": wanted.limit}
    if wanted.task_id:
        where.append("t.id = CAST(:task AS uuid)")
        values["task"] = wanted.task_id
    if wanted.exact_task_no:
        where.append("t.task_no = :exact")
        values["exact"] = wanted.exact_task_no
    for column in ("task_no", "customer_no"):
        value = getattr(wanted, column)
        if value:
            where.append(f"t.{column} >= :{column} AND t.{column} < :{column}_end")
            values |= {column: value, f"{column}_end": value + _END}
    if wanted.strategy_name:
        where.append("strpos(lower(t.strategy->>'name'), lower(:strategy_name)) > 0")
        values["strategy_name"] = wanted.strategy_name
    return where, values


def _modified(where: list[str], values: dict[str, Any], column: str, wanted: Wanted) -> None:
    for name, sign in (("modified_from", ">="), ("modified_to", "<=")):
        value = getattr(wanted, name)
        if value:
            where.append(f"{column} {sign} CAST(:{name} AS timestamptz)")
            values[name] = value


def _after(where: list[str], values: dict[str, Any], at: str, row_id: str, wanted: Wanted) -> None:
    if wanted.after is not None:
        where.append(f"({at}, {row_id}) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid))")
        values["after_at"], values["after_id"] = wanted.after
