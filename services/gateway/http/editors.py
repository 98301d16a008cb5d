"""Who has a document's form open: a note for the others, never a lock. Saving is guarded by ETags alone.

Kept in Redis for as long as the forms report, under the tenant the document belongs to. An editor is a person; two
windows of one person are one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from flask import Response

from runtime.errors import unavailable
from services.gateway.config import HttpConfig
from services.gateway.http import calls, context
from services.gateway.http.answers import Blueprint, answer, no_content, shown
from services.gateway.http.document_schemas import EditorsAnswer
from services.gateway.http.documents import allowed, ref
from services.gateway.http.sessions import connect, key

blueprint = Blueprint(
    "editors", __name__, url_prefix="/api/v1/documents", description="Who is editing a document"
)
#: seconds a report counts; forms report every fifteen
LASTING = 45
#: how many are told
MOST = 20


@dataclass(frozen=True, slots=True)
class Editor:
    """One person with the form open. Times in seconds since the epoch."""

    user_id: str
    name: str
    since: float
    seen: float


class Editors:
    """Reading and writing who edits what. Safe for many threads."""

    def __init__(self, config: HttpConfig, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._redis = connect(config)

    def report(self, tenant_id: str, document: tuple[str, str], user_id: str, name: str) -> list[Editor]:
        """This person has the form open; answers all who have, in the order they came."""
        place, now = _key(tenant_id, document), self._clock()
        try:
            before = _read(self._redis.hgetall(place))
            mine = before.get(user_id)
            since = mine.since if mine and now - mine.seen < LASTING else now
            value = json.dumps({"name": name, "since": since, "seen": now})
            stale = [one.user_id for one in before.values() if now - one.seen >= LASTING]
            pipeline = self._redis.pipeline()
            pipeline.hset(place, user_id, value)
            if stale:
                pipeline.hdel(place, *stale)
            pipeline.expire(place, LASTING)
            pipeline.execute()
        except redis.RedisError as exc:
            raise unavailable("编辑状态", "Who is editing") from exc
        others = [one for one in before.values() if one.user_id != user_id and now - one.seen < LASTING]
        everybody = [*others, Editor(user_id, name, since, now)]
        return sorted(everybody, key=lambda one: one.since)

    def knows(self, tenant_id: str, document: tuple[str, str], user_id: str) -> bool:
        """True if this person reported this document a moment ago: that it exists was looked up then."""
        try:
            return bool(self._redis.hexists(_key(tenant_id, document), user_id))
        except redis.RedisError as exc:
            raise unavailable("编辑状态", "Who is editing") from exc

    def leave(self, tenant_id: str, document: tuple[str, str], user_id: str) -> None:
        """This person closed the form."""
        try:
            self._redis.hdel(_key(tenant_id, document), user_id)
        except redis.RedisError as exc:
            raise unavailable("编辑状态", "Who is editing") from exc


def _key(tenant_id: str, document: tuple[str, str]) -> str:
    return key(tenant_id, "editors", *document)


def _read(found: dict[str, str]) -> dict[str, Editor]:
    return {user: Editor(user, **json.loads(value)) for user, value in found.items()}


@blueprint.route("/<kind>/<document_id>/editors", methods=["PUT"])
@blueprint.response(200, EditorsAnswer)
def report(kind: str, document_id: str) -> Response:
    """I have the form open, for the next 45 seconds; answers who else has."""
    document = _document(kind, document_id)
    actor, editors = context.actor(), context.parts().editors
    if not editors.knows(actor.tenant_id, document, actor.user_id):
        calls.documents(allowed(kind, "document.read").owner, "Read", ref(kind, document_id))
    found = editors.report(actor.tenant_id, document, actor.user_id, actor.label)
    items = [
        {
            "name": one.name,
            "since": shown(datetime.fromtimestamp(one.since, UTC)),
            "me": one.user_id == actor.user_id,
        }
        for one in found[:MOST]
    ]
    return answer({"items": items})


@blueprint.route("/<kind>/<document_id>/editors", methods=["DELETE"])
@blueprint.response(204)
def leave(kind: str, document_id: str) -> Response:
    """I closed the form."""
    actor = context.actor()
    context.parts().editors.leave(actor.tenant_id, _document(kind, document_id), actor.user_id)
    return no_content()


def _document(kind: str, document_id: str) -> tuple[str, str]:
    known = allowed(kind, "document.write")
    return known.type.kind, ref(kind, document_id).id
