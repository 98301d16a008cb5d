"""卡介质登录: the card at one's edge agent signs a challenge that is bound to these pages and this browser.

What a browser is told does not depend on whether the user, the card or its agent exists: it waits, and in the end it
is let in or not. Must never let in without a challenge that this very browser asked for and the user's own card signed.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from flask import Response, request

from proto.signer.v1 import signer_pb2 as pb
from runtime.actor import UNASSIGNED_TENANT, Actor
from runtime.errors import Problem
from services.gateway.http import calls, context, parse, session
from services.gateway.http.answers import answer, shown
from services.gateway.http.key_schemas import CardSignInAnswer
from services.gateway.tenants import domain, store, usecases
from services.gateway.tenants.usecases import SignIn

blueprint = session.blueprint
COOKIE = "tongguan_card"
_PATH = "/api/v1/session"
#: seconds; as long as the signer lets a challenge wait
_LIFE = 180
#: the right to ask a user's card: given to nobody but this front while somebody signs in
_PERMISSION = "card.challenge"
_NAME = "card-sign-in"


class CardSignInBody(parse.Schema):
    """Who wants to sign in."""

    username = parse.Text(1, domain.USERNAME_LENGTH, required=True)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What is kept in Redis. user_id, challenge_id: "" where nobody can sign in by this name."""

    username: str
    user_id: str
    challenge_id: str


@blueprint.route("/card", methods=["POST"])
@blueprint.arguments(CardSignInBody)
@blueprint.response(202, CardSignInAnswer)
def card_begin(body: dict[str, str]) -> Response:
    """Ask the user's card. `code` is shown here and at the agent, so that its holder can tell who asks."""
    parts, address = context.parts(), context.address()
    name = domain.username(body["username"])
    limited = f"{_NAME}:{name}"
    parts.sessions.guard(limited, address)
    parts.sessions.failed(limited, address)  # counts until it succeeds
    code, secret = f"{secrets.randbelow(10_000):04d}", secrets.token_urlsafe(32)
    tenant_id, attempt = _ask(name, code)
    expires = context.now() + timedelta(seconds=_LIFE)
    parts.sessions.keep(tenant_id, _NAME, secret, json.dumps(asdict(attempt)), _LIFE)
    response = answer({"state": "waiting", "code": code, "expires_at": shown(expires)}, 202)
    response.set_cookie(
        COOKIE, f"{tenant_id}.{secret}", max_age=_LIFE, httponly=True, samesite="Strict",
        secure=request.is_secure, path=_PATH,
    )  # fmt: skip
    return response


def _ask(name: str, code: str) -> tuple[str, _Attempt]:
    """The user's tenant and the challenge that their card was given, or an attempt that leads nowhere."""
    database = context.parts().database
    with database.transaction(None) as connection:
        found = store.credentials(connection, name)
    known = found[0] if len(found) == 1 and found[0].active and found[0].card else None
    if known is None:
        return UNASSIGNED_TENANT, _Attempt(name, "", "")
    standing = usecases.standing(database, known.tenant_id, known.user_id, None, context.now())
    if standing is None:
        return UNASSIGNED_TENANT, _Attempt(name, "", "")
    person = standing.person
    message = pb.ChallengeCardRequest(
        fingerprint=known.card, origin=f"{request.scheme}://{request.host}", code=code
    )
    try:
        made = calls.signer_as(_actor(person), "ChallengeCard", message)
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return UNASSIGNED_TENANT, _Attempt(name, "", "")
    return known.tenant_id, _Attempt(name, known.user_id, made.id)


def _actor(person: domain.Person) -> Actor:
    return Actor(
        tenant_id=person.tenant_id,
        enterprise_code=person.enterprise.code if person.enterprise else "",
        user_id=person.user_id,
        user_name=person.name,
        permissions=(_PERMISSION,),
        request_id=context.request_id(),
    )


@blueprint.route("/card/complete", methods=["POST"])
@blueprint.response(200)
def card_complete() -> Response:
    """202 while the card was not used, the session once it was; 401 where nothing waits any more."""
    parts = context.parts()
    tenant, _, secret = request.cookies.get(COOKIE, "").partition(".")
    tenant_id = parse.uuid_or_none(tenant)
    kept = parts.sessions.kept(tenant_id, _NAME, secret) if tenant_id else None
    if tenant_id is None or kept is None:
        raise _over()
    attempt = _Attempt(**json.loads(kept))
    state = _state(tenant_id, attempt)
    if state == "waiting":
        return answer({"state": "waiting"}, 202)
    parts.sessions.forget(tenant_id, _NAME, secret)
    found = SignIn(None, tenant_id, attempt.user_id)
    if state != "signed":
        session.record(found, "refused", "", what="card-sign-in")
        raise _over()
    standing = usecases.standing(parts.database, tenant_id, attempt.user_id, None, context.now())
    if standing is None:
        raise _over()
    session.record(found, "allowed", standing.person.name, what="card-sign-in")
    parts.sessions.succeeded(f"{_NAME}:{attempt.username}", context.address())
    response = session.open_for(standing.person)
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure, path=_PATH)
    return response


def _state(tenant_id: str, attempt: _Attempt) -> str:
    if not attempt.challenge_id:
        return "waiting"
    database = context.parts().database
    standing = usecases.standing(database, tenant_id, attempt.user_id, None, context.now())
    if standing is None:
        return "refused"
    message = pb.ChallengeRef(id=attempt.challenge_id)
    return str(calls.signer_as(_actor(standing.person), "TakeChallenge", message).state)


def _over() -> Problem:
    return Problem(
        "unauthenticated",
        "卡登录未完成或已过期，请重试，或用密码登录。",
        "Signing in by card did not succeed or took too long; try again, or use your password.",
    )
