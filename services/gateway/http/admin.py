"""Reading people, mandates, strategies, tenants and the trail; ending a mandate. Never shows a document."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from flask import Response
from marshmallow import fields

from proto.signer.v1 import signer_pb2 as pb
from runtime.errors import Detail, Problem, not_found
from services.gateway.http import calls, context, parse, problems
from services.gateway.http import strategies as strategies_of
from services.gateway.http.answers import Blueprint, answer, no_content, shown
from services.gateway.http.documents import page_size
from services.gateway.http.schemas import (
    AuditPage,
    MandateAnswer,
    MandatePage,
    StrategyPage,
    TenantPage,
    UserPage,
)
from services.gateway.tenants import audit, store, usecases
from services.gateway.tenants.domain import Mandate

blueprint = Blueprint("admin", __name__, url_prefix="/api/v1", description="People, mandates, the trail")
_PAGING = [{"in": "query", "name": name, "schema": {"type": "string"}} for name in ("page_size", "cursor")]


@blueprint.route("/strategies", methods=["GET"])
@blueprint.response(200, StrategyPage)
def strategies() -> Response:
    """业务策略 of the tenant one acts for, limited to the kinds of the mandate."""
    actor = context.actor()
    with context.parts().database.transaction(actor.tenant_id) as connection:
        found = store.strategies(connection, actor.tenant_id)
    items = [
        {
            "id": item.id,
            "name": item.name,
            "trade_mode": item.trade_mode,
            "kind": item.kind,
            "kinds": kinds,
            "defaults": dict(item.defaults),
            "enabled": item.enabled,
        }
        for item, kinds in ((item, strategies_of.kinds_of(item)) for item in found)
        if any(actor.may("document.read", kind) for kind in kinds)
    ]
    return _whole(items)


@blueprint.route("/users", methods=["GET"])
@blueprint.response(200, UserPage)
def users() -> Response:
    """The users of the own tenant."""
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        rows = store.users(connection, tenant)
    return _whole(
        [
            {
                "id": str(row.id),
                "username": row.username,
                "name": row.name,
                "state": row.state,
                "roles": list(row.roles),
                "card": row.card,
                "created_at": shown(row.created_at),
            }
            for row in rows
        ]
    )


class UserCardBody(parse.Schema):
    """fingerprint: SHA-256 of a card's certificate, hex, of /devices/cards; null = none."""

    fingerprint = fields.String(
        required=True, allow_none=True, error_messages={"required": "required", "invalid": "not-a-text"}
    )


@blueprint.route("/users/<user_id>/card", methods=["PUT"])
@blueprint.arguments(UserCardBody)
@blueprint.response(204)
def set_card(body: dict[str, str | None], user_id: str) -> Response:
    """The card that a user signs in with (卡介质登录), or none."""
    tenant, canonical, card = context.actor().tenant_id, parse.uuid_or_none(user_id), body["fingerprint"]
    if canonical is None:
        raise not_found()
    if card is not None:
        known = {item.fingerprint for item in calls.signer("ListCards", pb.ListCardsRequest()).items}
        if card not in known:
            raise problems.invalid([problems.wrong("/fingerprint", "card-unknown", card[:80])])
    context.trail("user-card", object_="user", detail={"user": canonical, "fingerprint": card})
    with context.parts().database.transaction(tenant) as connection:
        holder = store.card_holder(connection, tenant, card) if card else None
        if holder is not None and holder != canonical:
            raise Problem(
                "conflict",
                "此卡已用于另一位用户登录，请先在那里解除。",
                "This card signs in another user; take it from them first.",
            )
        if not store.set_card(connection, tenant, canonical, card):
            raise not_found()
    return no_content()


@blueprint.route("/mandates", methods=["GET"])
@blueprint.response(200, MandatePage)
def mandates() -> Response:
    """The mandates the own tenant has given, over ones too."""
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        found = store.mandates_of_client(connection, tenant)
    return _whole([_mandate(item) for item in found])


