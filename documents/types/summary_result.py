"""汇总结果单: what customs made of a summary application, one record per message, CEB792.

Page E3 (guide 002 §5.3).
"""

from __future__ import annotations

from documents.lifecycles import RECEIVED
from documents.spec import Column, Condition, DocumentType, Page, Ref
from documents.types import ceb792
from documents.words import Words

SUMMARY_RESULT = DocumentType(
    kind="summary-result",
    title=Words("汇总结果单", "Summary result"),
    owner="list",
    pages=(Page("E3", Words("汇总结果单查询", "Summary results"), "summary"),),
    message=ceb792.MESSAGE,
    head=ceb792.HEAD,
    lines=ceb792.LINES,
    number="sumNo",
    unique=("guid",),
    numbers=("declSeqNo", "decTmpNo", "decPreNo", "entryId"),
    lifecycle=RECEIVED,
    receipt=None,
    conditions=(
        Condition("sumNo", "prefix"),
        Condition("declSeqNo", "prefix"),
        Condition("entryId", "prefix"),
        Condition("decState"),
        Condition("customsCode"),
        Condition("ebcCode"),
        Condition("agentCode"),
    ),
    columns=(
        Column("declSeqNo", 160),
        Column("entryId", 160),
        Column("decState", 90),
        Column("opDate", 150, default=False),
        Column("decTmpNo", 160, default=False),
        Column("decPreNo", 160, default=False),
        Column("grossWeight", 100, "right", default=False),
        Column("netWeight", 100, "right", default=False),
        Column("customsCode", 110, default=False),
        Column("ebcName", 160, default=False),
        Column("agentName", 160, default=False),
    ),
    areas=ceb792.AREAS,
    refs=(
        Ref("list", ("invtNo",), "line"),
        Ref("summary", ("sumNo",)),
        Ref("declaration", ("declSeqNo",)),
    ),
    example=ceb792.EXAMPLE,
)
