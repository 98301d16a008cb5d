"""What order and booking share: both are CEB303, told apart by orderType.

Source: field table CEB303 of the interface specification, 202205 edition (XSD order, lengths, required flags).
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.rules import head_equals_sum, line_totals, no_repeated_line, same_in_lines, sum_of_lines
from documents.spec import (
    Body,
    Column,
    Condition,
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
from documents.types.common import ON_SUBMIT, SYSTEM, actions
from documents.types.fields import enterprise
from documents.words import Words

MESSAGE = Message(
    root="CEB303Message", node="Order", head="OrderHead", line="OrderList", signature="optional"
)
RECEIPT = ReceiptForm(
    "CEB304Message", "OrderReturn", keys=("ebpCode", "ebcCode", "orderNo"),
    fields=answer.fields(answer.PLATFORM, answer.SELLER, answer.ORDER_NO),
)  # fmt: skip

AREAS = (
    ("order", Words("订单信息", "Order")),
    ("parties", Words("企业信息", "Parties")),
    ("amounts", Words("金额", "Amounts")),
    ("message", Words("报文信息", "Message")),
)


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
        enterprise("ebpCode", "电商平台代码", "Platform code", literal="无", filled_by="strategy", area="parties"),
        Field(name="ebpName", zh=platform_name.zh, en=platform_name.en, type="text", required=True, length=100,
              filled_by="strategy", area="parties"),
        enterprise("ebcCode", "电商企业代码", "E-commerce enterprise code", filled_by="strategy", area="parties"),
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

CONDITIONS = (
    Condition("orderNo", "prefix"),
    Condition("orderType"),
    Condition("ebpCode"),
    Condition("ebcCode"),
    Condition("currency"),
)
COLUMNS = (
    Column("ebpName", 140),
    Column("goodsValue", 110, "right"),
    Column("currency", 90),
    Column("orderType", 130, default=False),
    Column("ebcName", 180, default=False),
    Column("freight", 100, "right", default=False),
    Column("ebpCode", 180, default=False),
    Column("ebcCode", 180, default=False),
)


def example(order_type: str) -> Body:
    """A complete document of a type."""
    known = (
        (made_up.WAREHOUSE, made_up.BOOKING_NO) if order_type == "W" else (made_up.PLATFORM, made_up.ORDER_NO)
    )
    platform, number = known
    return {
        "head": {
            "orderType": order_type, "orderNo": number, **platform, **made_up.SELLER, "goodsValue": "59.80",
            "freight": "0", "currency": made_up.USD, "note": "样例",
        },
        "lines": [
            {
                "itemNo": "CB0001", "itemName": "手工陶瓷茶杯", "itemDescribe": "200ml 白色", "barCode": "无",
                "unit": "011", "currency": made_up.USD, "qty": "4", "price": "14.95", "totalPrice": "59.80",
                "note": "样例",
            },
        ],
    }  # fmt: skip


def document(
    *,
    kind: str,
    title: Words,
    pages: tuple[Page, ...],
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
            batch=True,
        ),
        actions=actions(
            confirm,
            verb=Words("提交海关", "Submit to customs"),
            # assumed: that customs takes changes of what it has stored (appType 2 and 3 are published, when is not)
            amend=("accepted", "settled"),
            withdraw=("accepted", "settled"),
            push=True,
        ),
        areas=AREAS,
        # XSD annotation: sent by the platform; guide 002: by e-commerce enterprise or platform, or their agent
        senders=("ecommerce", "platform", "agent"),
        refs=(Ref("order", ("ebpCode", "orderNo")),),
        on_submit=ON_SUBMIT,
        computed=COMPUTED,
        rules=RULES,
        same_line=SAME_LINE,
        example=example(types[0][0]),
    )
