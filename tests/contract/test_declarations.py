"""Every declared type against the official table, its golden message and its golden description."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from documents.body import complete
from documents.check import checker
from documents.describe import describe, status_words
from documents.receipts import effect
from documents.registry import ALL
from documents.spec import DocumentType
from documents.words import Words
from documents.xml import Transfer, from_xml, writer
from tests.contract.official import GOLDEN, name_of, official_type, schema, table
from tests.support.definitions import assert_valid
from tests.unit.documents.making import order_body, right_bodies

TYPES = pytest.mark.parametrize("doctype", ALL, ids=lambda t: t.kind)
SENT = pytest.mark.parametrize(
    "doctype", [item for item in ALL if item.message.direction == "out"], ids=lambda t: t.kind
)
SYSTEM = {
    "guid": "0198F3A2-7C11-7000-8000-00000000000A",
    "appType": "1",
    "appTime": "20261120150405",
    "appStatus": "2",
}
#: texts that are typed as they are, in whatever language the page is
LITERAL = re.compile("无|现金支付")
MESSAGE_GUID = "0198F3A2-7C11-4000-8000-00000000000B"
TRANSFER = Transfer("91610131MA6TTTTT01", "测试电商有限公司", "DXPENT0000000001")


@TYPES
def test_the_message_is_the_one_of_the_table(doctype: DocumentType) -> None:
    official, form = table(name_of(doctype)), doctype.message
    assert (form.root, form.namespace, form.prefix) == (
        official["message"],
        official["namespace"],
        official["prefix"],
    )
    assert (form.node, form.max_documents) == (official["node"]["name"], official["node"]["max"])
    line = official.get("line", {"name": "", "min": form.min_lines, "max": form.max_lines})
    assert (form.head, form.line, form.min_lines) == (official["head"]["name"], line["name"], line["min"])
    # 0: unbounded; then the limit is ours
    assert form.max_lines == (line["max"] or form.max_lines)
    assert bool(form.split_lines) == (line["max"] == 0 and form.direction == "out")


@TYPES
@pytest.mark.parametrize("part", ["head", "line"])
def test_fields_have_the_order_types_and_flags_of_the_table(doctype: DocumentType, part: str) -> None:
    declared = doctype.head if part == "head" else doctype.lines
    official = table(name_of(doctype)).get(part, {"fields": []})["fields"]
    assert [field.name for field in declared] == [row["name"] for row in official]
    for field, row in zip(declared, official, strict=True):
        assert field.required == row["required"], field.name
        assert official_type(field) == row["type"], field.name
        labels = {row["zh"], *row["zh"].split("/"), *row.get("label", row["zh"]).split("/")}
        assert field.zh in labels, field.name


@TYPES
def test_choices_are_values_of_the_table(doctype: DocumentType) -> None:
    official = {row["name"]: row.get("values") for row in table(name_of(doctype))["head"]["fields"]}
    for field in doctype.head:
        chosen = [value for value, _ in field.choices]
        if field.name == "orderType":
            assert sorted(chosen) == sorted(table("CEB303")["kinds"][doctype.kind])
            assert doctype.discriminator == (field.name, tuple(chosen))
        elif field.name == "ieFlag":
            assert set(chosen) < set(official[field.name])
        elif chosen:
            assert chosen == official[field.name], field.name
    for name, values in official.items():
        assert not values or doctype.head_field(name).choices, name


@SENT
def test_receipts_name_what_the_table_names(doctype: DocumentType) -> None:
    official = table(name_of(doctype))["receipt"]
    assert doctype.receipt is not None
    assert (doctype.receipt.root, doctype.receipt.node) == (official["message"], official["node"])
    assert set(doctype.receipt.keys) < set(official["fields"])
    assert set(doctype.unique) <= set(doctype.receipt.keys)
    assert set(doctype.receipt.fills) <= set(official["fields"])


@SENT
def test_every_printed_status_leads_somewhere_and_unknown_ones_nowhere(doctype: DocumentType) -> None:
    for code in map(str, table(name_of(doctype))["statuses"]):
        move = effect(doctype, code)
        assert move.state in doctype.lifecycle.by_name, code
        assert doctype.lifecycle.by_code[code].source
    for code in ("-1", "-301010", "-999999999"):
        assert effect(doctype, code).state == doctype.lifecycle.negative
    for code in ("", "777", "-", "-x", "- 1", "120 ", "１２０", "0120"):
        assert effect(doctype, code).state is None, code
        words = status_words(doctype, code)
        assert words.zh
        assert words.en


def bodies(doctype: DocumentType) -> list[dict[str, Any]]:
    """Two documents of the kind; of orders and bookings a short and a long one."""
    known: dict[str, dict[str, Any]] = {
        "order": {"orderType": "B"},
        "booking": {"orderType": "W", "ebpName": "欧洲一号海外仓"},
    }
    if doctype.kind not in known:
        assert doctype.example is not None
        awkward = copy.deepcopy(dict(doctype.example))
        awkward["head"] |= {"note": "易碎 & <轻放>\u3000“引号”𠮷😀"}
        return [complete(doctype, doctype.example), complete(doctype, awkward)]
    kind = known[doctype.kind]
    short = order_body("TY2026112000001", **kind)
    full = order_body("TY2026112000002", lines=2, note="易碎 & <轻放>", ebpCode="91610131MA6TTTTT01", **kind)
    full["lines"][1] |= {"itemDescribe": "描述\u3000“引号”", "barCode": "无", "note": "𠮷😀", "qty": "10.00001",
                         "price": "0.5", "totalPrice": "5"}  # fmt: skip
    return [complete(doctype, short), complete(doctype, full)]


def message(doctype: DocumentType, contents: list[dict[str, Any]]) -> bytes:
    make = writer(doctype)
    return make.message([make.document(body, SYSTEM) for body in contents], MESSAGE_GUID, TRANSFER)


def test_the_definition_made_of_a_table_is_the_one_written_by_hand() -> None:
    """CEB303 is there twice; both must judge alike, so that the made ones of the other messages can be trusted."""
    by_hand = etree.XMLSchema(etree.parse(GOLDEN / "ceb303.xsd"))
    for doctype in (item for item in ALL if name_of(item) == "CEB303"):
        right = message(doctype, bodies(doctype)).decode()
        for old, new in (("", ""), *VIOLATIONS):
            tree = etree.fromstring(spoilt(right, old, new))
            assert by_hand.validate(tree) == schema("CEB303").validate(tree) == (old == new), old


@SENT
def test_the_golden_message(doctype: DocumentType) -> None:
    contents = bodies(doctype)
    for body in contents:
        assert checker(doctype).wrongs(body) == []
    raw = message(doctype, contents)
    golden = (GOLDEN / doctype.kind / "message.xml").read_bytes()
    assert raw == golden
    tree = etree.fromstring(golden)
    assert etree.tostring(tree, method="c14n") == golden
    schema(name_of(doctype)).assertValid(tree)
    read = from_xml(doctype, golden)
    assert read.unknown == ()
    assert message(doctype, list(read.bodies)) == golden


@SENT
@given(data=st.data())
@settings(max_examples=40)
def test_whatever_the_check_accepts_the_schema_accepts(doctype: DocumentType, data: st.DataObject) -> None:
    contents = [
        complete(doctype, body) for body in data.draw(st.lists(right_bodies(doctype), min_size=1, max_size=3))
    ]
    raw = message(doctype, contents)
    schema(name_of(doctype)).assertValid(etree.fromstring(raw))
    assert_valid(raw)
    assert message(doctype, list(from_xml(doctype, raw).bodies)) == raw


#: what a definition must refuse in a message of orders: one violation of each sort
VIOLATIONS = (
    ("<ceb:currency>502</ceb:currency>", ""),
    ("ceb:goodsValue>", "ceb:goodsvalue>"),
    ("<ceb:qty>2</ceb:qty>", "<ceb:qty>2.123456</ceb:qty>"),
    ("<ceb:gnum>1</ceb:gnum>", ""),
    ("<ceb:dxpMode>DXP</ceb:dxpMode>", "<ceb:dxpMode>X</ceb:dxpMode>"),
    ("TY2026112000001", "T" * 61),
    (MESSAGE_GUID, MESSAGE_GUID.lower()),
)


def spoilt(right: str, old: str, new: str) -> bytes:
    assert old in right, old
    return right.replace(old, new).encode()


@SENT
def test_the_schema_bites(doctype: DocumentType) -> None:
    """A missing, a renamed and a too long element are caught in every message, so that the tests above mean something."""
    right = message(doctype, bodies(doctype)).decode()
    number = bodies(doctype)[0]["head"][doctype.number]
    element = f"<ceb:{doctype.number}>{number}</ceb:{doctype.number}>"
    for old, new in (
        (element, ""),
        (f"ceb:{doctype.number}>", f"ceb:{doctype.number}x>"),
        (number, number + "T" * 100),
        ("<ceb:appType>1<", "<ceb:appType>4<"),
        (MESSAGE_GUID, MESSAGE_GUID.lower()),
    ):
        assert not schema(name_of(doctype)).validate(etree.fromstring(spoilt(right, old, new))), old


@TYPES
def test_the_description_for_pages_is_the_golden_one(doctype: DocumentType) -> None:
    golden = json.loads((GOLDEN / doctype.kind / "kind.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(describe(doctype))) == golden


@TYPES
def test_every_label_is_there_in_both_languages(doctype: DocumentType) -> None:
    count = 0
    for path, label in labels(describe(doctype)):
        count += 1
        assert set(label) == {"zh", "en"}, path
        assert label["zh"].strip() == label["zh"] != "", path
        assert label["en"].strip() == label["en"] != "", path
        assert not re.search("[\u4e00-\u9fff]", LITERAL.sub("", label["en"])), path
        assert re.search("[\u4e00-\u9fff]", label["zh"]), path
    assert count > 60


def labels(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    if isinstance(value, dict):
        if "zh" in value or "en" in value:
            yield path, value
        else:
            for key, item in value.items():
                yield from labels(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from labels(item, f"{path}/{index}")


@TYPES
def test_every_declared_word_is_a_pair(doctype: DocumentType) -> None:
    words = [doctype.title, *(action.confirm for action in doctype.actions)]
    words += [status.words for status in doctype.lifecycle.statuses]
    words += [field.pattern[1] for field in (*doctype.head, *doctype.lines) if field.pattern]
    for pair in words:
        assert isinstance(pair, Words)
        assert pair.zh
        assert pair.en
