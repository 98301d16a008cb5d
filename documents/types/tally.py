"""退货理货明细单: the tally that reports a return's arrival, CEB215.

Page D3 (guide 002 §4.3). Source: field table CEB215.
"""

from __future__ import annotations

from dataclasses import replace

from documents.lifecycles import SETTLED_BY_REVIEW
from documents.spec import (
    Column,
    Condition,
    DocumentType,
    Message,
    Page,
    ReceiptForm,
    Ref,
    Sheet,
    SheetColumn,
)
from documents.types import answer, made_up
from documents.types.common import ON_SUBMIT, SYSTEM, actions
from documents.types.fields import (
    carrier,
    declared_at,
    direction,
    eport_number,
    list_number,
    note,
    operator,
    own_number,
    text,
    transport_mode,
    vehicle,
    waybill_number,
)
from documents.words import Words

_TRANSPORT = {item.name: item for item in vehicle(required=True)}

HEAD = (
    *SYSTEM,
    declared_at("tally", zh="关区代码"),
    *operator(),
    *carrier(),
    waybill_number(80, area="tally"),
    list_number("原清单号", required=False, area="tally"),
    own_number("coElNo", "企业内部编号", length=20, area="tally"),
    eport_number("O", exact=False, area="tally"),
    replace(_TRANSPORT["billNo"],
            note=Words("没有提运单时填运单编号", "The waybill number when there is no bill")),
    direction("I", "tally"),
    transport_mode(),
    _TRANSPORT["trafName"],
    _TRANSPORT["voyageNo"],
    text("location", "卸货堆货的仓储位置", "Place of storage", 250, required=False, area="tally"),
    note(250, area="tally"),
)  # fmt: skip

TALLY = DocumentType(
    kind="tally",
    title=Words("理货明细单", "Tally"),
    owner="list",
    pages=(Page("D3", Words("理货明细单查询", "Tallies"), "returns", entry=True),),
    message=Message(root="CEB215Message", node="InvtRefundDetail", signature="optional"),
    head=HEAD,
    number="coElNo",
    unique=("operatorCode", "coElNo"),
    numbers=("preNo", "invtNo", "logisticsNo", "billNo"),
    lifecycle=SETTLED_BY_REVIEW,
    receipt=ReceiptForm(
        "CEB216Message", "InvtRefundDetailReturn",
        keys=("operatorCode", "logisticsCode", "logisticsNo", "coElNo"), fills=("preNo",),
        fields=answer.fields(
            answer.OPERATOR, answer.CARRIER, answer.sized(answer.WAYBILL_NO, 0, 80), answer.RETURN_NO,
            answer.optional(answer.sized(answer.EPORT_NO, 0, 18)), status=answer.LOOSE_STATUS,
        ),
    ),
    conditions=(
        Condition("coElNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("invtNo", "prefix"),
        Condition("logisticsNo", "prefix"),
        Condition("billNo", "prefix"),
        Condition("customsCode"),
        Condition("operatorCode"),
        Condition("logisticsCode"),
    ),
    columns=(
        Column("logisticsNo", 140),
        Column("invtNo", 160),
        Column("billNo", 130),
        Column("preNo", 160, default=False),
        Column("location", 140, default=False),
        Column("customsCode", 110, default=False),
        Column("operatorName", 160, default=False),
        Column("logisticsName", 160, default=False),
    ),
    sheet=Sheet(
        title="理货明细单",
        columns=(
            SheetColumn("企业内部编号", "coElNo", "head"),
            SheetColumn("物流运单编号", "logisticsNo", "head"),
            SheetColumn("原清单号", "invtNo", "head"),
            SheetColumn("提运单号", "billNo", "head"),
            SheetColumn("运输工具名称", "trafName", "head"),
            SheetColumn("航班航次号", "voyageNo", "head"),
            SheetColumn("卸货堆货的仓储位置", "location", "head"),
            SheetColumn("备注", "note", "head"),
        ),
        group="coElNo",
    ),
    actions=actions(
        Words("确认申报所选理货明细单？", "Declare the selected tallies?"),
        # assumed: when customs takes changes is not published
        amend=("accepted", "settled"),
        withdraw=("accepted", "settled"),
    ),
    areas=(
        ("tally", Words("理货信息", "Tally")),
        ("transport", Words("运输信息", "Transport")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    # assumed: nothing published names the sender. Guide 002 §4.3 has the seller or its agent file it, but the message
    # names operator and carrier alone, and who signs must stand in the message
    senders=("operator", "logistics"),
    on_submit=ON_SUBMIT,
    refs=(
        Ref("waybill", ("logisticsCode", "logisticsNo")),
        Ref("list", ("invtNo",)),
        # assumed: a tally bears the mark of the return it belongs to; nothing else in the message could tell
        Ref("return", ("coElNo",)),
    ),
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, **made_up.OPERATOR, **made_up.CARRIER, "logisticsNo": made_up.WAYBILL_NO,
            "invtNo": made_up.LIST_NO, "coElNo": made_up.RETURN_NO, "billNo": made_up.BILL_NO, "ieFlag": "I",
            "trafMode": "5", "trafName": "示例航空", "voyageNo": "SL998", "location": "A区01库位", "note": "样例",
        },
        "lines": [],
    },
)  # fmt: skip
