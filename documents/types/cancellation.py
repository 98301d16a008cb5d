"""撤销申请单: the application to cancel an export list, CEB605.

Pages C8, C9 (guide 002 §3.7-3.8). Source: field table CEB605 (the PDF spells agentName agengName).
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_REVIEW
from documents.spec import (
    Against,
    Column,
    Condition,
    DocumentType,
    Effect,
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
    declarant,
    declared_at,
    eport_number,
    list_number,
    note,
    own_number,
    seller,
    text,
)
from documents.types.from_list import still_cancellable
from documents.words import Words

HEAD = (
    *SYSTEM,
    declared_at("cancellation"),
    own_number(area="cancellation"),
    eport_number(area="cancellation"),
    list_number("原清单编号", area="cancellation"),
    text("reason", "撤单原因", "Reason", 1000, area="cancellation"),
    *declarant(),
    *seller("收发货人", "Consignor"),
    note(area="cancellation"),
)

CANCELLATION = DocumentType(
    kind="cancellation",
    title=Words("撤销申请单", "Cancellation"),
    owner="list",
    pages=(
        Page("C8", Words("撤销申请单申报", "Declare cancellations"), "lists", OPEN, entry=True),
        Page("C9", Words("撤销申请单查询", "Cancellations"), "lists"),
    ),
    message=Message(root="CEB605Message", node="InvtCancel"),
    head=HEAD,
    number="copNo",
    unique=("agentCode", "copNo"),
    numbers=("preNo", "invtNo"),
    lifecycle=SETTLED_BY_REVIEW,
    receipt=ReceiptForm(
        "CEB606Message", "InvtCancelReturn", keys=("agentCode", "copNo", "invtNo"), fills=("preNo",),
        fields=answer.fields(answer.DECLARANT, answer.OWN_NO, answer.EPORT_NO, answer.LIST_NO),
    ),
    conditions=(
        Condition("copNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("invtNo", "prefix"),
        Condition("customsCode"),
        Condition("ebcCode"),
        Condition("agentCode"),
    ),
    columns=(
        Column("invtNo", 160),
        Column("preNo", 160),
        Column("reason", 160),
        Column("customsCode", 110, default=False),
        Column("ebcName", 160, default=False),
        Column("agentName", 160, default=False),
    ),
    sheet=Sheet(
        title="撤销申请单",
        columns=(
            SheetColumn("企业唯一编号", "copNo", "head"),
            SheetColumn("原清单编号", "invtNo", "head"),
            SheetColumn("撤单原因", "reason", "head"),
            SheetColumn("备注", "note", "head"),
        ),
        group="copNo",
    ),
    # an application is decided, not changed: what was refused is declared again
    actions=actions(Words("确认申报所选撤销申请单？", "Declare the selected cancellations?")),
    areas=(
        ("cancellation", Words("撤销信息", "Cancellation")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    senders=("ecommerce", "agent"),
    on_submit=ON_SUBMIT,
    against=(Against("list", "list", still_cancellable),),
    refs=(Ref("list", ("invtNo",)),),
    effects=(
        Effect("settled", "list", "list", "cancelled", "assumed: 399 means that the cancellation was approved"),
    ),
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, "copNo": "CX202611200001", "invtNo": made_up.LIST_NO,
            "reason": "买家取消订单", **made_up.DECLARANT, **made_up.SELLER, "note": "样例",
        },
        "lines": [],
    },
)  # fmt: skip
