"""What a token can do, whatever it is: a small interface that each kind of child process implements.

Must stay free of heavy imports: every child loads it at start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

#: how the data of a request is meant: DigestInfo to be padded and signed as it is, or bytes for the token to hash
DIGEST_INFO = "digest-info"


class SignRequest(NamedTuple):
    """key: domain.token_key. mechanism: DIGEST_INFO, or a name that says what `data` is hashed with: rsa-sha1, rsa-sha256,
    sm2-sm3, ecdsa-sha256 (by the token or its worker, as its profile has it)."""

    key: str
    mechanism: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """name: in words, for people. hardware: False for software, and pages say so."""

    name: str
    hardware: bool
    mechanisms: frozenset[str]


#: errors after which a token process is of no more use
FATAL = ("lost", "pin", "settings")


class TokenError(Exception):
    """code: key-missing (this key is not there), lost (the token or its session is gone: another process may do
    better), pin (a person is needed), settings (wrong configuration), failed (this request)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class Token(Protocol):
    """One token, used by one thread of one process."""

    def info(self) -> TokenInfo:
        """Name and abilities."""

    def key_names(self) -> list[str]:
        """Names of all keys in the token (domain.token_key)."""

    def public_key(self, key: str) -> bytes:
        """SubjectPublicKeyInfo, DER. Raises TokenError key-missing."""

    def generate(self, key: str, kind: str) -> bytes:
        """Make the key pair unless it is there already; returns the public key as `public_key` does.

        kind: rsa | ec | sm2. Raises TokenError settings if this token makes none of that kind."""

    def sign_batch(self, requests: Sequence[SignRequest]) -> list[bytes | TokenError]:
        """One answer per request, in order: the raw signature (RSA: PKCS#1; SM2, ECDSA: r||s) or why there is none.

        Raises TokenError lost if the token is gone for all of them.
        """
