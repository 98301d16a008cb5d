"""Building the answers: CEB304 for orders, CEB900 for messages that cannot be read.

By string templates, since speed is wanted and the shape is fixed; a unit test holds them against the tables.
Must never invent a value: everything here comes from the books, so a rebuilt receipt is the same receipt.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

CEB = "http://www.chinaport.gov.cn/ceb"
# China has had no summer time since 1991, so a fixed offset is the zone.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

STATUS_TEXT = {"1": "电子口岸已暂存", "2": "电子口岸申报中", "3": "发送海关成功"}

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_SPECIAL = re.compile(r"[&<>\r]")
# What XML 1.0 cannot carry at all.
_UNCARRIABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_QUOTED = 64 * 1024


def return_time(millis: int) -> str:
    """Milliseconds since the epoch as yyyyMMddHHmmssSSS in Shanghai."""
    moment = datetime.fromtimestamp(millis // 1000, SHANGHAI)
    return f"{moment:%Y%m%d%H%M%S}{millis % 1000:03d}"


def creation_time(millis: int) -> str:
    """Milliseconds since the epoch as the envelope's yyyy-MM-ddTHH:mm:ss in Shanghai."""
    return f"{datetime.fromtimestamp(millis // 1000, SHANGHAI):%Y-%m-%dT%H:%M:%S}"


def rfc3339(millis: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in Shanghai."""
    return datetime.fromtimestamp(millis / 1000, UTC).astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def new_id() -> str:
    """A new message id."""
    return str(uuid.uuid4()).upper()


def text(value: str) -> str:
    """Escaped for an element; characters XML cannot carry become question marks."""
    if _UNCARRIABLE.search(value):
        value = _UNCARRIABLE.sub("?", value)
    return value.translate(_ESCAPED) if _SPECIAL.search(value) else value


def _return_template(p: str) -> str:
    return (
        f"<{p}OrderReturn><{p}guid>%s</{p}guid><{p}ebpCode>%s</{p}ebpCode><{p}ebcCode>%s</{p}ebcCode>"
        f"<{p}orderNo>%s</{p}orderNo><{p}returnStatus>%s</{p}returnStatus><{p}returnTime>%s</{p}returnTime>"
        f"<{p}returnInfo>%s</{p}returnInfo></{p}OrderReturn>"
    )


_RETURN = {True: _return_template("ceb:"), False: _return_template("")}


def order_receipt(
    documents: Sequence[tuple[str, str, str, str, str, str]], time: str, guid: str, prefixed: bool
) -> bytes:
    """CEB304Message for (guid, ebpCode, ebcCode, orderNo, returnStatus, returnInfo) rows, at most 100 of them."""
    p, declaration = ("ceb:", "xmlns:ceb") if prefixed else ("", "xmlns")
    template = _RETURN[prefixed]
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}CEB304Message {declaration}="{CEB}" guid="{guid}" version="1.0">'
    ]
    parts += [
        template % (text(a), text(b), text(c), text(d), status, time, text(info or status))
        for a, b, c, d, status, info in documents
    ]
    parts.append(f"</{p}CEB304Message>")
    return "".join(parts).encode()


def format_failure(
    *,
    guid: str,
    status: str,
    info: str,
    time: str,
    cop_msg_id: str,
    message_type: str,
    original: bytes,
    prefixed: bool,
) -> bytes:
    """CEB900Message: the whole message could not be read. That it is sent for exports too is assumed."""
    p, declaration = ("ceb:", "xmlns:ceb") if prefixed else ("", "xmlns")
    quoted = original[:_MAX_QUOTED].decode("utf-8", "replace")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}CEB900Message {declaration}="{CEB}" guid="{guid}" version="1.0">'
        f"<{p}MessageReturn><{p}guid>{guid}</{p}guid><{p}returnStatus>{status}</{p}returnStatus>"
        f"<{p}returnInfo>{text(info[:5000])}</{p}returnInfo><{p}returnTime>{time}</{p}returnTime>"
        f"<{p}oriCopMsgId>{text(cop_msg_id)}</{p}oriCopMsgId>"
        f"<{p}oriMessageType>{text(message_type[:15] or 'Unknown')}</{p}oriMessageType>"
        f"<{p}oriBizMessage>{text(quoted)}</{p}oriBizMessage></{p}MessageReturn></{p}CEB900Message>"
    ).encode()
