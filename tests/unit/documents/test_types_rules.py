"""The rules of each kind at work in whole documents: what is refused, where, and what passes beside it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from documents.check import checker
from documents.registry import REGISTRY

Change = dict[str, Any]
SECOND = {"lines": 2}


def changed(kind: str, change: Change) -> tuple[Any, dict[str, Any]]:
    """The example of a kind with changes by pointer: head.name, line.name, line1.name; None removes.

    lines: how many copies of the line there are; 0 for none.
    """
    doctype = REGISTRY.get(kind)
    assert doctype is not None
    assert doctype.example is not None
    body = copy.deepcopy(dict(doctype.example))
    if "lines" in change:
        body["lines"] = [copy.deepcopy(body["lines"][0]) for _ in range(change["lines"])]
    for place, value in change.items():
        if place == "lines":
            continue
        level, name = place.split(".")
        part = body["head"] if level == "head" else body["lines"][int(level.removeprefix("line") or 0)]
        if value is None:
            part.pop(name, None)
        else:
            part[name] = value
    return doctype, body


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("order", {"head.goodsValue": "59.81"}, {"/head/goodsValue": "mismatch"}),
        ("order", {"line.totalPrice": "59.81", "head.goodsValue": None}, {"/lines/0/totalPrice": "mismatch"}),
        ("order", {"line.currency": "142"}, {"/lines/0/currency": "mismatch"}),
        ("order", {"head.ebcCode": "91610131MA0DEMEC17"}, {"/head/ebcCode": "check-character"}),
        ("order", {"head.ebpCode": "NO"}, {"/head/ebpCode": "code-shape"}),
        ("payment", {"head.charge": "0"}, {"/head/charge": "not-positive"}),
        ("payment", {"head.accountingDate": "20090101000000"}, {"/head/accountingDate": "implausible"}),
        ("payment", {"head.accountingDate": "20260230000000"}, {"/head/accountingDate": "not-a-time"}),
        ("waybill", {"head.grossWeight": "0.00000"}, {"/head/grossWeight": "not-positive"}),
        ("waybill", {"head.packNo": "0"}, {"/head/packNo": "not-positive"}),
        ("waybill", {"head.logisticsNo": "Y" * 33}, {"/head/logisticsNo": "too-long"}),
        ("arrival", {"head.billNo": None}, {"/head/billNo": "required"}),
        ("arrival", {"head.billNo": None, "head.trafMode": "6", "lines": 0}, {"/head/billNo": "required"}),
        ("arrival", {"head.msgSeqNo": "2"}, {"/head/msgSeqNo": "out-of-range"}),
        ("arrival", SECOND, {"/lines/1/logisticsNo": "duplicate-line"}),
        ("arrival", {"head.ieFlag": "I"}, {"/head/ieFlag": "unknown-code"}),
        (
            "departure",
            {"head.billNo": None, "head.voyageNo": None, "head.trafName": None},
            {"/head/billNo": "required", "/head/voyageNo": "required", "/head/trafName": "required"},
        ),
        ("departure", {"lines": 0}, {"/lines": "required"}),
        ("departure", {"head.msgCount": "0"}, {"/head/msgCount": "not-positive"}),
        ("list", {"head.netWeight": "1.19"}, {"/head/netWeight": "above-gross"}),
        ("list", {"head.packNo": "0"}, {"/head/packNo": "not-positive"}),
        ("list", {"head.ieDate": "20260229"}, {"/head/ieDate": "not-a-date"}),
        ("list", {"head.ieDate": "20091231"}, {"/head/ieDate": "implausible"}),
        ("list", {"head.statisticsFlag": "A"}, {"/head/licenseNo": "not-allowed"}),
        ("list", {"head.ieFlag": "I"}, {"/head/ieFlag": "unknown-code"}),
        ("list", {"head.tradeMode": "0110"}, {"/head/tradeMode": "unknown-code"}),
        ("list", {"head.wrapType": "9"}, {"/head/wrapType": "unknown-code"}),
        ("list", {"head.fFlag": "4"}, {"/head/fFlag": "unknown-code"}),
        ("list", {"head.ownerCode": "无"}, {"/head/ownerCode": "code-shape"}),
        ("list", {"head.customsCode": "90"}, {"/head/customsCode": "code-shape"}),
        (
            "list",
            {"head.iacCode": None, "head.iacName": None, "head.emsNo": None, "line.itemRecordNo": None},
            {"/head/iacCode": "required", "/head/iacName": "required", "/head/emsNo": "required",
             "/lines/0/itemRecordNo": "required"},
        ),
        ("list", {"line.unit2": None}, {"/lines/0/unit2": "incomplete"}),
        ("list", {"line.qty2": None}, {"/lines/0/qty2": "incomplete"}),
        ("list", {"line.gcode": "6912"}, {"/lines/0/gcode": "code-shape"}),
        ("list", {"line.totalPrice": "59.79"}, {"/lines/0/totalPrice": "mismatch"}),
        ("list", {"line.totalPrice": "59.800001"}, {"/lines/0/totalPrice": "too-many-decimals"}),
        ("list", {"line.price": "-14.95"}, {"/lines/0/price": "not-positive"}),
        ("list", {"lines": 2, "line1.itemNo": "CB0002", "line1.currency": "142"}, {"/lines/1/currency": "mismatch"}),
        ("list", SECOND, {"/lines/1/itemNo": "duplicate-line"}),
        ("list", {"lines": 101}, {"/lines/100": "too-many-lines"}),
        ("cancellation", {"head.invtNo": "90002026X000000001"}, {"/head/invtNo": "code-shape"}),
        ("cancellation", {"head.reason": " 买家取消"}, {"/head/reason": "blank-edge"}),
        ("master-house", {"head.billNo": None}, {"/head/billNo": "required"}),
        ("master-house", SECOND, {"/lines/1/logisticsNo": "duplicate-line"}),
        ("return", {"head.country": "142"}, {"/head/country": "not-allowed"}),
        ("return", {"head.ieFlag": "E"}, {"/head/ieFlag": "unknown-code"}),
        ("return", {"head.reason": "退" * 501}, {"/head/reason": "too-long"}),
        ("return", {"line.qty": "0"}, {"/lines/0/qty": "not-positive"}),
        ("return", {"line.gnum": "0"}, {"/lines/0/gnum": "not-positive"}),
        ("return", SECOND, {"/lines/1/gnum": "duplicate-line"}),
        ("return", {"head.tradeMode": "9610"}, {"/head/tradeMode": "unknown-code"}),
        ("tally", {"head.coElNo": "T" * 21}, {"/head/coElNo": "too-long"}),
        ("summary-application", {"lines": 0}, {"/head/startTime": "required"}),
        (
            "summary-application",
            {"head.startTime": "20261101000000", "head.endTime": "20261130235959"},
            {"/head/startTime": "not-allowed"},
        ),
        (
            "summary-application",
            {"lines": 0, "head.startTime": "20261130235959", "head.endTime": "20261101000000"},
            {"/head/endTime": "before-begin"},
        ),
        ("summary-application", {"lines": 0, "head.startTime": "20261101000000"}, {"/head/endTime": "incomplete"}),
        ("summary-application", SECOND, {"/lines/1/invtNo": "duplicate-line"}),
        ("summary-application", {"head.itemNameFlag": "2"}, {"/head/itemNameFlag": "unknown-code"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_refused(kind: str, change: Change, expected: dict[str, str]) -> None:
    doctype, body = changed(kind, change)
    assert {wrong.pointer: wrong.code for wrong in checker(doctype).wrongs(body)} == expected


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("order", {"head.goodsValue": None, "head.freight": None, "head.ebpCode": "无"}),
        ("payment", {"head.payCode": None, "head.payName": "现金支付", "head.payNo": None}),
        ("waybill", {"head.ebcCode": None, "head.ebcName": None, "head.ebcTelephone": None}),
        ("arrival", {"head.billNo": None, "head.trafMode": "6"}),
        ("arrival", {"lines": 0}),
        ("arrival", {"head.msgCount": "3", "head.msgSeqNo": "3"}),
        ("departure", {"head.billNo": None, "head.voyageNo": None, "head.trafName": None, "head.trafMode": "6"}),
        (
            "list",
            {"head.tradeMode": "9610", "head.iacCode": None, "head.iacName": None, "head.emsNo": None,
             "line.itemRecordNo": None, "line.itemName": None, "line.qty2": None, "line.unit2": None,
             "head.trafName": None, "head.voyageNo": None, "head.billNo": None, "head.totalPackageNo": None},
        ),
        ("list", {"head.tradeMode": "9710", "head.statisticsFlag": "A", "head.licenseNo": None}),
        ("list", {"head.ownerCode": "NO", "head.netWeight": "1.18", "head.customsCode": "5349"}),
        ("list", {"line.totalPrice": "59.80123"}),
        ("list", {"head.POD": "USA1", "head.country": "999", "line.country": "999"}),
        ("list", {"lines": 2, "line1.itemNo": "CB0002"}),
        ("return", {"head.tradeMode": None, "line.qty2": None, "line.unit2": None}),
        ("return", {"lines": 2, "line1.gnum": "2"}),
        ("tally", {"head.invtNo": None, "head.location": None}),
        ("summary-application", {"lines": 0, "head.startTime": "20261101000000", "head.endTime": "20261101000000"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_passes(kind: str, change: Change) -> None:
    doctype, body = changed(kind, change)
    assert checker(doctype).wrongs(body) == []
