"""Keys, certificates and signed messages for the simulator's tests, made without the simulator's own signing code.

RSA messages are signed by xmlsec, an independent implementation. Every code and name here is made up.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import xmlsec
from asn1crypto import algos, csr, keys, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from lxml import etree
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec

from simulator.authority import Authority

CEB = "http://www.chinaport.gov.cn/ceb"
DXP = "http://www.chinaport.gov.cn/dxp"
DS = "http://www.w3.org/2000/09/xmldsig#"
CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
CODE = "91330100MA2K0TXT18"
NAME = "示例跨境电商有限公司"
DXP_ID = "DXPENT0000000001"
CUSTOMS_ID = "DXPEDCCEB0000003"
# The XSD's sequence of a line; tests add fields in any order.
LINE_ORDER = (
    *("gnum", "itemNo", "itemName", "itemDescribe", "barCode", "unit", "currency"),
    *("qty", "price", "totalPrice", "note"),
)


@dataclass(frozen=True)
class Signer:
    """A key with a certificate of the demo authority."""

    key: Any
    certificate: bytes  # PEM

    @property
    def der(self) -> bytes:
        return bytes(pem.unarmor(self.certificate)[2])

    @property
    def serial(self) -> str:
        return f"{x509.load_der_x509_certificate(self.der).serial_number:x}"


def rsa_request(key: Any, code: str = CODE, name: str = NAME) -> bytes:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, code),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def sm2_request(key: Any, code: str = CODE, name: str = NAME, *, break_signature: bool = False) -> bytes:
    public = key.public_key().public_bytes(
        sm_serialization.Encoding.DER, sm_serialization.PublicFormat.SubjectPublicKeyInfo
    )
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1_x509.Name.build({"organization_name": name, "organizational_unit_name": code}),
            "subject_pk_info": keys.PublicKeyInfo.load(public),
        }
    )
    signature = key.sign(info.dump() + (b"x" if break_signature else b""), sm_ec.ECDSA(sm_hashes.SM3()))
    request = csr.CertificationRequest(
        {
            "certification_request_info": info,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "1.2.156.10197.1.501"}),
            "signature": signature,
        }
    )
    return bytes(pem.armor("CERTIFICATE REQUEST", request.dump()))


def rsa_signer(
    authority: Authority, code: str = CODE, *, now: datetime | None = None, days: int = 730
) -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issued = authority.issue(rsa_request(key, code), now=now, validity=timedelta(days=days))
    return Signer(key, issued)


def sm2_signer(authority: Authority, code: str = CODE) -> Signer:
    key = sm_ec.generate_private_key(sm_ec.SM2())
    return Signer(key, authority.issue(sm2_request(key, code)))


def p256_signer(authority: Authority, code: str = CODE) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    return Signer(key, authority.issue(rsa_request(key, code)))


def new_guid() -> str:
    return str(uuid.uuid4()).upper()


@dataclass
class Order:
    """One order; fields are texts as in the message."""

    number: str = "ORD-1"
    lines: int = 2
    head: dict[str, str] = field(default_factory=dict)
    line: dict[str, str] = field(default_factory=dict)

    def xml(self, p: str = "ceb:") -> str:
        head = {
            "guid": new_guid(),
            "appType": "1",
            "appTime": "20260101120000",
            "appStatus": "2",
            "orderType": "B",
            "orderNo": self.number,
            "ebpCode": CODE,
            "ebpName": NAME,
            "ebcCode": CODE,
            "ebcName": NAME,
            "goodsValue": str(19 * self.lines),
            "freight": "0",
            "currency": "502",
            "note": "备注 & <测试>",
        } | self.head
        lines = ""
        for number in range(1, self.lines + 1):
            line = {
                "gnum": str(number),
                "itemNo": f"SKU{number}",
                "itemName": "纯棉T恤",
                "unit": "011",
                "currency": "502",
                "qty": "2",
                "price": "9.5",
                "totalPrice": "19",
            } | self.line
            line = {name: line[name] for name in LINE_ORDER if name in line}
            lines += f"<{p}OrderList>{_elements(line, p)}</{p}OrderList>"
        return f"<{p}Order><{p}OrderHead>{_elements(head, p)}</{p}OrderHead>{lines}</{p}Order>"


def _elements(values: dict[str, str], p: str) -> str:
    return "".join(f"<{p}{name}>{escape(value)}</{p}{name}>" for name, value in values.items())


def message(
    orders: Sequence[Order | str],
    *,
    p: str = "ceb:",
    code: str = CODE,
    dxp_id: str = DXP_ID,
    tail: str = "",
    root: str = "CEB303Message",
    extra: str = "",
) -> bytes:
    declaration = f'xmlns:{p[:-1]}="{CEB}"' if p else f'xmlns="{CEB}"'
    transfer = _elements({"copCode": code, "copName": NAME, "dxpMode": "DXP", "dxpId": dxp_id}, p)
    body = "".join(order if isinstance(order, str) else order.xml(p) for order in orders)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}{root} {declaration} '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" guid="{new_guid()}" version="1.0"{extra}>'
        f"{body}<{p}BaseTransfer>{transfer}</{p}BaseTransfer>{tail}</{p}{root}>"
    ).encode()


def sign_rsa(business: bytes, signer: Signer, *, key_name: str | None = None, sha256: bool = False) -> bytes:
    """Signed by xmlsec, as a customer's own software might."""
    root = etree.fromstring(business)
    method = xmlsec.Transform.RSA_SHA256 if sha256 else xmlsec.Transform.RSA_SHA1
    signature = xmlsec.template.create(root, xmlsec.Transform.C14N, method, ns="ds")
    extend = root.find(f"{{{CEB}}}ExtendMessage")
    if extend is None:
        root.append(signature)
    else:
        extend.addprevious(signature)
    digest = xmlsec.Transform.SHA256 if sha256 else xmlsec.Transform.SHA1
    reference = xmlsec.template.add_reference(signature, digest, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    info = xmlsec.template.ensure_key_info(signature)
    xmlsec.template.add_key_name(info, key_name or signer.serial)
    data = etree.SubElement(info, f"{{{DS}}}X509Data")
    etree.SubElement(data, f"{{{DS}}}X509Certificate").text = base64.b64encode(signer.der).decode()
    context = xmlsec.SignatureContext()
    pem_key = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context.key = xmlsec.Key.from_memory(pem_key, xmlsec.KeyFormat.PEM)
    context.sign(signature)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def sign_sm2(business: bytes, signer: Signer, *, der: bool = False) -> bytes:
    """SM2-SM3 by tongsuopy; the canonical forms are lxml's."""
    root = etree.fromstring(business)
    digest = hashes.Hash(hashes.SM3())
    digest.update(etree.tostring(root, method="c14n"))
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'
        f'<ds:SignatureMethod Algorithm="{CHINAPORT}sm2-sm3"/><ds:Reference URI=""><ds:Transforms>'
        f'<ds:Transform Algorithm="{DS}enveloped-signature"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{CHINAPORT}sm3"/>'
        f"<ds:DigestValue>{base64.b64encode(digest.finalize()).decode()}</ds:DigestValue></ds:Reference>"
        "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo>"
        f"<ds:KeyName>{signer.serial.upper()}</ds:KeyName><ds:X509Data>"
        f"<ds:X509Certificate>{base64.b64encode(signer.der).decode()}</ds:X509Certificate></ds:X509Data>"
        "</ds:KeyInfo></ds:Signature>"
    )
    root.append(signature)
    signed_info = etree.tostring(signature[0], method="c14n")
    value = signer.key.sign(signed_info, sm_ec.ECDSA(sm_hashes.SM3()))
    if not der:
        r, s = decode_dss_signature(value)
        value = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    signature[1].text = base64.b64encode(value).decode()
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def envelope(
    business: bytes,
    *,
    cop_msg_id: str | None = None,
    sender: str = DXP_ID,
    msg_type: str = "CEB303Message",
    receiver: str = CUSTOMS_ID,
    created: str = "2026-01-01T12:00:00",
) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><dxp:DxpMsg xmlns:dxp="{DXP}" ver="1.0"><dxp:TransInfo>'
        f"<dxp:CopMsgId>{cop_msg_id or new_guid()}</dxp:CopMsgId><dxp:SenderId>{sender}</dxp:SenderId>"
        f"<dxp:ReceiverIds><dxp:ReceiverId>{receiver}</dxp:ReceiverId></dxp:ReceiverIds>"
        f"<dxp:CreatTime>{created}</dxp:CreatTime><dxp:MsgType>{msg_type}</dxp:MsgType></dxp:TransInfo>"
        f"<dxp:Data>{base64.b64encode(business).decode()}</dxp:Data></dxp:DxpMsg>"
    ).encode()


def open_receipt(sealed: bytes) -> tuple[dict[str, str], etree._Element]:
    """Transport fields and the business root of a receipt message, read without the simulator."""
    root = etree.fromstring(sealed)
    info = {etree.QName(item).localname: item.text or "" for item in root[0] if not len(item)}
    info["ReceiverId"] = root.findtext(f".//{{{DXP}}}ReceiverId") or ""
    data = root.findtext(f"{{{DXP}}}Data") or ""
    return info, etree.fromstring(base64.b64decode(data))


def returns(business: etree._Element) -> list[dict[str, str]]:
    """The OrderReturn or MessageReturn nodes as dictionaries."""
    return [{etree.QName(item).localname: item.text or "" for item in node} for node in business]


def authority_at(directory: Path) -> Authority:
    return Authority.open(directory)
