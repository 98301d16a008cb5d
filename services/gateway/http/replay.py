"""Idempotency-Key: the first answer is kept and given again; nothing is done twice.

A kept answer belongs to tenant, user and key together. Failures of ours (5xx) and refusals for lack of a right or
of time (401, 403, 429) are not kept, because a later try may rightly end otherwise.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
import uuid
from io import BytesIO
from typing import cast

from flask import Flask, Response, g, request

from runtime import crash, log
from runtime.errors import Problem
from services.gateway.http import context, problems
from services.gateway.tenants import idempotency
from services.gateway.tenants.idempotency import Claim, Kept

_LOG = log.get("replay")
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_KEPT_HEADERS = ("Content-Type", "ETag", "Location")
_UNKEPT = (401, 403, 429)
#: what answers tokens and codes, which are not kept anywhere in clear
_SECRET = (None, "session", "edge-agents")
#: addresses whose views give what they make the id `new_id()`: to do them again does them once; generating again is
#: asking for the same
ONCE_BY_ID = {"documents.create", "imports.start", "mappings.create", "tasks.create", "tasks.generate"}
#: seconds that a repeat waits for the attempt before it, longer than SHORT_LEASE; seconds between looks
_WAIT = idempotency.SHORT_LEASE + 2.0
_LOOK_AGAIN = 0.2
_MADE = uuid.UUID("6f0f3c1e-6f4e-5d0c-9b57-2f1f6a3b8c11")


def install(app: Flask) -> None:
    """After the identity checks, around the view."""
    app.before_request(_before)
    app.after_request(_after)


def _before() -> Response | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method in ("GET", "HEAD", "OPTIONS") or request.blueprint in _SECRET:
        return None
    if _KEY.fullmatch(key) is None:
        raise problems.invalid([problems.wrong("/Idempotency-Key", "key-shape", key)])
    actor = context.actor()
    claim = Claim(actor.tenant_id, actor.user_id, key, str(uuid.uuid4()))
    kept = _reserve(claim, digest := _digest())
    if kept is not None:
        return _repeat(kept, digest)
    g.claim = claim
    crash.point("gateway.replay.reserved")
    return None


def _reserve(claim: Claim, digest: str) -> Kept | None:
    """Take the key, or tell what stands under it; an attempt that still runs is waited for, but not for long."""
    lease = idempotency.SHORT_LEASE if request.endpoint in ONCE_BY_ID else idempotency.LEASE
    end = time.monotonic() + _WAIT
    pause = threading.Event()
    while True:
        with context.parts().database.transaction(claim.tenant_id) as connection:
            kept = idempotency.reserve(connection, claim, digest, lease)
        running = kept is not None and kept.digest == digest and kept.status is None
        if not running or time.monotonic() >= end:
            return kept
        pause.wait(_LOOK_AGAIN)


def _repeat(kept: Kept, digest: str) -> Response:
    if kept.digest != digest:
        raise problems.invalid([problems.wrong("/Idempotency-Key", "key-reused")])
    if kept.status is None:
        problem = Problem(
            "conflict",
            "相同的请求正在处理，请稍候再试。",
            "The same request is still being worked on; please try again in a moment.",
            retry_after=1,
        )
        raise problem
    response = Response(kept.body, status=kept.status)
    for name, value in kept.headers.items():
        response.headers[name] = value
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _after(response: Response) -> Response:
    claim: Claim | None = g.pop("claim", None)
    if claim is None:
        return response
    crash.point("gateway.replay.before-keeping")
    try:
        with context.parts().database.transaction(claim.tenant_id) as connection:
            if response.status_code >= 500 or response.status_code in _UNKEPT:
                idempotency.forget(connection, claim)
            else:
                headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
                idempotency.finish(connection, claim, response.status_code, headers, response.get_data())
    except Problem as problem:
        # the act is done and its answer true: it is given even though it could not be kept; a repeat meets the lease
        _LOG.warning("replay.not_kept", request_id=context.request_id(), reason=problem.en)
    return response


def new_id() -> str:
    """The id that what this request makes shall have: the same for every repeat of the request under its key.

    Empty without a key. So a repeat finds the work of an attempt that died before its answer was kept.
    """
    claim: Claim | None = g.get("claim")
    if claim is None:
        return ""
    return str(uuid.uuid5(_MADE, f"{claim.tenant_id}/{claim.user_id}/{claim.key}/{_digest()}"))


def _digest() -> str:
    """Of what was asked: address, condition, content. A form's content is its parts, not its random boundary."""
    found = hashlib.sha256()
    for part in (request.method, request.full_path, request.headers.get("If-Match", "")):
        found.update(part.encode() + b"\n")
    if request.mimetype == "multipart/form-data":
        for name, value in sorted(request.form.items(multi=True)):
            found.update(repr((name, value)).encode())
        for name, file in sorted(request.files.items(multi=True), key=lambda item: item[0]):
            found.update(repr((name, file.filename)).encode())
            found.update(hashlib.file_digest(cast("BytesIO", file.stream), "sha256").digest())
            file.seek(0)
    else:
        found.update(request.get_data(cache=True))
    return found.hexdigest()
