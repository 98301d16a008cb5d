"""What waits for a signature, taking it out again, and the ledger of all signatures."""

from __future__ import annotations

from typing import Any

from flask import Response

from proto.signer.v1 import signer_pb2 as pb
from runtime.errors import Detail, Problem, not_found
from services.gateway.http import calls, context, parse, problems, wire
from services.gateway.http.answers import Blueprint, answer
from services.gateway.http.documents import page_size
from services.gateway.http.key_schemas import LedgerPage, QueuePage, WithdrawAnswer

queue_blueprint = Blueprint(
    "signing-queue", __name__, url_prefix="/api/v1/signing-queue", description="What waits for a signature"
)
ledger_blueprint = Blueprint(
    "ledger", __name__, url_prefix="/api/v1/ledger", description="The signing ledger"
)


class WithdrawBody(parse.Schema):
    """Messages, as the queue names them."""

    message_ids = parse.Ids(100, required=True)


def _size(sent: dict[str, str]) -> int:
    details: list[Detail] = []
    size = page_size(sent.get("page_size"), details)
    if details:
        raise problems.invalid(details)
    return size


def _parameters(*names: str) -> list[dict[str, Any]]:
    return [{"in": "query", "name": name, "schema": {"type": "string"}} for name in names]


@queue_blueprint.route("", methods=["GET"])
@queue_blueprint.response(200, QueuePage)
@queue_blueprint.doc(parameters=_parameters("key", "page_size", "cursor"))
def read() -> Response:
    """Messages that wait for a signature or are being signed, oldest first; key: of one key only."""
    sent = parse.current_query("key", "page_size", "cursor")
    reply = calls.signer(
        "Queue",
        pb.QueueRequest(key_id=sent.get("key", ""), page_size=_size(sent), cursor=sent.get("cursor", "")),
    )
    items = [
        {
            "message_id": item.message_id,
            "key_id": item.key_id,
            "kind": item.kind,
            "message_type": item.message_type,
            "enterprise_code": item.enterprise_code,
            "documents": item.documents,
            "bulk": item.bulk,
            "taken": item.taken,
            "reason": item.reason,
            "queued_at": wire.moment(item.queued_at),
        }
        for item in reply.items
    ]
    return answer({"items": items, "next_cursor": reply.next_cursor or None, "total_estimate": None})


@queue_blueprint.route("/actions/withdraw", methods=["POST"])
@queue_blueprint.arguments(WithdrawBody)
@queue_blueprint.response(200, WithdrawAnswer)
def withdraw(body: dict[str, Any]) -> Response:
    """Take messages out of the queue; their documents can be changed and filed again."""
    ids: list[str] = body["message_ids"]
    context.trail("withdraw", object_="message", detail={"messages": ids})
    reply = calls.signer("Withdraw", pb.WithdrawRequest(message_ids=ids))
    withdrawn, taken = set(reply.withdrawn), set(reply.taken)
    return answer({"results": [_result(one, one in withdrawn, one in taken) for one in ids]})


def _result(message_id: str, withdrawn: bool, taken: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": message_id, "ok": withdrawn}
    if not withdrawn:
        problem = _too_late() if taken else not_found()
        found["problem"] = problems.as_json(problem)
    return found


def _too_late() -> Problem:
    return Problem(
        "conflict",
        "该报文正在签名，无法撤回。",
        "The message is being signed; it is too late to take it out.",
    )


@ledger_blueprint.route("", methods=["GET"])
@ledger_blueprint.response(200, LedgerPage)
@ledger_blueprint.doc(parameters=_parameters("message_id", "page_size", "cursor"))
def ledger() -> Response:
    """Every act of the signer for this enterprise, newest first; each row's hash covers the row before."""
    sent = parse.current_query("message_id", "page_size", "cursor")
    reply = calls.signer(
        "Ledger",
        pb.LedgerRequest(
            message_id=sent.get("message_id", ""), page_size=_size(sent), cursor=sent.get("cursor", "")
        ),
    )
    items = [
        {
            "seq": item.seq,
            "message_id": item.message_id,
            "kind": item.kind,
            "what": item.what,
            "key_id": item.key_id,
            "algorithm": item.algorithm,
            "digest": item.digest,
            "at": wire.moment(item.at),
            "actor": item.actor,
            "hash": item.hash,
        }
        for item in reply.items
    ]
    return answer(
        {
            "items": items,
            "next_cursor": reply.next_cursor or None,
            "total_estimate": None,
            "chain_valid": reply.chain_valid,
        }
    )
