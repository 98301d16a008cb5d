"""What a document of each type must keep by itself and towards what the books hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator import structure, tables
from simulator.checks import check_document
from simulator.config import Rules
from simulator.contents import Document
from simulator.signature import detach
from simulator.structure import StructureFault
from simulator.xmlsafe import parse
from tests.unit.simulator import papers
from tests.unit.simulator.conftest import Office
from tests.unit.simulator.papers import INVT_NO, MAKERS, Paper, business

EVERY = pytest.mark.parametrize("kind", list(MAKERS))


def read(paper: Paper) -> Document:
    root = parse(business(paper), "-1")
    return structure.read(root, detach(root).canonical, tables.known()[paper.message]).documents[0]


def code(paper: Paper, rules: Rules | None = None) -> str:
    fault = check_document(read(paper), tables.known()[paper.message], rules or Rules())
    return "" if fault is None else fault.status


@EVERY
def test_a_good_document_breaks_no_rule(kind: str) -> None:
    assert code(MAKERS[kind]()) == ""


@EVERY
@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"guid": "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"}, "content"),
        ({"appType": "4"}, "content"),
        ({"appStatus": "1"}, "content"),
        ({"appTime": "20260230120000"}, "content"),
    ],
)
def test_what_all_documents_keep(kind: str, change: dict[str, str], name: str) -> None:
    assert code(MAKERS[kind](**change)) == tables.known()[kind].codes[name]


@pytest.mark.parametrize(
    ("paper", "status"),
    [
        (papers.payment(charge="-1"), "-401003"),
        (papers.payment(accountingDate="20261301000000"), "-401005"),
        (papers.payment(ebcCode="91330100MA2K0TXTIO"), "-10102"),
        (papers.payment(ebpCode="无"), ""),
        (papers.payment(ebcCode="无"), "-10102"),
        (papers.payment(payCode="SHORT"), "-10102"),
        (papers.waybill(freight="-0.1"), "-504003"),
        (papers.waybill(grossWeight="0"), "-504003"),
        (papers.waybill(packNo="0"), "-504003"),
        (papers.waybill(logisticsCode="X"), "-10102"),
        (papers.arrival(ieFlag="I"), "-502005"),
        (papers.arrival(customsCode="29A0"), "-502005"),
        (papers.arrival(waybills=[]), ""),
        (papers.arrival(msgCount="1", msgSeqNo="2"), "-502006"),
        (papers.arrival(msgCount="0", msgSeqNo="0"), "-502006"),
        (papers.departure(leaveTime="20260101250000"), "-503005"),
        (papers.departure(msgCount="3", msgSeqNo="3"), ""),
        (papers.goods_list(netWeight="1.6"), "-621006"),
        (papers.goods_list(netWeight="0"), "-621006"),
        (papers.goods_list(netWeight="1.5"), ""),
        (papers.goods_list(grossWeight="-1"), "-621006"),
        (papers.goods_list(packNo="0"), "-621003"),
        (papers.goods_list(insuredFee="-1"), "-621003"),
        (papers.goods_list(tradeMode="0110"), "-621005"),
        (papers.goods_list(tradeMode="1210"), ""),
        (papers.goods_list(statisticsFlag="C"), "-621005"),
        (papers.goods_list(ieFlag="I"), "-621005"),
        (papers.goods_list(fFlag="4"), "-621005"),
        (papers.goods_list(ieDate="20260230"), "-621005"),
        (papers.goods_list(portCode="XXXX"), "-621005"),
        (papers.goods_list(ownerCode="NO"), ""),
        (papers.goods_list(agentCode="NO"), "-10102"),
        (papers.goods_list(line={"totalPrice": "20"}), "-621003"),
        (papers.goods_list(line={"qty1": "0"}), "-621003"),
        (papers.goods_list(line={"gnum": "1"}), "-621002"),
        (papers.goods_list(line={"gnum": "0"}), "-621002"),
        (papers.goods_list(goods=[("1.", "A", "1", "1", "1"), ("+2", "B", "1", "1", "1")]), ""),
        (papers.cancellation(INVT_NO, customsCode="0"), None),
        (papers.cancellation(INVT_NO, customsCode="ABCD"), "-623007"),
        (papers.house(grossWeight="0"), "-621506"),
        (papers.house(msgCount="2", msgSeqNo="3"), "-621511"),
        (papers.refund(INVT_NO, ieFlag="E"), "-625005"),
        (papers.refund(INVT_NO, tradeMode="0110"), "-625005"),
        (papers.refund(INVT_NO, tradeMode=None), ""),
        (papers.refund(INVT_NO, line={"qty": "0"}), "-625008"),
        (papers.refund(INVT_NO, line={"qty1": "-1"}), "-625008"),
        (papers.tally(ieFlag="E"), "-625105"),
        (papers.tally(operatorCode="X"), "-10102"),
        (papers.application([INVT_NO], summaryFlag="3"), "-621705"),
        (papers.application(["A", "A"]), "-621702"),
        (papers.application([]), "-621705"),
        (papers.application([], startTime="20260101000000", endTime="20260102000000"), ""),
        (papers.application([], startTime="20260103000000", endTime="20260102000000"), "-621705"),
        (papers.application(["A"], startTime="20260103000000"), "-621705"),
        (papers.application(["A"], msgCount="2", msgSeqNo="0"), "-621711"),
    ],
)
def test_what_a_type_keeps(paper: Paper, status: str | None) -> None:
    if status is None:
        with pytest.raises(StructureFault):
            read(paper)
        return
    assert code(paper) == status


def test_the_shape_of_codes_may_be_left_unchecked() -> None:
    assert code(papers.waybill(logisticsCode="X"), Rules(check_codes=False)) == ""


# ---- the books ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "exists", "unknown", "older"),
    [
        (papers.payment, "-401010", "-401011", "-401012"),
        (papers.waybill, "-504012", "-504014", "-504015"),
        (papers.arrival, "-502012", "-502014", "-502015"),
        (papers.departure, "-503012", "-503014", "-503015"),
        (papers.house, "-621510", "-621513", "-621514"),
        (papers.tally, "-625110", "-625113", "-625114"),
    ],
)
def test_numbers_amendments_and_deletions(
    office: Office, make: Callable[..., Paper], exists: str, unknown: str, older: str
) -> None:
    def declared(**change: str) -> str:
        office.tray.sent.clear()
        paper = make(**change)
        office.declare(paper)
        return office.told(paper)[-1]

    assert declared(appType="2") == declared(appType="3") == unknown
    good = declared()
    assert not good.startswith("-")
    first = office.returned(make())[0].get("preNo")
    assert declared() == exists
    assert declared(appType="2", appTime="20250101000000") == older
    assert declared(appType="2") == good
    assert office.returned(make())[0].get("preNo") == first
    assert declared(appType="3") == good
    assert declared(appType="2") == unknown
    assert declared() == good


def test_the_same_number_of_another_enterprise_is_another_document(office: Office) -> None:
    office.file(
        papers.waybill(),
        papers.waybill(logisticsCode="3301986TX9"),
        papers.payment(),
        papers.payment(payNo="2"),
    )
    office.file(papers.departure(msgCount="2"), papers.departure(msgCount="2", msgSeqNo="2"))
    assert office.counts()["accepted"] == 6


@pytest.mark.parametrize("make", [papers.arrival, papers.departure, papers.house])
def test_parts_agree_how_many_they_are(office: Office, make: Callable[..., Paper]) -> None:
    office.file(make(msgCount="2"), make(msgCount="3", msgSeqNo="2"))
    office.declare(make(number="TOGETHER", msgCount="2"), make(number="TOGETHER", msgCount="4", msgSeqNo="2"))
    assert office.counts()["accepted"] == 2
    table = tables.known()[make().message]
    assert office.told(make())[-1] != office.told(make(number="TOGETHER"))[0]
    assert table.codes["parts"] in office.told(make())
    assert table.codes["parts"] in office.told(make(number="TOGETHER"))


def test_what_a_declared_list_uses_is_neither_amended_nor_deleted(office: Office) -> None:
    office.file(papers.order(), papers.waybill(), papers.goods_list())
    office.file(papers.order(appType="2"), papers.waybill(appType="3"))
    assert office.told(papers.order())[-1] == "-301011"
    assert office.told(papers.waybill())[-1] == "-504016"
    assert "LIST-1" in office.returned(papers.order())[-1]["returnInfo"]
    office.file(papers.cancellation(office.invt_no(papers.goods_list())))
    office.file(papers.order(appType="2"), papers.waybill(appType="3"))
    assert office.told(papers.order())[-1] == "120"
    assert office.told(papers.waybill())[-1] == "399"


def test_a_master_house_list_names_lists_of_its_waybills(office: Office) -> None:
    office.file(papers.order(), papers.waybill(), papers.goods_list())
    number = office.invt_no(papers.goods_list())
    office.file(papers.house("H-1", invt_no=number), papers.house("H-2", invt_no=INVT_NO[:-1] + "9"))
    office.file(papers.house("H-3", ["WB-9"], invt_no=number))
    assert office.told(papers.house("H-1"))[-1] == "120"
    assert office.told(papers.house("H-2")) == ["-621503"]
    assert office.told(papers.house("H-3")) == ["-621504"]
    assert "WB-9" in office.returned(papers.house("H-3"))[0]["returnInfo"]
