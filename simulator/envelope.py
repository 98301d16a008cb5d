"""The data exchange platform's envelope: opening DxpMsg strictly, and making it for receipts.

Source: terminal-node XSD 202205 (`CreatTime` is spelled so there). Must never look inside the business message.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from simulator.problems import Unreadable
from simulator.xmlsafe import local, namespace, parse

NAMESPACE = "http://www.chinaport.gov.cn/dxp"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
# Platform codes, access note table 7-1.
BAD_FORMAT = "0001"
SCHEMA = "0002"
NO_RECEIVER = "2001"

_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NAME_CHARS = re.compile(r"[^\W\d][\w.\-]*")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One opened DxpMsg. `data` is the business message exactly as it was sent."""

    cop_msg_id: str
    sender: str
    msg_type: str
    data: bytes


class EnvelopeFault(Unreadable):
    """The envelope breaks a rule. Sender and CopMsgId are kept as far as they could be read, for the answer."""

    def __init__(self, status: str, zh: str, en: str, sender: str = "", cop_msg_id: str = "") -> None:
        super().__init__(status, zh, en)
        self.sender = sender
        self.cop_msg_id = cop_msg_id


class _Reader:
    """Walks children in order; every rule broken names the element."""

    def __init__(self, root: etree._Element) -> None:
        self.sender = _peek(root, "SenderId", 16)
        self.cop_msg_id = _peek(root, "CopMsgId", 255)

    def fault(self, zh: str, en: str, status: str = SCHEMA) -> EnvelopeFault:
        return EnvelopeFault(status, zh, en, self.sender, self.cop_msg_id)

    def children(
        self, parent: etree._Element, allowed: tuple[tuple[str, int, int], ...]
    ) -> dict[str, list[etree._Element]]:
        """Children of `parent` by name; `allowed` is the XSD sequence as (name, min, max)."""
        found: dict[str, list[etree._Element]] = {name: [] for name, _, _ in allowed}
        order = [name for name, _, _ in allowed]
        at = 0
        if parent.text and parent.text.strip():
            raise self.fault(f"{local(parent)} 内有多余文字", f"{local(parent)} holds stray text")
        for child in parent:
            name = local(child)
            if child.tail and child.tail.strip():
                raise self.fault(f"{name} 之后有多余文字", f"stray text after {name}")
            expected = XMLDSIG if name == "Signature" else NAMESPACE
            if name not in found or namespace(child) != expected:
                raise self.fault(f"信封中不应有 {name}", f"{name} does not belong in {local(parent)}")
            position = order.index(name)
            if position < at:
                raise self.fault(f"信封中 {name} 的次序不对", f"{name} is out of order in {local(parent)}")
            at = position
            found[name].append(child)
        for name, low, high in allowed:
            if not low <= len(found[name]) <= high:
                raise self.fault(
                    f"信封中 {name} 应出现 {low} 到 {high} 次，实为 {len(found[name])} 次",
                    f"{name} must occur {low} to {high} times in {local(parent)}, found {len(found[name])}",
                )
        return found

    def text(
        self, element: etree._Element, low: int, high: int, attributes: frozenset[str] = frozenset()
    ) -> str:
        if len(element) or set(element.attrib) - attributes:
            raise self.fault(
                f"{local(element)} 只能是文字，不得有子元素或属性",
                f"{local(element)} must be plain text without attributes",
            )
        value = element.text or ""
        if not low <= len(value) <= high:
            raise self.fault(
                f"{local(element)} 长度应为 {low} 到 {high}，实为 {len(value)}",
                f"{local(element)} must have {low} to {high} characters, has {len(value)}",
            )
        return value


def _peek(root: etree._Element, name: str, high: int) -> str:
    """Best effort, before any rule is checked: whom to answer and what to quote."""
    for element in root.iter(f"{{{NAMESPACE}}}{name}"):
        value = element.text or ""
        if 1 <= len(value) <= high:
            return value
    return ""


def _check_additional(read: _Reader, info: etree._Element) -> None:
    parts = read.children(
        info,
        (("FileName", 0, 1), ("IcCard", 0, 1), ("BizKey", 0, 1), ("IsText", 0, 1), ("RecMapId", 0, 1)),
    )
    for name, high in (("FileName", 255), ("IcCard", 13)):
        for element in parts[name]:
            read.text(element, 1, high)
    for keys in parts["BizKey"]:
        for key in read.children(keys, (("Key", 1, 5),))["Key"]:
            read.text(key, 1, 64, frozenset({"name"}))


