"""离境单: what left the country, CEB509, from the logistics enterprise.

Pages B6, B7 (guide 002 §2.6-2.7). Source: field table CEB509.
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_REVIEW
from documents.rules import needed_where, no_repeated_line, not_before, part_within
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
from documents.types.common import NOT_REVIEWED, ON_SUBMIT, REVIEWED, SYSTEM, actions
from documents.types.fields import (
    BY_MAIL,
    carrier,
    declared_at,
    eport_number,
    moment,
    note,
    own_number,
    package_number,
    parts,
    transport_mode,
    vehicle,
    waybill_number,
)
from documents.words import Words

HEAD = (
    *SYSTEM,
    declared_at("departure"),
    own_number(area="departure"),
    eport_number(area="departure"),
    *carrier(),
    transport_mode(),
    *vehicle(required=False, why=Words("邮件运输可留空", "May be left empty for mail")),
    moment("leaveTime", "离境时间", "Left at", area="departure"),
    *parts(),
    note(area="departure"),
)

LINES = (
    Field(name="gnum", zh="序号", en="No.", type="integer", required=True, digits=5, filled_by="system"),
    package_number(),
    waybill_number(),
    note(),
)  # fmt: skip

_NOT_MAIL = Words("非邮件运输（6）时，", "unless transport is by mail (6)")
RULES = (
    part_within("msgCount", "msgSeqNo"),
    # CEB509, trafName, voyageNo, billNo: may be empty for postal transport; assumed: for any other they may not
    needed_where("trafName", Words("运输工具名称", "Vehicle"), "trafMode", BY_MAIL, _NOT_MAIL, unless=True),
    needed_where("voyageNo", Words("航班航次号", "Voyage or flight"), "trafMode", BY_MAIL, _NOT_MAIL, unless=True),
    needed_where("billNo", Words("提运单号", "Bill of lading"), "trafMode", BY_MAIL, _NOT_MAIL, unless=True),
    not_before("leaveTime", "20100101", Words("离境时间", "Left at")),
    no_repeated_line(("logisticsNo",), "logisticsNo", Words("物流运单编号", "Waybill number")),
)  # fmt: skip

DEPARTURE = DocumentType(
    kind="departure",
    title=Words("离境单", "Departure"),
    owner="list",
    pages=(
        Page("B6", Words("未审结离境单", "Departures not settled"), "logistics", NOT_REVIEWED, entry=True),
        Page("B7", Words("已审结离境单", "Departures settled"), "logistics", REVIEWED),
    ),
    message=Message(
        root="CEB509Message", node="Departure", head="DepartureHead", line="DepartureList",
        max_lines=20_000, split_lines=1_000,
    ),
    head=HEAD,
    lines=LINES,
    number="copNo",
    unique=("logisticsCode", "copNo", "msgSeqNo"),
    numbers=("preNo", "billNo"),
    line_number="gnum",
    lifecycle=SETTLED_BY_REVIEW,
    receipt=ReceiptForm(
        "CEB510Message", "DepartureReturn", keys=("logisticsCode", "copNo", "msgSeqNo"), fills=("preNo",),
        fields=answer.fields(answer.CARRIER, answer.OWN_NO, answer.EPORT_NO, answer.PART_NO),
    ),
    conditions=(
        Condition("copNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("billNo", "prefix"),
        Condition("voyageNo"),
        Condition("customsCode"),
        Condition("trafMode"),
        Condition("logisticsCode"),
    ),
    columns=(
        Column("preNo", 160),
        Column("billNo", 130),
        Column("leaveTime", 140),
        Column("trafName", 110, default=False),
        Column("voyageNo", 100, default=False),
        Column("trafMode", 100, default=False),
        Column("customsCode", 110, default=False),
        Column("logisticsName", 160, default=False),
    ),
    sheet=Sheet(
        title="离境单",
        columns=(
            SheetColumn("企业唯一编号", "copNo", "head"),
            SheetColumn("运输工具名称", "trafName", "head"),
            SheetColumn("航班航次号", "voyageNo", "head"),
            SheetColumn("提运单号", "billNo", "head"),
            SheetColumn("离境时间", "leaveTime", "head"),
            SheetColumn("总包号", "totalPackageNo", "line"),
            SheetColumn("物流运单编号", "logisticsNo", "line"),
        ),
        group="copNo",
    ),
    actions=actions(
        Words("确认申报所选离境单？", "Declare the selected departures?"),
        # assumed: when customs takes changes is not published
        amend=("accepted", "settled"),
        withdraw=("accepted", "settled"),
    ),
    areas=(
        ("departure", Words("离境信息", "Departure")),
        ("transport", Words("运输信息", "Transport")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    senders=("logistics", "logistics-b2b"),
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
            "customsCode": made_up.CUSTOMS, "copNo": "LJ202611200001", **made_up.CARRIER, "trafMode": "5",
            "trafName": "示例航空", "voyageNo": "SL999", "billNo": made_up.BILL_NO, "leaveTime": "20261121083000",
            "msgCount": "1", "msgSeqNo": "1", "note": "样例",
        },
        "lines": [{"totalPackageNo": "ZB0001", "logisticsNo": made_up.WAYBILL_NO, "note": "样例"}],
    },
)  # fmt: skip
