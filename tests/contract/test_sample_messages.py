"""`make messages`: what it writes, judged by code that is not the product's."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import xmlsec
from asn1crypto import pem
from asn1crypto import x509 as a_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from documents.registry import ALL
from tests.contract.official import schema
from tests.support.definitions import assert_valid
from tools import messages

CEB = "{http://www.chinaport.gov.cn/ceb}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
SENT = {
    "CEB303Message", "CEB303Message-E", "CEB303Message-W", "CEB403Message", "CEB505Message", "CEB507Message",
    "CEB509Message", "CEB603Message", "CEB605Message", "CEB607Message", "CEB213Message", "CEB215Message",
    "CEB701Message",
}  # fmt: skip
RECEIVED = {
    "CEB304Message", "CEB404Message", "CEB506Message", "CEB508Message", "CEB510Message", "CEB604Message",
    "CEB606Message", "CEB608Message", "CEB214Message", "CEB216Message", "CEB702Message", "CEB792Message",
    "CEB900Message",
}  # fmt: skip


@pytest.fixture(scope="module", params=["rsa-sha1", "sm2-sm3"])
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(algorithm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("messages") / "new"
    assert messages.main([str(made), "--algorithm", algorithm]) == 0
    return made


@pytest.fixture(scope="module")
def trees(folder: Path) -> dict[str, etree._Element]:
    return {file.stem: etree.parse(file).getroot() for file in folder.iterdir()}


def texts(tree: etree._Element, name: str) -> list[str]:
    return [element.text or "" for element in tree.iter(f"{CEB}{name}")]


def test_there_is_one_of_every_message_and_receipt(trees: dict[str, etree._Element]) -> None:
    assert set(trees) == SENT | RECEIVED
    for name, tree in trees.items():
        assert etree.QName(tree).localname == name.split("-", maxsplit=1)[0]
    assert {item.message.root for item in ALL} <= {name.split("-", maxsplit=1)[0] for name in trees}


def test_all_are_what_the_definitions_say(folder: Path, trees: dict[str, etree._Element]) -> None:
    for name in trees:
        assert_valid((folder / f"{name}.xml").read_bytes())
    for name in SENT:
        unsigned = etree.fromstring(etree.tostring(trees[name]))
        for signature in unsigned.findall(f"{DS}Signature"):
            unsigned.remove(signature)
        schema(name.split("-", maxsplit=1)[0].removesuffix("Message")).assertValid(unsigned)


def signatures(trees: dict[str, etree._Element]) -> Iterator[tuple[etree._Element, bytes]]:
    """Every signature with its certificate."""
    for name in SENT:
        (signature,) = trees[name].findall(f"{DS}Signature")
        yield signature, base64.b64decode(signature.findtext(f".//{DS}X509Certificate") or "")


def test_what_is_sent_is_signed_by_its_sender_and_answers_are_not(trees: dict[str, etree._Element]) -> None:
    for signature, der in signatures(trees):
        root = signature.getparent()
        assert root is not None
        subject = a_x509.Certificate.load(der).subject.native
        assert [subject["organizational_unit_name"]] == texts(root, "copCode")
        assert subject["organization_name"] in texts(root, "copName")
    for name in RECEIVED:
        assert trees[name].find(f".//{DS}Signature") is None


def test_outside_judges_accept_every_signature(
    algorithm: str, trees: dict[str, etree._Element], tmp_path: Path
) -> None:
    for signature, der in signatures(trees):
        if algorithm == "sm2-sm3":
            verify_sm2(signature, der, tmp_path)
            continue
        verify_rsa(signature, der)
        changed = etree.fromstring(etree.tostring(signature.getroottree()))
        next(changed.iter(f"{CEB}guid")).text = "changed"
        with pytest.raises(xmlsec.VerificationError):
            verify_rsa(changed.findall(f"{DS}Signature")[0], der)


def verify_rsa(signature: etree._Element, der: bytes) -> None:
    """By xmlsec."""
    context = xmlsec.SignatureContext()
    certificate = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem, None)
    context.verify(signature)


def verify_sm2(signature: etree._Element, der: bytes, folder: Path) -> None:
    """Digest and signature recomputed by OpenSSL from canonical forms of lxml."""
    info = etree.tostring(signature[0], method="c14n")
    root = etree.fromstring(etree.tostring(signature.getroottree()))
    for copy in root.findall(f"{DS}Signature"):
        root.remove(copy)
    digest = openssl(["dgst", "-sm3", "-binary"], etree.tostring(root, method="c14n"))
    assert base64.b64encode(digest).decode() == signature.findtext(f".//{DS}DigestValue")
    raw = base64.b64decode(signature.findtext(f"{DS}SignatureValue") or "")
    public = a_x509.Certificate.load(der).public_key.dump()
    (folder / "info").write_bytes(info)
    (folder / "public.pem").write_bytes(pem.armor("PUBLIC KEY", public))
    (folder / "signature").write_bytes(der_of(raw))
    told = openssl(
        ["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-digest", "sm3", "-in", "info",
         "-sigfile", "signature", "-pkeyopt", "distid:1234567812345678"],
        b"", folder,
    )  # fmt: skip
    assert b"Verified" in told


def der_of(raw: bytes) -> bytes:
    """r and s as two INTEGERs in a SEQUENCE."""

    def integer(value: bytes) -> bytes:
        value = value.lstrip(b"\x00")
        value = b"\x00" + value if not value or value[0] & 0x80 else value
        return b"\x02" + bytes([len(value)]) + value

    assert len(raw) == 64
    body = integer(raw[:32]) + integer(raw[32:])
    return b"\x30" + bytes([len(body)]) + body


def openssl(arguments: list[str], data: bytes, folder: Path | None = None) -> bytes:
    return subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=True, cwd=folder
    ).stdout


def documents(tree: etree._Element, node: str) -> list[etree._Element]:
    return tree.findall(f"{CEB}{node}")


def only(node: etree._Element, name: str) -> str:
    return node.findtext(f".//{CEB}{name}") or ""


def test_the_four_documents_of_every_list_match(trees: dict[str, etree._Element]) -> None:
    orders = {
        only(node, "orderNo"): node
        for name in ("CEB303Message", "CEB303Message-E", "CEB303Message-W")
        for node in documents(trees[name], "Order")
    }
    payments = {only(node, "orderNo"): node for node in documents(trees["CEB403Message"], "Receipts")}
    waybills = {only(node, "logisticsNo"): node for node in documents(trees["CEB505Message"], "Logistics")}
    lists = documents(trees["CEB603Message"], "Inventory")
    modes = {"E": {"9610", "1210"}, "B": {"9710"}, "W": {"9810"}}
    assert {only(node, "tradeMode") for node in lists} == {"1210", "9710", "9810"}
    for node in lists:
        order, waybill = orders[only(node, "orderNo")], waybills[only(node, "logisticsNo")]
        assert only(node, "tradeMode") in modes[only(order, "orderType")]
        for name in ("ebpCode", "ebcCode"):
            assert only(node, name) == only(order, name)
        for name in ("logisticsCode", "ebcCode", "grossWeight", "packNo"):
            assert only(node, name) == only(waybill, name)
        lines = {only(line, "itemNo"): only(line, "totalPrice") for line in documents(node, "InventoryList")}
        assert lines == {
            only(line, "itemNo"): only(line, "totalPrice") for line in documents(order, "OrderList")
        }
        if only(order, "orderType") != "W":
            assert only(payments[only(node, "orderNo")], "charge") == only(order, "goodsValue")


def test_what_comes_later_names_the_numbers_that_customs_gave(trees: dict[str, etree._Element]) -> None:
    given = set(texts(trees["CEB604Message"], "invtNo"))
    assert len(given - {""}) == 4
    for name in (
        "CEB605Message",
        "CEB607Message",
        "CEB213Message",
        "CEB215Message",
        "CEB701Message",
        "CEB792Message",
    ):
        named = set(texts(trees[name], "invtNo"))
        assert named
        assert named <= given, name
    assert set(texts(trees["CEB792Message"], "sumNo")) == set(texts(trees["CEB702Message"], "sumNo")) - {""}
    assert "900020260000000001"[:8] in {number[:8] for number in texts(trees["CEB792Message"], "entryId")}


def test_customs_took_everything(trees: dict[str, etree._Element]) -> None:
    for name in RECEIVED - {"CEB792Message", "CEB900Message"}:
        statuses = texts(trees[name], "returnStatus")
        assert statuses[-1] in ("120", "399", "800", "899"), name
        assert not [status for status in statuses if status.startswith("-") or status == "100"], name
    (status,) = texts(trees["CEB900Message"], "returnStatus")
    assert status.startswith("-")


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert messages.main([str(tmp_path / "file")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("messages: ")
