"""出口清单: the export list, CEB603, the declaration of one parcel or one B2B consignment.

Pages C1-C7. Sources: field table CEB603, guide 000 (三) (the detail's fields), guide 002 §3.1-3.6.
"""

from __future__ import annotations

from documents import lifecycles
from documents.rules import (
    empty_where,
    line_totals,
    needed_where,
    net_within_gross,
    no_repeated_line,
    not_before,
    same_among_lines,
    together,
    whole_above_zero,
)
from documents.spec import (
    Action,
    Column,
    Companion,
    Condition,
    Derived,
    DocumentType,
    Field,
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
    code,
    country,
    currency,
    decimal,
    declarant,
    declared_at,
    direction,
    enterprise,
    eport_number,
    goods_code,
    gross_weight,
    list_number,
    net_weight,
    note,
    office,
    own_number,
    package_number,
    pieces,
    platform,
    seller,
    site,
    text,
    transport_mode,
    unit,
    vehicle,
    waybill_number,
)
from documents.types.from_list import CANCELLABLE, RELEASED, cancellation_of, return_of
from documents.words import Words

_LATER = Words("可留空，由清单总分单补充", "May be left empty and supplied by the master-house list")
_ZONE = Words("特殊区域出口（1210）必填", "Required for export from a special area (1210)")
_FLAGS = (("1", Words("率", "Rate")), ("2", Words("单价", "Per unit")), ("3", Words("总价", "Total")))

HEAD = (
    *SYSTEM,
    declared_at("list"),
    *platform(),
    code("orderNo", "订单编号", "Order number", 60, area="list",
         note=Words("9810 填订仓单编号", "For 9810 the booking number")),
    *carrier(),
    waybill_number(area="list"),
    own_number(area="list"),
    eport_number("B", area="list"),
    list_number("清单编号", required=False, filled_by="customs", area="list"),
    direction("E", "list"),
    office("portCode", "出口口岸代码", "Exit port", area="list"),
    Field(name="ieDate", zh="出口日期", en="Export date", type="date", required=True, length=8, area="list"),
    choice("statisticsFlag", "申报业务类型", "Declaration type",
           ("A", Words("简化申报", "Simplified")), ("B", Words("汇总申报", "To be summed up")),
           filled_by="strategy", area="list"),
    *declarant(),
    *seller("收发货人", "Consignor"),
    enterprise("ownerCode", "生产销售企业代码", "Producer code", literal="NO", filled_by="strategy", area="parties",
               note=Words("未在海关注册填 NO", "NO when not registered with customs")),
    text("ownerName", "生产销售企业名称", "Producer", 100, filled_by="strategy", area="parties"),
    enterprise("iacCode", "区内企业代码", "Enterprise in the zone, code", required=False, filled_by="strategy",
               area="parties", note=_ZONE),
    text("iacName", "区内企业名称", "Enterprise in the zone", 100, required=False, filled_by="strategy",
         area="parties", note=_ZONE),
    code("emsNo", "账册编号", "Account book", 30, required=False, filled_by="strategy", area="parties", note=_ZONE),
    choice("tradeMode", "贸易方式", "Trade mode",
           ("9610", Words("跨境电商零售出口", "Retail export")),
           ("1210", Words("特殊区域零售出口", "Retail export from a special area")),
           ("9710", Words("跨境电商B2B直接出口", "B2B direct export")),
           ("9810", Words("跨境电商出口海外仓", "Export to an overseas warehouse")),
           filled_by="strategy", area="list"),
    transport_mode(),
    *vehicle(required=False, why=_LATER),
    package_number(area="transport"),
    site(area="transport"),
    code("licenseNo", "许可证号", "Licence", 19, required=False, area="list"),
    country("运抵国（地区）", "Country of arrival", filled_by="strategy", area="transport"),
    # the table of ports is not published with the message; the guide's detail shows the country's code here
    code("POD", "指运港代码", "Port of destination", 4, min_length=3, table="country", open_table=True,
         pattern=("[0-9A-Z]{3,4}", Words("应为 3 或 4 位指运港代码（大写字母和数字）。",
                                        "must be 3 or 4 capitals and digits, a port of destination.")),
         filled_by="strategy", area="transport",
         note=Words("可按国家（地区）代码填写", "The country's code is taken, too (as the guide shows)")),
    decimal("freight", "运费", "Freight", default="0", area="amounts", note=Words("没有时填 0", "0 when there is none")),
    currency("fCurrency", "运费币制", "Freight currency", area="amounts"),
    choice("fFlag", "运费标志", "Freight is", *_FLAGS, default="3", filled_by="strategy", area="amounts"),
    decimal("insuredFee", "保费", "Insurance", default="0", area="amounts"),
    currency("iCurrency", "保费币制", "Insurance currency", area="amounts"),
    choice("iFlag", "保费标志", "Insurance is", *_FLAGS, default="3", filled_by="strategy", area="amounts"),
    code("wrapType", "包装种类代码", "Packing", 1, min_length=1, table="package_type_ceb", filled_by="strategy",
         area="transport"),
    pieces("amounts"),
    gross_weight("amounts"),
    net_weight("amounts"),
    note(area="list"),
)  # fmt: skip

