"""出口收款单: the receipt of payment, CEB403. Optional: an export needs none where nothing is paid online.

Pages A3, A4 (guide 003, menu). Source: field table CEB403 (XSD order; the PDF lists the fields in another one).
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.rules import not_before
from documents.spec import (
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
from documents.types.common import NOT_SETTLED, ON_SUBMIT, SETTLED, SYSTEM, actions
from documents.types.fields import code, currency, decimal, enterprise, moment, note, platform, seller, text
from documents.words import Words

HEAD = (
    *SYSTEM,
    *platform(),
    *seller(),
    code("orderNo", "订单编号", "Order number", 60, area="payment",
         note=Words("9810 填订仓单编号", "For 9810 the booking number")),
    # required for domestic payers (field table): whether a payer is one cannot be seen here
    enterprise("payCode", "支付企业代码", "Payment enterprise code", required=False, filled_by="strategy",
               area="parties", note=Words("境内支付企业必填", "Required for a domestic payment enterprise")),
    text("payName", "支付企业名称", "Payment enterprise", 100, filled_by="strategy", area="parties",
         note=Words("非线上支付填“现金支付”", "现金支付 when not paid online")),
    code("payNo", "支付交易编号", "Payment number", 60, required=False, area="payment"),
    decimal("charge", "收款金额", "Amount received", positive=True, area="payment"),
    currency(area="payment"),
    moment("accountingDate", "到账时间", "Received at", area="payment"),
    note(area="payment"),
)  # fmt: skip

PAYMENT = DocumentType(
    kind="payment",
    title=Words("收款单", "Receipt of payment"),
    owner="order",
    pages=(
        Page("A3", Words("未审结收款单", "Payments not settled"), "trade", NOT_SETTLED, entry=True),
        Page("A4", Words("已审结收款单", "Payments settled"), "trade", SETTLED),
    ),
    message=Message(root="CEB403Message", node="Receipts", signature="optional"),
    head=HEAD,
    number="orderNo",
    unique=("ebcCode", "orderNo", "payNo"),
    numbers=("payNo",),
    lifecycle=SETTLED_BY_STORING,
    receipt=ReceiptForm(
        "CEB404Message", "ReceiptsReturn", keys=("ebcCode", "orderNo", "payNo"),
        fields=answer.fields(answer.SELLER, answer.ORDER_NO, answer.PAY_NO),
    ),
    conditions=(
        Condition("orderNo", "prefix"),
        Condition("payNo", "prefix"),
        Condition("ebpCode"),
        Condition("ebcCode"),
        Condition("payCode"),
        Condition("currency"),
    ),
    columns=(
        Column("payNo", 150),
        Column("charge", 100, "right"),
        Column("currency", 90),
        Column("accountingDate", 140),
        Column("payName", 160, default=False),
        Column("ebpName", 160, default=False),
        Column("ebcName", 160, default=False),
    ),
    sheet=Sheet(
        title="收款单",
        columns=(
            SheetColumn("订单编号", "orderNo", "head"),
            SheetColumn("支付交易编号", "payNo", "head"),
            SheetColumn("收款金额", "charge", "head"),
            SheetColumn("币制", "currency", "head"),
            SheetColumn("到账时间", "accountingDate", "head"),
            SheetColumn("备注", "note", "head"),
        ),
        group="orderNo",
    ),
    actions=actions(
        Words("确认申报所选收款单？", "Declare the selected payments?"),
        # assumed: when customs takes changes of what it has stored is not published
        amend=("accepted", "settled"),
        withdraw=("accepted", "settled"),
    ),
    areas=(
        ("payment", Words("收款信息", "Payment")),
        ("parties", Words("企业信息", "Parties")),
        ("message", Words("报文信息", "Message")),
    ),
    # XSD annotation: sent by the payment enterprise; where cash was paid there is none, and the seller sends it
    senders=("payment", "ecommerce", "agent"),
    on_submit=ON_SUBMIT,
    rules=(not_before("accountingDate", "20100101", Words("到账时间", "Received at")),),
    refs=(Ref("order", ("ebpCode", "orderNo")),),
    example={
        "head": {
            **made_up.PLATFORM, **made_up.SELLER, "orderNo": made_up.ORDER_NO, **made_up.PAYER,
            "payNo": "ZF202611200001", "charge": "59.80", "currency": made_up.USD,
            "accountingDate": "20261120103000", "note": "样例",
        },
        "lines": [],
    },
)  # fmt: skip