@blueprint.route("/mandates/<mandate_id>/actions/revoke", methods=["POST"])
@blueprint.response(200, MandateAnswer)
def revoke_mandate(mandate_id: str) -> Response:
    """Take a mandate back; the broker's next request is refused."""
    canonical = parse.uuid_or_none(mandate_id)
    if canonical is None:
        raise not_found()
    actor = context.actor()
    entry = audit.of_actor(actor, "mandate-revoke", "allowed", context.address(), canonical)
    usecases.revoke_mandate(context.parts().database, actor.tenant_id, canonical, entry)
    with context.parts().database.transaction(actor.tenant_id) as connection:
        found = {item.id: item for item in store.mandates_of_client(connection, actor.tenant_id)}
    return answer(_mandate(found[canonical]))


@blueprint.route("/tenants", methods=["GET"])
@blueprint.response(200, TenantPage)
def tenants() -> Response:
    """Onboarding records: a provider sees its customers, the platform all, an enterprise itself."""
    actor = context.actor()
    with context.parts().database.transaction(actor.tenant_id) as connection:
        rows = store.overseen(connection)
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        item = found.setdefault(
            str(row.tenant_id),
            {
                "id": str(row.tenant_id),
                "name": row.name,
                "kind": row.kind,
                "state": row.state,
                "users": row.users,
                "created_at": shown(row.created_at),
                "enterprises": [],
            },
        )
        if row.code is not None:
            item["enterprises"].append(
                {
                    "code": row.code,
                    "name": row.enterprise_name,
                    "dxp_id": row.dxp_id,
                    "channel": row.channel,
                    "kinds": list(row.kinds),
                    "enabled": row.enabled,
                }
            )
    return _whole(list(found.values()))


@blueprint.route("/audit", methods=["GET"])
@blueprint.response(200, AuditPage)
@blueprint.doc(parameters=_PAGING)
def trail() -> Response:
    """Who did or tried what in the own tenant, newest first."""
    sent = parse.current_query("page_size", "cursor")
    details: list[Detail] = []
    size = page_size(sent.get("page_size"), details)
    before = _read_cursor(sent.get("cursor", ""), details)
    if details:
        raise problems.invalid(details)
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        rows = audit.page(connection, tenant, before, size + 1)
    last = rows[size - 1] if len(rows) > size else None
    items = [
        {
            "id": str(row.id),
            "at": shown(row.at),
            "what": row.what,
            "outcome": row.outcome,
            "user_id": str(row.user_id) if row.user_id else None,
            "user_name": row.user_name,
            "home_tenant_id": str(row.home_tenant_id) if row.home_tenant_id else None,
            "mandate_id": str(row.mandate_id) if row.mandate_id else None,
            "object": row.object,
            "detail": row.detail,
            "request_id": row.request_id,
            "address": row.address,
        }
        for row in rows[:size]
    ]
    cursor = _cursor(last.at, str(last.id)) if last is not None else None
    return answer({"items": items, "next_cursor": cursor, "total_estimate": None})


def _whole(items: list[dict[str, Any]]) -> Response:
    """A list short enough to be answered whole."""
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


def _mandate(item: Mandate) -> dict[str, Any]:
    return {
        "id": item.id,
        "broker": {"id": item.broker_id, "name": item.broker_name},
        "kinds": list(item.kinds),
        "actions": list(item.actions),
        "from": shown(item.valid_from),
        "to": shown(item.valid_to),
        "revoked_at": shown(item.revoked_at) if item.revoked_at else None,
        "live": item.live(context.now()),
    }


def _cursor(at: datetime, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), last]).encode()).decode()


def _read_cursor(text: str, details: list[Detail]) -> tuple[str, str]:
    if not text:
        return audit.NEWEST
    try:
        at, last = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        datetime.fromisoformat(at)
    except (ValueError, TypeError):
        at, last = "", ""
    if parse.uuid_or_none(str(last)) is None:
        details.append(problems.wrong("/cursor", "cursor", text))
        return audit.NEWEST
    return at, last
