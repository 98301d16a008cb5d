"""The database, always inside one tenant: a transaction sets the tenant that row-level security reads.

The application role owns nothing and cannot bypass the policies; a session without a tenant sees no rows.
Must never offer a way to run SQL outside `transaction`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from runtime.errors import Problem, unavailable

_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
#: a connection that was idle for so long is asked whether it lives before it is used
IDLE_SECONDS = 1.0
#: SQLSTATE classes that a second try can mend: serialization failure, deadlock
_RETRY = {"40001", "40P01"}


def sqlalchemy_url(url: str) -> str:
    """postgresql://… as our driver's SQLAlchemy URL."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


class Database:
    """A pool of connections for one role. Made after fork, never at import."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = url
        self._engine = create_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=2,
            connect_args={"connect_timeout": 3, "prepare_threshold": 2},
        )

        dialect = self._engine.dialect

        @event.listens_for(self._engine, "checkin")
        def _given_back(_connection: Any, record: Any) -> None:
            record.info["used"] = time.monotonic()

        @event.listens_for(self._engine, "checkout")
        def _still_there(dbapi_connection: Any, record: Any, _proxy: Any) -> None:
            # as pool_pre_ping does, but not before every transaction of many: it costs as much as a statement
            if time.monotonic() - record.info.get("used", math.inf) < IDLE_SECONDS:
                return
            try:
                dialect.do_ping(dbapi_connection)
            except dialect.loaded_dbapi.Error as exc:
                raise InvalidatePoolError from exc

        @event.listens_for(self._engine, "connect")
        def _limits(dbapi_connection: Any, _record: Any) -> None:
            # as text, each byte string of an array is quoted by a regular expression: a message costs more than its
            # signature (measured: 280 µs of 3 kB, here 1 µs). Arrays then have the type of their elements, not an
            # unknown one: other columns than text, numbers and bytes need a CAST
            dbapi_connection.adapters.register_dumper(list, ListBinaryDumper)
            with dbapi_connection.cursor() as cursor:
                # a plan that was made while a table was empty reads all of it when it is full (measured: a quarter of
                # the rate); making one costs a tenth of a millisecond
                cursor.execute("SET plan_cache_mode = 'force_custom_plan'")
                # a stuck statement must not hold a consumer for ever
                cursor.execute("SET statement_timeout = '60s'")
                cursor.execute("SET lock_timeout = '10s'")
            dbapi_connection.commit()

    @contextmanager
    def transaction(self, tenant_id: str | None) -> Iterator[Connection]:
        """One transaction in one tenant; None only for roles whose policies name them (relay)."""
        try:
            with self._engine.begin() as connection:
                if tenant_id is not None:
                    connection.execute(_SET_TENANT, {"tenant": tenant_id})
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as exc:
            raise _translate(exc) from exc

    def ping(self) -> None:
        """Raise if the database does not answer."""
        with self.transaction(None) as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _translate(exc: Exception) -> Problem:
    state = getattr(getattr(exc, "orig", None), "sqlstate", None)
    if state in _RETRY:
        return Problem(
            "conflict", "数据正被他人修改，请重试。", "Somebody else is changing this; please try again."
        )
    return unavailable("数据库", "The database")


def is_unique_violation(exc: DBAPIError) -> bool:
    """True if a unique index refused the row."""
    return isinstance(exc.orig, psycopg.errors.UniqueViolation)


def stage(
    connection: Connection, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], name: str
) -> None:
    """COPY rows into a temporary table `name`, dropped at commit.

    COPY straight into a table under row-level security is refused by PostgreSQL; the caller goes on with
    INSERT … SELECT under the policy. columns: (name, SQL type). Measured 20 times cheaper than single rows.
    """
    driver: Any = connection.connection.driver_connection
    definition = ", ".join(f"{column} {kind}" for column, kind in columns)
    with driver.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {name} ({definition}) ON COMMIT DROP")
        with cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
