"""Signatures: what independent signers make is accepted, everything near it is refused."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from simulator.authority import Authority
from simulator.config import Rules
from simulator.signature import DS, SignatureFault, detach
from simulator.verify import Holder, Trust, check, sm2_der
from simulator.xmlsafe import parse
from tests.unit.simulator import material
from tests.unit.simulator.material import Order, Signer, message, sign_rsa, sign_sm2


def verified(signed: bytes, authority: Authority, rules: Rules | None = None) -> Holder:
    detached = detach(parse(signed, "-1"))
    assert detached.parts is not None
    trust = Trust(authority.directory)
    return check(detached.canonical, detached.parts, trust, rules or Rules(), datetime.now(UTC))


def refused(signed: bytes, authority: Authority, match: str, rules: Rules | None = None) -> None:
    with pytest.raises(SignatureFault, match=match):
        verified(signed, authority, rules)


EXTEND = (
    "<ceb:ExtendMessage><ceb:name>x</ceb:name><ceb:version>1</ceb:version><ceb:Message/></ceb:ExtendMessage>"
)


@pytest.mark.parametrize("p", ["ceb:", "", "c-e.b_1:"])
@pytest.mark.parametrize("tail", ["", "\n  "])
def test_xmlsec_signatures_hold(p: str, tail: str, authority: Authority, rsa_signer: Signer) -> None:
    signed = sign_rsa(message([Order(), Order("ORD-2")], p=p, tail=tail), rsa_signer)
    assert verified(signed, authority).code == material.CODE


def test_the_signature_stands_before_the_extension(authority: Authority, rsa_signer: Signer) -> None:
    assert verified(sign_rsa(message([Order()], tail=EXTEND), rsa_signer), authority).name == material.NAME


def test_white_space_round_the_signature_is_signed_content(authority: Authority, rsa_signer: Signer) -> None:
    signed = sign_rsa(message([Order()]), rsa_signer)
    spaced = signed.replace(b"</ds:Signature>", b"</ds:Signature>\n  ")
    refused(spaced, authority, "digest does not match")


@pytest.mark.parametrize("der", [False, True])
def test_sm2_signatures_hold(der: bool, authority: Authority, sm2_signer: Signer) -> None:
    assert verified(sign_sm2(message([Order()]), sm2_signer, der=der), authority).kind == "sm2"


def test_der_may_be_switched_off(authority: Authority, sm2_signer: Signer) -> None:
    signed = sign_sm2(message([Order()]), sm2_signer, der=True)
    refused(signed, authority, "64 bytes", Rules(accept_der=False))


def test_openssl_agrees_with_what_is_verified(
    authority: Authority, sm2_signer: Signer, tmp_path: Path
) -> None:
    """The same SignedInfo and signature, judged by the openssl command with the default signer id."""
    parts = detach(parse(sign_sm2(message([Order()]), sm2_signer), "-1")).parts
    assert parts is not None
    (tmp_path / "cert.pem").write_bytes(sm2_signer.certificate)
    (tmp_path / "info").write_bytes(parts.signed_info)
    (tmp_path / "sig").write_bytes(sm2_der(parts.value, accept_der=False))
    public = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "cert.pem", "-noout", "-pubkey"],
        capture_output=True,
        check=True,
    )
    (tmp_path / "key.pem").write_bytes(public.stdout)
    options = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    files = ["-pubin", "-inkey", tmp_path / "key.pem", "-in", tmp_path / "info", "-sigfile", tmp_path / "sig"]
    answer = subprocess.run(
        ["openssl", "pkeyutl", "-verify", *options, *files], capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_rsa_sha256_only_where_allowed(authority: Authority, rsa_signer: Signer) -> None:
    signed = sign_rsa(message([Order()]), rsa_signer, sha256=True)
    refused(signed, authority, "rsa-sha256 is not accepted")
    assert verified(signed, authority, Rules(algorithms=frozenset({"rsa-sha256"}))).kind == "rsa"


def text_swap(old: str, new: str) -> Callable[[bytes], bytes]:
    def swap(signed: bytes) -> bytes:
        assert old.encode() in signed
        return signed.replace(old.encode(), new.encode(), 1)

    return swap


def tree_change(change: Callable[[etree._Element, etree._Element], None]) -> Callable[[bytes], bytes]:
    def apply(signed: bytes) -> bytes:
        root = etree.fromstring(signed)
        signature = root.find(f"{{{DS}}}Signature")
        assert signature is not None
        change(root, signature)
        return bytes(etree.tostring(root))

    return apply


def into_order(root: etree._Element, signature: etree._Element) -> None:
    root[0].append(signature)


def wrapped(root: etree._Element, signature: etree._Element) -> None:
    """The signed message moved inside an unsigned one: classic wrapping."""
    old = etree.fromstring(etree.tostring(root))
    signature_copy = old.find(f"{{{DS}}}Signature")
    assert signature_copy is not None
    old.remove(signature_copy)
    holder = etree.SubElement(signature, f"{{{DS}}}Object")
    holder.append(old)
    order_number = root.find(f".//{{{material.CEB}}}orderNo")
    assert order_number is not None
    order_number.text = "FORGED"


def second_reference(_root: etree._Element, signature: etree._Element) -> None:
    reference = signature[0][2]
    signature[0].append(etree.fromstring(etree.tostring(reference)))


def second_signature(root: etree._Element, signature: etree._Element) -> None:
    root.append(etree.fromstring(etree.tostring(signature)))


def before_transfer(root: etree._Element, signature: etree._Element) -> None:
    root.insert(0, signature)


def no_reference(_root: etree._Element, signature: etree._Element) -> None:
    signature[0].remove(signature[0][2])


def second_transform(_root: etree._Element, signature: etree._Element) -> None:
    transforms = signature[0][2][0]
    etree.SubElement(
        transforms, f"{{{DS}}}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"
    )


def xpath_filter(_root: etree._Element, signature: etree._Element) -> None:
    transform = signature[0][2][0][0]
    etree.SubElement(transform, f"{{{DS}}}XPath").text = "not(//orderNo)"


def stray_object(_root: etree._Element, signature: etree._Element) -> None:
    etree.SubElement(signature, f"{{{DS}}}Object").text = "x"


def truncated_hmac(_root: etree._Element, signature: etree._Element) -> None:
    method = signature[0][1]
    method.set("Algorithm", DS + "hmac-sha1")
    etree.SubElement(method, f"{{{DS}}}HMACOutputLength").text = "1"


def key_value(_root: etree._Element, signature: etree._Element) -> None:
    key_info = signature[2]
    for child in list(key_info):
        key_info.remove(child)
    etree.SubElement(key_info, f"{{{DS}}}KeyValue")


def extra_certificate(_root: etree._Element, signature: etree._Element) -> None:
    data = signature[2][1]
    data.append(etree.fromstring(etree.tostring(data[0])))


ATTACKS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "changed value": (text_swap("纯棉", "丝绸"), "digest does not match"),
    "changed attribute": (
        tree_change(lambda root, _signature: root.set("version", "1.1")),
        "digest does not match",
    ),
    "moved into an order": (tree_change(into_order), "not a child of the root"),
    "moved to the front": (tree_change(before_transfer), "must follow BaseTransfer"),
    "wrapped": (tree_change(wrapped), "SignatureValue, KeyInfo"),
    "two references": (tree_change(second_reference), "CanonicalizationMethod, SignatureMethod, Reference"),
    "no reference": (tree_change(no_reference), "CanonicalizationMethod, SignatureMethod, Reference"),
    "two signatures": (tree_change(second_signature), "one Signature expected, found 2"),
    "reference by id": (text_swap('URI=""', 'URI="#x"'), 'URI=""'),
    "reference outside": (text_swap('URI=""', 'URI="file:///etc/hostname"'), 'URI=""'),
    "second transform": (tree_change(second_transform), "Transforms must hold Transform"),
    "xpath in the transform": (tree_change(xpath_filter), "only have the attribute Algorithm"),
    "other transform": (text_swap(f"{DS}enveloped-signature", f"{DS}base64"), "Transform must be"),
    "exclusive c14n": (
        text_swap(
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2001/10/xml-exc-c14n#"
        ),
        "CanonicalizationMethod must be",
    ),
    "c14n with comments": (
        text_swap("REC-xml-c14n-20010315", "REC-xml-c14n-20010315#WithComments"),
        "CanonicalizationMethod must be",
    ),
    "hmac": (text_swap(f"{DS}rsa-sha1", f"{DS}hmac-sha1"), "unsupported pair"),
    "truncated hmac": (tree_change(truncated_hmac), "only have the attribute Algorithm"),
    "md5": (text_swap(f"{DS}sha1", "http://www.w3.org/2001/04/xmldsig-more#md5"), "unsupported pair"),
    "mixed pair": (text_swap(f"{DS}sha1", f"{material.CHINAPORT}sm3"), "unsupported pair"),
    "pair for another key": (
        lambda signed: text_swap(f"{DS}sha1", f"{material.CHINAPORT}sm3")(
            text_swap(f"{DS}rsa-sha1", f"{material.CHINAPORT}sm2-sm3")(signed)
        ),
        "does not fit the certificate's rsa key",
    ),
    "object": (tree_change(stray_object), "SignatureValue, KeyInfo"),
    "key instead of certificate": (tree_change(key_value), "KeyName, X509Data"),
    "two certificates": (tree_change(extra_certificate), "X509Data must hold X509Certificate"),
    "broken base64": (text_swap("<ds:SignatureValue>", "<ds:SignatureValue>*"), "not base64"),
    "id on the signature": (text_swap("<ds:Signature ", '<ds:Signature Id="x" '), "must not have attributes"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(name: str, authority: Authority, rsa_signer: Signer) -> None:
    attack, reason = ATTACKS[name]
    signed = sign_rsa(message([Order()]), rsa_signer)
    refused(attack(signed), authority, reason)


@pytest.mark.parametrize("kind", ["rsa", "sm2"])
def test_a_flipped_bit_in_the_value_is_refused(
    kind: str, authority: Authority, rsa_signer: Signer, sm2_signer: Signer
) -> None:
    business = message([Order()])
    signed = sign_rsa(business, rsa_signer) if kind == "rsa" else sign_sm2(business, sm2_signer)
    found = re.search(rb"<ds:SignatureValue>([^<]+)</ds:SignatureValue>", signed)
    assert found is not None
    value = bytearray(base64.b64decode(found.group(1)))
    value[5] ^= 1
    forged = signed.replace(found.group(1), base64.b64encode(value))
    refused(forged, authority, "does not hold")


def test_a_value_of_the_wrong_size_is_refused(authority: Authority, sm2_signer: Signer) -> None:
    signed = sign_sm2(message([Order()]), sm2_signer)
    for value in (b"x", b"\x30\x06\x02\x01\x01\x02\x01", b"\0" * 64, b"\xff" * 64):
        forged = re.sub(
            rb"<ds:SignatureValue>[^<]+<", b"<ds:SignatureValue>" + base64.b64encode(value) + b"<", signed
        )
        refused(forged, authority, "refused")


def test_the_key_name_is_the_serial(authority: Authority, rsa_signer: Signer) -> None:
    business = message([Order()])
    padded = sign_rsa(business, rsa_signer, key_name="00" + rsa_signer.serial.upper()[:38])
    other = sign_rsa(business, rsa_signer, key_name="0001")
    refused(other, authority, "is not the certificate's serial")
    if len(rsa_signer.serial) <= 38:
        assert verified(padded, authority)
    assert verified(other, authority, Rules(check_key_name=False))


def self_made(code: str, issuer_name: str | None = None) -> Signer:
    """A certificate somebody made himself, under any issuer's name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    parts = [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, material.NAME),
        x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, code),
    ]
    now = datetime.now(UTC)
    issuer = x509.Name.from_rfc4514_string(issuer_name) if issuer_name else x509.Name(parts)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate.public_bytes(serialization.Encoding.PEM))


