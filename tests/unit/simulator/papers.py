"""Documents of every type that fit each other, as XML texts; a test changes what it is about.

Written from the field tables on their own, in the XSD's order, so that a fault in the simulator's tables shows.
Every code and name is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.unit.simulator.material import CODE, NAME, message, new_guid

CARRIER = "3301986TX1"
OPERATOR = "3301986TX2"
TIME = "20260101120000"

Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Paper:
    """One document: the type of its message, its own number and its XML."""

    message: str
    number: str
    xml: str


def _elements(values: Values) -> str:
    return "".join(
        f"<ceb:{name}>{escape(value)}</ceb:{name}>" for name, value in values.items() if value is not None
    )


def _node(name: str, values: Values, change: Values | None = None) -> str:
    """An element with fields; `change` replaces values (None = leave the field out) and adds none."""
    change = change or {}
    unknown = set(change) - set(values)
    assert not unknown, f"{name} has no {unknown}"
    return f"<ceb:{name}>{_elements({**values, **change})}</ceb:{name}>"


def _start(app_type: str = "1") -> dict[str, str | None]:
    return {"guid": new_guid(), "appType": app_type, "appTime": TIME, "appStatus": "2"}


# Each: number in the document, article, quantity, price, total.
GOODS = (("1", "SKU1", "2", "9.5", "19"), ("2", "SKU2", "3", "4", "12"))


def order(
    number: str = "ORD-1", kind: str = "E", goods: Sequence[tuple[str, ...]] = GOODS, **change: str | None
) -> Paper:
    head = {
        **_start(), "orderType": kind, "orderNo": number, "ebpCode": CODE, "ebpName": NAME, "ebcCode": CODE,
        "ebcName": NAME, "goodsValue": "31", "freight": "2", "currency": "502", "note": None,
    }  # fmt: skip
    lines = [
        {"gnum": gnum, "itemNo": item, "itemName": "纯棉T恤", "itemDescribe": None, "barCode": None, "unit": "011",
         "currency": "502", "qty": qty, "price": price, "totalPrice": total, "note": None}
        for gnum, item, qty, price, total in goods
    ]  # fmt: skip
    xml = _node("OrderHead", head, change) + "".join(_node("OrderList", line) for line in lines)
    return Paper("CEB303Message", number, f"<ceb:Order>{xml}</ceb:Order>")


def payment(number: str = "ORD-1", **change: str | None) -> Paper:
    head = {
        **_start(), "ebpCode": CODE, "ebpName": NAME, "ebcCode": CODE, "ebcName": NAME, "orderNo": number,
        "payCode": None, "payName": "现金支付", "payNo": "PAY-1", "charge": "31", "currency": "502",
        "accountingDate": TIME, "note": None,
    }  # fmt: skip
    return Paper("CEB403Message", number, _node("Receipts", head, change))


def waybill(number: str = "WB-1", **change: str | None) -> Paper:
    head = {
        **_start(), "logisticsCode": CARRIER, "logisticsName": "示例物流", "logisticsNo": number, "freight": "1",
        "insuredFee": "0", "currency": "502", "grossWeight": "1.5", "packNo": "1", "goodsInfo": "T恤",
        "ebcCode": CODE, "ebcName": NAME, "ebcTelephone": None, "note": None,
    }  # fmt: skip
    return Paper("CEB505Message", number, _node("Logistics", head, change))


def arrival(number: str = "ARR-1", waybills: Sequence[str] = ("WB-1",), **change: str | None) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "copNo": number, "preNo": None, "operatorCode": OPERATOR,
        "operatorName": "示例场所", "loctNo": None, "ieFlag": "E", "trafMode": "5", "billNo": "BILL-1",
        "domesticTrafNo": "浙A00001", "logisticsCode": CARRIER, "logisticsName": "示例物流", "msgCount": "1",
        "msgSeqNo": "1", "note": None,
    }  # fmt: skip
    lines = "".join(
        _node("ArrivalList", {"gnum": str(at), "logisticsNo": name, "totalPackageNo": None, "note": None})
        for at, name in enumerate(waybills, 1)
    )
    return Paper(
        "CEB507Message", number, f"<ceb:Arrival>{_node('ArrivalHead', head, change)}{lines}</ceb:Arrival>"
    )


def departure(number: str = "DEP-1", waybills: Sequence[str] = ("WB-1",), **change: str | None) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "copNo": number, "preNo": None, "logisticsCode": CARRIER,
        "logisticsName": "示例物流", "trafMode": "5", "trafName": None, "voyageNo": None, "billNo": None,
        "leaveTime": TIME, "msgCount": "1", "msgSeqNo": "1", "note": None,
    }  # fmt: skip
    lines = "".join(
        _node("DepartureList", {"gnum": str(at), "totalPackageNo": None, "logisticsNo": name, "note": None})
        for at, name in enumerate(waybills, 1)
    )
    xml = f"<ceb:Departure>{_node('DepartureHead', head, change)}{lines}</ceb:Departure>"
    return Paper("CEB509Message", number, xml)


def goods_list(
    number: str = "LIST-1",
    order_no: str = "ORD-1",
    waybill_no: str = "WB-1",
    goods: Sequence[tuple[str, ...]] = GOODS,
    line: Values | None = None,
    **change: str | None,
) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "ebpCode": CODE, "ebpName": NAME, "orderNo": order_no,
        "logisticsCode": CARRIER, "logisticsName": "示例物流", "logisticsNo": waybill_no, "copNo": number,
        "preNo": None, "invtNo": None, "ieFlag": "E", "portCode": "2990", "ieDate": "20260101",
        "statisticsFlag": "B", "agentCode": CODE, "agentName": NAME, "ebcCode": CODE, "ebcName": NAME,
        "ownerCode": CODE, "ownerName": NAME, "iacCode": None, "iacName": None, "emsNo": None, "tradeMode": "9610",
        "trafMode": "5", "trafName": None, "voyageNo": None, "billNo": None, "totalPackageNo": None, "loctNo": None,
        "licenseNo": None, "country": "502", "POD": "502", "freight": "1", "fCurrency": "502", "fFlag": "3",
        "insuredFee": "0", "iCurrency": "502", "iFlag": "3", "wrapType": "2", "packNo": "1", "grossWeight": "1.5",
        "netWeight": "1.2", "note": None,
    }  # fmt: skip
    lines = [
        {"gnum": gnum, "itemNo": item, "itemRecordNo": None, "itemName": None, "gcode": "6109100010",
         "gname": "T恤", "gmodel": "棉", "barCode": "无", "country": "502", "currency": "502", "qty": qty,
         "qty1": qty, "qty2": None, "unit": "011", "unit1": "011", "unit2": None, "price": price,
         "totalPrice": total, "note": None}
        for gnum, item, qty, price, total in goods
    ]  # fmt: skip
    xml = _node("InventoryHead", head, change) + "".join(_node("InventoryList", one, line) for one in lines)
    return Paper("CEB603Message", number, f"<ceb:Inventory>{xml}</ceb:Inventory>")


def cancellation(invt_no: str, number: str = "CAN-1", **change: str | None) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "copNo": number, "preNo": None, "invtNo": invt_no, "reason": "申报有误",
        "agentCode": CODE, "agentName": NAME, "ebcCode": CODE, "ebcName": NAME, "note": None,
    }  # fmt: skip
    return Paper("CEB605Message", number, _node("InvtCancel", head, change))


def house(
    number: str = "HOUSE-1",
    waybills: Sequence[str] = ("WB-1",),
    invt_no: str | None = None,
    **change: str | None,
) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "copNo": number, "preNo": None, "agentCode": CODE, "agentName": NAME,
        "loctNo": None, "trafMode": "5", "trafName": "飞机", "voyageNo": "CA001", "billNo": "BILL-1",
        "domesticTrafNo": None, "grossWeight": "1.5", "logisticsCode": CARRIER, "logisticsName": "示例物流",
        "msgCount": "1", "msgSeqNo": "1", "note": None,
    }  # fmt: skip
    lines = "".join(
        _node(
            "WayBillList",
            {"gnum": str(at), "totalPackageNo": None, "logisticsNo": name, "invtNo": invt_no, "note": None},
        )
        for at, name in enumerate(waybills, 1)
    )
    return Paper(
        "CEB607Message", number, f"<ceb:WayBill>{_node('WayBillHead', head, change)}{lines}</ceb:WayBill>"
    )


def refund(invt_no: str, number: str = "REF-1", line: Values | None = None, **change: str | None) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "loctNo": None, "ebpCode": CODE, "ebpName": NAME, "ebcCode": CODE,
        "ebcName": NAME, "logisticsNo": "BACK-1", "logisticsCode": CARRIER, "logisticsName": "示例物流",
        "coElNo": number, "preNo": None, "invtNo": invt_no, "tradeMode": "9661", "agentCode": CODE,
        "agentName": NAME, "billNo": "BILL-2", "ieFlag": "I", "trafMode": "5", "trafName": "飞机",
        "portCode": "2990", "reason": "尺码不符", "country": "502", "voyageNo": "CA002", "note": None,
    }  # fmt: skip
    goods = {
        "gnum": "1", "gcode": "6109100010", "gname": "T恤", "gmodel": "棉", "qty": "1", "qty1": "1", "unit": "011",
        "unit1": "011", "qty2": None, "unit2": None, "note": None,
    }  # fmt: skip
    xml = _node("InvtRefundHead", head, change) + _node("InvtRefundList", goods, line)
    return Paper("CEB213Message", number, f"<ceb:InvtRefund>{xml}</ceb:InvtRefund>")


def tally(invt_no: str | None = None, number: str = "TAL-1", **change: str | None) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "operatorCode": OPERATOR, "operatorName": "示例场所",
        "logisticsCode": CARRIER, "logisticsName": "示例物流", "logisticsNo": "BACK-1", "invtNo": invt_no,
        "coElNo": number, "preNo": None, "billNo": "BILL-2", "ieFlag": "I", "trafMode": "5", "trafName": "飞机",
        "voyageNo": "CA002", "location": None, "note": None,
    }  # fmt: skip
    return Paper("CEB215Message", number, _node("InvtRefundDetail", head, change))


def application(invt_nos: Sequence[str] = (), number: str = "SUM-1", **change: str | None) -> Paper:
    head = {
        **_start(), "customsCode": "2990", "copNo": number, "preNo": None, "sumNo": None, "agentCode": CODE,
        "agentName": NAME, "ebcCode": CODE, "ebcName": NAME, "declAgentCode": CODE, "declAgentName": NAME,
        "startTime": None, "endTime": None, "loctNo": None, "summaryFlag": "1", "itemNameFlag": "1",
        "msgCount": "1", "msgSeqNo": "1", "note": None,
    }  # fmt: skip
    lines = "".join(_node("SummaryApplyList", {"invtNo": name}) for name in invt_nos)
    xml = f"<ceb:SummaryApply>{_node('SummaryApplyHead', head, change)}{lines}</ceb:SummaryApply>"
    return Paper("CEB701Message", number, xml)


#: of a list that nobody filed
INVT_NO = "29902026E000000001"
#: a good document of each type; a cancellation and a return of a list that is not there
MAKERS: dict[str, Callable[..., Paper]] = {
    "CEB303Message": order,
    "CEB403Message": payment,
    "CEB505Message": waybill,
    "CEB507Message": arrival,
    "CEB509Message": departure,
    "CEB603Message": goods_list,
    "CEB605Message": lambda **change: cancellation(INVT_NO, **change),
    "CEB607Message": house,
    "CEB213Message": lambda **change: refund(INVT_NO, **change),
    "CEB215Message": tally,
    "CEB701Message": lambda **change: application([INVT_NO], **change),
}


def business(*found: Paper) -> bytes:
    """The message with these documents, unsigned."""
    return message([paper.xml for paper in found], root=found[0].message)
