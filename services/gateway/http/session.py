"""Signing in and out, who am I, stepping into a client."""

from __future__ import annotations

import threading
from typing import Any

from flask import Response, g, request
from marshmallow import fields

from runtime.actor import UNASSIGNED_TENANT
from runtime.errors import Problem, unavailable
from services.gateway.http import auth, context, parse
from services.gateway.http.answers import Blueprint, answer, no_content, shown
from services.gateway.http.schemas import SessionAnswer
from services.gateway.tenants import domain, usecases
from services.gateway.tenants.audit import Entry
from services.gateway.tenants.domain import Mandate, Person, Standing
from services.gateway.tenants.usecases import SignIn

blueprint = Blueprint("session", __name__, url_prefix="/api/v1/session", description="Signing in and out")
#: password checks at once in this process; each takes 64 MB and a core for a moment
_CHECKS = threading.BoundedSemaphore(2)
_WAIT = 10.0  # seconds


class SignInBody(parse.Schema):
    """Name and password."""

    username = parse.Text(1, domain.USERNAME_LENGTH, required=True)
    password = parse.Text(1, domain.PASSWORD_LENGTH, required=True)
    # part of the fixed interface; asked for once captcha and TOTP exist, until then without effect
    captcha = parse.Text(0, 64, allow_none=True)
    totp = parse.Text(0, 16, allow_none=True)


class StepBody(parse.Schema):
    """Which client; null steps out."""

    client_id = fields.String(
        required=True, allow_none=True, error_messages={"required": "required", "invalid": "not-uuid"}
    )


@blueprint.route("", methods=["POST"])
@blueprint.arguments(SignInBody)
@blueprint.response(200, SessionAnswer)
def sign_in(body: dict[str, str]) -> Response:
    """Sign in. Answers a cookie and the CSRF token that writes must carry."""
    parts, address = context.parts(), context.address()
    name = domain.username(body["username"])
    parts.sessions.guard(name, address)
    if not _CHECKS.acquire(timeout=_WAIT):
        raise unavailable("登录服务", "Sign-in")
    try:
        # once more: many attempts at the same time must not get past the limit together
        parts.sessions.guard(name, address)
        found = usecases.sign_in(parts.database, parts.passwords, name, body["password"])
        if found.person is None:
            _failed(found, name)
    finally:
        _CHECKS.release()
    person = found.person
    assert person is not None  # narrowed: _failed raises
    record(found, "allowed", person.name)
    parts.sessions.succeeded(name, address)
    return open_for(person)


def open_for(person: Person) -> Response:
    """A session for somebody who has proved who they are; the one this browser had before ends."""
    _end_earlier()
    ticket = context.parts().sessions.open(person.tenant_id, person.user_id)
    auth.settle(ticket)
    response = answer(_who_am_i())
    response.set_cookie(
        auth.COOKIE, ticket.cookie, httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )
    return response


@blueprint.route("", methods=["GET"])
@blueprint.response(200, SessionAnswer)
def read() -> Response:
    """Who am I, for which enterprise, with which permissions and clients; how long the session lives.

    With the header X-Background the question itself does not keep the session alive.
    """
    return answer(_who_am_i(touched=auth.by_a_person()))


@blueprint.route("", methods=["DELETE"])
@blueprint.response(204)
def sign_out() -> Response:
    """End this session."""
    context.parts().sessions.close(context.ticket())
    response = no_content()
    response.delete_cookie(auth.COOKIE, httponly=True, samesite="Strict", secure=request.is_secure, path="/")
    return response


@blueprint.route("/client", methods=["POST"])
@blueprint.arguments(StepBody)
@blueprint.response(200, SessionAnswer)
def step(body: dict[str, str | None]) -> Response:
    """A broker steps into one client (client_id), or out (null). The CSRF token changes."""
    parts, client_id = context.parts(), body["client_id"]
    mandate: Mandate | None = None
    if client_id is not None:
        canonical = parse.uuid_or_none(client_id) or ""
        mandate = usecases.mandate_for(parts.database, context.standing().person, canonical, context.now())
        auth.settle(parts.sessions.renew(context.ticket(), mandate.id))
        if (
            context.standing().mandate is None
        ):  # the mandate ended, or the client was suspended, this very moment
            auth.settle(parts.sessions.renew(context.ticket(), None))
            raise Problem("conflict", "该客户的委托刚刚失效。", "The client's mandate has just ended.")
        context.trail("step-in", object_=mandate.client_id)
    else:
        if context.standing().mandate is not None:
            context.trail("step-out", object_=context.actor().tenant_id)
        auth.settle(parts.sessions.renew(context.ticket(), None))
    return answer(_who_am_i())


def _failed(found: SignIn, name: str) -> None:
    parts = context.parts()
    locked = parts.sessions.failed(name, context.address())
    record(found, "refused", "")
    if locked:
        record(found, "refused", "", what="lockout")
        parts.sessions.guard(name, context.address())
    raise Problem("unauthenticated", "用户名或密码不正确。", "The user name or the password is wrong.")


def record(found: SignIn, outcome: str, user_name: str, what: str = "sign-in") -> None:
    """In the trail of the user's tenant; attempts under unknown names belong to no tenant and keep no name."""
    entry = Entry(
        what=what,
        outcome=outcome,
        user_name=user_name,
        request_id=context.request_id(),
        address=context.address(),
        user_id=found.user_id,
        home_tenant_id=found.tenant_id,
    )
    usecases.record(context.parts().database, found.tenant_id or UNASSIGNED_TENANT, entry)


def _end_earlier() -> None:
    """Signing in again replaces the session the browser had: a token from before is of no use afterwards."""
    earlier = context.parts().sessions.find(request.cookies.get(auth.COOKIE, ""), touch=False)
    if earlier is not None:
        context.parts().sessions.close(earlier)


def _who_am_i(*, touched: bool = True) -> dict[str, Any]:
    standing: Standing = g.standing
    person = standing.person
    mandates = usecases.clients(context.parts().database, person, context.now())
    current = standing.mandate
    life = context.parts().sessions.life(context.ticket(), touched=touched)
    return {
        "user": {"id": person.user_id, "username": person.username, "name": person.name},
        "tenant": {"id": person.tenant_id, "name": person.tenant_name, "kind": person.tenant_kind},
        "enterprise": _enterprise(standing.person.enterprise),
        "roles": list(person.roles),
        "permissions": list(standing.permissions),
        "kinds": list(current.kinds) if current else None,
        "clients": [_client(item) for item in mandates],
        "client": {**_client(current), "enterprise": _enterprise(standing.enterprise)} if current else None,
        "mandate_ended": standing.mandate_ended,
        "csrf_token": context.ticket().csrf,
        "session": {
            "idle_seconds": life.idle,
            "idle_left": life.left,
            "ends_at": shown(life.ends_at),
        },
    }


def _enterprise(enterprise: domain.Enterprise | None) -> dict[str, Any] | None:
    if enterprise is None:
        return None
    return {
        "code": enterprise.code,
        "customs_code": enterprise.customs_code,
        "name": enterprise.name,
        "dxp_id": enterprise.dxp_id,
        "kinds": list(enterprise.kinds),
    }


def _client(mandate: Mandate) -> dict[str, Any]:
    return {
        "id": mandate.client_id,
        "name": mandate.client_name,
        "mandate": {
            "id": mandate.id,
            "from": shown(mandate.valid_from),
            "to": shown(mandate.valid_to),
            "kinds": list(mandate.kinds),
            "actions": list(mandate.actions),
        },
    }
