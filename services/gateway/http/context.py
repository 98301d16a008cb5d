"""What one request knows: the parts of the process, the ticket, the standing, the actor and its token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, g, request

from runtime.actor import Actor, ActorSigner, ActorVerifier
from runtime.db import Database
from runtime.grpc_client import Client
from services.gateway.config import HttpConfig
from services.gateway.http.sessions import Sessions, Ticket
from services.gateway.tenants import audit, usecases
from services.gateway.tenants.domain import Standing
from services.gateway.tenants.usecases import Passwords

if TYPE_CHECKING:
    from services.gateway.http.editors import Editors
    from services.gateway.http.live import Live


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the front talks to; made once per worker in app.py. owners: service name -> its channel."""

    config: HttpConfig
    database: Database
    sessions: Sessions
    editors: Editors
    passwords: Passwords
    signer: ActorSigner
    verifier: ActorVerifier
    owners: Mapping[str, Client]
    keys: Client
    live: Live


def parts() -> Parts:
    """The parts of this process."""
    return cast("Parts", current_app.extensions["tongguan"])


def now() -> datetime:
    """The time by which mandates are judged."""
    return datetime.now(UTC)


def address() -> str:
    """Where the request comes from, as far as trusted proxies say."""
    return request.remote_addr or ""


def request_id() -> str:
    """The trace id of this request."""
    return cast("str", g.request_id)


def ticket() -> Ticket:
    """The session of this request; only behind a route that needs one."""
    return cast("Ticket", g.ticket)


def standing() -> Standing:
    """Who makes this request."""
    return cast("Standing", g.standing)


def actor() -> Actor:
    """The identity that travels to the services."""
    return cast("Actor", g.actor)


def token() -> str:
    """The actor's token, made once per request."""
    found: str | None = g.get("token")
    if found is None:
        found = g.token = parts().signer.token(actor())
    return found


def trail(
    what: str, outcome: str = "allowed", object_: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """Write to the audit trail of the tenant this request acts in; before the act, so that none goes unrecorded."""
    entry = audit.of_actor(actor(), what, outcome, address(), object_, detail)
    usecases.record(parts().database, actor().tenant_id, entry)
