"""Databases and roles of the services on one PostgreSQL server; every call may be repeated.

Never gives a service's role more than a login: what it may touch is granted by the service's migrations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tools.errors import ToolError

ROLES = ("owner", "app", "relay")


@dataclass(frozen=True)
class ServiceDatabase:
    """URLs of one service's database, one per role."""

    name: str
    owner: str
    app: str
    relay: str


def url_for(admin_url: str, database: str, user: str, password: str) -> str:
    """The administrator's URL with another database and account (host, port and options stay)."""
    parts = urlsplit(admin_url)
    host = parts.hostname or "localhost"
    place = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit((parts.scheme, f"{login}@{place}{port}", f"/{database}", parts.query, ""))


def create(
    admin_url: str, services: Iterable[str], passwords: Mapping[str, str]
) -> dict[str, ServiceDatabase]:
    """Make database tongguan_<service> and its three roles; set their passwords (key: "<service>_<role>").

    Raises ToolError if the server cannot be reached or the account may not create databases and roles."""
    result = {}
    try:
        with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as connection:
            for service in services:
                _create_one(connection, service, passwords)
                name = f"tongguan_{service}"
                urls = {
                    role: url_for(admin_url, name, f"{service}_{role}", passwords[f"{service}_{role}"])
                    for role in ROLES
                }
                result[service] = ServiceDatabase(name=name, **urls)
    except psycopg.Error as error:
        place = urlsplit(admin_url)
        raise ToolError(f"PostgreSQL at {place.hostname}:{place.port}: {error}") from error
    return result


def _create_one(
    connection: psycopg.Connection[tuple[object, ...]], service: str, passwords: Mapping[str, str]
) -> None:
    for role in ROLES:
        name = f"{service}_{role}"
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
        verb = sql.SQL("ALTER ROLE {}" if known else "CREATE ROLE {}").format(sql.Identifier(name))
        # spelled out: a role that was given more by hand loses it again (and only a superuser may say NOBYPASSRLS)
        rights = " LOGIN NOCREATEDB NOCREATEROLE NOSUPERUSER NOBYPASSRLS NOREPLICATION PASSWORD "
        connection.execute(verb + sql.SQL(rights) + sql.Literal(passwords[name]))
    make_database(connection, f"tongguan_{service}", service)


def make_database(connection: psycopg.Connection[tuple[object, ...]], name: str, service: str) -> None:
    """Make a database (if there is none of that name) that only the roles of one service may enter.

    The connection is the administrator's, in autocommit."""
    database, owner = sql.Identifier(name), sql.Identifier(f"{service}_owner")
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(database, owner)
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    # bulk writes go through a temporary table: COPY straight into a table under row-level security is refused
    for role, rights in (("app", "CONNECT, TEMPORARY"), ("relay", "CONNECT")):
        grant = sql.SQL(f"GRANT {rights} ON DATABASE {{}} TO {{}}")
        connection.execute(grant.format(database, sql.Identifier(f"{service}_{role}")))
