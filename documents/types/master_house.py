"""清单总分单: which lists travel under which bill, CEB607; supplies what the lists left open.

Pages C10-C12 (guide 002 §3.9-3.11). Source: field table CEB607.
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.rules import no_repeated_line, part_within
from documents.spec import (
    Column,
    Condition,
    DocumentType,
    Field,
    Message,
    Page,
    ReceiptForm,
    Ref,
    Sheet,
    SheetColumn,
)
from documents.types import answer, made_up
from documents.types.common import ON_SUBMIT, OPEN, SYSTEM, actions
from documents.types.fields import (
    carrier,
    declarant,
    declared_at,
    eport_number,
    gross_weight,
    list_number,
    note,
    own_number,
    package_number,
    parts,
    site,
    text,
    transport_mode,
    vehicle,
    waybill_number,
)
from documents.words import Words

HEAD = (
    *SYSTEM,
    declared_at("bill"),
    own_number(area="bill"),
    eport_number(area="bill"),
    *declarant(),
    site(area="bill"),
    transport_mode(),
    *vehicle(required=True),
    text("domesticTrafNo", "境内运输工具编号", "Vehicle to the site", 100, required=False, area="transport",
         note=Words("如货车车牌号", "For example the truck's plate number")),
    gross_weight("bill"),
    *carrier(),
    *parts(),
    note(area="bill"),
)  # fmt: skip

LINES = (
    Field(name="gnum", zh="序号", en="No.", type="integer", required=True, digits=5, filled_by="system"),
    package_number(60),
    waybill_number(),
    list_number("出口清单编号", required=False),
    note(),
)  # fmt: skip

RULES = (
    part_within("msgCount", "msgSeqNo"),
    no_repeated_line(("logisticsNo",), "logisticsNo", Words("物流运单编号", "Waybill number")),
)

MASTER_HOUSE = DocumentType(
    kind="master-house",
    title=Words("清单总分单", "Master-house list"),
    owner="list",
    pages=(
        Page("C10", Words("清单总分单申报", "Declare master lists"), "lists", OPEN, entry=True),
        Page("C11", Words("清单总分单查询", "Master-house lists"), "lists"),
        Page("C12", Words("清单总分单改单", "Amend master lists"), "lists", ("accepted", "settled")),
    ),
    message=Message(
        root="CEB607Message", node="WayBill", head="WayBillHead", line="WayBillList",
        max_lines=20_000, split_lines=1_000,
    ),
    head=HEAD,
    lines=LINES,
    number="copNo",
    unique=("agentCode", "copNo", "msgSeqNo"),
    numbers=("preNo", "billNo"),
    line_number="gnum",
    lifecycle=SETTLED_BY_STORING,
    receipt=ReceiptForm(
        "CEB608Message", "WayBillReturn",
        keys=("agentCode", "logisticsCode", "copNo", "billNo", "msgSeqNo"), fills=("preNo",),
        fields=answer.fields(
            answer.DECLARANT, answer.CARRIER, answer.OWN_NO, answer.EPORT_NO, answer.BILL_NO, answer.PART_NO
        ),
    ),
    conditions=(
        Condition("copNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("billNo", "prefix"),
        Condition("voyageNo"),
        Condition("customsCode"),
        Condition("trafMode"),
        Condition("agentCode"),
        Condition("logisticsCode"),
    ),
    columns=(
        Column("preNo", 160),
        Column("billNo", 130),
        Column("grossWeight", 90, "right"),
        Column("trafName", 110, default=False),
        Column("voyageNo", 100, default=False),
        Column("trafMode", 100, default=False),
        Column("customsCode", 110, default=False),
        Column("agentName", 160, default=False),
        Column("logisticsName", 160, default=False),
    ),
    sheet=Sheet(
        title="清单总分单",
        columns=(
            SheetColumn("企业唯一编号", "copNo", "head"),
            SheetColumn("运输工具名称", "trafName", "head"),
            SheetColumn("航班航次号", "voyageNo", "head"),
            SheetColumn("提运单号", "billNo", "head"),
            SheetColumn("境内运输工具编号", "domesticTrafNo", "head"),
            SheetColumn("毛重（公斤）", "grossWeight", "head"),
            SheetColumn("总包号", "totalPackageNo", "line"),
            SheetColumn("物流运单编号", "logisticsNo", "line"),
            SheetColumn("出口清单编号", "invtNo", "line"),
        ),
        group="copNo",
    ),
    actions=actions(
        Words("确认申报所选清单总分单？", "Declare the selected master-house lists?"),
        # guide 002 §3.11 amends them; assumed: in which states, and that a deletion is taken in the same
        amend=("accepted", "settled"),
        withdraw=("accepted", "settled"),
    ),
    areas=(
        ("bill", Words("总分单信息", "Master-house list")),
        ("transport", Words("运输信息", "Transport")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    # assumed: nothing published names the sender; guide 002 says 申报企业, the head names declarant and carrier
    senders=("agent", "ecommerce", "logistics"),
    on_submit=ON_SUBMIT,
    rules=RULES,
    same_line=("logisticsNo",),
    refs=(
        Ref("bill", ("billNo",)),
        Ref("waybill", ("logisticsCode", "logisticsNo"), "line"),
        Ref("list", ("invtNo",), "line"),
    ),
    parts=("msgCount", "msgSeqNo"),
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, "copNo": "ZF202611200001", **made_up.DECLARANT, "loctNo": "900001",
            "trafMode": "5", "trafName": "示例航空", "voyageNo": "SL999", "billNo": made_up.BILL_NO,
            "domesticTrafNo": "陕A00000", "grossWeight": "1.18", **made_up.CARRIER, "msgCount": "1", "msgSeqNo": "1",
            "note": "样例",
        },
        "lines": [
            {"totalPackageNo": "ZB0001", "logisticsNo": made_up.WAYBILL_NO, "invtNo": made_up.LIST_NO, "note": "样例"}
        ],
    },
)  # fmt: skip
