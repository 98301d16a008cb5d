"""海外仓订仓单: the overseas-warehouse booking, CEB303 with orderType W (9810).

orderNo holds the booking number and ebpName the warehouse's name (PDF table and revision note of the 202205 edition;
the XSD's annotation still explains W differently). Page A6. Source of the template: guide 000 (二).
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.spec import DocumentType, Sheet, SheetColumn
from documents.types import ceb303
from documents.words import Words

BOOKING = DocumentType(
    kind="booking",
    title=Words("海外仓订仓单", "Overseas-warehouse booking"),
    owner="order",
    pages=("A6",),
    message=ceb303.MESSAGE,
    head=ceb303.head_fields(
        ceb303.order_type(("W", Words("海外仓订仓单（9810）", "Overseas-warehouse booking (9810)"))),
        Words("订仓单编号", "Booking number"),
        Words("海外仓名称", "Overseas warehouse"),
    ),
    lines=ceb303.LINES,
    number="orderNo",
    unique=("ebpCode", "orderNo"),
    line_number="gnum",
    discriminator=("orderType", ("W",)),
    lifecycle=SETTLED_BY_STORING,
    receipt=ceb303.RECEIPT,
    conditions=ceb303.CONDITIONS,
    columns=ceb303.COLUMNS,
    sheet=Sheet(
        title="订仓单",
        columns=(
            SheetColumn("订仓单号", "orderNo", "head"),
            SheetColumn("商品货号", "itemNo", "line"),
            SheetColumn("商品名称", "itemName", "line"),
            SheetColumn("数量", "qty", "line"),
            SheetColumn("总额", "totalPrice", "line"),
            SheetColumn("单价", "price", "line"),
            SheetColumn("计量单位", "unit", "line"),
        ),
        group="orderNo",
    ),
    actions=ceb303.actions(Words("确认将所选订仓单提交海关？", "Submit the selected bookings to customs?")),
    areas=ceb303.AREAS,
    on_submit=ceb303.ON_SUBMIT,
    computed=ceb303.COMPUTED,
    rules=ceb303.RULES,
    same_line=ceb303.SAME_LINE,
)
