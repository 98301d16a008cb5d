"""What can be asked of a card: the three mechanisms of the protocol, their hashes, and how a token is driven for each.

Names of methods: XML signature, and the message specification 202205, section 6, for SM2. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from agent import sm2
from agent.config import Profile

# Numbers of the PKCS#11 standard (v2.40, pkcs11t.h)
CKM_RSA_PKCS, CKM_SHA1_RSA_PKCS, CKM_SHA256_RSA_PKCS = 0x1, 0x6, 0x40


@dataclass(frozen=True, slots=True)
class Mechanism:
    """kind: rsa | sm2, of the key. number: what makes the token hash by itself (RSA). digest_info: PKCS#1's prefix."""

    name: str
    kind: str
    signature_uri: str
    digest_uri: str
    digest_bytes: int
    hash: hashes.HashAlgorithm
    number: int = 0
    digest_info: bytes = b""

    def digest(self, data: bytes) -> bytes:
        """The hash of data."""
        hasher = hashes.Hash(self.hash)
        hasher.update(data)
        return hasher.finalize()


MECHANISMS: dict[str, Mechanism] = {
    mechanism.name: mechanism
    for mechanism in (
        Mechanism(
            "rsa-sha1",
            "rsa",
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            "http://www.w3.org/2000/09/xmldsig#sha1",
            20,
            hashes.SHA1(),  # noqa: S303 - prescribed for RSA certificates
            CKM_SHA1_RSA_PKCS,
            bytes.fromhex("3021300906052b0e03021a05000414"),
        ),
        Mechanism(
            "rsa-sha256",
            "rsa",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "http://www.w3.org/2001/04/xmlenc#sha256",
            32,
            hashes.SHA256(),
            CKM_SHA256_RSA_PKCS,
            bytes.fromhex("3031300d060960864801650304020105000420"),
        ),
        Mechanism(
            "sm2-sm3",
            "sm2",
            "http://www.chinaport.gov.cn/2022/04/xmldsig#sm2-sm3",
            "http://www.chinaport.gov.cn/2022/04/xmldsig#sm3",
            32,
            hashes.SM3(),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Order:
    """What the token is told: the number for C_SignInit and the bytes for C_Sign."""

    number: int
    payload: bytes


def able(kind: str, offered: Collection[int], profile: Profile) -> tuple[str, ...]:
    """Names of the mechanisms that a key of this kind has in a token that offers these numbers."""
    return tuple(
        name
        for name, mechanism in MECHANISMS.items()
        if mechanism.kind == kind and _number(mechanism, offered, profile)
    )


def _number(mechanism: Mechanism, offered: Collection[int], profile: Profile) -> int:
    if mechanism.kind == "sm2":
        return profile.sm2_mechanism if profile.sm2_mechanism in offered else 0
    # a digest that we made is the same work for every card; some do not hash at all
    return next((number for number in (CKM_RSA_PKCS, mechanism.number) if number in offered), 0)


def order(
    mechanism: Mechanism, data: bytes, public_key: bytes, offered: Collection[int], profile: Profile
) -> Order:
    """How a token that offers these numbers signs data. public_key: SubjectPublicKeyInfo. Raises KeyError: cannot."""
    number = _number(mechanism, offered, profile)
    if not number:
        raise KeyError(mechanism.name)
    if mechanism.kind == "sm2":
        if profile.sm2_hashes:
            return Order(number, data)
        return Order(number, sm2.digest(data, public_key, profile.sm2_user_id.encode()))
    if number == CKM_RSA_PKCS:
        return Order(number, mechanism.digest_info + mechanism.digest(data))
    return Order(number, data)


def wire_signature(mechanism: Mechanism, answer: bytes, profile: Profile) -> bytes:
    """The token's answer as the protocol has it; raises ValueError if it is not what the profile says."""
    if mechanism.kind != "sm2" or not profile.sm2_der:
        return answer
    r, s = decode_dss_signature(answer)
    return r.to_bytes(sm2.HALF, "big") + s.to_bytes(sm2.HALF, "big")
