"""What summary results and summary declarations share: both are read from CEB792, which customs sends.

Source: field table CEB792. Nobody fills, edits or answers them. Several results may come for one application; later
ones bring the numbers of the declaration.
"""

from __future__ import annotations

from documents.spec import Message
from documents.types import made_up
from documents.types.fields import (
    code,
    decimal,
    declarant,
    declared_at,
    declaring_agent,
    goods_code,
    list_number,
    note,
    parts,
    seller,
    waybill_number,
    whole,
)
from documents.words import Words

#: CEB792Message: unbounded lines, of which a message of our day holds far fewer
MESSAGE = Message(
    root="CEB792Message", node="SummaryResult", head="SummaryResultHead", line="SummaryResultList",
    min_lines=0, max_lines=100_000, signature="never", direction="in",
)  # fmt: skip

_TIME = ("[0-9]{17}", Words("应为 17 位数字 yyyyMMddHHmmssSSS。", "must be 17 digits, yyyyMMddHHmmssSSS."))
_LATER = Words("由后续结果报文返回", "Comes with a later result")

HEAD = (
    code("guid", "系统唯一序号", "GUID", 36, min_length=36, area="message"),
    declared_at("summary"),
    code("sumNo", "汇总申请编号", "Application number", 18, min_length=18, area="summary"),
    code("opDate", "汇总处理时间", "Processed at", 17, min_length=17, pattern=_TIME, area="summary"),
    code("declSeqNo", "汇总统一编号", "Unified number", 18, min_length=18, area="declaration",
         note=Words("每份报关单一个", "One per declaration")),
    code("decTmpNo", "电子口岸暂存编号", "E-port draft number", 18, min_length=18, required=False, area="declaration",
         note=_LATER),
    code("decPreNo", "电子口岸预录入编号", "E-port pre-entry number", 18, min_length=18, required=False,
         area="declaration", note=_LATER),
    code("entryId", "报关单编号", "Declaration number", 18, min_length=18, required=False, area="declaration",
         note=_LATER),
    # its values are not published
    code("decState", "报关单状态", "Declaration state", 3, min_length=1, area="declaration"),
    *declarant(),
    *seller("收发货人", "Consignor"),
    *declaring_agent(),
    decimal("grossWeight", "毛重（公斤）", "Gross weight (kg)", area="summary"),
    decimal("netWeight", "净重（公斤）", "Net weight (kg)", area="summary"),
    *parts(),
    note(area="summary"),
)  # fmt: skip

LINES = (
    list_number("清单编号"),
    waybill_number(),
    whole("gseqno", "汇总结果单顺序号", "Line of the summary", 5),
    whole("gnum", "清单商品项号", "Line of the list", 5),
    goods_code(zh="清单商品编码"),
)

AREAS = (
    ("summary", Words("汇总信息", "Summary")),
    ("declaration", Words("报关单信息", "Declaration")),
    ("parties", Words("企业信息", "Parties")),
    ("message", Words("报文信息", "Message")),
)

EXAMPLE = {
    "head": {
        "guid": "0198F3A2-7C11-7000-8000-0000000000E3", "customsCode": made_up.CUSTOMS, "sumNo": "S20261121000000001",
        "opDate": "20261122093000000", "declSeqNo": "E20261122000000001", "decTmpNo": "T20261122000000001",
        "decPreNo": "P20261122000000001", "entryId": "900020260000000001", "decState": "A", **made_up.DECLARANT,
        **made_up.SELLER, **made_up.DECLARING, "grossWeight": "1.18", "netWeight": "1.13", "msgCount": "1",
        "msgSeqNo": "1", "note": "样例",
    },
    "lines": [
        {"invtNo": made_up.LIST_NO, "logisticsNo": made_up.WAYBILL_NO, "gseqno": "1", "gnum": "1",
         "gcode": "6912001000"},
    ],
}  # fmt: skip