LINES = (
    Field(name="gnum", zh="商品序号", en="No.", type="integer", required=True, digits=5, filled_by="system"),
    code("itemNo", "企业商品货号", "Article number", 20),
    code("itemRecordNo", "账册备案料号", "Account book item", 30, required=False,
         note=Words("保税出口必填", "Required for bonded export")),
    text("itemName", "企业商品名称", "Enterprise's article name", 250, required=False,
         note=Words("汇总后作为退税商品名称", "Becomes the name of goods for the tax refund")),
    goods_code(note=Words("简化申报只归类前 4 位", "Of a simplified list only the first 4 digits are classified")),
    text("gname", "商品名称", "Goods", 250),
    text("gmodel", "规格型号", "Specification", 250),
    code("barCode", "条形码", "Bar code", 50, note=Words("没有时填“无”", "无 when there is none")),
    country("目的国（地区）代码", "Country of destination"),
    currency(),
    decimal("qty", "申报数量", "Quantity", positive=True),
    decimal("qty1", "法定数量", "Legal quantity", positive=True),
    decimal("qty2", "第二数量", "Second quantity", required=False, positive=True),
    unit("unit", "申报计量单位", "Unit"),
    unit("unit1", "法定计量单位", "Legal unit"),
    unit("unit2", "第二计量单位", "Second unit", required=False, exact=False),
    decimal("price", "单价", "Unit price", positive=True, note=Words("FOB 成交单价", "FOB")),
    # signed: a wrong sign shows in quantity or price, where it is named; the rule refuses what is left
    # the guide limits totals of orders to cents; of lists nothing says so, and the message takes five decimals
    decimal("totalPrice", "总价", "Total", signed=True),
    note(),
)  # fmt: skip

SAME_LINE = ("itemNo", "gcode", "gname", "gmodel", "barCode", "country", "unit", "qty", "price", "totalPrice")
_SPECIAL_AREA = frozenset({"1210"})
_FROM_ZONE = Words("特殊区域出口（1210）时，", "for export from a special area (1210)")
RULES = (
    # CEB603, totalPrice: quantity times unit price
    line_totals("qty", "price", "totalPrice"),
    # assumed: the message gives each line a currency of its own, the summed-up declaration has one
    same_among_lines("currency", Words("币制", "Currency")),
    no_repeated_line(SAME_LINE, "itemNo"),
    # a second unit without a quantity, or the other way round, says nothing
    together("qty2", "unit2", Words("第二数量与第二计量单位", "Second quantity and second unit")),
    net_within_gross("netWeight", "grossWeight"),
    whole_above_zero("packNo", Words("件数", "Parcels")),
    not_before("ieDate", "20100101", Words("出口日期", "Export date")),
    # CEB603, iacCode, iacName, emsNo: required for special-area export; itemRecordNo: for bonded export
    needed_where("iacCode", Words("区内企业代码", "Enterprise in the zone, code"), "tradeMode", _SPECIAL_AREA, _FROM_ZONE),
    needed_where("iacName", Words("区内企业名称", "Enterprise in the zone"), "tradeMode", _SPECIAL_AREA, _FROM_ZONE),
    needed_where("emsNo", Words("账册编号", "Account book"), "tradeMode", _SPECIAL_AREA, _FROM_ZONE),
    needed_where("itemRecordNo", Words("账册备案料号", "Account book item"), "tradeMode", _SPECIAL_AREA, _FROM_ZONE,
                 level="line"),
    # CEB603, statisticsFlag: A only for goods without licence, export duty or export tax refund
    empty_where("licenseNo", Words("许可证号", "Licence"), "statisticsFlag", frozenset({"A"}),
                Words("简化申报（A）", "in a simplified declaration (A)")),
)  # fmt: skip

