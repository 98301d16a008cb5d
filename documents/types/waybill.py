"""物流运单: the waybill of a parcel, CEB505, from the logistics enterprise.

Pages B1, B2 (guide 002 §2.1-2.2). Source: field table CEB505.
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_REVIEW
from documents.rules import whole_above_zero
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
from documents.types.common import NOT_REVIEWED, ON_SUBMIT, REVIEWED, SYSTEM, actions
from documents.types.fields import (
    carrier,
    currency,
    decimal,
    gross_weight,
    note,
    pieces,
    seller,
    text,
    waybill_number,
)
from documents.words import Words

HEAD = (
    *SYSTEM,
    *carrier(),
    waybill_number(area="waybill"),
    decimal("freight", "运费", "Freight", default="0", area="waybill",
            note=Words("没有时填 0", "0 when there is none")),
    decimal("insuredFee", "保价费", "Insurance", default="0", area="waybill"),
    # of the freight: a strategy's currency is that of the goods
    currency(area="waybill", filled_by="user"),
    gross_weight("waybill"),
    pieces("waybill"),
    text("goodsInfo", "主要货物信息", "Main goods", 200, area="waybill"),
    *seller(required=False),
    text("ebcTelephone", "电商企业电话", "E-commerce enterprise's telephone", 50, required=False,
         filled_by="strategy", area="parties"),
    note(area="waybill"),
)  # fmt: skip

WAYBILL = DocumentType(
    kind="waybill",
    title=Words("运单", "Waybill"),
    owner="list",
    pages=(
        Page("B1", Words("未审结运单", "Waybills not settled"), "logistics", NOT_REVIEWED, entry=True),
        Page("B2", Words("已审结运单", "Waybills settled"), "logistics", REVIEWED),
    ),
    message=Message(root="CEB505Message", node="Logistics", signature="optional"),
    head=HEAD,
    number="logisticsNo",
    unique=("logisticsCode", "logisticsNo"),
    reuse_months=6,
    lifecycle=SETTLED_BY_REVIEW,
    receipt=ReceiptForm(
        "CEB506Message", "LogisticsReturn", keys=("logisticsCode", "logisticsNo"),
        fields=answer.fields(answer.CARRIER, answer.WAYBILL_NO),
    ),
    conditions=(
        Condition("logisticsNo", "prefix"),
        Condition("logisticsCode"),
        Condition("ebcCode"),
        Condition("currency"),
    ),
    columns=(
        Column("goodsInfo", 140),
        Column("grossWeight", 90, "right"),
        Column("packNo", 70, "right"),
        Column("freight", 90, "right"),
        Column("currency", 90, default=False),
        Column("logisticsName", 160, default=False),
        Column("ebcName", 160, default=False),
    ),
    sheet=Sheet(
        title="运单",
        columns=(
            SheetColumn("物流运单编号", "logisticsNo", "head"),
            SheetColumn("运费", "freight", "head"),
            SheetColumn("保价费", "insuredFee", "head"),
            SheetColumn("币制", "currency", "head"),
            SheetColumn("毛重（公斤）", "grossWeight", "head"),
            SheetColumn("件数", "packNo", "head"),
            SheetColumn("主要货物信息", "goodsInfo", "head"),
            SheetColumn("备注", "note", "head"),
        ),
        group="logisticsNo",
    ),
    actions=actions(
        Words("确认申报所选运单？", "Declare the selected waybills?"),
        # assumed: when customs takes changes is not published; -504016 shows that it refuses some
        amend=("accepted", "settled"),
        withdraw=("accepted", "settled"),
    ),
    areas=(
        ("waybill", Words("运单信息", "Waybill")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    senders=("logistics", "logistics-b2b"),
    on_submit=ON_SUBMIT,
    rules=(whole_above_zero("packNo", Words("件数", "Parcels")),),
    refs=(Ref("waybill", ("logisticsCode", "logisticsNo")),),
    example={
        "head": {
            **made_up.CARRIER, "logisticsNo": made_up.WAYBILL_NO, "freight": "12.50", "insuredFee": "0",
            "currency": made_up.CNY, "grossWeight": "1.18", "packNo": "1", "goodsInfo": "手工陶瓷茶杯",
            **made_up.SELLER, "ebcTelephone": "029-00000000", "note": "样例",
        },
        "lines": [],
    },
)  # fmt: skip
