"""Who asks in bench.query: clerks of the greatest tenants, with and without row-level security under them.

Without: the same statements of a superuser over views that name the tenant as a constant, as a condition written
into every statement would. To be compared with the policies over views that name nothing: what views cost is no
merit of the policies. Never used but for comparison.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import Engine, event, text

from bench.common import cpu_clock
from bench.stock import Stock, Tenant
from documents.registry import REGISTRY, Registry
from documents.spec import Condition
from filing.context import Filing
from filing.usecases import look
from runtime.actor import Actor
from runtime.db import Database
from tests.support.filing import clerk

#: as in use; and for comparison, over views: under the policies, or beside them
REAL, ON, OFF = "real", "on", "off"
#: the tables that are read
TABLES = ("document", "document_key", "document_ref")
#: how statements begin that do not fetch rows
_KINDS = (("SELECT count(", "count"), ("SELECT (SELECT count(", "weigh"))
LATE_PAGE = 1_000
ROWS = 50
#: of every tenant that is asked about: so many documents all over its time give the values asked for
_SAMPLE = 40


@dataclass(frozen=True, slots=True)
class Marks:
    """Values of one tenant's lists. cursors: by sort, what leads to the late page."""

    ids: Sequence[str]
    numbers: Sequence[str]
    of_customs: Sequence[str]
    batches: Sequence[str]
    months: Sequence[tuple[str, str]]
    cursors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desk:
    """One tenant's clerk at one side. equal: a filing whose lists are searched by equality only."""

    tenant: Tenant
    actor: Actor
    filing: Filing
    equal: Filing
    pid: int
    marks: Marks

    def page(self, **wanted: Any) -> look.Page:
        """One page of lists; what is not wanted is left open."""
        return look.page(self.filing, self.actor, _open() | wanted)

    def page_equal(self, **wanted: Any) -> look.Page:
        """The same where every condition means equality."""
        return look.page(self.equal, self.actor, _open() | wanted)

    def search(self, number: str) -> Sequence[Any]:
        """Any number of any kind."""
        return look.search(self.filing, self.actor, number)

    def read(self, document_id: str) -> Any:
        """One list by its id."""
        return look.read(self.filing, self.actor, "list", document_id)


def _open() -> dict[str, Any]:
    return {"kind": "list", "states": [], "settled": "", "stored_from": "", "stored_to": "", "conditions": {},
            "sort": "", "page_size": ROWS, "cursor": ""}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one call: of the clock, of this process, of the database's. statements: of the clock, by what was
    asked (weigh, rows, count)."""

    wall: float
    own: float
    database: float
    statements: Mapping[str, float]


class Watch:
    """Sees every statement of this process: how long the last call's took, and what they were."""

    def __init__(self) -> None:
        self.statements: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._seconds: dict[str, float] = {}
        self._began = 0.0
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)

    def close(self) -> None:
        """See no more."""
        event.remove(Engine, "before_cursor_execute", self._before)
        event.remove(Engine, "after_cursor_execute", self._after)

    def measure(self, desk: Desk, ask: Callable[[Desk, int], Any], turn: int) -> Cost:
        """One call."""
        self._seconds, self.statements = {}, {}
        own, database, began = time.process_time(), cpu_clock(desk.pid), time.perf_counter()
        ask(desk, turn)
        wall = time.perf_counter() - began
        return Cost(wall, time.process_time() - own, cpu_clock(desk.pid) - database, self._seconds)

    def _before(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _after(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "set_config" not in statement:
            what = next((word for begin, word in _KINDS if statement.startswith(begin)), "rows")
            self._seconds[what] = time.perf_counter() - self._began
            self.statements[what] = (statement, parameters)


def desks(stock: Stock, tenants: int) -> list[dict[str, Desk]]:
    """Desks of the greatest tenants, by side."""
    types = REGISTRY.owned_by("list")
    lists = types.get("list")
    assert lists is not None
    equal = Registry([replace(lists, conditions=tuple(Condition(item.name) for item in lists.conditions))])
    found = []
    for number, tenant in enumerate(stock.tenants[:tenants]):
        condition = f"WHERE tenant_id = '{tenant.id}'"
        urls = {
            REAL: stock.urls["app"],
            ON: _through(stock, f"bench_on_{number}", stock.urls["app"], ""),
            OFF: _through(stock, f"bench_off_{number}", stock.admin, condition),
        }
        marks, actor = _marks(stock.admin, tenant), replace(clerk(), tenant_id=tenant.id)
        sides = {}
        for side, url in urls.items():
            database = Database(url, pool_size=1)
            sides[side] = Desk(
                tenant, actor, Filing(database, types), Filing(database, equal), _pid(database), marks
            )
        for sort in ("-stored_at", "number", "state"):
            marks.cursors[sort] = _cursor(sides[REAL], sort)
            pages = [desk.page(sort=sort, cursor=marks.cursors[sort]) for desk in sides.values()]
            assert len({tuple(row.id for row in page.rows) for page in pages}) == 1
        found.append(sides)
    return found


def close(found: Sequence[Mapping[str, Desk]]) -> None:
    """Give all connections back."""
    for sides in found:
        for desk in sides.values():
            desk.filing.database.close()


def explain(desk: Desk, statement: str, parameters: Mapping[str, Any]) -> str:
    """The plan of a statement under the policies, executed, as PostgreSQL tells it."""
    with psycopg.connect(desk.filing.database.url) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", (desk.actor.tenant_id,))
        rows = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}".encode(), parameters)
        return "\n".join(line for (line,) in rows)


def _pid(database: Database) -> int:
    with database.transaction(None) as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _cursor(desk: Desk, sort: str) -> str:
    """Walks to the late page in greater steps; every row must come once and in order."""
    cursor, seen = "", []
    for _ in range(ROWS * (LATE_PAGE - 1) // 150):
        page = desk.page(sort=sort, cursor=cursor, page_size=150)
        seen += [(getattr(row, sort.removeprefix("-")), row.id) for row in page.rows]
        cursor = page.next_cursor
    assert len(set(seen)) == len(seen) == ROWS * (LATE_PAGE - 1)
    assert seen == sorted(seen, reverse=sort.startswith("-"))
    return cursor


def _through(stock: Stock, schema: str, url: str, condition: str) -> str:
    """Views in front of the tables' names, seen with the reader's own rights; the URL under which they are met."""
    with psycopg.connect(stock.admin, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO list_app")
        for table in TABLES:
            rows = f"SELECT * FROM public.{table} {condition}"  # noqa: S608 - our own names
            connection.execute(f"CREATE VIEW {schema}.{table} WITH (security_invoker) AS {rows}")
            connection.execute(f"GRANT SELECT ON {schema}.{table} TO list_app")
    return f"{url}{'&' if '?' in url else '?'}options={quote(f'-csearch_path={schema},public')}"


def _marks(admin: str, tenant: Tenant) -> Marks:
    with psycopg.connect(admin) as connection:
        rows = connection.execute(
            "SELECT id::text, number, body->'head'->>'invtNo', batch_no,"
            " (date_trunc('day', stored_at) - interval '15 days')::text, date_trunc('day', stored_at)::text"
            " FROM document WHERE tenant_id = %s AND kind = 'list' AND state = 'closed' AND deleted_at IS NULL"
            " ORDER BY stored_at, id",
            (tenant.id,),
        ).fetchall()
    step = len(rows) // _SAMPLE
    ids, numbers, of_customs, batches, begins, ends = zip(*rows[step // 2 :: step], strict=True)
    return Marks(ids, numbers, of_customs, batches, list(zip(begins, ends, strict=True)))
