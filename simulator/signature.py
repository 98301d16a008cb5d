"""Taking the enveloped XML signature out of a message, accepting one exact form and nothing near it.

Source: spec 202205 section 6. Must never evaluate a transform, follow a URI or look for signed parts by Id:
the whole root minus the one Signature is what is signed, so there is nothing to wrap.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from lxml import etree

from simulator.problems import Refusal
from simulator.xmlsafe import canonical, local, namespace

DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = DS + "enveloped-signature"
CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"

# name -> (SignatureMethod, DigestMethod). A method is only taken together with its partner.
PAIRS: dict[str, tuple[str, str]] = {
    "rsa-sha1": (DS + "rsa-sha1", DS + "sha1"),
    "rsa-sha256": (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2001/04/xmlenc#sha256",
    ),
    "sm2-sm3": (CHINAPORT + "sm2-sm3", CHINAPORT + "sm3"),
}

_HEX = re.compile(r"[0-9A-Fa-f]{1,40}")


class SignatureFault(Refusal):
    """The signature is not in the one accepted form, or does not hold. `mismatch`: it is about other data."""

    def __init__(self, zh: str, en: str, *, mismatch: bool = False) -> None:
        super().__init__(
            "mismatch" if mismatch else "signature", f"验签失败：{zh}", f"signature refused: {en}"
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """What the signature says. `signed_info` is canonical, in the context of the document."""

    algorithm: str
    signed_info: bytes
    digest: bytes
    value: bytes
    key_name: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Detached:
    """The canonical message without its signature, and the signature (None = unsigned)."""

    canonical: bytes
    parts: Parts | None


def detach(root: etree._Element) -> Detached:
    """Read and remove the signature; `root` is changed. Raises SignatureFault."""
    found = list(root.iter(f"{{{DS}}}Signature"))
    if not found:
        if next(root.iter(f"{{{DS}}}*"), None) is not None:
            raise SignatureFault("有零散的签名元素", "signature elements outside a Signature")
        return Detached(canonical(root), None)
    if len(found) > 1:
        raise SignatureFault(
            f"应只有一个签名，实有 {len(found)} 个", f"one Signature expected, found {len(found)}"
        )
    element = found[0]
    if element.getparent() is not root:
        raise SignatureFault("签名不在根元素之下", "the Signature is not a child of the root")
    before, after = element.getprevious(), element.getnext()
    if before is None or local(before) not in ("BaseTransfer", "BaseSubscribe"):
        raise SignatureFault(
            "签名应在 BaseTransfer、BaseSubscribe 之后", "the Signature must follow BaseTransfer"
        )
    if after is not None and local(after) != "ExtendMessage":
        raise SignatureFault(
            f"签名之后不应有 {local(after)}", f"{local(after)} must not follow the Signature"
        )
    parts = _read(element)
    if element.tail:
        # Removing an element takes the text behind it along, but that text is signed.
        before.tail = (before.tail or "") + element.tail
    root.remove(element)
    return Detached(canonical(root), parts)


def strip(root: etree._Element) -> None:
    """Remove every signature, to read a message that will not be taken anyway."""
    for element in list(root.iter(f"{{{DS}}}Signature")):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)


def _read(element: etree._Element) -> Parts:
    info, value, key = _children(element, "SignedInfo", "SignatureValue", "KeyInfo")
    c14n, method, reference = _children(info, "CanonicalizationMethod", "SignatureMethod", "Reference")
    _is(_algorithm(c14n), C14N, "CanonicalizationMethod")
    if set(reference.attrib) != {"URI"} or reference.get("URI") != "":
        raise SignatureFault('Reference 的 URI 应为空串 ""', 'Reference must have URI="" and nothing else')
    transforms, digest_method, digest = _children(
        reference, "Transforms", "DigestMethod", "DigestValue", attributes=True
    )
    (transform,) = _children(transforms, "Transform")
    _is(_algorithm(transform), ENVELOPED, "Transform")
    pair = (_algorithm(method), _algorithm(digest_method))
    names = [name for name, known in PAIRS.items() if known == pair]
    if not names:
        raise SignatureFault(
            f"不支持的签名算法与摘要算法组合 {pair[0]} 与 {pair[1]}",
            f"unsupported pair of SignatureMethod {pair[0]} and DigestMethod {pair[1]}",
        )
    key_name, data = _children(key, "KeyName", "X509Data")
    (certificate,) = _children(data, "X509Certificate")
    name = _text(key_name).strip()
    if not _HEX.fullmatch(name):
        raise SignatureFault(
            "KeyName 应为证书序列号（十六进制）", "KeyName must be the certificate's serial in hex"
        )
    return Parts(
        algorithm=names[0],
        signed_info=canonical(info),
        digest=_base64(digest),
        value=_base64(value),
        key_name=name,
        certificate=_base64(certificate),
    )


def _is(found: str, expected: str, what: str) -> None:
    if found != expected:
        raise SignatureFault(
            f"{what} 应为 {expected}，实为 {found}", f"{what} must be {expected}, found {found}"
        )


def _children(parent: etree._Element, *names: str, attributes: bool = False) -> list[etree._Element]:
    """Exactly these ds: children in this order, nothing between them."""
    children = list(parent)
    found = [
        local(child) if namespace(child) == DS else f"{{{namespace(child)}}}{local(child)}"
        for child in children
    ]
    if found != list(names):
        raise SignatureFault(
            f"{local(parent)} 中应依次为 {'、'.join(names)}，实为 {'、'.join(found) or '空'}",
            f"{local(parent)} must hold {', '.join(names)}, found {', '.join(found) or 'nothing'}",
        )
    if parent.attrib and not attributes:
        raise SignatureFault(f"{local(parent)} 不应有属性", f"{local(parent)} must not have attributes")
    if any(text and text.strip() for text in (parent.text, *(child.tail for child in children))):
        raise SignatureFault(f"{local(parent)} 内有多余文字", f"{local(parent)} holds stray text")
    return children


def _algorithm(element: etree._Element) -> str:
    """The Algorithm attribute of an element that has nothing else: no parameters, no nested transform."""
    if set(element.attrib) != {"Algorithm"} or len(element) or (element.text or "").strip():
        raise SignatureFault(
            f"{local(element)} 只能有 Algorithm 属性",
            f"{local(element)} may only have the attribute Algorithm",
        )
    return element.get("Algorithm", "")


def _text(element: etree._Element) -> str:
    if len(element) or element.attrib:
        raise SignatureFault(f"{local(element)} 只能是文字", f"{local(element)} must be plain text")
    return element.text or ""


def _base64(element: etree._Element) -> bytes:
    try:
        value = binascii.a2b_base64("".join(_text(element).split()).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SignatureFault(
            f"{local(element)} 不是正确的 Base64", f"{local(element)} is not base64"
        ) from error
    if not value:
        raise SignatureFault(f"{local(element)} 为空", f"{local(element)} is empty")
    return value
