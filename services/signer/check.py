"""Looks at a message before it is signed and at the result afterwards; one parse each.

The parser resolves nothing and fetches nothing. Must never change or repair a message: what is not right is refused.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator

from lxml import etree

from services.signer import certificates
from services.signer.domain import MAX_BYTES, MESSAGE_TYPES, NAMESPACES, Facts, MessageType
from services.signer.refusals import refuse
from services.signer.xmlsign import C14N, CEB, DS, ENVELOPED, Algorithm

_CEB = f"{{{CEB}}}"
_DS = f"{{{DS}}}"
_ROOT_ATTRIBUTES = {"guid", "version"}
_EXTEND = f"{_CEB}ExtendMessage"
#: raw r||s | DER: what stands in ds:SignatureValue for SM2 (envelope.yaml: raw seen from a USB key, HSM unknown)
ENCODINGS = ("raw", "der")


class SignatureWrong(Exception):
    """The finished message does not verify: it must not leave."""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=False
    )


def read(xml: bytes) -> Facts:
    """What the message says of itself. Raises refusals.Refused for a message nobody may sign."""
    if len(xml) > MAX_BYTES:
        raise refuse(
            "too-large",
            f"报文有 {len(xml)} 字节，超过 {MAX_BYTES} 字节的上限，请减少每个报文的单证数后重新提交。",
            f"The message has {len(xml)} bytes, more than {MAX_BYTES}; submit fewer documents per message.",
        )
    # canonical XML has no declaration, processing instruction, comment, CDATA or DOCTYPE, and escapes "<" in text
    if b"<?" in xml or b"<!" in xml:
        raise _not_canonical()
    try:
        root = etree.fromstring(xml, _parser())
        canonical = etree.tostring(root, method="c14n")
    except (etree.XMLSyntaxError, etree.C14NError) as exc:
        raise refuse(
            "malformed",
            f"报文不是正确的 XML（{exc}），请重新提交。",
            f"The message is not well-formed XML: {exc}",
        ) from exc
    if canonical != xml:
        raise _not_canonical()
    return _facts(root)


def _not_canonical() -> Exception:
    return refuse(
        "not-canonical",
        "报文不是规范化（C14N 1.0）的形式，签名后无法核对，请重新提交。",
        "The message is not in canonical form (C14N 1.0); what is signed could not be checked. Submit again.",
    )


def _facts(root: etree._Element) -> Facts:
    name = etree.QName(root)
    table = MESSAGE_TYPES.get(name.localname)
    if table is None or name.namespace != CEB or root.prefix != "ceb":
        raise refuse(
            "wrong-type",
            f"报文根元素 {name.localname} 不是可以签名的海关报文。",
            f"The root element {name.localname} is not a customs message that is signed.",
        )
    declared = {prefix or "": uri for prefix, uri in root.nsmap.items()}
    if set(root.attrib) != _ROOT_ATTRIBUTES or any(NAMESPACES.get(p) != uri for p, uri in declared.items()):
        raise refuse(
            "wrong-root",
            "报文根元素只能有 guid 和 version 属性，并只声明 ceb、xsi 命名空间。",
            "The root may carry guid and version and declare the namespaces ceb and xsi, nothing else.",
        )
    documents, transfer = _sequence(root, table)
    return Facts(
        message_type=name.localname,
        namespaces=tuple(sorted(declared.items())),
        cop_code=_text(transfer, "copCode"),
        dxp_id=_text(transfer, "dxpId"),
        parties=tuple(_parties(node, table) for node in documents),
    )


def _sequence(root: etree._Element, table: MessageType) -> tuple[list[etree._Element], etree._Element]:
    """The root's children in the order of the schema: documents, BaseTransfer, BaseSubscribe 0..5, ExtendMessage."""
    children: Iterator[etree._Element] = iter(root)
    tag = f"{_CEB}{table.node}"
    documents: list[etree._Element] = []
    child = next(children, None)
    while child is not None and child.tag == tag:
        documents.append(child)
        child = next(children, None)
    transfer = child
    if transfer is None or transfer.tag != f"{_CEB}BaseTransfer":
        raise _wrong_sequence(transfer)
    child = next(children, None)
    subscriptions = 0
    while child is not None and child.tag == f"{_CEB}BaseSubscribe" and subscriptions < 5:
        subscriptions += 1
        child = next(children, None)
    if child is not None and child.tag == _EXTEND:
        # its place is found in the bytes, so it must be the only one
        if sum(1 for _ in root.iter(_EXTEND)) != 1 or child.attrib or not len(child):
            raise _wrong_sequence(child)
        child = next(children, None)
    if child is not None:
        raise _wrong_sequence(child)
    return documents, transfer


