"""The definitions made of the declarations against the official tables, and against messages right and wrong."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from documents import xsd
from documents.registry import ALL, Registry
from documents.spec import DeclarationError, DocumentType, ReceiptForm
from documents.types import answer
from documents.types.booking import BOOKING
from documents.types.order import ORDER
from tests.contract.made_up import REGISTRY as MADE_UP
from tests.contract.official import GOLDEN, name_of, schema, table
from tests.support.definitions import assert_valid
from tools.paths import ROOT

XS = "{http://www.w3.org/2001/XMLSchema}"
CEB = "{http://www.chinaport.gov.cn/ceb}"
TYPES = pytest.mark.parametrize("doctype", ALL, ids=lambda t: t.kind)
SENT = pytest.mark.parametrize(
    "doctype", [item for item in ALL if item.message.direction == "out"], ids=lambda t: t.kind
)
PRINTED: dict[str, Any] = yaml.safe_load((GOLDEN / "receipts.yaml").read_text(encoding="utf-8"))
#: what has a pattern of its own instead of a length
_LENGTHS = {"A-F]{12}": 36, "[0-5][0-9]": 14, "[01])": 8}


@cache
def made(root: str) -> etree._Element:
    """The definition of a root, as a tree."""
    return etree.fromstring(xsd.definitions()[root])


def times(element: etree._Element) -> tuple[int, int]:
    most = element.get("maxOccurs", "1")
    return int(element.get("minOccurs", "1")), 0 if most == "unbounded" else int(most)


def content(element: etree._Element) -> list[etree._Element]:
    """The elements in the sequence of one."""
    sequence = element.find(f"{XS}complexType/{XS}sequence")
    return [] if sequence is None else list(sequence)


def notation(element: etree._Element, *, ours: bool) -> str:
    """The official table's notation for what a definition says, "?" if it may be missing."""
    restriction = element.find(f"{XS}simpleType/{XS}restriction")
    assert restriction is not None, element.get("name")
    facets = {etree.QName(item).localname: item.get("value", "") for item in restriction}
    mark = "" if times(element) == (1, 1) else " ?"
    if "totalDigits" in facets:
        places = facets.get("fractionDigits")
        return f"N{facets['totalDigits']}" + (f",{places}" if places else "") + mark
    if "enumeration" in facets:
        (length,) = {len(item.get("value", "")) for item in restriction}
        return f"C{length}{mark}"
    if "length" in facets:
        return f"C{facets['length']}{mark}"
    if "maxLength" not in facets and "pattern" in facets:
        return f"C{next(size for end, size in _LENGTHS.items() if facets['pattern'].endswith(end))}{mark}"
    low, high = facets.get("minLength", ""), facets.get("maxLength", "")
    if not high:
        return f"C unbounded{mark}"
    # what we send is never empty; the tables only say how long it may be
    low = "" if ours and low == "1" and high != "1" else low
    return f"C{high}{mark}" if low == high else f"C{low}..{high}{mark}"


def rows(elements: list[etree._Element], *, ours: bool) -> list[str]:
    return [f"{item.get('name')} {notation(item, ours=ours)}" for item in elements]


def printed(fields: list[Mapping[str, Any]]) -> list[str]:
    # C..1 is C1 for whoever leaves nothing empty
    kinds = [row["type"] if row["type"] != "C..1" else "C1" for row in fields]
    return [
        f"{row['name']} {kind}{'' if row['required'] else ' ?'}"
        for row, kind in zip(fields, kinds, strict=True)
    ]


@TYPES
def test_a_message_has_the_sequences_of_the_table(doctype: DocumentType) -> None:
    official, ours = table(name_of(doctype)), doctype.message.direction == "out"
    schema_root = made(doctype.message.root)
    assert schema_root.get("targetNamespace") == official["namespace"]
    assert schema_root.get("elementFormDefault") == "qualified"
    (root,) = schema_root.iterchildren(f"{XS}element")
    assert root.get("name") == official["message"]
    node, *frame = content(root)
    assert (node.get("name"), times(node)) == (
        official["node"]["name"], (official["node"]["min"], official["node"]["max"])
    )  # fmt: skip
    parts = content(node)
    if official["head"]["name"]:
        head, *lines = parts
        assert (head.get("name"), times(head)) == (official["head"]["name"], (1, 1))
        fields = content(head)
    else:
        fields, lines = parts, []
    assert rows(fields, ours=ours) == printed(official["head"]["fields"])
    if "line" in official:
        (line,) = lines
        assert (line.get("name"), times(line)) == (
            official["line"]["name"], (official["line"]["min"], official["line"]["max"])
        )  # fmt: skip
        assert rows(content(line), ours=ours) == printed(official["line"]["fields"])
    else:
        assert lines == []
    check_frame(frame, ours=ours)