def open_envelope(raw: bytes, receiver_id: str, max_bytes: int) -> Envelope:
    """Open one DxpMsg. Raises EnvelopeFault (or Unreadable when it is no XML at all)."""
    if len(raw) > max_bytes * 2:
        raise EnvelopeFault(
            BAD_FORMAT,
            f"报文共 {len(raw)} 字节，超过上限 {max_bytes * 2} 字节，请拆分后重发",
            f"message has {len(raw)} bytes, the limit is {max_bytes * 2}; split it",
        )
    root = parse(raw, BAD_FORMAT)
    read = _Reader(root)
    if local(root) != "DxpMsg" or namespace(root) != NAMESPACE:
        raise read.fault(
            f"根元素应为 {{{NAMESPACE}}}DxpMsg，实为 {root.tag}", f"root must be DxpMsg, found {root.tag}"
        )
    if root.get("ver") != "1.0" or set(root.attrib) - {"ver", "Id"}:
        raise read.fault(
            "DxpMsg 的 ver 属性应为 1.0", "DxpMsg needs the attribute ver=1.0 and no other but Id"
        )
    if "Id" in root.attrib and not _NAME_CHARS.fullmatch(root.get("Id", "")):
        raise read.fault("DxpMsg 的 Id 不得为空或为数字", "DxpMsg Id must be an XML name")
    top = read.children(root, (("TransInfo", 1, 1), ("Data", 1, 1), ("AddInfo", 0, 1), ("Signature", 0, 1)))
    if top["Signature"]:
        # Not checked here, so not taken: an envelope signature nobody looked at would only pretend safety.
        raise read.fault(
            "模拟海关不支持信封签名，请去掉", "an envelope signature is not supported; leave it out"
        )
    info = read.children(
        top["TransInfo"][0],
        (
            ("CopMsgId", 1, 1),
            ("SenderId", 1, 1),
            ("ReceiverIds", 1, 1),
            ("CreatTime", 1, 1),
            ("MsgType", 1, 1),
        ),
    )
    cop_msg_id = read.text(info["CopMsgId"][0], 1, 255)
    sender = read.text(info["SenderId"][0], 1, 16)
    created = read.text(info["CreatTime"][0], 19, 40)
    msg_type = read.text(info["MsgType"][0], 0, 30)
    receivers = [
        read.text(item, 1, 16)
        for item in read.children(info["ReceiverIds"][0], (("ReceiverId", 1, 5),))["ReceiverId"]
    ]
    shape = _DATE_TIME.fullmatch(created)
    try:
        datetime.fromisoformat(shape.group(1) if shape else "")
    except ValueError as error:
        raise read.fault(
            f"CreatTime 应为 yyyy-MM-ddTHH:mm:ss，实为 {created}",
            f"CreatTime must be yyyy-MM-ddTHH:mm:ss, found {created}",
        ) from error
    if receiver_id not in receivers:
        raise read.fault(
            f"接收方 {'、'.join(receivers)} 不存在，出口统一版应为 {receiver_id}",
            f"unknown receiver {', '.join(receivers)}; export messages go to {receiver_id}",
            NO_RECEIVER,
        )
    for extra in top["AddInfo"]:
        _check_additional(read, extra)
    data = _decode(read, top["Data"][0], max_bytes)
    return Envelope(cop_msg_id, sender, msg_type, data)


def _decode(read: _Reader, element: etree._Element, max_bytes: int) -> bytes:
    text = read.text(element, 1, max_bytes * 2)
    try:
        # xs:base64Binary allows white space between the groups, strict decoding does not.
        data = binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise read.fault("Data 不是正确的 Base64", f"Data is not base64: {error}", BAD_FORMAT) from error
    if not data or len(data) > max_bytes:
        raise read.fault(
            f"业务报文 {len(data)} 字节，应在 1 到 {max_bytes} 字节之间，请拆分后重发",
            f"business message has {len(data)} bytes, 1 to {max_bytes} are allowed; split it",
            BAD_FORMAT,
        )
    return data


def seal(
    business: bytes,
    *,
    msg_type: str,
    cop_msg_id: str,
    sender: str,
    receiver: str,
    created: str,
    prefixed: bool,
) -> bytes:
    """A DxpMsg round `business`. `created` is yyyy-MM-ddTHH:mm:ss; prefixed False = default namespace."""
    p, declaration = ("dxp:", "xmlns:dxp") if prefixed else ("", "xmlns")
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}DxpMsg {declaration}="{NAMESPACE}" ver="1.0"><{p}TransInfo>'
        f"<{p}CopMsgId>{escape(cop_msg_id)}</{p}CopMsgId><{p}SenderId>{escape(sender)}</{p}SenderId>"
        f"<{p}ReceiverIds><{p}ReceiverId>{escape(receiver)}</{p}ReceiverId></{p}ReceiverIds>"
        f"<{p}CreatTime>{created}</{p}CreatTime><{p}MsgType>{escape(msg_type)}</{p}MsgType>"
        f"</{p}TransInfo><{p}Data>"
    )
    tail = (
        f"</{p}Data><{p}AddInfo><{p}FileName>{escape(f'{msg_type}_{cop_msg_id}.xml')}</{p}FileName></{p}AddInfo>"
        f"</{p}DxpMsg>"
    )
    return head.encode() + base64.b64encode(business) + tail.encode()
