"""汇总申请单: asks customs to sum closed lists up into a declaration, CEB701.

Pages E1, E2 (guide 002 §5.1-5.2, guide 000 (三)). Source: field table CEB701.
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_REVIEW
from documents.rules import empty_with_lines, lines_or, no_repeated_line, not_before, part_within, period
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
from documents.types.common import ON_SUBMIT, OPEN, SYSTEM, actions
from documents.types.fields import (
    choice,
    code,
    declarant,
    declared_at,
    declaring_agent,
    eport_number,
    list_number,
    moment,
    note,
    own_number,
    parts,
    seller,
    site,
)
from documents.words import Words

_PERIOD = Words("与结束时间成对填写；填写后不再列清单", "Begin and end go together; lists are not named then")

HEAD = (
    *SYSTEM,
    declared_at("summary"),
    own_number(area="summary"),
    eport_number(exact=False, area="summary"),
    code("sumNo", "汇总申请编号", "Application number", 18, required=False, filled_by="customs", area="summary"),
    *declarant("申报单位"),
    *seller("收发货人", "Consignor"),
    *declaring_agent(),
    moment("startTime", "汇总开始时间", "Period begins", required=False, area="period", note=_PERIOD),
    moment("endTime", "汇总结束时间", "Period ends", required=False, area="period", note=_PERIOD),
    site(area="summary"),
    choice("summaryFlag", "收发货人汇总标志", "Grouped by",
           ("1", Words("按收发货人单一汇总", "Consignor")),
           ("2", Words("按收发货人和生产销售单位汇总", "Consignor and producer")),
           filled_by="strategy", area="summary"),
    # the spec's text lets it be empty (by category of goods), the definition asks for exactly one character
    choice("itemNameFlag", "按商品名汇总标志", "Grouped by name",
           ("1", Words("按清单原始商品名汇总", "Names of goods in the lists")),
           default="1", filled_by="strategy", area="summary"),
    *parts(),
    note(area="summary"),
)  # fmt: skip

LINES = (list_number("清单编号"),)

_NO_LISTS = Words(
    "没有清单时汇总开始时间和结束时间必填，请选择清单或填写期间。",
    "Without lists a period is required; choose lists or fill in begin and end.",
)
_BOTH = Words(
    "填写汇总期间后海关不读取所列清单，请删除期间或清单之一。",
    "With a period customs ignores the lists named here; remove one of the two.",
)
RULES = (
    # CEB701, rules: the lists may be absent when startTime and endTime are given; when present they are ignored
    lines_or("startTime", _NO_LISTS),
    empty_with_lines("startTime", _BOTH),
    period("startTime", "endTime"),
    not_before("startTime", "20100101", Words("汇总开始时间", "Period begins")),
    part_within("msgCount", "msgSeqNo"),
    no_repeated_line(("invtNo",), "invtNo", Words("清单编号", "List number")),
)

SUMMARY_APPLICATION = DocumentType(
    kind="summary-application",
    title=Words("汇总申请单", "Summary application"),
    owner="list",
    pages=(
        Page("E1", Words("汇总申请单申报", "Declare summaries"), "summary", OPEN, entry=True),
        Page("E2", Words("汇总申请单查询", "Summary applications"), "summary"),
    ),
    message=Message(
        root="CEB701Message", node="SummaryApply", head="SummaryApplyHead", line="SummaryApplyList",
        min_lines=0, max_lines=20_000, split_lines=1_000,
    ),
    head=HEAD,
    lines=LINES,
    number="copNo",
    unique=("agentCode", "copNo", "msgSeqNo"),
    numbers=("preNo", "sumNo"),
    lifecycle=SETTLED_BY_REVIEW,
    receipt=ReceiptForm(
        "CEB702Message", "SummaryReturn", keys=("agentCode", "ebcCode", "copNo", "msgSeqNo"),
        fills=("preNo", "sumNo"),
        fields=answer.fields(
            answer.DECLARANT, answer.SELLER, answer.OWN_NO, answer.EPORT_NO, answer.SUMMARY_NO, answer.PART_NO
        ),
    ),
    conditions=(
        Condition("copNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("sumNo", "prefix"),
        Condition("customsCode"),
        Condition("summaryFlag"),
        Condition("ebcCode"),
        Condition("agentCode"),
    ),
    columns=(
        Column("preNo", 160),
        Column("sumNo", 160),
        Column("ebcName", 160),
        Column("startTime", 140, default=False),
        Column("endTime", 140, default=False),
        Column("summaryFlag", 120, default=False),
        Column("customsCode", 110, default=False),
        Column("agentName", 160, default=False),
        Column("declAgentName", 160, default=False),
    ),
    sheet=Sheet(
        title="汇总申请单",
        columns=(
            SheetColumn("企业唯一编号", "copNo", "head"),
            SheetColumn("清单编号", "invtNo", "line"),
        ),
        group="copNo",
    ),
    # an application is decided, not changed: what was refused is declared again
    actions=actions(Words("确认申报所选汇总申请单？", "Declare the selected summary applications?")),
    areas=(
        ("summary", Words("汇总信息", "Summary")),
        ("period", Words("汇总期间", "Period")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    senders=("ecommerce", "agent"),
    on_submit=ON_SUBMIT,
    rules=RULES,
    same_line=("invtNo",),
    refs=(
        Ref("list", ("invtNo",), "line"),
        Ref("summary", ("sumNo",)),
    ),
    parts=("msgCount", "msgSeqNo"),
    # a period and named lists exclude each other: the example names a list
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, "copNo": "HZ202611200001", **made_up.DECLARANT, **made_up.SELLER,
            **made_up.DECLARING, "loctNo": "900001", "summaryFlag": "1", "itemNameFlag": "1", "msgCount": "1",
            "msgSeqNo": "1", "note": "样例",
        },
        "lines": [{"invtNo": made_up.LIST_NO}],
    },
)  # fmt: skip
