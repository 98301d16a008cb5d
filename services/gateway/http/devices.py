"""Signing keys of the enterprise and switching one on. Keys themselves never leave the signer."""

from __future__ import annotations

from flask import Response

from proto.signer.v1 import signer_pb2 as pb
from runtime.errors import not_found
from services.gateway.http import calls, context, parse, wire
from services.gateway.http.answers import Blueprint, answer
from services.gateway.http.schemas import KeyAnswer, KeyPage

blueprint = Blueprint("devices", __name__, url_prefix="/api/v1/devices", description="Keys and cards")


@blueprint.route("", methods=["GET"])
@blueprint.response(200, KeyPage)
def list_devices() -> Response:
    """The enterprise's keys: certificate, validity, device, which one signs."""
    reply = calls.signer("ListKeys", pb.ListKeysRequest())
    items = [wire.key(item) for item in reply.items]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@blueprint.route("/<key_id>/actions/activate", methods=["POST"])
@blueprint.response(200, KeyAnswer)
def activate(key_id: str) -> Response:
    """From now on this key signs; the one before stays, inactive."""
    canonical = parse.uuid_or_none(key_id)
    if canonical is None:
        raise not_found()
    context.trail("activate", object_="key", detail={"key": canonical})
    return answer(wire.key(calls.signer("ActivateKey", pb.KeyRef(id=canonical))))
