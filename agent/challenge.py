"""A challenge that a card answers to prove that its holder is there (sign-in, binding of a card). Pure.

Its first line makes sure that it can never be a document's SignedInfo, and a SignedInfo can never be a challenge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from agent import times

FIRST_LINE = "tongguan challenge v1"
_NAMES = ("origin", "purpose", "user", "nonce", "at")
_MOST_BYTES = 2048
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,253}")
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,40}")
_NONCE = re.compile(r"[A-Za-z0-9_\-+/=]{16,128}")


class NotChallenge(Exception):
    """What is wrong, technical."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """origin: scheme and host of the pages that asked. purpose: e.g. sign-in. at: when it was made."""

    origin: str
    purpose: str
    user: str
    nonce: str
    at: datetime


def read(data: bytes) -> Challenge:
    """The challenge; raises NotChallenge for anything that is not exactly one."""
    if len(data) > _MOST_BYTES:
        raise NotChallenge("longer than a challenge may be")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise NotChallenge("not UTF-8") from exc
    lines = text.removesuffix("\n").split("\n")
    if lines[0] != FIRST_LINE:
        raise NotChallenge(f"does not begin with {FIRST_LINE!r}")
    if not all(line.isprintable() for line in lines):
        raise NotChallenge("holds what cannot be printed")
    pairs = [line.partition("=") for line in lines[1:]]
    if tuple(name for name, _, _ in pairs) != _NAMES:
        raise NotChallenge(f"its lines must be {', '.join(_NAMES)}, in this order, each once")
    origin, purpose, user, nonce, at = (value for _, _, value in pairs)
    for name, value, pattern in (
        ("origin", origin, _ORIGIN),
        ("purpose", purpose, _PURPOSE),
        ("nonce", nonce, _NONCE),
    ):
        if not pattern.fullmatch(value):
            raise NotChallenge(f"{name} is malformed")
    if user != user.strip():
        raise NotChallenge("user is malformed")
    try:
        moment = times.read(at)
    except ValueError as exc:
        raise NotChallenge("at is not a time") from exc
    return Challenge(origin, purpose, user, nonce, moment)


def write(challenge: Challenge) -> bytes:
    """Inverse of `read`."""
    values = (challenge.origin, challenge.purpose, challenge.user, challenge.nonce, times.text(challenge.at))
    pairs = zip(_NAMES, values, strict=True)
    return "\n".join((FIRST_LINE, *(f"{name}={value}" for name, value in pairs))).encode()