def _wrong_sequence(child: etree._Element | None) -> Exception:
    if child is not None and child.tag == f"{_DS}Signature":
        return refuse(
            "already-signed", "报文已带有签名，不再签名。", "The message carries a signature already."
        )
    found = "（缺少）" if child is None else etree.QName(child).localname
    return refuse(
        "wrong-sequence",
        f"报文节点顺序不符合规范：{found}（应为单证、BaseTransfer、BaseSubscribe、ExtendMessage）。",
        f"Unexpected node {found}; documents, BaseTransfer, BaseSubscribe and ExtendMessage go in this order.",
    )


def _parties(node: etree._Element, table: MessageType) -> frozenset[str]:
    head: etree._Element | None = node
    if table.head:
        head = node[0] if len(node) and node[0].tag == f"{_CEB}{table.head}" else None
    if head is None:
        return frozenset()
    wanted = {f"{_CEB}{code}" for code in table.codes}
    return frozenset(child.text for child in head if child.tag in wanted and child.text)


def _text(parent: etree._Element, name: str) -> str:
    found = parent.findall(f"{_CEB}{name}")
    return (found[0].text or "") if len(found) == 1 else ""


def verify(
    final: bytes, digest: bytes, algorithm: Algorithm, certificate: certificates.Certificate, encoding: str
) -> None:
    """Check a finished message as its receiver will; raises SignatureWrong.

    digest: of the message that was to be signed. certificate: the one bound to the key, not the one inside.
    """
    try:
        root = etree.fromstring(final, _parser())
        signatures = [child for child in root if child.tag == f"{_DS}Signature"]
        if len(signatures) != 1:
            raise SignatureWrong("not exactly one Signature below the root")
        signature = signatures[0]
        after = signature.getnext()
        if signature.tail or (after is not None and (after.tag != _EXTEND or after.getnext() is not None)):
            raise SignatureWrong("the Signature is misplaced")
        info, value, keys = signature
        signed = etree.tostring(info, method="c14n")
        named = _digest_of(info, algorithm)
        if b64decode(keys.findtext(f".//{_DS}X509Certificate") or "", validate=True) != certificate.der:
            raise SignatureWrong("another certificate stands in the message")
        made = b64decode(value.text or "", validate=True)
        if algorithm.key_kind == "sm2" and encoding == "der":
            made = certificates.sm2_raw(made)
        root.remove(signature)
        found = algorithm.digest(etree.tostring(root, method="c14n"))
    except (etree.XMLSyntaxError, etree.C14NError, Base64Error, ValueError) as exc:
        raise SignatureWrong(str(exc)) from exc
    if not named == found == digest:
        raise SignatureWrong("the digest differs from that of the message")
    if not certificates.verifier(certificate.public_key)(algorithm.name, signed, made):
        raise SignatureWrong("the signature does not hold for the certificate")


def _digest_of(info: etree._Element, algorithm: Algorithm) -> bytes:
    """The digest named in SignedInfo, after its methods were compared with the only ones allowed."""
    method, signature_method, reference = info
    transforms, digest_method, digest_value = reference
    (transform,) = transforms
    found = (
        method.get("Algorithm"),
        signature_method.get("Algorithm"),
        reference.get("URI"),
        transform.get("Algorithm"),
        digest_method.get("Algorithm"),
    )
    if found != (C14N, algorithm.signature_uri, "", ENVELOPED, algorithm.digest_uri):
        raise SignatureWrong(f"methods differ: {found}")
    return b64decode(digest_value.text or "", validate=True)
