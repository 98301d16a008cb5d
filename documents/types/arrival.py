"""运抵单: the arrival of parcels at the supervised site, CEB507.

Pages B3-B5 (guide 002 §2.3-2.5: declared by the site operator; XSD annotation: by the logistics enterprise).
Source: field table CEB507.
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_REVIEW
from documents.rules import lines_or, needed_where, no_repeated_line, part_within
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
from documents.types.common import NOT_REVIEWED, ON_SUBMIT, OPEN, REVIEWED, SYSTEM, actions
from documents.types.fields import (
    BY_MAIL,
    carrier,
    code,
    declared_at,
    direction,
    eport_number,
    note,
    operator,
    own_number,
    package_number,
    parts,
    site,
    text,
    transport_mode,
    waybill_number,
)
from documents.words import Words

HEAD = (
    *SYSTEM,
    declared_at("arrival"),
    own_number(area="arrival"),
    eport_number(area="arrival"),
    *operator(),
    site(area="arrival"),
    direction("E", "arrival"),
    transport_mode(),
    code("billNo", "提运单号", "Bill of lading", 37, required=False, area="transport",
         note=Words("邮件运输可留空", "May be left empty for mail")),
    text("domesticTrafNo", "境内运输工具编号", "Vehicle to the site", 100, area="transport",
         note=Words("如货车车牌号", "For example the truck's plate number")),
    *carrier(),
    *parts(),
    note(area="arrival"),
)  # fmt: skip

LINES = (
    Field(name="gnum", zh="序号", en="No.", type="integer", required=True, digits=5, filled_by="system"),
    waybill_number(),
    package_number(),
    note(),
)

RULES = (
    part_within("msgCount", "msgSeqNo"),
    # CEB507, billNo: may be empty for postal transport; assumed: for any other it may not
    needed_where("billNo", Words("提运单号", "Bill of lading"), "trafMode", BY_MAIL,
                 Words("非邮件运输（6）时，", "unless transport is by mail (6)"), unless=True),
    # assumed: the definition allows no lines at all; then the bill says what has arrived
    lines_or("billNo", Words("没有表体时提运单号必填，请填写提运单号或至少一项运单。",
                             "Without lines the bill of lading is required; fill it in or add a waybill.")),
    no_repeated_line(("logisticsNo",), "logisticsNo", Words("物流运单编号", "Waybill number")),
)  # fmt: skip

ARRIVAL = DocumentType(
    kind="arrival",
    title=Words("运抵单", "Arrival"),
    owner="list",
    pages=(
        Page("B3", Words("运抵单申报", "Declare arrivals"), "logistics", OPEN, entry=True),
        Page("B4", Words("未审结运抵单", "Arrivals not settled"), "logistics", NOT_REVIEWED),
        Page("B5", Words("已审结运抵单", "Arrivals settled"), "logistics", REVIEWED),
    ),
    message=Message(
        root="CEB507Message", node="Arrival", head="ArrivalHead", line="ArrivalList",
        min_lines=0, max_lines=20_000, split_lines=1_000,
    ),
    head=HEAD,
    lines=LINES,
    number="copNo",
    unique=("operatorCode", "copNo", "msgSeqNo"),
    numbers=("preNo", "billNo"),
    line_number="gnum",
    lifecycle=SETTLED_BY_REVIEW,
    receipt=ReceiptForm(
        "CEB508Message", "ArrivalReturn",
        keys=("operatorCode", "logisticsCode", "copNo", "billNo", "msgSeqNo"), fills=("preNo",),
        fields=answer.fields(
            answer.OPERATOR, answer.CARRIER, answer.EPORT_NO, answer.OWN_NO, answer.BILL_NO, answer.PART_NO
        ),
    ),
    conditions=(
        Condition("copNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("billNo", "prefix"),
        Condition("customsCode"),
        Condition("trafMode"),
        Condition("operatorCode"),
        Condition("logisticsCode"),
    ),
    columns=(
        Column("preNo", 160),
        Column("billNo", 130),
        Column("customsCode", 110),
        Column("domesticTrafNo", 120, default=False),
        Column("trafMode", 100, default=False),
        Column("operatorName", 160, default=False),
        Column("logisticsName", 160, default=False),
    ),
    sheet=Sheet(
        title="运抵单",
        columns=(
            SheetColumn("企业唯一编号", "copNo", "head"),
            SheetColumn("提运单号", "billNo", "head"),
            SheetColumn("境内运输工具编号", "domesticTrafNo", "head"),
            SheetColumn("物流运单编号", "logisticsNo", "line"),
            SheetColumn("总包号", "totalPackageNo", "line"),
        ),
        group="copNo",
    ),
    actions=actions(
        Words("确认申报所选运抵单？", "Declare the selected arrivals?"),
        # assumed: when customs takes changes is not published
        amend=("accepted", "settled"),
        withdraw=("accepted", "settled"),
    ),
    areas=(
        ("arrival", Words("运抵信息", "Arrival")),
        ("transport", Words("运输信息", "Transport")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    senders=("operator", "logistics"),
    on_submit=ON_SUBMIT,
    rules=RULES,
    same_line=("logisticsNo",),
    refs=(
        Ref("bill", ("billNo",)),
        Ref("waybill", ("logisticsCode", "logisticsNo"), "line"),
    ),
    parts=("msgCount", "msgSeqNo"),
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, "copNo": "YD202611200001", **made_up.OPERATOR, "loctNo": "900001",
            "ieFlag": "E", "trafMode": "5", "billNo": made_up.BILL_NO, "domesticTrafNo": "陕A00000",
            **made_up.CARRIER, "msgCount": "1", "msgSeqNo": "1", "note": "样例",
        },
        "lines": [{"logisticsNo": made_up.WAYBILL_NO, "totalPackageNo": "ZB0001", "note": "样例"}],
    },
)  # fmt: skip
