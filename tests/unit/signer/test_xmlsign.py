"""Signatures made from bytes alone, judged by code that parses: lxml, xmlsec, signxml, OpenSSL."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
import xmlsec
from asn1crypto import pem
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import XMLVerifier
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration

from services.signer import certificates, check, xmlsign
from tests.support.signing import XSI, message
from tests.unit.signer.conftest import Pair

CODE = "91440300MA5EXAMPLA"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
EXTEND = (
    "<ceb:ExtendMessage><ceb:name>a</ceb:name><ceb:version>1</ceb:version>"
    '<ceb:Message><x:y xmlns:x="urn:x"></x:y></ceb:Message></ceb:ExtendMessage>'
)
# what XML may carry at all; the hostile part is escaping, line ends and characters outside the basic plane
TEXT = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=("Cs",), exclude_characters="\ufffe\uffff")
    | st.sampled_from("&<>\"'\r\n\t]𠀀"),
    max_size=40,
)


def signed(pair: Pair, name: str, xml: bytes, encoding: str = "raw") -> bytes:
    """The whole way from canonical bytes to final ones, as the service goes it."""
    algorithm = xmlsign.ALGORITHMS[name]
    prepared = xmlsign.prepare(algorithm, check.read(xml).namespaces, xml)
    value = pair.sign(name, prepared.signed_info)
    if encoding == "der":
        value = certificates.sm2_der(value)
    info = xmlsign.key_info(pair.certificate.serial, pair.certificate.der)
    return xmlsign.assemble(xml, prepared, value, info)


def signature_of(final: bytes) -> Any:
    return etree.fromstring(final).find(f"{DS}Signature")


@pytest.mark.parametrize("name", sorted(xmlsign.ALGORITHMS))
@pytest.mark.parametrize("namespaces", [{}, {"xsi": XSI}], ids=["ceb", "ceb-xsi"])
@pytest.mark.parametrize("extend", ["", EXTEND], ids=["plain", "extended"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.lists(TEXT, min_size=1, max_size=3))
def test_signed_info_is_what_a_parser_canonicalises(
    name: str, namespaces: dict[str, str], extend: str, notes: list[str], rsa_pair: Pair, sm2_pair: Pair
) -> None:
    xml = message(CODE, documents=len(notes), notes=notes, namespaces=namespaces, extend=extend)
    pair = sm2_pair if name == "sm2-sm3" else rsa_pair
    algorithm = xmlsign.ALGORITHMS[name]
    prepared = xmlsign.prepare(algorithm, check.read(xml).namespaces, xml)
    final = signed(pair, name, xml)
    root = etree.fromstring(final)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    info = signature.find(f"{DS}SignedInfo")
    assert etree.tostring(info, method="c14n") == prepared.signed_info
    following = signature.getnext()
    assert (following is not None) == bool(extend)
    root.remove(signature)
    assert etree.tostring(root, method="c14n") == xml
    check.verify(final, prepared.digest, algorithm, pair.certificate, "raw")


@pytest.mark.parametrize("name", ["rsa-sha1", "rsa-sha256"])
@pytest.mark.parametrize("namespaces", [{}, {"xsi": XSI}], ids=["ceb", "ceb-xsi"])
def test_rsa_is_accepted_by_xmlsec_and_signxml(name: str, namespaces: dict[str, str], rsa_pair: Pair) -> None:
    xml = message(CODE, documents=3, notes=["&<>\"'\r\n\t]]>𠀀 中文"], namespaces=namespaces, extend=EXTEND)
    final = signed(rsa_pair, name, xml)
    certificate = x509.load_der_x509_certificate(rsa_pair.certificate.der).public_bytes(Encoding.PEM)

    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem, None)
    context.verify(signature_of(final))

    expected = SignatureConfiguration(
        signature_methods=frozenset({SignatureMethod.RSA_SHA1, SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA1, DigestAlgorithm.SHA256}),
    )
    judged = XMLVerifier().verify(final, x509_cert=certificate.decode(), expect_config=expected)
    assert isinstance(judged, list) or etree.tostring(judged.signed_xml, method="c14n") == xml


def test_a_changed_byte_is_refused_by_xmlsec(rsa_pair: Pair) -> None:
    final = signed(rsa_pair, "rsa-sha1", message(CODE))
    certificate = x509.load_der_x509_certificate(rsa_pair.certificate.der).public_bytes(Encoding.PEM)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem, None)
    with pytest.raises(xmlsec.VerificationError):
        context.verify(signature_of(final.replace(b"<ceb:qty>1<", b"<ceb:qty>2<")))


def test_sm2_is_accepted_by_openssl(sm2_pair: Pair, tmp_path: Path) -> None:
    xml = message(CODE, documents=2, notes=["中文 &\r\n"], namespaces={"xsi": XSI})
    final = signed(sm2_pair, "sm2-sm3", xml)
    signature = signature_of(final)
    # digest of the message: the Signature is cut out of the bytes and OpenSSL hashes what is left
    begin, end = final.index(b"<ds:Signature "), final.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    digest = _openssl(["dgst", "-sm3", "-binary"], final[:begin] + final[end:])
    assert base64.b64encode(digest).decode() == signature.findtext(f".//{DS}DigestValue")
    raw = base64.b64decode(signature.findtext(f"{DS}SignatureValue"))
    assert len(raw) == 64
    # SignedInfo from the bytes: its start tag with the namespaces in scope, written by hand
    inner = final[final.index(b"<ds:CanonicalizationMethod") : final.index(b"</ds:SignedInfo>")]
    tag = (
        '<ds:SignedInfo xmlns:ceb="http://www.chinaport.gov.cn/ceb" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
        f'xmlns:xsi="{XSI}">'
    )
    (tmp_path / "info").write_bytes(tag.encode() + inner + b"</ds:SignedInfo>")
    (tmp_path / "signature").write_bytes(certificates.sm2_der(raw))
    (tmp_path / "public.pem").write_bytes(pem.armor("PUBLIC KEY", sm2_pair.certificate.public_key))
    arguments = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-rawin",
        "-digest",
        "sm3",
        "-in",
        "info",
    ]
    arguments += ["-sigfile", "signature", "-pkeyopt", "distid:1234567812345678"]
    assert b"Verified" in _openssl(arguments, b"", tmp_path)


def _openssl(arguments: list[str], data: bytes, folder: Path | None = None) -> bytes:
    return subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=True, cwd=folder
    ).stdout


def test_der_encoding_of_sm2_is_a_setting(sm2_pair: Pair) -> None:
    xml = message(CODE)
    prepared = xmlsign.prepare(xmlsign.ALGORITHMS["sm2-sm3"], check.read(xml).namespaces, xml)
    final = signed(sm2_pair, "sm2-sm3", xml, "der")
    check.verify(final, prepared.digest, prepared.algorithm, sm2_pair.certificate, "der")
    with pytest.raises(check.SignatureWrong):
        check.verify(final, prepared.digest, prepared.algorithm, sm2_pair.certificate, "raw")


def test_structure_is_the_specifications(rsa_pair: Pair) -> None:
    """reference/ceb/envelope.yaml, ceb_signature.structure."""
    signature = signature_of(signed(rsa_pair, "rsa-sha1", message(CODE)))
    assert [etree.QName(node).localname for node in signature] == ["SignedInfo", "SignatureValue", "KeyInfo"]
    keys = signature.find(f"{DS}KeyInfo")
    assert keys.findtext(f"{DS}KeyName") == rsa_pair.certificate.serial
    held = base64.b64decode(keys.findtext(f"{DS}X509Data/{DS}X509Certificate"))
    assert held == rsa_pair.certificate.der
    assert signature.find(f"{DS}SignedInfo/{DS}Reference").get("URI") == ""
    methods = [node.get("Algorithm") for node in signature.iter() if node.get("Algorithm")]
    assert methods == [
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2000/09/xmldsig#sha1",
    ]


def test_bytes_around_the_signature_are_untouched(rsa_pair: Pair) -> None:
    xml = message(CODE, notes=["\r\n]]> &"], extend=EXTEND)
    final = signed(rsa_pair, "rsa-sha1", xml)
    begin, end = final.index(b"<ds:Signature "), final.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    assert final[:begin] + final[end:] == xml
    assert final[end:].startswith(b"<ceb:ExtendMessage>")
