"""What is said to an edge agent, built from values (proto/agent/v1); the other side of seat.py. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from documents.registry import by_kind
from proto.agent.v1 import agent_pb2 as pb
from services.signer import xmlsign
from services.signer.domain import Submission
from services.signer.emit import rfc3339
from services.signer.store.cards import Challenge


def welcome(agent_id: str, enterprise_name: str, heartbeat: int, now: datetime) -> Any:
    """The seat is the agent's. heartbeat: seconds."""
    return pb.ToAgent(
        welcome=pb.Welcome(
            agent_id=agent_id,
            enterprise_name=enterprise_name,
            heartbeat_seconds=heartbeat,
            server_time=rfc3339(now),
        )
    )


def attending_elsewhere() -> Any:
    """Another process has the seat."""
    return pb.ToAgent(
        goodbye=pb.Goodbye(
            code="attending-elsewhere",
            zh="另一个程序正以此代理的身份连接，请先关闭它。",
            en="Another process is connected with this agent's identity; close it first.",
        )
    )


def alive() -> Any:
    """Nothing but a sign of life."""
    return pb.ToAgent(alive=pb.Alive())


def outcome(request_id: str, accepted: bool, reason: str) -> Any:
    """What became of a Result."""
    return pb.ToAgent(outcome=pb.Outcome(request_id=request_id, accepted=accepted, reason=reason))


def document(fingerprint: str, submission: Submission, prepared: xmlsign.Prepared) -> Any:
    """A SignRequest for a message, without its lease."""
    doctype = by_kind(submission.kind)
    assert doctype is not None  # it was judged when it came in
    title = doctype.title
    return pb.SignRequest(
        request_id=submission.message_id,
        fingerprint=fingerprint,
        mechanism=prepared.algorithm.name,
        purpose="document",
        data=prepared.signed_info,
        summary=pb.Summary(
            kind=submission.kind,
            message_type=submission.message_type,
            documents=submission.documents,
            title_zh=f"{title.zh}报文，{submission.documents} 份单证",
            title_en=f"{title.en}: {submission.documents} documents",
            actor=submission.actor.label,
        ),
    )


def challenge(asked: Challenge) -> Any:
    """A SignRequest for a challenge, without its lease."""
    return pb.SignRequest(
        request_id=asked.id,
        fingerprint=asked.fingerprint,
        mechanism=asked.mechanism,
        purpose="challenge",
        data=asked.body,
        summary=pb.Summary(title_zh=asked.title_zh, title_en=asked.title_en, actor=asked.actor),
    )


def leased(request: Any, nonce: bytes, now: datetime, seconds: int) -> Any:
    """The request to go out: nonce comes back with the answer, and nobody begins after so many seconds."""
    request.nonce = nonce
    request.expires_at = rfc3339(now + timedelta(seconds=seconds))
    return pb.ToAgent(request=request)
