"""出口订单: the export order, CEB303 with orderType E (9610) or B (9710).

Pages A1, A2, A5. Sources: field table CEB303, guide 000 (一), guide 003 (import template).
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.spec import DocumentType, Sheet, SheetColumn
from documents.types import ceb303
from documents.words import Words

ORDER = DocumentType(
    kind="order",
    title=Words("出口订单", "Export order"),
    owner="order",
    pages=("A1", "A2", "A5"),
    message=ceb303.MESSAGE,
    head=ceb303.head_fields(
        ceb303.order_type(
            ("B", Words("B2B出口订单（9710）", "B2B export order (9710)")),
            ("E", Words("B2C出口订单（9610）", "B2C export order (9610)")),
        ),
        Words("订单编号", "Order number"),
        Words("电商平台名称", "Platform"),
    ),
    lines=ceb303.LINES,
    number="orderNo",
    unique=("ebpCode", "orderNo"),
    line_number="gnum",
    discriminator=("orderType", ("E", "B")),
    lifecycle=SETTLED_BY_STORING,
    receipt=ceb303.RECEIPT,
    conditions=ceb303.CONDITIONS,
    columns=ceb303.COLUMNS,
    sheet=Sheet(
        title="订单",
        columns=(
            SheetColumn("订单号", "orderNo", "head"),
            SheetColumn("商品货号", "itemNo", "line"),
            SheetColumn("商品名称", "itemName", "line"),
            SheetColumn("数量", "qty", "line"),
            SheetColumn("总额", "totalPrice", "line"),
            SheetColumn("单价", "price", "line"),
            SheetColumn("计量单位", "unit", "line"),
        ),
        group="orderNo",
    ),
    actions=ceb303.actions(Words("确认将所选订单提交海关？", "Submit the selected orders to customs?")),
    areas=ceb303.AREAS,
    on_submit=ceb303.ON_SUBMIT,
    computed=ceb303.COMPUTED,
    rules=ceb303.RULES,
    same_line=ceb303.SAME_LINE,
)
