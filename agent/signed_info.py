"""Is what is to be signed as a document a canonical ds:SignedInfo? Everything else is refused. Pure.

So whoever can ask this agent for signatures still cannot make it sign a challenge, a mail or a program.
"""

from __future__ import annotations

import base64
import binascii

from lxml import etree

from agent.algorithms import Mechanism

DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"
_MOST_BYTES = 16 * 1024


class NotSignedInfo(Exception):
    """What is wrong, technical."""


def check(data: bytes, mechanism: Mechanism) -> bytes:
    """The digest of the message that this SignedInfo is about; raises NotSignedInfo."""
    if len(data) > _MOST_BYTES:
        raise NotSignedInfo("longer than a SignedInfo can be")
    # neither is in a canonical SignedInfo, and without them there are no entities and nothing to fetch
    if not data.startswith(b"<") or b"<!" in data or b"<?" in data:
        raise NotSignedInfo("not an element, or one with declarations")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise NotSignedInfo(f"not XML: {exc}") from exc
    if _canonical(root) != data:
        raise NotSignedInfo("not canonical")
    return _digest(root, mechanism)


def _canonical(root: etree._Element) -> bytes:
    return etree.tostring(root, method="c14n", exclusive=False, with_comments=True)


def _digest(root: etree._Element, mechanism: Mechanism) -> bytes:
    if root.tag != f"{{{DS}}}SignedInfo" or root.prefix != "ds" or root.attrib:
        raise NotSignedInfo("the root is not ds:SignedInfo")
    method, signature, reference = _children(root, "CanonicalizationMethod", "SignatureMethod", "Reference")
    _algorithm(method, C14N)
    _algorithm(signature, mechanism.signature_uri)
    if reference.items() != [("URI", "")]:
        raise NotSignedInfo("the reference is not the document itself")
    transforms, digest_method, value = _children(reference, "Transforms", "DigestMethod", "DigestValue")
    (transform,) = _children(transforms, "Transform")
    _algorithm(transform, ENVELOPED)
    _algorithm(digest_method, mechanism.digest_uri)
    if value.attrib or len(value):
        raise NotSignedInfo("the digest value is not a text")
    try:
        digest = base64.b64decode(value.text or "", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise NotSignedInfo("the digest value is not base64") from exc
    if len(digest) != mechanism.digest_bytes:
        raise NotSignedInfo("the digest has another length")
    return digest


def _children(parent: etree._Element, *names: str) -> list[etree._Element]:
    found = list(parent)
    if [child.tag for child in found] != [f"{{{DS}}}{name}" for name in names]:
        raise NotSignedInfo(f"{_local(parent)} must hold exactly {', '.join(names)}")
    if any((text or "").strip() for text in (parent.text, *(child.tail for child in found))):
        raise NotSignedInfo(f"{_local(parent)} holds text")
    return found


def _algorithm(element: etree._Element, wanted: str) -> None:
    if element.items() != [("Algorithm", wanted)]:
        raise NotSignedInfo(f"{_local(element)} is not {wanted}")
    if len(element) or element.text:
        raise NotSignedInfo(f"{_local(element)} is not empty")


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname
