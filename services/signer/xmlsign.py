"""Makes the XML signature of a CEB message from bytes that are canonical already; nothing is parsed or serialised.

Structure, placement and algorithm names: reference/ceb/envelope.yaml, ceb_signature. Pure; must never hold a key and
never change one byte of the message around the Signature it inserts.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes as c_hashes

CEB = "http://www.chinaport.gov.cn/ceb"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

#: (prefix, URI) pairs declared on the root, e.g. (("ceb", CEB),)
Namespaces = tuple[tuple[str, str], ...]


def _sha1(data: bytes) -> bytes:
    # prescribed by the message specification for RSA certificates
    return hashlib.sha1(data).digest()  # noqa: S324


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """The SM3 digest (32 bytes). Not hashlib's: whether that knows SM3 depends on the Python build."""
    digest = c_hashes.Hash(c_hashes.SM3())
    digest.update(data)
    return digest.finalize()


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One pair of signature and digest method. `digest_info` is the DER prefix of PKCS#1 (empty for SM2)."""

    name: str
    key_kind: str  # rsa | sm2
    signature_uri: str
    digest_uri: str
    digest: Callable[[bytes], bytes]
    hash_name: str
    digest_info: bytes


#: The pairs of the specification 202205, section 6; rsa-sha256 is for access points that ask for it.
ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm(
            "rsa-sha1",
            "rsa",
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            "http://www.w3.org/2000/09/xmldsig#sha1",
            _sha1,
            "sha1",
            bytes.fromhex("3021300906052b0e03021a05000414"),
        ),
        Algorithm(
            "rsa-sha256",
            "rsa",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "http://www.w3.org/2001/04/xmlenc#sha256",
            _sha256,
            "sha256",
            bytes.fromhex("3031300d060960864801650304020105000420"),
        ),
        Algorithm(
            "sm2-sm3",
            "sm2",
            "http://www.chinaport.gov.cn/2022/04/xmldsig#sm2-sm3",
            "http://www.chinaport.gov.cn/2022/04/xmldsig#sm3",
            sm3,
            "",
            b"",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the key is asked to sign. signed_info: canonical in document context; digest: of the message."""

    algorithm: Algorithm
    digest: bytes
    signed_info: bytes
    #: PKCS#1 DigestInfo over signed_info for RSA (35 or 51 bytes); empty for SM2, which hashes inside the token
    digest_info: bytes
    body_at: int


@dataclass(frozen=True, slots=True)
class _Prefix:
    head: bytes
    hasher: Any
    body_at: int


_TAIL = b"</ds:DigestValue></ds:Reference></ds:SignedInfo>"
_OPEN = b'<ds:Signature xmlns:ds="' + DS.encode() + b'"><ds:SignedInfo>'
_EXTEND_END = b"</ceb:ExtendMessage>"
_EXTEND = b"<ceb:ExtendMessage>"


@lru_cache(maxsize=64)
def _prefix(name: str, namespaces: Namespaces) -> _Prefix:
    """SignedInfo up to the digest value, hashed once.

    Inclusive C14N renders every namespace in scope on the apex element: those of the root as well as ds.
    """
    algorithm = ALGORITHMS[name]
    # canonical order: default namespace first, then by prefix; that is the order of the prefixes themselves
    declared = sorted({**dict(namespaces), "ds": DS}.items())
    start = "".join(f' xmlns{":" if prefix else ""}{prefix}="{uri}"' for prefix, uri in declared)
    body = (
        f'<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm.signature_uri}"></ds:SignatureMethod>'
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{algorithm.digest_uri}"></ds:DigestMethod><ds:DigestValue>'
    ).encode()
    tag = f"<ds:SignedInfo{start}>".encode()
    head = tag + body
    hasher = hashlib.new(algorithm.hash_name, head) if algorithm.hash_name else None
    return _Prefix(head, hasher, len(tag))


def prepare(algorithm: Algorithm, namespaces: Namespaces, canonical: bytes) -> Prepared:
    """Digest and SignedInfo for a message whose canonical bytes are given. namespaces: those of its root."""
    prefix = _prefix(algorithm.name, namespaces)
    digest = algorithm.digest(canonical)
    rest = b64encode(digest) + _TAIL
    info = b""
    if prefix.hasher is not None:
        hasher = prefix.hasher.copy()
        hasher.update(rest)
        info = algorithm.digest_info + hasher.digest()
    return Prepared(algorithm, digest, prefix.head + rest, info, prefix.body_at)


def key_info(serial: str, certificate: bytes) -> bytes:
    """KeyInfo of one key, to be made once per key. serial: hex; certificate: DER.

    KeyName is the certificate's serial: the specification's sample and public code (certainty: code).
    """
    return (
        b"<ds:KeyInfo><ds:KeyName>"
        + serial.encode("ascii")
        + b"</ds:KeyName><ds:X509Data><ds:X509Certificate>"
        + b64encode(certificate)
        + b"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )


def placement(canonical: bytes) -> int:
    """Offset at which the Signature goes: before ceb:ExtendMessage if the root ends with one, else before its end."""
    at = canonical.rindex(b"</")
    if canonical.endswith(_EXTEND_END, 0, at):
        at = canonical.rindex(_EXTEND, 0, at)
    return at


def assemble(canonical: bytes, prepared: Prepared, value: bytes, key: bytes) -> bytes:
    """The final bytes. value: the raw signature; key: from `key_info`."""
    at = placement(canonical)
    return b"".join(
        (
            canonical[:at],
            _OPEN,
            prepared.signed_info[prepared.body_at :],
            b"<ds:SignatureValue>",
            b64encode(value),
            b"</ds:SignatureValue>",
            key,
            canonical[at:],
        )
    )
