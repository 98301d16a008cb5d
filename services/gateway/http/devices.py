"""Signing keys of the enterprise, the cards its agents show, the pool's devices. Keys themselves never leave the signer."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from proto.signer.v1 import signer_pb2 as pb
from runtime.errors import not_found
from services.gateway.http import calls, context, parse, wire, words
from services.gateway.http.answers import Blueprint, answer
from services.gateway.http.key_schemas import CardPage, ChallengeAnswer, PoolAnswer
from services.gateway.http.schemas import KeyAnswer, KeyPage

blueprint = Blueprint("devices", __name__, url_prefix="/api/v1/devices", description="Keys and cards")
_HEX = frozenset("0123456789abcdef")


class RegisterCardBody(parse.Schema):
    """algorithm: where the enterprise wants another than the specification's for such a card."""

    label = parse.Text(0, 100)
    algorithm = parse.Text(0, 20)


@blueprint.route("", methods=["GET"])
@blueprint.response(200, KeyPage)
def list_devices() -> Response:
    """The enterprise's keys: certificate, validity, device, which one signs, what waits for each."""
    reply = calls.signer("ListKeys", pb.ListKeysRequest())
    items = [wire.key(item) for item in reply.items]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@blueprint.route("/pool", methods=["GET"])
@blueprint.response(200, PoolAnswer)
def pool() -> Response:
    """The devices that all tenants share, and the state of each of their members."""
    reply = calls.signer("Pool", pb.PoolRequest())
    items = [
        {
            "name": item.name,
            "info": item.info,
            "hardware": item.hardware,
            "working": item.ready and not item.trouble,
            "reason": item.trouble,
            "workers": item.workers,
            "mechanisms": list(item.mechanisms),
            "members": [
                {
                    "name": member.name,
                    "state": member.state,
                    "text": words.pick(member.zh, member.en),
                    "reason": member.reason,
                    "since": wire.moment(member.since) if member.since else None,
                }
                for member in item.members
            ],
        }
        for item in reply.devices
    ]
    return answer({"items": items})


@blueprint.route("/cards", methods=["GET"])
@blueprint.response(200, CardPage)
def list_cards() -> Response:
    """Cards that the enterprise's edge agents showed, there or not."""
    reply = calls.signer("ListCards", pb.ListCardsRequest())
    items = [wire.card(item) for item in reply.items]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@blueprint.route("/cards/<fingerprint>/actions/register", methods=["POST"])
@blueprint.arguments(RegisterCardBody)
@blueprint.response(200, KeyAnswer)
def register_card(body: dict[str, Any], fingerprint: str) -> Response:
    """Make a card one of the enterprise's keys. It signs once it was confirmed and activated."""
    if len(fingerprint) != 64 or not set(fingerprint) <= _HEX:
        raise not_found()
    context.trail("card-register", object_="card", detail={"fingerprint": fingerprint})
    message = pb.RegisterCardRequest(
        fingerprint=fingerprint, label=body.get("label", ""), algorithm=body.get("algorithm", "")
    )
    return answer(wire.key(calls.signer("RegisterCard", message)))


@blueprint.route("/<key_id>/actions/activate", methods=["POST"])
@blueprint.response(200, KeyAnswer)
def activate(key_id: str) -> Response:
    """From now on this key signs; the one before stays, inactive, and what waited for it waits for this one."""
    canonical = _key_id(key_id)
    context.trail("activate", object_="key", detail={"key": canonical})
    return answer(wire.key(calls.signer("ActivateKey", pb.KeyRef(id=canonical))))


@blueprint.route("/<key_id>/actions/confirm", methods=["POST"])
@blueprint.response(200, ChallengeAnswer)
def confirm(key_id: str) -> Response:
    """Let the key sign a challenge. The pool's answer at once; a card's holder is asked at the agent."""
    canonical = _key_id(key_id)
    context.trail("key-confirm", object_="key", detail={"key": canonical})
    message = pb.ConfirmKeyRequest(key_id=canonical, origin=f"{request.scheme}://{request.host}")
    return answer(wire.challenge(calls.signer("ConfirmKey", message)))


@blueprint.route("/challenges/<challenge_id>", methods=["GET"])
@blueprint.response(200, ChallengeAnswer)
def read_challenge(challenge_id: str) -> Response:
    """How far a challenge is that one asked for oneself."""
    return answer(wire.challenge(calls.signer("ReadChallenge", pb.ChallengeRef(id=_key_id(challenge_id)))))


def _key_id(text: str) -> str:
    canonical = parse.uuid_or_none(text)
    if canonical is None:
        raise not_found()
    return canonical
