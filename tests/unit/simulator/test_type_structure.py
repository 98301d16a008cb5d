"""Structure of every type: both readers agree whatever is changed, lines are bounded, faults are answered."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from simulator import structure, tables
from simulator.scan import scan
from simulator.signature import detach
from simulator.structure import StructureFault
from simulator.xmlsafe import parse
from tests.unit.simulator import material, papers
from tests.unit.simulator.conftest import Office
from tests.unit.simulator.papers import MAKERS, Paper, business

EVERY = pytest.mark.parametrize("kind", list(MAKERS))


@EVERY
def test_a_good_message_is_read_the_same_both_ways(kind: str) -> None:
    root = parse(business(MAKERS[kind](), MAKERS[kind](number="ZWEI")), "-1")
    table = tables.known()[kind]
    scanned = scan(root, detach(root).canonical, table, 50_000)
    assert scanned is not None
    assert scanned == structure.walk(root, table)
    assert [document.head[table.books.number] for document in scanned.documents][1] == "ZWEI"


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(list(MAKERS)),
    place=st.integers(0, 10_000),
    act=st.sampled_from(["drop", "repeat", "swap", "text", "child", "attribute", "tail"]),
    text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40),
)
def test_whatever_is_changed_the_scan_never_takes_what_the_walk_refuses(
    kind: str, place: int, act: str, text: str
) -> None:
    root = parse(business(MAKERS[kind]()), "-1")
    table = tables.known()[kind]
    elements = [element for element in root.iter() if element is not root]
    element = elements[place % len(elements)]
    parent = element.getparent()
    assert parent is not None
    if act == "drop":
        parent.remove(element)
    elif act == "repeat":
        element.addnext(etree.fromstring(etree.tostring(element)))
    elif act == "swap":
        following = element.getnext()
        if following is not None:
            following.addnext(element)
    elif act == "text":
        element.text = text
    elif act == "child":
        etree.SubElement(element, f"{{{material.CEB}}}guid").text = text
    elif act == "attribute":
        element.set("x", "1")
    else:
        element.tail = text
    root = parse(etree.tostring(root, encoding="UTF-8"), "-1")
    scanned = scan(root, detach(root).canonical, table, 50_000)
    try:
        walked = structure.walk(root, table)
    except StructureFault:
        assert scanned is None
    else:
        assert scanned in (None, walked)


def test_a_fault_in_the_last_of_many_fields_is_found_at_once() -> None:
    """With two ways to match each field the scan would try 2^48 of them; this test would not end."""
    head = {"voyageNo": "1", "billNo": "&", "licenseNo": "1", "emsNo": "甲", "note": "备注" * 501}
    root = parse(business(papers.goods_list(**head)), "-1")
    assert scan(root, detach(root).canonical, tables.known()["CEB603Message"], 50_000) is None
    with pytest.raises(StructureFault, match="note"):
        structure.walk(root, tables.known()["CEB603Message"])


@pytest.mark.parametrize(
    ("kind", "low"), [("CEB507Message", 0), ("CEB509Message", 1), ("CEB607Message", 1), ("CEB701Message", 0)]
)
def test_lines_without_a_published_limit_have_one_of_the_access_points(kind: str, low: int) -> None:
    make = {
        "CEB507Message": lambda n: papers.arrival(waybills=n),
        "CEB509Message": lambda n: papers.departure(waybills=n),
        "CEB607Message": lambda n: papers.house(waybills=n),
        "CEB701Message": papers.application,
    }[kind]
    table = tables.known()[kind]
    for many in (0, 3, 4):
        root = parse(business(make([f"W{at}" for at in range(many)])), "-1")
        canonical = detach(root).canonical
        if low <= many <= 3:
            assert structure.read(root, canonical, table, 3) == structure.walk(root, table, 3)
            continue
        with pytest.raises(StructureFault, match="3"):
            structure.read(root, canonical, table, 3)


@EVERY
def test_a_broken_message_is_answered_for_every_document(office: Office, kind: str) -> None:
    good, bad = MAKERS[kind](), MAKERS[kind](number="BAD")
    broken = bad.xml.replace("<ceb:appTime>20260101120000<", "<ceb:appTime>heute<")
    office.declare(good, Paper(kind, "BAD", broken))
    table = tables.known()[kind]
    assert office.told(bad) == office.told(good) == [table.codes["structure"]]
    assert "appTime" in office.returned(bad)[0]["returnInfo"]
    assert "第 2 份单证" in office.returned(good)[0]["returnInfo"]
