"""Structure: both readers agree, every departure from the table is found, the table file itself is sound."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from simulator import structure, tables
from simulator.scan import scan
from simulator.signature import detach
from simulator.structure import StructureFault
from simulator.tables import Field
from simulator.xmlsafe import parse
from tests.unit.simulator.material import CEB, Order, message

TABLE = tables.known()["CEB303Message"]


def both(business: bytes) -> tuple[structure.Contents | None, structure.Contents]:
    """What the scan and the walk read."""
    root = parse(business, "-1")
    detached = detach(root)
    return scan(root, detached.canonical, TABLE, 50_000), structure.walk(root, TABLE)


def refused(business: bytes) -> StructureFault:
    root = parse(business, "-1")
    with pytest.raises(StructureFault) as caught:
        structure.read(root, detach(root).canonical, TABLE)
    return caught.value


@pytest.mark.parametrize("p", ["ceb:", "", "x.-_9:"])
def test_a_good_message_is_read_the_same_both_ways(p: str) -> None:
    orders = [Order("甲-1", 3), Order("B<&>2", 1, line={"note": "回车\r与换行\n", "barCode": ""})]
    scanned, walked = both(message(orders, p=p, tail="\n\t"))
    assert scanned == walked
    assert [document.head["orderNo"] for document in walked.documents] == ["甲-1", "B<&>2"]
    assert walked.documents[1].lines[0]["note"] == "回车\n与换行\n"  # XML's line-end rule
    assert walked.transfer["dxpMode"] == "DXP"


def test_subscriptions_and_extension_are_read() -> None:
    subscribe = (
        "<ceb:BaseSubscribe><ceb:status>ALL</ceb:status><ceb:dxpMode>DXP</ceb:dxpMode>"
        "<ceb:dxpAddress>DXPENT0000000002</ceb:dxpAddress></ceb:BaseSubscribe>"
    )
    extend = "<ceb:ExtendMessage><ceb:name>n</ceb:name><ceb:version>1</ceb:version><ceb:Message/></ceb:ExtendMessage>"
    scanned, walked = both(message([Order()], tail=subscribe * 5))
    assert scanned == walked
    scanned, walked = both(message([Order()], tail=subscribe + extend))
    assert scanned is None  # left to the walk, which takes it
    assert len(walked.documents) == 1
    assert "最多 5 个" in refused(message([Order()], tail=subscribe * 6)).zh
    refused(message([Order()], tail=extend + subscribe))
    refused(message([Order()], tail=extend * 2))


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    max_size=70,
)
numbers = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-1000, max_value=10**15).map(str),
    st.sampled_from(
        ["", ".5", "1.", "-1", "+1", "1e5", " 1", "1 ", "00000000000000000001", "1.000000", "١", "1_0"]
    ),
)


@settings(max_examples=300)
@given(
    number=texts,
    unit=texts,
    quantity=numbers,
    gnum=numbers,
    note=texts,
    name=st.sampled_from(["guid", "currency"]),
)
def test_the_scan_never_takes_what_the_walk_refuses(
    number: str, unit: str, quantity: str, gnum: str, note: str, name: str
) -> None:
    order = Order(number, head={"note": note}, line={"unit": unit, "qty": quantity, "gnum": gnum, name: unit})
    root = parse(message([order]), "-1")
    scanned = scan(root, detach(root).canonical, TABLE, 50_000)
    try:
        walked = structure.walk(root, TABLE)
    except StructureFault:
        assert scanned is None
    else:
        assert scanned in (None, walked)


def order_with(change: str) -> bytes:
    """One good order whose text is changed by 'old=>new'."""
    old, new = change.split("=>")
    text = Order("ORD-1", 1, head={"guid": "A" * 36}).xml()
    assert old in text
    return message([Order("FIRST"), text.replace(old, new, 1)])


@pytest.mark.parametrize(
    "change",
    [
        "<ceb:appType>1</ceb:appType>=>",
        "<ceb:appType>1</ceb:appType>=><ceb:appType>1</ceb:appType><ceb:appType>1</ceb:appType>",
        "<ceb:appType>1</ceb:appType>=><ceb:appType></ceb:appType>",
        "<ceb:appType>1</ceb:appType>=><ceb:appType>12</ceb:appType>",
        "<ceb:appType>1</ceb:appType>=><ceb:appType x='1'>1</ceb:appType>",
        "<ceb:appType>1</ceb:appType>=><ceb:appType><ceb:x/>1</ceb:appType>",
        "<ceb:appType>1</ceb:appType>=><appType xmlns='urn:x'>1</appType>",
        "<ceb:appType>1</ceb:appType>=>text<ceb:appType>1</ceb:appType>",
        "<ceb:appType>1</ceb:appType>=>\u3000<ceb:appType>1</ceb:appType>",
        "<ceb:orderNo>ORD-1</ceb:orderNo>=><ceb:orderNo></ceb:orderNo>",
        f"<ceb:orderNo>ORD-1</ceb:orderNo>=><ceb:orderNo>{'甲' * 61}</ceb:orderNo>",
        "<ceb:goodsValue>19</ceb:goodsValue>=><ceb:goodsValue>1.123456</ceb:goodsValue>",
        "<ceb:goodsValue>19</ceb:goodsValue>=><ceb:goodsValue>NaN</ceb:goodsValue>",
        "<ceb:goodsValue>19</ceb:goodsValue>=><ceb:goodsValue>1E+5</ceb:goodsValue>",
        "<ceb:goodsValue>19</ceb:goodsValue>=><ceb:goodsValue>12345678901234567890</ceb:goodsValue>",
        "<ceb:gnum>1</ceb:gnum>=><ceb:gnum>1.5</ceb:gnum>",
        "<ceb:gnum>1</ceb:gnum>=><ceb:gnum>123456</ceb:gnum>",
        "<ceb:gnum>1</ceb:gnum><ceb:itemNo>SKU1</ceb:itemNo>=><ceb:itemNo>SKU1</ceb:itemNo><ceb:gnum>1</ceb:gnum>",
        "</ceb:OrderHead>=></ceb:OrderHead><ceb:OrderHead/>",
        "</ceb:OrderHead>=><ceb:unknown>1</ceb:unknown></ceb:OrderHead>",
        "<ceb:Order>=><ceb:Order x='1'>",
        "<ceb:OrderHead>=><ceb:OrderHead Id='x'>",
    ],
)
def test_departures_are_found_in_the_right_document(change: str) -> None:
    fault = refused(order_with(change))
    assert fault.index == 1
    assert fault.zh
    assert fault.en
    assert fault.status == "-301001"


def test_counts_are_limited() -> None:
    assert refused(message([])).zh == "报文中没有 Order"
    order = Order("X", 1).xml()
    too_many = refused(message([order] * 101))
    assert (too_many.status, too_many.index) == ("-301015", None)
    refused(message([Order("X", 101)]))
    refused(message([Order("X", 0)]))
    assert len(both(message([Order("X", 100)]))[1].documents[0].lines) == 100
    refused(message(["<ceb:BaseTransfer/>", order]))
    refused(message([order, "<ceb:Other/>"]))
    refused(message([order]).replace(b"<ceb:copName>", b"<ceb:copName> <ceb:x/>"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'version="1.0">', b'version="12345678901">'),
        (b'version="1.0">', b'version="1.0" extra="x">'),
        (b'version="1.0">', b'version="1.0" xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd">'),
        (b' guid="', b' guid="x'),
        (b"http://www.chinaport.gov.cn/ceb", b"urn:other"),
    ],
)
def test_the_root_is_checked(old: bytes, new: bytes) -> None:
    business = message([Order()])
    assert old in business
    fault = refused(business.replace(old, new))
    assert fault.index is None


def test_identities_are_found_for_answering() -> None:
    root = parse(order_with("<ceb:gnum>1</ceb:gnum>=>"), "-1")
    assert [head["orderNo"] for head in structure.identities(root, TABLE)] == ["FIRST", "ORD-1"]
    root = parse(order_with("<ceb:orderNo>ORD-1</ceb:orderNo>=>"), "-1")
    assert structure.identities(root, TABLE) == []


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**14))
def test_numbers_are_held_to_digits_and_decimals(value: Decimal) -> None:
    field = Field.of({"name": "qty", "zh": "数量", "required": True, "type": "N19,5"})
    text = f"{value:f}"
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    fits = max(0, -exponent) <= 5 and len(f"{int(value)}".lstrip("0")) + max(0, -exponent) <= 19
    assert (field.wrong(text) is None) == fits


def test_unknown_types_in_a_table_are_refused() -> None:
    with pytest.raises(ValueError, match="none of"):
        Field.of({"name": "x", "zh": "x", "required": True, "type": "D8"})


def test_the_table_has_what_the_published_one_has() -> None:
    """Counted in the published field table of CEB303: 14 head fields, 11 line fields, 7 in the receipt."""
    assert (len(TABLE.head.fields), len(TABLE.lines.fields), len(TABLE.receipt.fields)) == (14, 11, 7)
    assert [field.name for field in TABLE.head.fields if not field.required] == ["note"]
    text = (Path(tables.__file__).with_name("tables") / "CEB303.yaml").read_text(encoding="utf-8")
    assert "Source:" in text
    assert etree.QName(CEB, "Order").namespace == TABLE.namespace
