"""The transport envelope of the data exchange platform: DxpMsg out and in, DxpRep (error answer) in.

Pure. The business bytes are wrapped as they are: they are signed, so nothing here may parse or re-serialise them.
Source: terminal-node XSD 202205; what is known from public code only is marked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape

from lxml import etree

from services.gateway.customs.safexml import MAX_BYTES, Unreadable, parse, split

NAMESPACE = "http://www.chinaport.gov.cn/dxp"
# Shanghai has had no summer time since 1991, so the offset needs no time zone database
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
MAX_RECEIVERS = 5

_TEMPLATE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<dxp:DxpMsg xmlns:dxp="{NAMESPACE}" ver="1.0">'
    "<dxp:TransInfo><dxp:CopMsgId>{cop_msg_id}</dxp:CopMsgId><dxp:SenderId>{sender}</dxp:SenderId>"
    "<dxp:ReceiverIds>{receivers}</dxp:ReceiverIds><dxp:CreatTime>{created}</dxp:CreatTime>"
    "<dxp:MsgType>{message_type}</dxp:MsgType></dxp:TransInfo>"
    "<dxp:Data>{data}</dxp:Data>"
    "<dxp:AddInfo><dxp:FileName>{file_name}</dxp:FileName></dxp:AddInfo></dxp:DxpMsg>"
)
_CREATED = "%Y-%m-%dT%H:%M:%S"
# characters that XML 1.0 cannot carry at all, and white space that a reader may change
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class TransInfo:
    """The head of an envelope. `created` is the text as sent (xs:dateTime, Shanghai time, no offset)."""

    cop_msg_id: str
    sender: str
    receivers: tuple[str, ...]
    created: str
    message_type: str


@dataclass(frozen=True, slots=True)
class DxpMsg:
    """A business message in its envelope; `data` are the exact business bytes."""

    head: TransInfo
    data: bytes
    file_name: str | None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer of the exchange platform about one message we sent (`original` is that message's head)."""

    code: str
    info: str
    original: TransInfo


@dataclass(frozen=True, slots=True)
class DxpRep:
    """The exchange platform's answer; `receiver` is the one who had sent."""

    receiver: str
    responses: tuple[Response, ...]


def write(head: TransInfo, data: bytes, file_name: str) -> bytes:
    """The envelope as UTF-8 bytes; the same arguments give the same bytes. Raises ValueError for a field that
    does not fit its type (lengths in characters, see TransInfo)."""
    _check(head, file_name)
    receivers = "".join(f"<dxp:ReceiverId>{escape(one)}</dxp:ReceiverId>" for one in head.receivers)
    return _TEMPLATE.format(
        cop_msg_id=escape(head.cop_msg_id),
        sender=escape(head.sender),
        receivers=receivers,
        created=escape(head.created),
        message_type=escape(head.message_type),
        data=base64.b64encode(data).decode("ascii"),
        file_name=escape(file_name),
    ).encode("utf-8")


def created_text(moment: datetime) -> str:
    """CreatTime: yyyy-MM-ddTHH:mm:ss in Shanghai. `moment` must know its offset."""
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset has no Shanghai time")
    return moment.astimezone(SHANGHAI).strftime(_CREATED)


def file_name(message_type: str, message_id: str) -> str:
    """AddInfo/FileName, "CEB303Message_{UPPER-CASE-UUID}.xml": seen in public code, no official rule is known."""
    return f"{message_type}_{message_id.upper()}.xml"


def read(raw: bytes, limit: int = MAX_BYTES) -> DxpMsg | DxpRep:
    """An envelope from outside. Raises Unreadable with the first thing that is wrong."""
    root = parse(raw, limit)
    namespace, local = split(root.tag)
    if namespace != NAMESPACE or local not in ("DxpMsg", "DxpRep"):
        name = f"{{{namespace}}}{local}"[:100]
        raise Unreadable(
            "not-an-envelope",
            f"根节点 {name} 不是交换平台信封（DxpMsg 或 DxpRep）。",
            f"The root {name} is no exchange envelope (DxpMsg or DxpRep).",
        )
    if root.get("ver") != "1.0":
        raise _wrong(f"{local}/@ver", "1.0")
    return _message(root) if local == "DxpMsg" else _answer(root)