def test_certificates_not_of_the_authority_are_refused(authority: Authority, tmp_path: Path) -> None:
    refused(sign_rsa(message([Order()]), self_made(material.CODE)), authority, "not issued by the authority")
    named = self_made(material.CODE, authority.certificate.subject.rfc4514_string())
    refused(sign_rsa(message([Order()]), named), authority, "not issued by the authority")
    stranger = material.rsa_signer(Authority.open(tmp_path / "other"))
    refused(sign_rsa(message([Order()]), stranger), authority, "not issued by the authority")


def test_expired_and_early_certificates_are_refused(authority: Authority) -> None:
    past = material.rsa_signer(authority, now=datetime.now(UTC) - timedelta(days=30), days=7)
    refused(sign_rsa(message([Order()]), past), authority, "expired")
    future = material.rsa_signer(authority, now=datetime.now(UTC) + timedelta(days=30))
    refused(sign_rsa(message([Order()]), future), authority, "not valid before")


def test_revoked_certificates_are_refused_without_a_restart(authority: Authority) -> None:
    signer = material.rsa_signer(authority)
    signed = sign_rsa(message([Order()]), signer)
    detached = detach(parse(signed, "-1"))
    assert detached.parts is not None
    trust = Trust(authority.directory)
    assert check(detached.canonical, detached.parts, trust, Rules(), datetime.now(UTC))
    authority.revoke(int(signer.serial, 16))
    with pytest.raises(SignatureFault, match="revoked"):
        check(detached.canonical, detached.parts, trust, Rules(), datetime.now(UTC))


def test_a_p256_certificate_does_not_fit_any_pair(authority: Authority, rsa_signer: Signer) -> None:
    p256 = material.p256_signer(authority)
    signed = sign_rsa(message([Order()]), rsa_signer)
    mine, theirs = base64.b64encode(rsa_signer.der), base64.b64encode(p256.der)
    assert mine in signed
    refused(signed.replace(mine, theirs), authority, "must be RSA or SM2")


def test_rubbish_for_a_certificate_is_refused(authority: Authority, rsa_signer: Signer) -> None:
    signed = sign_rsa(message([Order()]), rsa_signer)
    mine = base64.b64encode(rsa_signer.der)
    refused(signed.replace(mine, b"AAAA"), authority, "cannot be read")


def test_the_authoritys_own_certificate_is_not_for_signing(authority: Authority) -> None:
    ca_key = serialization.load_pem_private_key((authority.directory / "ca.key").read_bytes(), None)
    signer = Signer(ca_key, (authority.directory / "ca.pem").read_bytes())
    refused(sign_rsa(message([Order()]), signer), authority, "not for signing")
