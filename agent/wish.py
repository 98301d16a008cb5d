"""A request for a signature as the agent has taken it in. Pure."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent import times
from agent.challenge import Challenge

#: purposes of the protocol
DOCUMENT, CHALLENGE = "document", "challenge"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person is told; not part of what is signed. documents: how many the message carries."""

    kind: str = ""
    message_type: str = ""
    documents: int = 0
    title_zh: str = ""
    title_en: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """nonce: of the newest lease. fingerprint: of the card's certificate. challenge: what was found in data, if the
    purpose is a challenge."""

    request_id: str
    nonce: bytes
    expires_at: datetime
    fingerprint: str
    mechanism: str
    purpose: str
    data: bytes = field(repr=False)
    summary: Summary = Summary()
    challenge: Challenge | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of data, hex."""
        return hashlib.sha256(self.data).hexdigest()

    def same_as(self, digest: str, fingerprint: str, mechanism: str) -> bool:
        """Is it the wish with these?"""
        return (self.digest, self.fingerprint, self.mechanism) == (digest, fingerprint, mechanism)

    def leased(self, other: Wish) -> Wish:
        """This wish under a newer lease."""
        return replace(self, nonce=other.nonce, expires_at=other.expires_at)


class Malformed(Exception):
    """A request that cannot be read; technical."""


def moment(value: str) -> datetime:
    """A time of a frame. Raises Malformed."""
    try:
        return times.read(value)
    except ValueError as exc:
        raise Malformed(f"not a time: {value[:40]!r}") from exc


def identifier(value: str) -> str:
    """A request id in its one form. Raises Malformed."""
    try:
        return str(uuid.UUID(value))
    except ValueError as exc:
        raise Malformed("the request id is not a uuid") from exc