#: guide 002, the three query pages. assumed: 已结关 is the state of 899 alone, what comes before is 未结关
NOT_CLOSED = (
    "draft", "checked", "signing", "signed", "sent", "stored", "received", "send_failed", "rejected", "error",
    "accepted", "in_review", "settled", "inspection", "detained", "returned", "released",
    "cancelled", "amended", "deleted",
)  # fmt: skip
#: assumed: an amendment is taken until customs has released; -621011 and -621012 show that it refuses some
AMENDABLE = ("accepted", "in_review", "settled", "inspection")

LIST = DocumentType(
    kind="list",
    title=Words("出口清单", "Export list"),
    owner="list",
    pages=(
        Page("C1", Words("清单录入", "Enter lists"), "lists", ("draft", "checked"), entry=True),
        Page("C2", Words("清单导入", "Import lists"), "lists", ("draft", "checked"), entry=True),
        Page("C3", Words("清单申报", "Declare lists"), "lists", OPEN, entry=True),
        Page("C4", Words("清单改单", "Amend lists"), "lists", AMENDABLE),
        Page("C5", Words("未结关清单", "Lists not closed"), "lists", NOT_CLOSED),
        Page("C6", Words("已结关清单", "Lists closed"), "lists", ("closed",)),
        Page("C7", Words("已结案清单", "Lists of closed cases"), "lists", ("case_closed",)),
    ),
    message=Message(root="CEB603Message", node="Inventory", head="InventoryHead", line="InventoryList"),
    head=HEAD,
    lines=LINES,
    number="copNo",
    unique=("agentCode", "copNo"),
    numbers=("preNo", "invtNo", "orderNo", "logisticsNo", "billNo"),
    line_number="gnum",
    lifecycle=lifecycles.LIST,
    receipt=ReceiptForm(
        "CEB604Message", "InventoryReturn", keys=("agentCode", "copNo", "ebcCode", "ebpCode", "orderNo"),
        fills=("preNo", "invtNo"),
        fields=answer.fields(
            answer.DECLARANT, answer.OWN_NO, answer.EPORT_NO, answer.LIST_NO, answer.SELLER, answer.PLATFORM,
            answer.ORDER_NO, answer.STATISTICS,
        ),
    ),
    conditions=(
        Condition("copNo", "prefix"),
        Condition("preNo", "prefix"),
        Condition("invtNo", "prefix"),
        Condition("orderNo", "prefix"),
        Condition("logisticsNo", "prefix"),
        Condition("billNo", "prefix"),
        Condition("statisticsFlag"),
        Condition("tradeMode"),
        Condition("customsCode"),
        Condition("ieDate"),
        Condition("ebcCode"),
        Condition("agentCode"),
    ),
    columns=(
        Column("invtNo", 160),
        Column("orderNo", 140),
        Column("logisticsNo", 140),
        Column("preNo", 160, default=False),
        Column("statisticsFlag", 100, default=False),
        Column("tradeMode", 100, default=False),
        Column("customsCode", 110, default=False),
        Column("ieDate", 100, default=False),
        Column("billNo", 130, default=False),
        Column("country", 110, default=False),
        Column("grossWeight", 90, "right", default=False),
        Column("netWeight", 90, "right", default=False),
        Column("packNo", 70, "right", default=False),
        Column("ebcName", 160, default=False),
        Column("agentName", 160, default=False),
    ),
    sheet=Sheet(
        title="出口清单",
        columns=(
            SheetColumn("企业唯一编号", "copNo", "head"),
            SheetColumn("订单编号", "orderNo", "head"),
            SheetColumn("物流运单编号", "logisticsNo", "head"),
            SheetColumn("运抵国（地区）", "country", "head"),
            SheetColumn("指运港代码", "POD", "head"),
            SheetColumn("运费", "freight", "head"),
            SheetColumn("保费", "insuredFee", "head"),
            SheetColumn("毛重(kg)", "grossWeight", "head"),
            SheetColumn("净重(kg)", "netWeight", "head"),
            SheetColumn("件数", "packNo", "head"),
            SheetColumn("企业商品货号", "itemNo", "line"),
            SheetColumn("账册备案料号", "itemRecordNo", "line"),
            SheetColumn("商品名称", "gname", "line"),
            SheetColumn("商品编码", "gcode", "line"),
            SheetColumn("规格型号", "gmodel", "line"),
            SheetColumn("条形码", "barCode", "line"),
            SheetColumn("目的国", "country", "line"),
            SheetColumn("申报数量", "qty", "line"),
            SheetColumn("申报计量单位", "unit", "line"),
            SheetColumn("法定数量", "qty1", "line"),
            SheetColumn("法定计量单位", "unit1", "line"),
            SheetColumn("第二数量", "qty2", "line"),
            SheetColumn("第二计量单位", "unit2", "line"),
            SheetColumn("单价", "price", "line"),
            SheetColumn("总价", "totalPrice", "line"),
        ),
        group="copNo",
        batch=True,
        export_date="ieDate",
    ),
    # what customs holds is taken back by a cancellation (CEB605), not by a deletion
    actions=actions(Words("确认申报所选清单？尚未申报的订单、运单和收款单将一并发送。",
                          "Declare the selected lists? Orders, waybills and payments not sent yet go along."),
                    amend=AMENDABLE,
                    more=(
                        Action("cancel", Words("申请撤销", "Cancel"), CANCELLABLE,
                               Words("确认为所选清单生成撤销申请单？", "Make cancellations of the selected lists?"),
                               "document.write"),
                        Action("return", Words("退货", "Return"), RELEASED,
                               Words("确认为所选清单生成退货申请单？", "Make returns of the selected lists?"),
                               "document.write"),
                    )),
    derives=(
        Derived("cancel", "cancellation", "CX", cancellation_of),
        Derived("return", "return", "TH", return_of),
    ),
    marks=(
        summary_state(Words("汇总状态", "Summary state")),
    ),
    areas=(
        ("list", Words("清单信息", "List")),
        ("parties", Words("企业信息", "Parties")),
        ("transport", Words("运输信息", "Transport")),
        ("amounts", Words("费用与重量", "Charges and weights")),
        ("message", Words("报文信息", "Message")),
    ),
    # guide 002 §3.2: the e-commerce enterprise or the agent that declares for it
    senders=("ecommerce", "agent"),
    on_submit=ON_SUBMIT,
    rules=RULES,
    same_line=SAME_LINE,
    refs=(
        Ref("order", ("ebpCode", "orderNo")),
        Ref("waybill", ("logisticsCode", "logisticsNo")),
        Ref("list", ("invtNo",)),
        Ref("bill", ("billNo",)),
    ),
    # guide 002 §3.2: declaring the list makes order, waybill and payment go, too (四单比对)
    companions=(
        Companion("waybill", "waybill", ("ebcCode", "ebcName")),
        Companion("order", "order"),
        Companion("booking", "order"),
        Companion("payment", "order"),
    ),
    example={
        "head": {
            "customsCode": made_up.CUSTOMS, **made_up.PLATFORM, "orderNo": made_up.ORDER_NO, **made_up.CARRIER,
            "logisticsNo": made_up.WAYBILL_NO, "copNo": "QD202611200001", "ieFlag": "E", "portCode": made_up.CUSTOMS,
            "ieDate": "20261120", "statisticsFlag": "B", **made_up.DECLARANT, **made_up.SELLER, **made_up.PRODUCER,
            **made_up.ZONE, "tradeMode": "1210", "trafMode": "5", "trafName": "示例航空", "voyageNo": "SL999",
            "billNo": made_up.BILL_NO, "totalPackageNo": "ZB0001", "loctNo": "900001", "licenseNo": "SL26000001",
            "country": made_up.AMERICA, "POD": made_up.AMERICA, "freight": "64.995", "fCurrency": made_up.CNY,
            "fFlag": "3", "insuredFee": "0", "iCurrency": made_up.CNY, "iFlag": "3", "wrapType": "2", "packNo": "1",
            "grossWeight": "1.18", "netWeight": "1.13", "note": "样例",
        },
        "lines": [
            {
                "itemNo": "CB0001", "itemRecordNo": "BA0001", "itemName": "手工陶瓷茶杯", "gcode": "6912001000",
                "gname": "陶瓷茶杯", "gmodel": "200ml", "barCode": "无", "country": made_up.AMERICA,
                "currency": made_up.USD, "qty": "4", "qty1": "1.13", "qty2": "4", "unit": "011", "unit1": "035",
                "unit2": "011", "price": "14.95", "totalPrice": "59.80", "note": "样例",
            },
        ],
    },
)  # fmt: skip
