"""Life courses that several types share, with the source of each step.

Ranks make the state a function of the set of receipts that arrived, whatever their order: the highest
(rank, returnTime) wins. Equal ranks (refused, accepted, error) are told apart by returnTime.
"""

from __future__ import annotations

from documents.spec import Lifecycle, State, Status
from documents.words import Words

_BEFORE_CUSTOMS = (
    State("draft", Words("暂存", "Draft"), "grey", 0),
    State("checked", Words("待提交", "Checked, to be submitted"), "grey", 1),
    State("signing", Words("签名中", "Being signed"), "blue", 2),
    State("signed", Words("已签名", "Signed"), "blue", 3),
    State("sent", Words("已发送", "Sent"), "blue", 4),
)

#: orders, bookings, payments, master-house: machine "doc_settle" of the reference.
#: assumed there: that 120 already counts as settled (the PDF names 120 as last step, the XSD names 399).
SETTLED_BY_STORING = Lifecycle(
    states=(
        *_BEFORE_CUSTOMS,
        State("stored", Words("电子口岸已暂存", "Stored at e-port"), "blue", 10),
        State("received", Words("电子口岸已接收", "Received by e-port"), "blue", 20),
        State("send_failed", Words("发送海关失败", "Sending to customs failed"), "amber", 25),
        State("rejected", Words("海关退单", "Rejected by customs"), "red", 50),
        State("error", Words("处理异常", "Processing error"), "red", 50),
        State("accepted", Words("海关入库", "Accepted by customs"), "green", 50, settled=True),
        State("settled", Words("海关审结", "Settled by customs"), "green", 60, settled=True),
    ),
    statuses=(
        Status("1", Words("电子口岸已暂存", "Stored at e-port"), "stored", "spec"),
        Status("2", Words("电子口岸申报中", "E-port is declaring"), "received", "spec"),
        # the published states between e-port and customs' answer are two; ours is one, customs_status keeps both
        Status("3", Words("发送海关成功", "Sent to customs"), "received", "spec"),
        Status("4", Words("发送海关失败", "Sending to customs failed"), "send_failed", "spec"),
        Status("100", Words("海关退单", "Rejected by customs"), "rejected", "spec"),
        Status("120", Words("海关入库", "Accepted by customs"), "accepted", "spec; as final step assumed"),
        Status("399", Words("海关审结", "Settled by customs"), "settled", "spec (XSD)"),
    ),
    negative="error",
)
