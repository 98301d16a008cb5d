"""How a key is asked to sign: a DigestInfo where its token takes one, else the data, which the token hashes. Pure."""

from __future__ import annotations

from collections.abc import Collection

from services.signer import xmlsign
from services.signer.tokens.base import DIGEST_INFO, SignRequest


def request(key: str, algorithm: str, data: bytes, mechanisms: Collection[str]) -> SignRequest:
    """mechanisms: what the key's token offers."""
    method = xmlsign.ALGORITHMS.get(algorithm)
    if method and method.digest_info and DIGEST_INFO in mechanisms:
        return SignRequest(key, DIGEST_INFO, method.digest_info + method.digest(data))
    return SignRequest(key, algorithm, data)
