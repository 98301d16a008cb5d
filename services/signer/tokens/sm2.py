"""What SM2 signs: e = SM3(Z || M), where Z binds the signer's id and public key (GB/T 32918.2, 5.5 and 6.1).

Needed where a token signs digests only. No library here gives e by itself: OpenSSL and tongsuopy make it inside
their own signing. The digest SM3 is OpenSSL's, through cryptography.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

#: the identity used where nobody agreed on another one (GM/T 0009); assumed for customs (envelope.yaml, sm2_user_id)
DEFAULT_ID = "1234567812345678"
#: a, b, xG, yG of the recommended curve, GB/T 32918.5
_CURVE = bytes.fromhex(
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
_POINT = 64


def digest(public_key: bytes, data: bytes, signer_id: str = DEFAULT_ID) -> bytes:
    """e for a message. public_key: SubjectPublicKeyInfo, DER, with an uncompressed point. Raises ValueError."""
    point = public_key[-_POINT:]
    if public_key[-_POINT - 1 : -_POINT] != b"\x04":
        raise ValueError("the public key's point is not given in full")
    identity = signer_id.encode()
    z = _sm3((8 * len(identity)).to_bytes(2, "big"), identity, _CURVE, point)
    return _sm3(z, data)


def _sm3(*parts: bytes) -> bytes:
    made = hashes.Hash(hashes.SM3())
    for part in parts:
        made.update(part)
    return made.finalize()