def check_frame(frame: list[etree._Element], *, ours: bool) -> None:
    if not ours:
        assert frame == []
        return
    transfer, subscribe, signature, extend = frame
    assert (signature.tag, times(signature)) == (f"{XS}any", (0, 1))
    assert signature.get("namespace") == "http://www.w3.org/2000/09/xmldsig#"
    for element in (transfer, subscribe, extend):
        official = PRINTED["frame"][element.get("name")]
        assert list(times(element)) == official["times"]
        plain = [item for item in content(element) if item.find(f"{XS}simpleType") is not None]
        assert rows(plain, ours=True) == [row for row in official["fields"] if not row.endswith(" any")]
    assert content(extend)[-1].get("name") == "Message"


def test_every_receipt_has_the_sequence_of_the_table() -> None:
    made_of = {root for root in xsd.definitions() if root in PRINTED["receipts"]}
    assert made_of == set(PRINTED["receipts"])
    for root, official in PRINTED["receipts"].items():
        (element,) = made(root).iterchildren(f"{XS}element")
        (node,) = content(element)
        assert (node.get("name"), times(node)) == (
            official["node"]["name"], (official["node"]["min"], official["node"]["max"])
        )  # fmt: skip
        assert rows(content(node), ours=False) == official["fields"], root


def test_there_is_a_definition_of_every_root_and_no_other() -> None:
    roots = {doctype.message.root for doctype in ALL}
    assert set(xsd.definitions()) == roots | set(PRINTED["receipts"])


@pytest.mark.parametrize("attribute", ["guid", "version"])
def test_root_attributes_are_required(attribute: str) -> None:
    for root in xsd.definitions():
        found = made(root).find(f"{XS}element/{XS}complexType/{XS}attribute[@name='{attribute}']")
        assert found is not None
        assert found.get("use") == "required"


def golden(doctype: DocumentType) -> etree._Element:
    return etree.fromstring((GOLDEN / doctype.kind / "message.xml").read_bytes())


@SENT
def test_the_golden_message_is_valid(doctype: DocumentType) -> None:
    assert_valid((GOLDEN / doctype.kind / "message.xml").read_bytes())


