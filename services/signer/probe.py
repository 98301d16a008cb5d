"""A fresh challenge for a key, and whether the answer holds: judged by OpenSSL (cryptography) for RSA and by tongsuopy
for SM2, never by the token that signed.

The sealed software token signs with tongsuopy too; for it the judge is the same library, by the public key alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.signer import asking, certificates
from services.signer.tokens.base import SignRequest

_ALGORITHMS = {"rsa": "rsa-sha256", "sm2": "sm2-sm3", "ec": "ecdsa-sha256"}
_HALF = 32


@dataclass(frozen=True, slots=True)
class Challenge:
    """request: what the token is asked. `holds` judges its answer."""

    request: SignRequest
    algorithm: str
    data: bytes
    public_key: bytes

    def holds(self, signature: bytes) -> bool:
        """Is it the key's signature over this challenge?"""
        if self.algorithm == "ecdsa-sha256":
            return _ecdsa_holds(self.public_key, self.data, signature)
        return certificates.verifier(self.public_key)(self.algorithm, self.data, signature)


def challenge(key: str, public_key: bytes, mechanisms: Collection[str]) -> Challenge:
    """For a key of a token that offers these mechanisms. Raises CertificateError for a kind of key we do not use."""
    algorithm = _ALGORITHMS[_kind(public_key)]
    data = b"tongguan canary " + os.urandom(32)
    return Challenge(asking.request(key, algorithm, data, mechanisms), algorithm, data, public_key)


def _kind(public_key: bytes) -> str:
    try:
        return certificates.key_kind(public_key)
    except certificates.CertificateError:
        # P-256: no customs message is signed with it, but tokens are tried with it
        if isinstance(_loaded(public_key), ec.EllipticCurvePublicKey):
            return "ec"
        raise


def _loaded(public_key: bytes) -> object:
    try:
        return load_der_public_key(public_key)
    except ValueError:
        return None


def _ecdsa_holds(public_key: bytes, data: bytes, signature: bytes) -> bool:
    key = _loaded(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 2 * _HALF:
        return False
    try:
        key.verify(certificates.sm2_der(signature), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
