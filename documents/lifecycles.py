"""Life courses that several types share, with the source of each step.

Ranks make the state a function of the set of receipts that arrived, whatever their order: the highest
(rank, returnTime) wins. Equal ranks (refused, accepted, error) are told apart by returnTime.
"""

from __future__ import annotations

from documents.spec import Lifecycle, State, Status
from documents.words import Words

#: why a document can rest too long on its way, and what to do; the limits are ours, customs publishes none
_NO_SIGNATURE = Words(
    "超过时限仍未签名：签名设备或密钥可能不可用，请到“设备与密钥”查看设备状态；恢复后自动继续，不会重复签名。",
    "Not signed in time: the device or key may not be available, see “Devices and keys”; it goes on by itself "
    "once that is mended and is never signed twice.",
)
_NOT_SENT = Words(
    "超过时限仍未发送：与海关数据交换平台的通道可能中断，恢复后自动继续，不会重复发送。",
    "Not sent in time: the channel to customs' exchange may be down; it goes on by itself and is never sent twice.",
)
_NO_ANSWER = Words(
    "超过时限未收到海关回执：请用自助诊断核对传输 ID、资质与通道；在单一窗口能查到该单据时说明推送成功，回执会补到。",
    "No answer of customs in time: check transmission id, qualification and channel with the self-diagnosis; if the "
    "single window shows the document, it arrived and the receipt will follow.",
)
_IN_REVIEW = Words(
    "海关处理时间较长：请联系申报地海关了解进度。",
    "Customs takes long: ask the declaration customs office how far it is.",
)

_BEFORE_CUSTOMS = (
    State("draft", Words("暂存", "Draft"), "grey", 0),
    State("checked", Words("待提交", "To be submitted"), "grey", 1),
    State("signing", Words("签名中", "Being signed"), "blue", 2, limit_minutes=15, stuck=_NO_SIGNATURE),
    State("signed", Words("已签名", "Signed"), "blue", 3, limit_minutes=15, stuck=_NOT_SENT),
    State("sent", Words("已发送", "Sent"), "blue", 4, limit_minutes=60, stuck=_NO_ANSWER),
)
_EPORT = (
    State(
        "stored", Words("电子口岸已暂存", "Stored at e-port"), "blue", 10, limit_minutes=60, stuck=_NO_ANSWER
    ),
    State(
        "received",
        Words("电子口岸已接收", "Received by e-port"),
        "blue",
        20,
        limit_minutes=120,
        stuck=_NO_ANSWER,
    ),
    State("send_failed", Words("发送海关失败", "Sending to customs failed"), "amber", 25),
)
_REFUSED = (
    State("rejected", Words("海关退单", "Rejected by customs"), "red", 50),
    State("error", Words("处理异常", "Processing error"), "red", 50),
)
#: what another document of ours leads to: an amendment or a deletion that customs took
_REPLACED = (
    State("amended", Words("已改单", "Replaced by an amendment"), "grey", 95, settled=True),
    State("deleted", Words("已删除", "Deleted at customs"), "grey", 96, settled=True, frees=True),
)
_EPORT_STATUSES = (
    Status("1", Words("电子口岸已暂存", "Stored at e-port"), "stored", "spec"),
    Status("2", Words("电子口岸申报中", "E-port is declaring"), "received", "spec"),
    # the published states between e-port and customs' answer are two; ours is one, customs_status keeps both
    Status("3", Words("发送海关成功", "Sent to customs"), "received", "spec"),
    Status("4", Words("发送海关失败", "Sending to customs failed"), "send_failed", "spec"),
    Status("100", Words("海关退单", "Rejected by customs"), "rejected", "spec"),
)

#: orders, bookings, payments, master-house: machine "doc_settle" of the reference.
#: assumed there: that 120 already counts as settled (the PDF names 120 as last step, the XSD names 399).
SETTLED_BY_STORING = Lifecycle(
    states=(
        *_BEFORE_CUSTOMS,
        *_EPORT,
        *_REFUSED,
        State("accepted", Words("海关入库", "Accepted by customs"), "green", 50, settled=True, held=True),
        State("settled", Words("海关审结", "Settled by customs"), "green", 60, settled=True, held=True),
        *_REPLACED,
    ),
    statuses=(
        *_EPORT_STATUSES,
        Status("120", Words("海关入库", "Accepted by customs"), "accepted", "spec; as final step assumed"),
        Status("399", Words("海关审结", "Settled by customs"), "settled", "spec (XSD)"),
    ),
    negative="error",
)

#: waybills, arrivals, departures, cancellations, tallies, summary applications: machine "doc_settle399".
#: 120 is published for none of them and seen in public code for waybill, arrival and departure: a step in between.
SETTLED_BY_REVIEW = Lifecycle(
    states=(
        *_BEFORE_CUSTOMS,
        *_EPORT,
        *_REFUSED,
        State("accepted", Words("海关入库", "Accepted by customs"), "blue", 40, held=True, limit_minutes=24 * 60,
              stuck=_IN_REVIEW),
        State("settled", Words("海关审结", "Settled by customs"), "green", 60, settled=True, held=True),
        *_REPLACED,
    ),
    statuses=(
        *_EPORT_STATUSES,
        Status("120", Words("海关入库", "Accepted by customs"), "accepted", "code"),
        Status("399", Words("海关审结", "Settled by customs"), "settled", "spec"),
    ),
    negative="error",
)  # fmt: skip