def spoilt(tree: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The message with one thing wrong at a time, for every element in it."""
    for index, element in enumerate(tree.iter()):
        if index == 0:
            continue
        name = f"{etree.QName(element).localname} ({index})"
        for what in ("without", "twice", "renamed", "swapped", "foreign", "filled"):
            changed = copy.deepcopy(tree)
            place = list(changed.iter())[index]
            parent = place.getparent()
            assert parent is not None
            if what == "without":
                parent.remove(place)
            elif what == "twice":
                place.addnext(copy.deepcopy(place))
            elif what == "renamed":
                place.tag = f"{place.tag}x"
            elif what == "foreign":
                place.tag = etree.QName("urn:x", etree.QName(place).localname)
            elif what == "filled":
                place.text = (place.text or "") + "甲" * 40_000
            elif (following := place.getnext()) is not None and following.tag != place.tag:
                following.addnext(place)
            else:
                continue
            yield f"{name} {what}", changed


@SENT
def test_what_the_official_definition_refuses_ours_refuses(doctype: DocumentType) -> None:
    """The official one is made of the tables by code that knows no declaration."""
    official, ours = schema(name_of(doctype)), xsd.schema(doctype.message.root)
    tree = golden(doctype)
    refused = 0
    for what, changed in spoilt(tree):
        wrong = not official.validate(changed)
        refused += wrong
        # an optional element may go, a document or a line may come twice: then both agree that nothing is wrong
        assert wrong == (not ours.validate(changed)), what
    assert refused > 50


def test_order_types_of_both_kinds_are_in_the_shared_definition() -> None:
    tree = golden(ORDER)
    for letter, right in (("B", True), ("E", True), ("W", True), ("X", False), ("", False)):
        for element in tree.iter(f"{CEB}orderType"):
            element.text = letter
        assert xsd.schema("CEB303Message").validate(tree) is right, letter


def test_a_signature_stands_in_its_place_only() -> None:
    tree = golden(ORDER)
    signature = etree.fromstring(
        '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:x/></ds:Signature>'
    )
    extend = etree.fromstring(
        f'<c:ExtendMessage xmlns:c="{CEB[1:-1]}"><c:name>a</c:name><c:version>1</c:version>'
        '<c:Message><y xmlns="urn:y"/></c:Message></c:ExtendMessage>'
    )
    definition = xsd.schema("CEB303Message")
    tree.append(signature)
    definition.assertValid(tree)
    tree.append(extend)
    definition.assertValid(tree)
    extend.addnext(signature)
    assert not definition.validate(tree)
    extend.addprevious(signature)
    signature.addnext(copy.deepcopy(signature))
    assert not definition.validate(tree)


@pytest.mark.parametrize("root", sorted(PRINTED["receipts"]))
def test_receipts_are_judged(root: str) -> None:
    official = PRINTED["receipts"][root]
    tree = receipt(root)
    assert_valid(etree.tostring(tree))
    for row in official["fields"]:
        name, kind, *optional = row.split()
        changed = copy.deepcopy(tree)
        (element,) = changed.iter(f"{CEB}{name}")
        element.text = "9" * 6000
        assert xsd.schema(root).validate(changed) is (kind == "C"), row
        changed = copy.deepcopy(tree)
        (element,) = changed.iter(f"{CEB}{name}")
        element.getparent().remove(element)  # type: ignore[union-attr]
        assert xsd.schema(root).validate(changed) is bool(optional and optional[-1] == "?"), row
        changed.append(copy.deepcopy(changed[0]))


def receipt(root: str) -> etree._Element:
    """A receipt with every element of the table as long as it may be, in the default namespace."""
    official = PRINTED["receipts"][root]
    tree = etree.Element(f"{CEB}{root}", {"guid": "a" * 36, "version": "1.0"}, {None: CEB[1:-1]})
    node = etree.SubElement(tree, f"{CEB}{official['node']['name']}")
    for row in official["fields"]:
        name, kind, *_ = row.split()
        size = kind.rsplit("..", maxsplit=1)[-1].strip("CN") or "10"
        etree.SubElement(node, f"{CEB}{name}").text = "1" * int(size)
    return tree


def test_types_of_one_message_must_agree() -> None:
    other = replace(BOOKING, head=tuple(
        replace(field, length=61) if field.name == "orderNo" else field for field in BOOKING.head
    ))  # fmt: skip
    with pytest.raises(DeclarationError, match="orderNo"):
        xsd.definitions(Registry([ORDER, other]))
    other = replace(BOOKING, message=replace(BOOKING.message, max_lines=7))
    with pytest.raises(DeclarationError, match="agree on the message"):
        xsd.definitions(Registry([ORDER, other]))


def test_a_receipt_must_declare_what_is_used_of_it() -> None:
    with pytest.raises(DeclarationError, match="orderNo"):
        ReceiptForm("R", "N", ("orderNo",), fields=answer.fields())
    with pytest.raises(DeclarationError, match="twice"):
        ReceiptForm("R", "N", (), fields=answer.fields(answer.GUID))


def test_made_up_kinds_have_definitions_too() -> None:
    found = xsd.definitions(MADE_UP)
    assert set(found) == {"CEB999Message", "CEB507Message"}
    tree = etree.fromstring(found["CEB999Message"])
    assert tree.get("targetNamespace") == "urn:made-up:widgets"
    etree.XMLSchema(tree)


def test_the_command_writes_them_all(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "xsd"
    done = subprocess.run(
        [sys.executable, "-m", "documents", "xsd", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {file.stem for file in folder.iterdir()} == set(xsd.definitions())
    assert len(done.stdout.splitlines()) == len(xsd.definitions())
    for file in folder.iterdir():
        # each stands alone: nothing to import or to fetch
        etree.XMLSchema(etree.parse(file))
