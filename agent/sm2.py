"""SM2 as far as an agent needs it: the digest that some cards want made, and judging a signature. Pure Python, because
no library that knows SM2 has wheels for Windows; nothing here touches a secret, so its timing may show.

GM/T 0003.2 (signature) and 0003.5 (parameters). Must never be used to sign.
"""

from __future__ import annotations

from asn1crypto.keys import PublicKeyInfo
from cryptography.hazmat.primitives import hashes

HALF = 32
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

#: None is the point at infinity
_Point = tuple[int, int] | None


def sm3(data: bytes) -> bytes:
    """The hash (32 bytes)."""
    hasher = hashes.Hash(hashes.SM3())
    hasher.update(data)
    return hasher.finalize()


def digest(data: bytes, public_key: bytes, user_id: bytes) -> bytes:
    """e = SM3(Z || data), 0003.2, 5.5 and 6.1. public_key: SubjectPublicKeyInfo. Raises ValueError for a wrong key."""
    values = (_A, _B, *_G, *_point(public_key))
    z = sm3(
        (8 * len(user_id)).to_bytes(2, "big") + user_id + b"".join(v.to_bytes(HALF, "big") for v in values)
    )
    return sm3(z + data)


def holds(public_key: bytes, data: bytes, signature: bytes, user_id: bytes) -> bool:
    """Is r||s (64 bytes) the key's signature over data? 0003.2, 7.1."""
    if len(signature) != 2 * HALF:
        return False
    r, s = int.from_bytes(signature[:HALF], "big"), int.from_bytes(signature[HALF:], "big")
    t = (r + s) % _N
    if not (0 < r < _N and 0 < s < _N and t):
        return False
    found = _add(_times(s, _G), _times(t, _point(public_key)))
    e = int.from_bytes(digest(data, public_key, user_id), "big")
    return found is not None and (e + found[0]) % _N == r


def _point(public_key: bytes) -> tuple[int, int]:
    point = bytes(PublicKeyInfo.load(public_key)["public_key"].native)
    x, y = int.from_bytes(point[1 : HALF + 1], "big"), int.from_bytes(point[HALF + 1 :], "big")
    if (
        len(point) != 2 * HALF + 1
        or point[0] != 4
        or max(x, y) >= _P
        or (y * y - x * x * x - _A * x - _B) % _P
    ):
        raise ValueError("not a point of the SM2 curve")
    return x, y


def _add(one: _Point, two: _Point) -> _Point:
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % _P == 0:
        return None
    if one == two:
        slope = (3 * one[0] * one[0] + _A) * pow(2 * one[1], -1, _P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, _P)
    x = (slope * slope - one[0] - two[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(count: int, point: _Point) -> _Point:
    total: _Point = None
    while count:
        if count & 1:
            total = _add(total, point)
        point, count = _add(point, point), count >> 1
    return total
