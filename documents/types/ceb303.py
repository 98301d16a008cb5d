"""What order and booking share: both are CEB303, told apart by orderType.

Source: field table CEB303 of the interface specification, 202205 edition (XSD order, lengths, required flags).
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.rules import head_equals_sum, line_totals, no_repeated_line, same_in_lines, sum_of_lines
from documents.spec import (
    Action,
    Column,
    Condition,
    DocumentType,
    Field,
    Message,
    ReceiptForm,
    Sheet,
    SheetColumn,
)
from documents.words import Words

MESSAGE = Message(
    root="CEB303Message", node="Order", head="OrderHead", line="OrderList", signature="optional"
)
RECEIPT = ReceiptForm(root="CEB304Message", node="OrderReturn", keys=("ebpCode", "ebcCode", "orderNo"))

AREAS = (
    ("order", Words("订单信息", "Order")),
    ("parties", Words("企业信息", "Parties")),
    ("amounts", Words("金额", "Amounts")),
    ("message", Words("报文信息", "Message")),
)

#: 10 = customs registration, 18 = unified social credit code; the platform may be 无 when it is foreign
_CODE_SHAPE = r"[0-9A-Z]{10}|[0-9A-HJ-NPQRTUWXY]{18}"
_CODE_WORDS = Words(
    "应为 10 位海关注册编码或 18 位统一社会信用代码（大写字母和数字）。",
    "must be a 10-character customs registration or an 18-character unified social credit code (capitals, digits).",
)
_PLATFORM_WORDS = Words(
    "应为 10 位海关注册编码、18 位统一社会信用代码，境外平台无代码时填“无”。",
    "must be a 10-character customs registration, an 18-character unified social credit code, or 无 for a foreign "
    "platform without a code.",
)

#: set by the system when the document is sent; never accepted from anybody
SYSTEM = (
    Field(name="guid", zh="系统唯一序号", en="GUID", type="code", required=True, length=36, min_length=36,
          filled_by="system", area="message"),
    Field(name="appType", zh="报送类型", en="Filing type", type="code", required=True, length=1, min_length=1,
          choices=(("1", Words("新增", "Add")), ("2", Words("变更", "Amend")), ("3", Words("删除", "Delete"))),
          filled_by="system", area="message"),
    Field(name="appTime", zh="报送时间", en="Filing time", type="datetime", required=True, length=14,
          filled_by="system", area="message"),
    Field(name="appStatus", zh="报送状态", en="Filing status", type="code", required=True, length=1, min_length=1,
          choices=(("1", Words("暂存", "Stored")), ("2", Words("申报", "Declared"))),
          filled_by="system", area="message"),
)  # fmt: skip
ON_SUBMIT = (("guid", "guid"), ("appType", "app_type"), ("appTime", "app_time"), ("appStatus", "app_status"))


def order_type(*choices: tuple[str, Words]) -> Field:
    """orderType, limited to the values of one kind; filled by the strategy."""
    return Field(name="orderType", zh="订单类型", en="Order type", type="code", required=True, length=1, min_length=1,
                 choices=choices, filled_by="strategy", area="order",
                 default=choices[0][0] if len(choices) == 1 else None)  # fmt: skip


def head_fields(type_field: Field, number: Words, platform_name: Words) -> tuple[Field, ...]:
    """OrderHead in XSD order."""
    return (
        *SYSTEM,
        type_field,
        Field(name="orderNo", zh=number.zh, en=number.en, type="code", required=True, length=60, area="order"),
        Field(name="ebpCode", zh="电商平台代码", en="Platform code", type="code", required=True, length=18,
              pattern=(rf"无|{_CODE_SHAPE}", _PLATFORM_WORDS), filled_by="strategy", area="parties"),
        Field(name="ebpName", zh=platform_name.zh, en=platform_name.en, type="text", required=True, length=100,
              filled_by="strategy", area="parties"),
        Field(name="ebcCode", zh="电商企业代码", en="E-commerce enterprise code", type="code", required=True, length=18,
              pattern=(_CODE_SHAPE, _CODE_WORDS), filled_by="strategy", area="parties"),
        Field(name="ebcName", zh="电商企业名称", en="E-commerce enterprise", type="text", required=True, length=100,
              filled_by="strategy", area="parties"),
        Field(name="goodsValue", zh="商品金额", en="Value of goods", type="decimal", required=True, digits=19, scale=5,
              filled_by="computed", area="amounts",
              note=Words("由表体总价合计得出", "Worked out as the sum of the lines")),
        Field(name="freight", zh="运杂费", en="Freight", type="decimal", required=True, digits=19, scale=5,
              default="0", filled_by="strategy", area="amounts"),
        Field(name="currency", zh="币制", en="Currency", type="code", required=True, length=3, min_length=3,
              table="currency", filled_by="strategy", area="amounts"),
        Field(name="note", zh="备注", en="Note", type="text", required=False, length=1000, area="order"),
    )  # fmt: skip


#: OrderList in XSD order. Quantity and price take five decimals (message), a total two (guide 003).
LINES = (
    Field(name="gnum", zh="序号", en="No.", type="integer", required=True, digits=5, filled_by="system"),
    Field(name="itemNo", zh="商品货号", en="Article number", type="code", required=True, length=30),
    Field(name="itemName", zh="商品名称", en="Article", type="text", required=True, length=250),
    Field(name="itemDescribe", zh="商品描述", en="Description", type="text", required=False, length=1000),
    Field(name="barCode", zh="条形码", en="Bar code", type="code", required=False, length=50),
    Field(name="unit", zh="计量单位", en="Unit", type="code", required=True, length=3, min_length=3, table="unit"),
    Field(name="currency", zh="币制", en="Currency", type="code", required=True, length=3, min_length=3,
          table="currency", filled_by="strategy"),
    Field(name="qty", zh="数量", en="Quantity", type="decimal", required=True, digits=19, scale=5, positive=True),
    Field(name="price", zh="单价", en="Unit price", type="decimal", required=True, digits=19, scale=5, positive=True),
    # signed: a wrong sign shows in quantity or price, where it is named; the rule below refuses what is left
    Field(name="totalPrice", zh="总额", en="Total", type="decimal", required=True, digits=19, scale=5, decimals=2,
          signed=True),
    Field(name="note", zh="备注", en="Note", type="text", required=False, length=1000),
)  # fmt: skip

COMPUTED = (("goodsValue", sum_of_lines("totalPrice")),)
SAME_LINE = ("itemNo", "itemName", "itemDescribe", "barCode", "unit", "qty", "price")
RULES = (
    line_totals("qty", "price", "totalPrice"),
    head_equals_sum("goodsValue", "totalPrice", Words("商品金额", "Value of goods")),
    same_in_lines("currency", Words("币制", "Currency")),
    no_repeated_line(SAME_LINE, "itemNo"),
)

#: where nothing stands in the way: before it was sent, or when customs does not hold it
_OPEN = ("draft", "checked", "rejected", "error", "send_failed")


def actions(declare: Words) -> tuple[Action, ...]:
    """What people do with them; the words of 提交海关 name the kind."""
    return (
        Action(
            "edit",
            Words("修改", "Edit"),
            _OPEN,
            Words("确认修改？", "Change this document?"),
            "document.write",
        ),
        Action("declare", Words("提交海关", "Submit to customs"), _OPEN, declare, "document.declare"),
        Action(
            "delete",
            Words("删除", "Delete"),
            ("draft", "checked", "rejected"),
            Words("确认删除所选单据？", "Delete the selected documents?"),
            "document.delete",
        ),
    )


CONDITIONS = (
    Condition("orderNo", "prefix"),
    Condition("orderType"),
    Condition("ebpCode"),
    Condition("ebcCode"),
    Condition("currency"),
)
COLUMNS = (
    Column("orderType", 130),
    Column("ebpName", 180),
    Column("ebcName", 180),
    Column("goodsValue", 120, "right"),
    Column("currency", 100),
    Column("freight", 100, "right", default=False),
    Column("ebpCode", 180, default=False),
    Column("ebcCode", 180, default=False),
)


def document(
    *,
    kind: str,
    title: Words,
    pages: tuple[str, ...],
    types: tuple[tuple[str, Words], ...],
    number: Words,
    platform: Words,
    sheet: tuple[str, str],
    confirm: Words,
) -> DocumentType:
    """A kind of CEB303 document: what the field table leaves open is named, the rest is the same for all.

    types: values of orderType; number, platform: what orderNo and ebpName are called; sheet: title and first
    column of the import template (the other columns are those of guide 003).
    """
    return DocumentType(
        kind=kind,
        title=title,
        owner="order",
        pages=pages,
        message=MESSAGE,
        head=head_fields(order_type(*types), number, platform),
        lines=LINES,
        number="orderNo",
        unique=("ebpCode", "orderNo"),
        line_number="gnum",
        discriminator=("orderType", tuple(value for value, _ in types)),
        lifecycle=SETTLED_BY_STORING,
        receipt=RECEIPT,
        conditions=CONDITIONS,
        columns=COLUMNS,
        sheet=Sheet(
            title=sheet[0],
            columns=(
                SheetColumn(sheet[1], "orderNo", "head"),
                SheetColumn("商品货号", "itemNo", "line"),
                SheetColumn("商品名称", "itemName", "line"),
                SheetColumn("数量", "qty", "line"),
                SheetColumn("总额", "totalPrice", "line"),
                SheetColumn("单价", "price", "line"),
                SheetColumn("计量单位", "unit", "line"),
            ),
            group="orderNo",
        ),
        actions=actions(confirm),
        areas=AREAS,
        on_submit=ON_SUBMIT,
        computed=COMPUTED,
        rules=RULES,
        same_line=SAME_LINE,
    )
