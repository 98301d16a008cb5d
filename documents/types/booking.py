"""海外仓订仓单: the overseas-warehouse booking, CEB303 with orderType W (9810).

orderNo holds the booking number and ebpName the warehouse's name (PDF table and revision note of the 202205 edition;
the XSD's annotation still explains W differently). Page A6. Source of the template: guide 000 (二).
"""

from __future__ import annotations

from documents.spec import Page
from documents.types import ceb303
from documents.words import Words

BOOKING = ceb303.document(
    kind="booking",
    title=Words("海外仓订仓单", "Overseas-warehouse booking"),
    pages=(Page("A6", Words("9810 出口订仓单", "9810 bookings"), "trade", entry=True),),
    types=(("W", Words("海外仓订仓单（9810）", "Overseas-warehouse booking (9810)")),),
    number=Words("订仓单编号", "Booking number"),
    platform=Words("海外仓名称", "Overseas warehouse"),
    sheet=("订仓单", "订仓单号"),
    confirm=Words("确认将所选订仓单提交海关？", "Submit the selected bookings to customs?"),
)
