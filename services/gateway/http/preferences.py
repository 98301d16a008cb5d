"""What a person has set up for themselves (columns, keys, density …) and finds again at any computer.

A person's own whatever they act for: kept in the tenant that employs them. The server never looks into a value.
"""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Response
from marshmallow import fields

from services.gateway.http import context, parse, problems
from services.gateway.http.answers import Blueprint, answer, no_content
from services.gateway.http.schemas import PreferenceAnswer, PreferencesAnswer
from services.gateway.tenants import preferences

blueprint = Blueprint(
    "preferences", __name__, url_prefix="/api/v1/preferences", description="A person's own settings"
)
_NAME = re.compile(r"[a-z0-9.-]{1,80}")
#: bytes of a value as JSON, and levels of lists and objects in it
_SIZE = 16 * 1024
_LEVELS = 16


class PreferenceBody(parse.Schema):
    """value: any JSON, up to 16 kB and 16 levels."""

    value = fields.Raw(required=True, allow_none=True, error_messages={"required": "required"})


@blueprint.route("", methods=["GET"])
@blueprint.response(200, PreferencesAnswer)
def read() -> Response:
    """All of one's own preferences, by name."""
    parse.current_query()
    tenant, user = _whose()
    with context.parts().database.transaction(tenant) as connection:
        found = preferences.of(connection, tenant, user)
    return answer({"items": {name: json.loads(value) for name, value in found.items()}})


@blueprint.route("/<name>", methods=["PUT"])
@blueprint.arguments(PreferenceBody)
@blueprint.response(200, PreferenceAnswer)
def put(body: dict[str, Any], name: str) -> Response:
    """Set one preference. Names are 1 to 80 of a-z, 0-9, point and hyphen; at most 200 a person."""
    _check_name(name)
    value = _text_of(body["value"])
    tenant, user = _whose()
    with context.parts().database.transaction(tenant) as connection:
        if not preferences.put(connection, tenant, user, name, value):
            raise problems.invalid([problems.wrong("/name", f"preferences-full:{preferences.LIMIT}", name)])
    return answer({"name": name, "value": body["value"]})


@blueprint.route("/<name>", methods=["DELETE"])
@blueprint.response(204)
def delete(name: str) -> Response:
    """Forget one preference; one that is not there is forgotten already."""
    _check_name(name)
    tenant, user = _whose()
    with context.parts().database.transaction(tenant) as connection:
        preferences.delete(connection, tenant, user, name)
    return no_content()


def _whose() -> tuple[str, str]:
    actor = context.standing().person
    return actor.tenant_id, actor.user_id


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise problems.invalid([problems.wrong("/name", "preference-name", name)])


def _text_of(value: Any) -> str:
    if not _within(value, _LEVELS):
        raise problems.invalid([problems.wrong("/value", f"value-deep:{_LEVELS}")])
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as exc:  # 1e999: a number in JSON, endless here
        raise problems.invalid([problems.wrong("/value", "value-endless")]) from exc
    if len(text.encode()) > _SIZE:
        raise problems.invalid([problems.wrong("/value", f"value-large:{_SIZE // 1024}")])
    return text


def _within(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_within(item, levels - 1) for item in inner)
