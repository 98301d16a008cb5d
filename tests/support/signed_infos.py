"""What agents are asked to sign: SignedInfo and challenges, written by hand as the specification shows them."""

from __future__ import annotations

import base64
import hashlib


def signed_info(text: str = "报文", mechanism: str = "rsa-sha1") -> bytes:
    """A canonical SignedInfo as the signer makes it."""
    ds = "http://www.w3.org/2000/09/xmldsig#"
    signature, digest, hasher = {
        "rsa-sha1": (f"{ds}rsa-sha1", f"{ds}sha1", hashlib.sha1),
        "rsa-sha256": (
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "http://www.w3.org/2001/04/xmlenc#sha256",
            hashlib.sha256,
        ),
    }[mechanism]
    value = base64.b64encode(hasher(text.encode()).digest()).decode()
    return (
        f'<ds:SignedInfo xmlns:ceb="http://www.chinaport.gov.cn/ceb" xmlns:ds="{ds}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315">'
        "</ds:CanonicalizationMethod>"
        f'<ds:SignatureMethod Algorithm="{signature}"></ds:SignatureMethod><ds:Reference URI=""><ds:Transforms>'
        f'<ds:Transform Algorithm="{ds}enveloped-signature"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue>'
        "</ds:Reference></ds:SignedInfo>"
    ).encode()


def challenge(
    origin: str = "https://tongguan.example",
    purpose: str = "sign-in",
    user: str = "zhangsan",
    nonce: str = "n" * 32,
) -> bytes:
    return (
        f"tongguan challenge v1\norigin={origin}\npurpose={purpose}\nuser={user}\nnonce={nonce}\n"
        "at=2026-11-20T07:04:00Z"
    ).encode()
