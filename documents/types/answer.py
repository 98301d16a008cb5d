"""The elements of receipts, each described once; a kind says which of them its receipt has, in XSD order.

Source: receipt parts of the field tables, 202205 edition (XSD first). What customs writes is described, not judged:
no code table or number shape stands here, so that a receipt is never refused for a value.
"""

from __future__ import annotations

from dataclasses import replace

from documents.spec import Field, ReceiptForm
from documents.types.fields import code, text, whole
from documents.words import Words

_DIGITS = ("[0-9]{17}", Words("应为 17 位数字 yyyyMMddHHmmssSSS。", "must be 17 digits, yyyyMMddHHmmssSSS."))

GUID = code("guid", "系统唯一序号", "GUID", 36, min_length=36)
STATUS = code("returnStatus", "回执状态", "Status", 10, min_length=1)
TIME = code("returnTime", "回执时间", "Time", 17, min_length=17, pattern=_DIGITS)
INFO = text("returnInfo", "回执信息", "Customs' words", 1000)

PLATFORM = code("ebpCode", "电商平台代码", "Platform code", 18)
SELLER = code("ebcCode", "电商企业代码", "E-commerce enterprise code", 18)
DECLARANT = code("agentCode", "申报企业代码", "Declarant code", 18)
CARRIER = code("logisticsCode", "物流企业代码", "Logistics enterprise code", 18)
OPERATOR = code("operatorCode", "监管场所经营人代码", "Site operator code", 18)
ORDER_NO = code("orderNo", "订单编号", "Order number", 60)
PAY_NO = code("payNo", "支付交易编号", "Payment number", 60, required=False)
WAYBILL_NO = code("logisticsNo", "物流运单编号", "Waybill number", 32)
OWN_NO = code("copNo", "企业唯一编号", "Enterprise's own number", 30)
RETURN_NO = code("coElNo", "企业内部编号", "Enterprise's own number", 30)
#: the PDF allows it to be missing in most receipts, the XSD does not
EPORT_NO = code("preNo", "电子口岸编号", "E-port number", 18, min_length=18)
LIST_NO = code("invtNo", "清单编号", "List number", 20)
BILL_NO = code("billNo", "提运单号", "Bill of lading", 37)
SUMMARY_NO = code("sumNo", "汇总申请编号", "Application number", 18, min_length=18, required=False)
PART_NO = whole("msgSeqNo", "报文序号", "Part number", 9)
STATISTICS = code("statisticsFlag", "申报业务类型", "Declaration type", 1, min_length=1)


def fields(*between: Field, status: Field = STATUS) -> tuple[Field, ...]:
    """All elements of a receipt: the guid, what it speaks of, and customs' answer."""
    return (GUID, *between, status, TIME, INFO)


def optional(field: Field) -> Field:
    """The element where the definition allows it to be missing."""
    return replace(field, required=False)


def sized(field: Field, low: int, high: int) -> Field:
    """The element where the definition gives it other lengths."""
    return replace(field, min_length=low, length=high)


#: of returns and tallies the definition gives the status no least length
LOOSE_STATUS = sized(STATUS, 0, 10)

#: characters; the definition sets no limit
UNLIMITED = 2**31 - 1

#: The answer to a message that customs could not take in at all; no kind of document has it to itself. Published for
#: imports only; assumed: sent for exports, too. Public code has another order of elements, so it is read by name.
FORMAT = ReceiptForm(
    "CEB900Message",
    "MessageReturn",
    keys=(),
    fields=(
        GUID,
        STATUS,
        replace(INFO, length=5000),
        TIME,
        code("oriCopMsgId", "原始传输报文编号", "Envelope's message id", 255),
        code("oriMessageType", "原始报文类型", "Message type", 15),
        text("oriBizMessage", "原始报文内容", "The message itself", UNLIMITED),
    ),
    max_items=1,
)