#: the export list. assumed: the order of 399, 500 and 800; that 501-599 and 700, published for import lists, apply
#: to export; that the list is closed as a case when its summary declaration has a number (no code is published).
#: States of one rank follow customs' own time; release, closing and what comes after never go back to them.
LIST = Lifecycle(
    states=(
        *_BEFORE_CUSTOMS,
        *_EPORT,
        *_REFUSED,
        State("accepted", Words("海关入库", "Accepted by customs"), "blue", 50, held=True, limit_minutes=24 * 60,
              stuck=_IN_REVIEW),
        State("in_review", Words("人工审核", "Reviewed by an officer"), "blue", 50, held=True,
              limit_minutes=3 * 24 * 60, stuck=_IN_REVIEW),
        State("settled", Words("海关审结", "Settled by customs"), "blue", 50, held=True, limit_minutes=3 * 24 * 60,
              stuck=_IN_REVIEW),
        State("inspection", Words("海关查验", "Inspected"), "amber", 50, held=True, limit_minutes=7 * 24 * 60,
              stuck=_IN_REVIEW),
        State("detained", Words("扣留", "Detained"), "red", 55, held=True),
        State("returned", Words("退运", "Sent back"), "red", 58, held=True),
        State("released", Words("放行", "Released"), "green", 60, held=True),
        State("closed", Words("结关", "Closed"), "green", 70, settled=True, held=True),
        State("case_closed", Words("结案", "Case closed"), "green", 80, settled=True, held=True),
        State("cancelled", Words("已撤销", "Cancelled"), "grey", 90, settled=True, frees=True),
        *_REPLACED,
    ),
    statuses=(
        *_EPORT_STATUSES,
        Status("120", Words("海关入库", "Accepted by customs"), "accepted", "spec"),
        Status("300", Words("人工审核", "Reviewed by an officer"), "in_review", "spec"),
        Status("399", Words("海关审结", "Settled by customs"), "settled", "spec; order assumed"),
        Status("500", Words("海关查验", "Inspected"), "inspection", "spec (PDF); order assumed"),
        Status("501", Words("扣留移送通关", "Detained, handed to clearance"), "detained", "spec of import; assumed"),
        Status("502", Words("扣留移送缉私", "Detained, handed to anti-smuggling"), "detained", "spec of import; assumed"),
        Status("503", Words("扣留移送法规", "Detained, handed to legal affairs"), "detained", "spec of import; assumed"),
        Status("599", Words("其它扣留", "Detained for another reason"), "detained", "spec of import; assumed"),
        Status("700", Words("退运", "Sent back"), "returned", "spec of import; assumed"),
        Status("800", Words("放行", "Released"), "released", "spec"),
        Status("899", Words("结关", "Closed"), "closed", "spec"),
    ),
    negative="error",
)  # fmt: skip

#: the return application. assumed: the order of the steps between 120 and 800.
RETURN = Lifecycle(
    states=(
        *_BEFORE_CUSTOMS,
        *_EPORT,
        *_REFUSED,
        State("accepted", Words("海关入库", "Accepted by customs"), "blue", 50, held=True, limit_minutes=24 * 60,
              stuck=_IN_REVIEW),
        State("in_review", Words("人工审核", "Reviewed by an officer"), "blue", 50, held=True,
              limit_minutes=3 * 24 * 60, stuck=_IN_REVIEW),
        State("inspection", Words("海关查验", "Inspected"), "amber", 50, held=True, limit_minutes=7 * 24 * 60,
              stuck=_IN_REVIEW),
        State("handed_over", Words("移交", "Handed over"), "amber", 50, held=True),
        State("suspended", Words("挂起", "Suspended"), "amber", 50, held=True),
        State("released", Words("放行", "Released"), "green", 60, settled=True, held=True),
        *_REPLACED,
    ),
    statuses=(
        *_EPORT_STATUSES,
        Status("120", Words("海关入库", "Accepted by customs"), "accepted", "spec"),
        Status("300", Words("人工审核", "Reviewed by an officer"), "in_review", "spec"),
        Status("500", Words("海关查验", "Inspected"), "inspection", "spec"),
        Status("505", Words("移交", "Handed over"), "handed_over", "spec"),
        Status("600", Words("挂起", "Suspended"), "suspended", "spec"),
        Status("800", Words("放行", "Released"), "released", "spec"),
    ),
    negative="error",
)  # fmt: skip

#: what customs sends on its own account: it is there, and nothing is done with it
RECEIVED = Lifecycle(
    states=(
        State("received", Words("海关已下发", "Issued by customs"), "blue", 20),
        State("settled", Words("已有报关单号", "Declaration has its number"), "green", 60, settled=True),
    ),
    statuses=(),
    negative="",
)
