"""Canonical messages: byte for byte what an independent canonicaliser makes of an independently built tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from documents.registry import ALL
from documents.spec import DocumentType, Field
from documents.types.order import ORDER
from documents.xml import Transfer, XmlError, from_xml, parse, writer
from tests.unit.documents.making import IMPOSSIBLE, any_bodies, order_body, xml_text

GUID = "C1E5B0A7-52D7-4A07-9C4D-0A4C2A6B7F10"
SYSTEM = {"guid": GUID, "appType": "1", "appTime": "20261120150405", "appStatus": "2"}
TRANSFER = Transfer("91610131MA6TTTTT01", "测试电商有限公司", "DXPENT0000000001")
Bodies = Sequence[Mapping[str, Any]]
TYPES = pytest.mark.parametrize("doctype", ALL, ids=lambda t: t.kind)

transfers = st.builds(Transfer, xml_text, xml_text, xml_text)


def written(doctype: DocumentType, bodies: Bodies, guid: str = GUID, transfer: Transfer = TRANSFER) -> bytes:
    make = writer(doctype)
    return make.message([make.document(body, SYSTEM) for body in bodies], guid, transfer)


def tree(doctype: DocumentType, bodies: Bodies, guid: str, transfer: Transfer) -> etree._Element:
    """The same message built with lxml's own tree, field by field."""
    form = doctype.message
    space = f"{{{form.namespace}}}"

    def part(parent: etree._Element, name: str, fields: tuple[Field, ...], values: Mapping[str, str]) -> None:
        node = etree.SubElement(parent, space + name) if name else parent
        for field in fields:
            if field.required or values.get(field.name):
                etree.SubElement(node, space + field.name).text = values.get(field.name, "")

    root = etree.Element(space + form.root, {"guid": guid, "version": "1.0"}, {form.prefix: form.namespace})
    for body in bodies:
        node = etree.SubElement(root, space + form.node)
        part(node, form.head, doctype.head, {**body["head"], **SYSTEM})
        for number, line in enumerate(body["lines"], 1):
            numbered = {doctype.line_number: str(number)} if doctype.line_number else {}
            part(node, form.line, doctype.lines, {**line, **numbered})
    base = etree.SubElement(root, space + "BaseTransfer")
    values = (("copCode", transfer.cop_code), ("copName", transfer.cop_name), ("dxpMode", "DXP"),
              ("dxpId", transfer.dxp_id))  # fmt: skip
    for name, value in values:
        etree.SubElement(base, space + name).text = value
    return root


def canonical(root: etree._Element) -> bytes:
    return etree.tostring(root, method="c14n", exclusive=False, with_comments=True)


@TYPES
@given(data=st.data())
@settings(max_examples=40)
def test_bytes_equal_the_canonical_form_of_a_tree_with_the_same_content(
    doctype: DocumentType, data: st.DataObject
) -> None:
    bodies = data.draw(st.lists(any_bodies(doctype), min_size=1, max_size=3))
    guid, transfer = data.draw(xml_text), data.draw(transfers)
    raw = written(doctype, bodies, guid, transfer)
    assert raw == canonical(tree(doctype, bodies, guid, transfer))
    assert raw == canonical(etree.fromstring(raw))


@pytest.mark.parametrize(("documents", "lines"), [(1, 1), (1, 100), (100, 1), (100, 100)])
def test_messages_of_every_size_are_canonical(documents: int, lines: int) -> None:
    bodies = [order_body(f"TY{number}&<>\r\n", lines, note="]]>") for number in range(documents)]
    raw = written(ORDER, bodies)
    assert raw == canonical(tree(ORDER, bodies, GUID, TRANSFER))
    assert [len(body["lines"]) for body in from_xml(ORDER, raw).bodies] == [lines] * documents


@pytest.mark.parametrize("documents", [0, 101])
def test_a_message_holds_one_to_a_hundred_documents(documents: int) -> None:
    with pytest.raises(XmlError, match="1 to 100"):
        writer(ORDER).message(["<x/>"] * documents, GUID, TRANSFER)


