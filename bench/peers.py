"""The usual ways to sign the same customs message: python-xmlsec and signxml, each from a body to signed bytes.

The other side of bench.xml. Both build a tree, add the signature and serialise; neither is used by the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import signxml
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree
from signxml.signer import XMLSigner

from documents.spec import DocumentType
from documents.xml import VERSION, Transfer

INCLUSIVE = signxml.algorithms.CanonicalizationMethod.CANONICAL_XML_1_0


def build(
    doctype: DocumentType, body: Mapping[str, Any], system: Mapping[str, str], guid: str, transfer: Transfer
) -> etree._Element:
    """The unsigned message as a tree, element by element."""
    form = doctype.message
    space = f"{{{form.namespace}}}"
    root = etree.Element(
        f"{space}{form.root}", {"guid": guid, "version": VERSION}, {form.prefix: form.namespace}
    )
    node = etree.SubElement(root, f"{space}{form.node}")
    head = {**body["head"], **system}
    _fill(etree.SubElement(node, f"{space}{form.head}"), space, doctype.head, head)
    for number, line in enumerate(body["lines"], 1):
        values = {**line, doctype.line_number: str(number)}
        _fill(etree.SubElement(node, f"{space}{form.line}"), space, doctype.lines, values)
    base = etree.SubElement(root, f"{space}BaseTransfer")
    texts = {
        "copCode": transfer.cop_code,
        "copName": transfer.cop_name,
        "dxpMode": "DXP",
        "dxpId": transfer.dxp_id,
    }
    for name, value in texts.items():
        etree.SubElement(base, space + name).text = value
    return root


def _fill(parent: etree._Element, space: str, fields: Any, values: Mapping[str, str]) -> None:
    for field in fields:
        if field.required or values.get(field.name):
            etree.SubElement(parent, space + field.name).text = values[field.name]


class Xmlsec:
    """python-xmlsec (libxmlsec1) with a key kept loaded."""

    def __init__(self, key: RSAPrivateKey, certificate: x509.Certificate) -> None:
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
        self._key.load_cert_from_memory(
            certificate.public_bytes(serialization.Encoding.PEM), xmlsec.constants.KeyDataFormatPem
        )

    def sign(self, root: etree._Element) -> bytes:
        """Signed bytes; rsa-sha256 over inclusive C14N, with the certificate."""
        signature = xmlsec.template.create(
            root, xmlsec.constants.TransformInclC14N, xmlsec.constants.TransformRsaSha256, ns="ds"
        )
        root.append(signature)
        reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri="")
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        context = xmlsec.SignatureContext()
        context.key = self._key
        context.sign(signature)
        return etree.tostring(root)

    def verify(self, signed: bytes) -> None:
        """Raises xmlsec.Error if a signature, whoever made it, is not right."""
        root = etree.fromstring(signed)
        context = xmlsec.SignatureContext()
        context.key = self._key
        signature = xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature)
        if signature is None:
            raise ValueError("there is no signature")
        context.verify(signature)


class Signxml:
    """signxml with a key kept loaded."""

    def __init__(self, key: RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificates = [certificate]
        self._signer = XMLSigner(
            method=signxml.methods.enveloped,
            signature_algorithm="rsa-sha256",
            digest_algorithm="sha256",
            c14n_algorithm=INCLUSIVE,
        )

    def sign(self, root: etree._Element) -> bytes:
        """Signed bytes; rsa-sha256 over inclusive C14N, with the certificate."""
        return etree.tostring(self._signer.sign(root, key=self._key, cert=self._certificates))
