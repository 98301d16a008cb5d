"""出口订单: the export order, CEB303 with orderType E (9610) or B (9710).

Pages A1, A2, A5. Sources: field table CEB303, guide 000 (一), guide 003 (import template).
"""

from __future__ import annotations

from documents.spec import Page
from documents.types import ceb303
from documents.types.common import NOT_SETTLED, SETTLED
from documents.words import Words

ORDER = ceb303.document(
    kind="order",
    title=Words("出口订单", "Export order"),
    pages=(
        Page("A1", Words("未审结订单", "Orders not settled"), "trade", NOT_SETTLED),
        Page("A2", Words("已审结订单", "Orders settled"), "trade", SETTLED),
        Page("A5", Words("9710 出口订单", "9710 export orders"), "trade", entry=True),
    ),
    types=(
        ("B", Words("B2B出口订单（9710）", "B2B export order (9710)")),
        ("E", Words("B2C出口订单（9610）", "B2C export order (9610)")),
    ),
    number=Words("订单编号", "Order number"),
    platform=Words("电商平台名称", "Platform"),
    sheet=("订单", "订单号"),
    confirm=Words("确认将所选订单提交海关？", "Submit the selected orders to customs?"),
)
