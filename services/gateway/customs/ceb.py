"""Reads a CEB receipt of any type: root, list nodes, and in each of them status, time, words and business keys.

Pure, and by namespace, never by prefix: receipts with the default namespace are common. Nothing that stands in a
node is thrown away: elements nobody knows are kept in `fields` (up to MAX_FIELDS of them; the raw receipt has all).
Source: receipt parts of the XSD 202205; every receipt there is a root with 1 to 100 nodes of one kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from services.gateway.customs.safexml import Unreadable, parse, split

NAMESPACE = "http://www.chinaport.gov.cn/ceb"
#: items in one event, as many as the definition allows in one receipt
MAX_ITEMS = 100
#: characters of one field that travel on; CEB900 repeats the whole original message, which stays in the raw receipt
MAX_FIELD = 5000
#: fields of one item that travel on
MAX_FIELDS = 200
# roots become routing keys: nothing but letters and digits
_ROOT = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
# not receipts but parts that any CEB message may carry
_FRAME = {"BaseTransfer", "BaseSubscribe", "ExtendMessage"}
_OWN = {"guid": "guid", "returnStatus": "status", "returnTime": "return_time", "returnInfo": "info"}


@dataclass(frozen=True, slots=True)
class Item:
    """One node of a receipt, all as sent: status may be negative, return_time is yyyyMMddHHmmssSSS.

    fields: every other element by local name; below a deeper element as "Head.sumNo", repeated as "List[2].gnum",
    of another namespace as "{namespace}name"."""

    guid: str
    status: str
    return_time: str
    info: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """message_type is the local name of the root, for example CEB304Message."""

    message_type: str
    items: tuple[Item, ...]


def read(raw: bytes) -> Receipt:
    """Raises Unreadable with the first thing that is wrong."""
    root = parse(raw)
    namespace, local = split(root.tag)
    if namespace != NAMESPACE or not _ROOT.fullmatch(local):
        name = f"{{{namespace}}}{local}"[:100]
        raise Unreadable(
            "not-a-receipt",
            f"根节点 {name} 不是跨境统一版回执。",
            f"The root {name} is no receipt of the cross-border system.",
        )
    items = tuple(_item(node) for node in root if _is_item(node))
    if not items:
        raise Unreadable("empty", f"{local} 中没有任何回执节点。", f"{local} holds no receipt node.")
    return Receipt(local, items)


def _is_item(node: etree._Element) -> bool:
    namespace, local = split(node.tag)
    return namespace == NAMESPACE and local not in _FRAME


def _item(node: etree._Element) -> Item:
    found: dict[str, str] = {}
    _flatten(node, "", found, 0)
    own = {attribute: found.pop(name, "") for name, attribute in _OWN.items()}
    if not own["guid"]:
        # a summary result (CEB792) has its number in the head below the node
        own["guid"] = next((text for key, text in found.items() if key.endswith("Head.guid")), "")
    return Item(fields=found, **own)


def _flatten(node: etree._Element, prefix: str, found: dict[str, str], depth: int) -> None:
    for child in node:
        namespace, local = split(child.tag)
        if not local or len(found) >= MAX_FIELDS:
            continue
        name = prefix + (local if namespace == NAMESPACE else f"{{{namespace}}}{local}")[:200]
        name = _unused(name, found)
        if len(child) and depth < 5:
            _flatten(child, f"{name}.", found, depth + 1)
        else:
            text = "".join(str(part) for part in child.itertext()).strip()
            found[name] = text if len(text) <= MAX_FIELD else text[: MAX_FIELD - 1] + "…"


def _unused(name: str, found: dict[str, str]) -> str:
    """`name`, or name[2], name[3] … where the same element stands there again."""
    number = 1
    candidate = name
    while candidate in found or any(key.startswith(f"{candidate}.") for key in found):
        number += 1
        candidate = f"{name}[{number}]"
    return candidate
