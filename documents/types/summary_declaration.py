"""汇总报关单: the declaration that customs made of lists, one record per declaration, the basis of the tax refund.

Read from CEB792 like the result; what comes later for the same declSeqNo updates the record. Page E4 (guide 002 §5.4).
"""

from __future__ import annotations

from documents.lifecycles import RECEIVED
from documents.spec import Column, Condition, DocumentType, Effect, Page, Ref
from documents.types import ceb792
from documents.words import Words

SUMMARY_DECLARATION = DocumentType(
    kind="summary-declaration",
    title=Words("汇总报关单", "Summary declaration"),
    owner="list",
    pages=(Page("E4", Words("汇总报关单查询", "Summary declarations"), "summary"),),
    message=ceb792.MESSAGE,
    head=ceb792.HEAD,
    lines=ceb792.LINES,
    number="declSeqNo",
    unique=("declSeqNo",),
    numbers=("sumNo", "decTmpNo", "decPreNo", "entryId"),
    lifecycle=RECEIVED,
    receipt=None,
    merge=True,
    told_at="opDate",
    settled_by="entryId",
    conditions=(
        Condition("declSeqNo", "prefix"),
        Condition("sumNo", "prefix"),
        Condition("entryId", "prefix"),
        Condition("decState"),
        Condition("customsCode"),
        Condition("ebcCode"),
        Condition("agentCode"),
    ),
    columns=(
        Column("entryId", 160),
        Column("sumNo", 160),
        Column("netWeight", 100, "right"),
        Column("grossWeight", 100, "right", default=False),
        Column("decState", 90, default=False),
        Column("opDate", 150, default=False),
        Column("decTmpNo", 160, default=False),
        Column("decPreNo", 160, default=False),
        Column("customsCode", 110, default=False),
        Column("ebcCode", 170, default=False),
        Column("ebcName", 160, default=False),
        Column("declAgentName", 160, default=False),
    ),
    areas=ceb792.AREAS,
    refs=(
        Ref("list", ("invtNo",), "line"),
        Ref("summary", ("sumNo",)),
        Ref("declaration", ("declSeqNo",)),
    ),
    effects=(
        Effect("settled", "list", "list", "case_closed",
               "assumed: a list becomes 已结案 when its summary declaration has a number"),
    ),
    example=ceb792.EXAMPLE,
)  # fmt: skip