@TYPES
@given(data=st.data(), guid=xml_text, transfer=transfers)
@settings(max_examples=40)
def test_what_was_written_is_read_back(
    doctype: DocumentType, data: st.DataObject, guid: str, transfer: Transfer
) -> None:
    bodies = data.draw(st.lists(any_bodies(doctype), min_size=1, max_size=3))
    raw = written(doctype, bodies, guid, transfer)
    read = from_xml(doctype, raw)
    assert (read.guid, read.unknown) == (guid, ())
    assert read.transfer == {
        "copCode": transfer.cop_code, "copName": transfer.cop_name, "dxpMode": "DXP", "dxpId": transfer.dxp_id
    }  # fmt: skip
    assert list(read.bodies) == [_as_read(doctype, body) for body in bodies]
    assert written(doctype, read.bodies, guid, transfer) == raw


def _as_read(doctype: DocumentType, body: Mapping[str, Any]) -> dict[str, Any]:
    def full(fields: tuple[Field, ...], values: Mapping[str, str]) -> dict[str, str]:
        return {f.name: values.get(f.name, "") for f in fields if f.required or values.get(f.name)}

    def numbered(number: int) -> dict[str, str]:
        return {doctype.line_number: str(number)} if doctype.line_number else {}

    lines = [full(doctype.lines, {**line, **numbered(n)}) for n, line in enumerate(body["lines"], 1)]
    return {"head": full(doctype.head, {**body["head"], **SYSTEM}), "lines": lines}


@pytest.mark.parametrize("character", IMPOSSIBLE, ids=lambda c: f"U+{ord(c):04X}")
@pytest.mark.parametrize("place", ["head", "line", "optional", "guid", "transfer"])
def test_characters_that_xml_cannot_carry_are_refused_wherever_they_stand(character: str, place: str) -> None:
    body, guid, transfer = order_body(), GUID, TRANSFER
    text = f"甲{character}乙"
    if place == "head":
        body["head"]["ebpName"] = text
    elif place == "line":
        body["lines"][0]["itemName"] = text
    elif place == "optional":
        body["lines"][0]["note"] = text
    elif place == "guid":
        guid = text
    else:
        transfer = Transfer("1", text, "2")
    with pytest.raises(XmlError, match=f"U\\+{ord(character):04X}"):
        written(ORDER, [body], guid, transfer)


def test_elements_nobody_knows_are_kept_and_named() -> None:
    raw = written(ORDER, [order_body()]).decode()
    raw = raw.replace("</ceb:OrderHead>", "<ceb:later>新</ceb:later></ceb:OrderHead>")
    raw = raw.replace("</ceb:OrderList>", "<ceb:colour>红</ceb:colour></ceb:OrderList><ceb:Extra/>")
    raw = raw.replace("<ceb:BaseTransfer>", "<ceb:Other/><ceb:BaseTransfer>")
    read = from_xml(ORDER, raw.encode())
    assert read.unknown == ("Order/OrderHead/later", "Order/OrderList/colour", "Order/Extra", "Other")
    assert read.bodies[0]["head"]["later"] == "新"
    assert read.bodies[0]["lines"][0]["colour"] == "红"


def test_elements_of_a_foreign_namespace_never_pass_for_ours() -> None:
    raw = written(ORDER, [order_body("MINE")]).decode()
    foreign = '<x:orderNo xmlns:x="urn:other">THEIRS</x:orderNo><orderNo>NOBODY</orderNo>'
    raw = raw.replace("</ceb:OrderHead>", f"{foreign}</ceb:OrderHead>")
    node = '<x:Order xmlns:x="urn:other"><x:OrderHead><x:orderNo>THEIRS</x:orderNo></x:OrderHead></x:Order>'
    raw = raw.replace("<ceb:BaseTransfer>", f"{node}<ceb:BaseTransfer>")
    read = from_xml(ORDER, raw.encode())
    assert [body["head"]["orderNo"] for body in read.bodies] == ["MINE"]
    assert read.bodies[0]["head"]["{urn:other}orderNo"] == "THEIRS"
    assert read.bodies[0]["head"]["{}orderNo"] == "NOBODY"
    assert read.unknown == (
        "Order/OrderHead/{urn:other}orderNo", "Order/OrderHead/{}orderNo", "{urn:other}Order"
    )  # fmt: skip


