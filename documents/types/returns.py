"""退货申请单: goods of an export list that come back, CEB213.

Pages D1, D2 (guide 002 §4.1-4.2). Source: field table CEB213 (XSD order and lengths; the PDF differs in both).
Which of the conditions of §4.2 there are, and from what: docs/decisions/0017.
"""

from __future__ import annotations

from dataclasses import replace

from documents.codes import CHINA
from documents.lifecycles import RETURN as COURSE
from documents.rules import no_repeated_line, not_code, together, whole_above_zero
from documents.spec import (
    Against,
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
from documents.types.common import ON_SUBMIT, OPEN, SYSTEM, actions, summary_state
from documents.types.fields import (
    carrier,
    choice,
    country,
    decimal,
    declarant,
    declared_at,
    direction,
    eport_number,
    goods_code,
    list_number,
    note,
    office,
    own_number,
    platform,
    seller,
    site,
    text,
    transport_mode,
    unit,
    vehicle,
    waybill_number,
    whole,
)
from documents.types.from_list import within_list
from documents.words import Words

_TRANSPORT = {item.name: item for item in vehicle(required=True)}
_NO_BILL = Words("没有提运单时填运单编号", "The waybill number when there is no bill")
# CEB213, rules: not above the original list, which is not at hand when a body is judged
_NOT_ABOVE = Words("不得大于原清单数量", "Not above the original list")

HEAD = (
    *SYSTEM,
    declared_at("return", zh="关区代码"),
    site(area="return"),
    *platform(),
    *seller("电商企业（收发货人）", "E-commerce enterprise (consignor)"),
    waybill_number(80, area="return"),
    *carrier(),
    own_number("coElNo", "企业内部标识", "Enterprise's own mark", area="return"),
    eport_number("B", exact=False, area="return"),
    list_number("原清单号", area="return"),
    # the XSD lets it be left out, the PDF does not; its values are those of the PDF (the XSD cites older ones)
    choice("tradeMode", "退货监管方式", "Return mode",
           ("9661", Words("一般出口退货", "Return of a retail export")),
           ("1261", Words("特殊区域退货", "Return to a special area")),
           required=False, area="return"),
    *declarant(),
    replace(_TRANSPORT["billNo"], note=_NO_BILL),
    direction("I", "return", exact=False),
    transport_mode(exact=False),
    _TRANSPORT["trafName"],
    office("portCode", "进出口岸", "Port of entry", exact=False, area="transport"),
    text("reason", "退货原因", "Reason", 500, area="return"),
    country("启运国（地区）", "Country of departure", exact=False, area="transport",
            note=Words("不能是中国", "Not China")),
    _TRANSPORT["voyageNo"],
    note(500, area="return"),
)  # fmt: skip

LINES = (
    whole("gnum", "商品项号", "Line of the list", 4, note=Words("原清单中的商品序号", "Its number in the original list")),
    goods_code(exact=False),
    text("gname", "商品名称", "Goods", 250),
    text("gmodel", "规格型号", "Specification", 250),
    decimal("qty", "申报数量", "Quantity", positive=True, note=_NOT_ABOVE),
    decimal("qty1", "法定数量", "Legal quantity", positive=True, note=_NOT_ABOVE),
    unit("unit", "申报计量单位", "Unit"),
    unit("unit1", "法定计量单位", "Legal unit"),
    decimal("qty2", "法定第二数量", "Second legal quantity", required=False, positive=True, note=_NOT_ABOVE),
    unit("unit2", "法定第二计量单位", "Second legal unit", required=False),
    note(500),
)  # fmt: skip

RULES = (
    # CEB213, country: must not be China
    not_code("country", CHINA, Words("启运国（地区）不能是中国，请填写货物退回时的启运国代码。",
                                     "must not be China; enter the country the goods come back from.")),
    # CEB213, gnum: item number in the original list
    whole_above_zero("gnum", Words("商品项号", "The line of the list"), in_lines=True),
    no_repeated_line(("gnum",), "gnum", Words("商品项号", "Line of the list")),
    # a second unit without a quantity, or the other way round, says nothing
    together("qty2", "unit2", Words("法定第二数量与法定第二计量单位", "Second legal quantity and second legal unit")),
)  # fmt: skip

RETURN = DocumentType(
    kind="return",
    title=Words("退货申请单", "Return"),
    owner="list",
    pages=(
        Page("D1", Words("待申报退货单", "Returns to be declared"), "returns", OPEN, entry=True),
        Page("D2", Words("退货单查询", "Returns"), "returns"),
    ),
    message=Message(
        root="CEB213Message", node="InvtRefund", head="InvtRefundHead", line="InvtRefundList", signature="optional"
    ),
    head=HEAD,
    lines=LINES,
    number="coElNo",
    unique=("agentCode", "coElNo"),
    numbers=("preNo", "invtNo", "logisticsNo", "billNo"),
    lifecycle=COURSE,
    receipt=ReceiptForm(
        "CEB214Message", "RefundReturn", keys=("agentCode", "coElNo", "invtNo"), fills=("preNo",),
        fields=answer.fields(
            answer.optional(answer.PLATFORM), answer.optional(answer.SELLER), answer.DECLARANT, answer.RETURN_NO,
            answer.optional(answer.sized(answer.EPORT_NO, 0, 18)), answer.LIST_NO, status=answer.LOOSE_STATUS,
        ),
    ),
    conditions=(
        Condition("coElNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("invtNo", "prefix"),
        Condition("logisticsNo", "prefix"),
        Condition("billNo", "prefix"),
        Condition("tradeMode"),
        Condition("customsCode"),
        Condition("ebcCode"),
        Condition("agentCode"),
    ),
    columns=(
        Column("invtNo", 160),
        Column("logisticsNo", 140),
        Column("reason", 140),
        Column("preNo", 160, default=False),
        Column("tradeMode", 100, default=False),
        Column("billNo", 130, default=False),
        Column("country", 110, default=False),
        Column("customsCode", 110, default=False),
        Column("ebcName", 160, default=False),
        Column("agentName", 160, default=False),
    ),
    marks=(summary_state(Words("原清单汇总状态", "Summary state of its list")),),
    sheet=Sheet(
        title="退货申请单",
        columns=(
            SheetColumn("企业内部标识", "coElNo", "head"),
            SheetColumn("原清单号", "invtNo", "head"),
            SheetColumn("物流运单编号", "logisticsNo", "head"),
            SheetColumn("提运单号", "billNo", "head"),
            SheetColumn("运输工具名称", "trafName", "head"),
            SheetColumn("航班航次号", "voyageNo", "head"),
            SheetColumn("启运国（地区）", "country", "head"),
            SheetColumn("退货原因", "reason", "head"),
            SheetColumn("商品项号", "gnum", "line"),
            SheetColumn("商品编码", "gcode", "line"),
            SheetColumn("商品名称", "gname", "line"),
            SheetColumn("规格型号", "gmodel", "line"),
            SheetColumn("申报数量", "qty", "line"),
            SheetColumn("申报计量单位", "unit", "line"),
            SheetColumn("法定数量", "qty1", "line"),
            SheetColumn("法定计量单位", "unit1", "line"),
            SheetColumn("法定第二数量", "qty2", "line"),
            SheetColumn("法定第二计量单位", "unit2", "line"),
        ),
        group="coElNo",
    ),
    # an application is decided, not changed: what was refused is declared again
    actions=actions(Words("确认申报所选退货申请单？", "Declare the selected returns?")),
    areas=(
        ("return", Words("退货信息", "Return")),
        ("transport", Words("运输信息", "Transport")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    # XSD annotation: the e-commerce enterprise; guide 002 §4.2: or the agent that declares for it
    senders=("ecommerce", "agent"),
    on_submit=ON_SUBMIT,
    against=(Against("list", "list", within_list),),
    rules=RULES,
    same_line=("gnum",),
    refs=(
        Ref("waybill", ("logisticsCode", "logisticsNo")),
        Ref("list", ("invtNo",)),
        Ref("return", ("coElNo",)),
    ),
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, "loctNo": "900001", **made_up.PLATFORM, **made_up.SELLER,
            "logisticsNo": made_up.WAYBILL_NO, **made_up.CARRIER, "coElNo": made_up.RETURN_NO,
            "invtNo": made_up.LIST_NO, "tradeMode": "9661", **made_up.DECLARANT, "billNo": made_up.BILL_NO,
            "ieFlag": "I", "trafMode": "5", "trafName": "示例航空", "portCode": made_up.CUSTOMS,
            "reason": "买家拒收", "country": made_up.AMERICA, "voyageNo": "SL998", "note": "样例",
        },
        "lines": [
            {
                "gnum": "1", "gcode": "6912001000", "gname": "陶瓷茶杯", "gmodel": "200ml", "qty": "1", "qty1": "0.28",
                "unit": "011", "unit1": "035", "qty2": "1", "unit2": "011", "note": "样例",
            },
        ],
    },
)  # fmt: skip
