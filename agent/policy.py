"""May this be signed at all, and must a person say so first? Looks at the request alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from agent import challenge, signed_info
from agent.algorithms import MECHANISMS
from agent.cards.token import CardView
from agent.config import OTHER
from agent.wish import CHALLENGE, DOCUMENT, Summary, Wish, identifier, moment
from proto.agent.v1 import agent_pb2


class Refusal(Exception):
    """code: one of the protocol's. reason: technical."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def read(frame: agent_pb2.SignRequest) -> Wish:
    """The request as a value. Raises Malformed: there is nothing that could be answered."""
    about = frame.summary
    return Wish(
        request_id=identifier(frame.request_id),
        nonce=frame.nonce,
        expires_at=moment(frame.expires_at),
        fingerprint=frame.fingerprint.lower(),
        mechanism=frame.mechanism,
        purpose=frame.purpose,
        data=frame.data,
        summary=Summary(
            about.kind, about.message_type, about.documents, about.title_zh, about.title_en, about.actor
        ),
    )


def examine(wish: Wish) -> Wish:
    """The wish with what its data say; raises Refusal for data that this agent does not sign."""
    mechanism = MECHANISMS.get(wish.mechanism)
    if mechanism is None:
        raise Refusal("mechanism", "unknown mechanism")
    if wish.purpose == DOCUMENT:
        try:
            signed_info.check(wish.data, mechanism)
        except signed_info.NotSignedInfo as exc:
            raise Refusal("failed", f"data: {exc}") from exc
        return wish
    if wish.purpose == CHALLENGE:
        try:
            return replace(wish, challenge=challenge.read(wish.data))
        except challenge.NotChallenge as exc:
            raise Refusal("failed", f"data: {exc}") from exc
    raise Refusal("failed", "data: unknown purpose")


def allow(wish: Wish, card: CardView | None, now: datetime) -> CardView:
    """The card; raises Refusal if it could not sign this now. Asked again right before it is used. now: by the
    service's clock, which set the limit."""
    if now >= wish.expires_at:
        raise Refusal("expired", "the request came late or waited too long")
    if card is None:
        raise Refusal("card-out", "the card is not here")
    if now >= card.certificate.not_after:
        raise Refusal("failed", "certificate: it has ended")
    if wish.mechanism not in card.mechanisms:
        raise Refusal("mechanism", f"the card has {', '.join(card.mechanisms) or 'none'}")
    if card.state != "ready":
        raise Refusal("failed" if card.state == "failing" else card.state, card.reason or card.state)
    return card


def must_confirm(wish: Wish, settings: Mapping[str, bool]) -> bool:
    """Must a person at this PC say yes first? A challenge cannot name its way to what is set for documents."""
    if wish.challenge is None:
        return settings[DOCUMENT]
    purpose = wish.challenge.purpose
    return settings[OTHER] if purpose == DOCUMENT else settings.get(purpose, settings[OTHER])