def test_a_repeated_element_is_named_and_does_not_replace_the_first() -> None:
    raw = written(ORDER, [order_body("FIRST")]).decode()
    raw = raw.replace("</ceb:OrderHead>", "<ceb:orderNo>SECOND</ceb:orderNo></ceb:OrderHead>")
    read = from_xml(ORDER, raw.encode())
    assert read.bodies[0]["head"]["orderNo"] == "FIRST"
    assert read.bodies[0]["head"]["orderNo[2]"] == "SECOND"
    assert read.unknown == ("Order/OrderHead/orderNo[2]",)


def test_a_message_in_the_default_namespace_is_read_the_same() -> None:
    raw = written(ORDER, [order_body(lines=2)])
    bare = raw.decode().replace("xmlns:ceb=", "xmlns=").replace("ceb:", "")
    assert from_xml(ORDER, bare.encode()) == from_xml(ORDER, raw)


@pytest.mark.parametrize("change", ["<!-- 注 -->", "<?x y?>", "<![CDATA[]]>"])
def test_comments_instructions_and_sections_do_not_cut_a_text(change: str) -> None:
    raw = written(ORDER, [order_body(ebpName="海外平台")]).decode().replace("海外平台", f"海外{change}平台")
    assert from_xml(ORDER, raw.encode()).bodies[0]["head"]["ebpName"] == "海外平台"


@pytest.fixture
def secret(tmp_path: Path) -> str:
    file = tmp_path / "secret.txt"
    file.write_text("top-secret")
    return file.as_uri()


HOSTILE_HEADS = {
    "file entity": '<!DOCTYPE r [<!ENTITY x SYSTEM "{secret}">]>',
    "http entity": '<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>',
    "parameter entity": '<!DOCTYPE r [<!ENTITY % p SYSTEM "{secret}"> %p;]>',
    "internal entity": '<!DOCTYPE r [<!ENTITY x "y">]>',
    "laughs": '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY x "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    "external subset": '<!DOCTYPE r SYSTEM "{secret}">',
    "empty": "<!DOCTYPE r>",
}


@pytest.mark.parametrize("head", HOSTILE_HEADS.values(), ids=list(HOSTILE_HEADS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_declaration_is_refused(head: str, encoding: str, secret: str) -> None:
    body = written(ORDER, [order_body()]).decode()
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    for use in ("", "&x;"):
        raw = (declaration + head.replace("{secret}", secret) + body.replace("绿茶", f"绿茶{use}")).encode(
            encoding
        )
        with pytest.raises(XmlError) as caught:
            parse(raw)
        assert "top-secret" not in str(caught.value)


def test_inclusions_stylesheets_and_schema_locations_stay_inert(secret: str) -> None:
    raw = written(ORDER, [order_body()]).decode()
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'
    raw = raw.replace("</ceb:OrderHead>", f"{include}</ceb:OrderHead>")
    raw = f'<?xml-stylesheet type="text/xsl" href="{secret}"?>' + raw.replace(
        'version="1.0"',
        'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x http://127.0.0.1:9/x" version="1.0"',
    )
    read = from_xml(ORDER, raw.encode())
    assert read.bodies[0]["head"]["{http://www.w3.org/2001/XInclude}include"] == ""
    assert "top-secret" not in repr(read)


@pytest.mark.parametrize(
    "raw",
    [b"", b"<", b"{}", b"\xff\xfe", b"<a></b>", b"<a>\x01</a>", b"<a>&undefined;</a>", "<a>é</a>".encode("latin-1")],
)  # fmt: skip
def test_what_is_not_well_formed_is_refused(raw: bytes) -> None:
    with pytest.raises(XmlError, match="not well-formed"):
        parse(raw)


def test_depth_and_size_stay_limited() -> None:
    with pytest.raises(XmlError):
        parse(b"<a>" * 5000 + b"</a>" * 5000)
    with pytest.raises(XmlError):
        parse(b"<a>" + b"x" * 11_000_000 + b"</a>")


def test_another_message_is_not_taken_for_this_one() -> None:
    raw = written(ORDER, [order_body()])
    with pytest.raises(XmlError, match="CEB603Message"):
        from_xml(ORDER, raw.replace(b"CEB303Message", b"CEB603Message"))
    with pytest.raises(XmlError, match="expected"):
        from_xml(ORDER, raw.replace(b"chinaport", b"chinaportal"))
