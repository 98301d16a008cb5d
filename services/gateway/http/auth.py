"""Identity at the door: session, CSRF, origin, rights. Runs before every view; nothing passes without a line in
`rights.TABLE`. Must never take a tenant, role or permission from anything a client sent.
"""

from __future__ import annotations

import hmac
import uuid

from flask import Flask, g, request

from runtime.errors import Problem
from services.gateway.http import context, parse, rights, sessions
from services.gateway.http.context import Parts
from services.gateway.http.sessions import Ticket
from services.gateway.tenants import usecases
from services.gateway.tenants.domain import Standing

COOKIE = "tongguan_session"
#: header of requests that nobody asked for (polling): they do not keep a session alive
BACKGROUND = "X-Background"
_SAFE = ("GET", "HEAD", "OPTIONS")
#: what open pages ask by themselves: it keeps nobody signed in who went away
_UNATTENDED = ("live.events", "editors.report")


def install(app: Flask) -> None:
    """Put the checks before every view."""
    app.before_request(_enter)


def _enter() -> None:
    g.request_id = uuid.uuid4().hex
    if request.routing_exception is not None:
        return  # no such address or method: answered by the error handlers, reveals nothing
    parse.check_address(request)
    limit = context.parts().config.upload_limit + 64 * 1024
    if (request.content_length or 0) > limit:
        raise parse.too_large(limit)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("wrong_type", "请求内容不能压缩。", "The body must not be compressed.")
    right = rights.TABLE[request.endpoint or ""]
    if request.method not in _SAFE:
        check_origin()
    if right == rights.PUBLIC:
        return
    identify()
    if request.method not in _SAFE:
        _check_csrf(context.ticket())
    _check_tenant()
    if right not in (rights.SIGNED_IN, rights.BY_ACTION):
        require(right)


def by_a_person() -> bool:
    """Whether this request is a sign of somebody at work. A stream is not, nor what a page asks on its own account."""
    return request.endpoint not in _UNATTENDED and BACKGROUND not in request.headers


def identify() -> None:
    """Load session, user and mandate into the request; 401 if any of the first two is not there any more."""
    found = context.parts().sessions.find(request.cookies.get(COOKIE, ""), touch=by_a_person())
    if found is None:
        raise sessions.unauthenticated()
    settle(found)


def settle(ticket: Ticket) -> None:
    """Make this session the one of the request."""
    standing = _standing(context.parts(), ticket)
    if standing is None:
        raise sessions.unauthenticated()
    g.ticket, g.standing = ticket, standing
    g.actor = standing.actor(context.request_id())
    g.token = None


def standing_of(parts: Parts, cookie: str) -> Standing | None:
    """Who a cookie stands for now, without counting as activity. For streams, outside any request."""
    ticket = parts.sessions.find(cookie, touch=False)
    return _standing(parts, ticket) if ticket else None


def _standing(parts: Parts, ticket: Ticket) -> Standing | None:
    session = ticket.session
    return usecases.standing(
        parts.database, session.tenant_id, session.user_id, session.mandate_id, context.now()
    )


def require(permission: str, kind: str | None = None) -> None:
    """403, and a line in the trail, unless the caller has this permission (for this kind)."""
    if context.actor().may(permission, kind):
        return
    _refused(permission, kind or "")
    if context.standing().mandate_ended:
        raise Problem(
            "forbidden",
            "该客户的委托已到期或被撤销，请退出该客户。",
            "The client's mandate has ended or was revoked; please step out of this client.",
        )
    context.actor().require(permission, kind)


def check_origin() -> None:
    """A write from another site's page is refused; programs send no Origin."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise _forged()


def _check_csrf(ticket: Ticket) -> None:
    sent = request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), ticket.csrf.encode()):
        _refused("csrf", "")
        raise _forged()


def _check_tenant() -> None:
    """A caller may say for which tenant it believes to act; a wrong belief stops the call, it never changes tenant."""
    believed = request.headers.get("X-Tenant-Id")
    if believed is not None and believed.lower() != context.actor().tenant_id:
        _refused("tenant-header", "")
        raise Problem(
            "forbidden",
            "请求所指的企业与当前登录不一致，请刷新页面。",
            "The request names another tenant than the one you are acting for; please reload.",
        )


def _refused(right: str, kind: str) -> None:
    context.trail(
        "refused", "refused", f"{request.method} {request.url_rule}", {"right": right, "kind": kind}
    )


def _forged() -> Problem:
    return Problem(
        "forbidden",
        "请求缺少有效的防伪令牌（X-CSRF-Token）或来自其他网站，请刷新页面后重试。",
        "The request lacks a valid X-CSRF-Token or comes from another site; please reload and try again.",
    )
