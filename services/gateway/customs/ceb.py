"""Reads what customs sends, of any type: root, nodes, and in each of them status, time, words and business keys.

Pure, and by namespace, never by prefix: receipts with the default namespace are common. Nothing that stands in a
node is thrown away: elements nobody knows are kept in `fields` (up to MAX_FIELDS of them; the raw receipt has all).
Of documents that customs sends on its own account (CEB792) head and lines are told apart as their type declares.
Source: receipt parts of the XSD 202205; every receipt there is a root with 1 to 100 nodes of one kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from documents.registry import REGISTRY, Registry
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
#: what every receipt's node has
_OWN = ("guid", "returnStatus", "returnTime", "returnInfo")


@dataclass(frozen=True, slots=True)
class Item:
    """One node of a receipt, all as sent: status may be negative, return_time is yyyyMMddHHmmssSSS.

    fields: every other element by local name; below a deeper element as "Head.sumNo", repeated as "List[2].gnum",
    of another namespace as "{namespace}name". Of a document that customs sends: all elements of its head, the guid
    too, and `lines` with the elements of each line."""

    guid: str
    status: str
    return_time: str
    info: str
    fields: dict[str, str]
    lines: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """message_type is the local name of the root, for example CEB304Message; written_as: as it stood there, where
    that is another spelling."""

    message_type: str
    items: tuple[Item, ...]
    written_as: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where head and lines stand in a document of customs' own, and how many lines are read at most."""

    node: str
    head: str
    line: str
    max_lines: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What has to be known to read: the shapes of customs' own documents by root, and other spellings of roots."""

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)


def reader(registry: Registry = REGISTRY, spellings: Mapping[str, str] | None = None) -> Reader:
    """A reader that knows the documents which customs sends on its own account."""
    forms = [doctype.message for doctype in registry.types if doctype.message.direction == "in"]
    shapes = {form.root: Shape(form.node, form.head, form.line, form.max_lines) for form in forms}
    return Reader(shapes, dict(spellings or {}))


def read(raw: bytes, known: Reader | None = None) -> Receipt:
    """Raises Unreadable with the first thing that is wrong."""
    known = known or Reader()
    root = parse(raw)
    namespace, written = split(root.tag)
    local = known.spellings.get(written, written)
    if namespace != NAMESPACE or not _ROOT.fullmatch(local):
        name = f"{{{namespace}}}{local}"[:100]
        raise Unreadable(
            "not-a-receipt",
            f"根节点 {name} 不是跨境统一版回执。",
            f"The root {name} is no receipt of the cross-border system.",
        )
    shape = known.shapes.get(local)
    items = tuple(
        _document(node, shape) if shape and split(node.tag)[1] == shape.node else _item(node)
        for node in root
        if _is_item(node)
    )
    if not items:
        raise Unreadable("empty", f"{local} 中没有任何回执节点。", f"{local} holds no receipt node.")
    return Receipt(local, items, "" if local == written else written)


def _is_item(node: etree._Element) -> bool:
    namespace, local = split(node.tag)
    return namespace == NAMESPACE and local not in _FRAME


def _item(node: etree._Element) -> Item:
    found: dict[str, str] = {}
    _flatten(node, "", found, 0)
    guid, status, moment, info = (found.pop(name, "") for name in _OWN)
    return Item(guid, status, moment, info, found)


def _document(node: etree._Element, shape: Shape) -> Item:
    """A document of customs' own. What stands beside head and lines is kept among the fields, too."""
    found: dict[str, str] = {}
    lines: list[dict[str, str]] = []
    for part in node:
        namespace, local = split(part.tag)
        ours = namespace == NAMESPACE
        if ours and local == shape.line:
            if len(lines) == shape.max_lines:
                raise Unreadable(
                    "too-many-lines",
                    f"{shape.node} 的表体超过 {shape.max_lines} 项，请联系运维人员处理。",
                    f"{shape.node} has more than {shape.max_lines} lines; please tell the operators.",
                )
            line: dict[str, str] = {}
            _flatten(part, "", line, 0)
            lines.append(line)
        elif ours and local == shape.head:
            _flatten(part, "", found, 0)
        else:
            _keep(part, "", found, 0)
    return Item(found.get("guid", ""), "", "", "", found, tuple(lines))


def _flatten(node: etree._Element, prefix: str, found: dict[str, str], depth: int) -> None:
    for child in node:
        _keep(child, prefix, found, depth)


def _keep(child: etree._Element, prefix: str, found: dict[str, str], depth: int) -> None:
    namespace, local = split(child.tag)
    if not local or len(found) >= MAX_FIELDS:
        return
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
