"""Opens the transport envelopes of the data exchange platform for people who look into files: DxpMsg, DxpMsgSv, DxpRep.

Takes what it finds, by namespace and in any order; whether an envelope may be accepted is for the gateway to judge.
Source: terminal-node and transport-node XSD, 202205 edition.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from lxml import etree

from documents.xml import XmlError, name_of

NAMESPACE = "http://www.chinaport.gov.cn/dxp"
_MESSAGE, _SERVER, _ANSWER = "DxpMsg", "DxpMsgSv", "DxpRep"


@dataclass(frozen=True, slots=True)
class Opened:
    """kind: DxpMsg, DxpMsgSv or DxpRep. facts: its elements by their names, but for the data. data: None in a DxpRep.

    message_type: as the envelope says; may be empty.
    """

    kind: str
    facts: dict[str, Any]
    data: bytes | None
    message_type: str


def open_envelope(root: etree._Element) -> Opened | None:
    """The envelope that a tree is, or None if it is none. Raises XmlError if its data cannot be had."""
    kind = name_of(root, NAMESPACE)
    if kind not in (_MESSAGE, _SERVER, _ANSWER):
        return None
    facts: dict[str, Any] = {"element": kind, **_attributes(root), **_facts(root)}
    if kind == _ANSWER:
        return Opened(kind, facts, None, "")
    data = root.findtext(f".//{{{NAMESPACE}}}Data")
    if data is None:
        raise XmlError(f"{kind} has no Data", f"{kind} 中没有 Data")
    try:
        content = base64.b64decode("".join(data.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise XmlError(f"Data of {kind} is not Base64", f"{kind} 的 Data 不是 Base64") from exc
    return Opened(kind, facts, content, (root.findtext(f".//{{{NAMESPACE}}}MsgType") or "").strip())


def _facts(node: etree._Element) -> dict[str, Any]:
    """Elements by name, repeated ones as a list; only whether there is a signature, not its parts."""
    found: dict[str, Any] = {}
    for part in node:
        name = name_of(part, NAMESPACE)
        if name == "Data":
            continue
        if etree.QName(part).localname == "Signature":
            found["Signature"] = True
            continue
        value: Any = _facts(part) if len(part) else (part.text or "").strip()
        if part.attrib:
            value = {**_attributes(part), **(value if isinstance(value, dict) else {"text": value})}
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _attributes(node: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in node.attrib.items()}