def _message(root: etree._Element) -> DxpMsg:
    parts = _children(root, "DxpMsg")
    head = _head(_one(parts, "TransInfo"))
    encoded = "".join((_one(parts, "Data").text or "").split())
    try:
        data = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise _wrong("DxpMsg/Data", "base64") from exc
    if not data:
        raise _wrong("DxpMsg/Data", "非空 / not empty")
    extra = parts.get("AddInfo")
    names = _children(extra[0], "AddInfo").get("FileName") if extra else None
    return DxpMsg(head, data, _text(names[0], "FileName", 0, 255) if names else None)


def _answer(root: etree._Element) -> DxpRep:
    parts = _children(root, "DxpRep")
    # "RecevierId" is the spelling of the definition
    receiver = _text(_one(parts, "RecevierId"), "RecevierId", 1, 16)
    responses = []
    for node in parts.get("Response", []):
        fields = _children(node, "Response")
        info = fields.get("ResponseInfo")
        responses.append(
            Response(
                code=_text(_one(fields, "ResponseCode"), "ResponseCode", 1, 9),
                info=_text(info[0], "ResponseInfo", 0, 1000) if info else "",
                original=_head(_one(fields, "OriHead")),
            )
        )
    if not responses:
        raise _missing("DxpRep/Response")
    return DxpRep(receiver, tuple(responses))


def _head(node: etree._Element) -> TransInfo:
    parts = _children(node, "TransInfo")
    receivers = _children(_one(parts, "ReceiverIds"), "ReceiverIds").get("ReceiverId", [])
    if not 1 <= len(receivers) <= MAX_RECEIVERS:
        raise _wrong("ReceiverIds", f"1..{MAX_RECEIVERS}")
    return TransInfo(
        cop_msg_id=_text(_one(parts, "CopMsgId"), "CopMsgId", 1, 255),
        sender=_text(_one(parts, "SenderId"), "SenderId", 1, 16),
        receivers=tuple(_text(one, "ReceiverId", 1, 16) for one in receivers),
        created=_text(_one(parts, "CreatTime"), "CreatTime", 1, 40),
        message_type=_text(_one(parts, "MsgType"), "MsgType", 0, 30),
    )


def _children(node: etree._Element, name: str) -> Mapping[str, list[etree._Element]]:
    """Child elements of the envelope's namespace by local name; others (a signature) are not ours to read."""
    found: dict[str, list[etree._Element]] = {}
    for child in node:
        namespace, local = split(child.tag)
        if namespace == NAMESPACE:
            found.setdefault(local, []).append(child)
        elif not local:
            raise _wrong(name, "不含实体引用 / no entity references")
    return found


def _one(parts: Mapping[str, list[etree._Element]], name: str) -> etree._Element:
    found = parts.get(name, [])
    if not found:
        raise _missing(name)
    if len(found) > 1:
        raise _wrong(name, "只出现一次 / only once")
    return found[0]


def _text(node: etree._Element, name: str, low: int, high: int) -> str:
    if len(node):
        raise _wrong(name, "纯文本 / plain text")
    text = (node.text or "").strip()
    if not low <= len(text) <= high or _FORBIDDEN.search(text):
        raise _wrong(name, f"{low}..{high}")
    return text


def _check(head: TransInfo, name: str) -> None:
    fields = [
        ("CopMsgId", head.cop_msg_id, 1, 255),
        ("SenderId", head.sender, 1, 16),
        ("CreatTime", head.created, 1, 40),
        ("MsgType", head.message_type, 0, 30),
        ("FileName", name, 1, 255),
        *(("ReceiverId", one, 1, 16) for one in head.receivers),
    ]
    for field, value, low, high in fields:
        if not low <= len(value) <= high or value != value.strip() or _FORBIDDEN.search(value):
            raise ValueError(
                f"{field} must have {low} to {high} characters and no control characters: {value!r}"
            )
    if not 1 <= len(head.receivers) <= MAX_RECEIVERS:
        raise ValueError(f"an envelope has 1 to {MAX_RECEIVERS} receivers")


def _missing(name: str) -> Unreadable:
    return Unreadable("incomplete", f"信封缺少 {name}。", f"The envelope lacks {name}.")


def _wrong(name: str, rule: str) -> Unreadable:
    return Unreadable(
        "invalid", f"信封的 {name} 不符合规则：{rule}。", f"{name} of the envelope breaks the rule: {rule}."
    )
