"""Is the message built as its table says: names, order, occurrence, types - and what does it contain?

Two readers give the same answer: a tree walk that explains every fault, and a scan of the canonical text that is
about ten times cheaper and only ever says "fine" or "I do not know". Must never judge what the values mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import unescape

from lxml import etree

from simulator.problems import Refusal
from simulator.tables import Field, Section, Table, known
from simulator.xmlsafe import local, namespace

# Range "order errors" of the published table 7-2; that -301001 means a wrong structure is assumed.
STRUCTURE = "-301001"
# Published: "too many heads".
TOO_MANY = "-301015"

_GAP = r"[ \t\n]*"
# Canonical form writes a carriage return inside text so; the other three escapes are the usual ones.
_RETURN = {"&#xD;": "\r"}
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")


@dataclass(frozen=True, slots=True)
class Document:
    """One business document: fields by name, optional ones that are absent read as empty."""

    head: dict[str, str]
    lines: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a well-built message holds."""

    documents: tuple[Document, ...]
    transfer: dict[str, str]


class StructureFault(Refusal):
    """One place where the message differs from the table. `index` is the document (from 0), None = elsewhere."""

    def __init__(self, zh: str, en: str, index: int | None = None, status: str = STRUCTURE) -> None:
        super().__init__(status, zh, en)
        self.index = index


def read(root: etree._Element, canonical: bytes, table: Table) -> Contents:
    """Contents of a message whose signature element is already gone; `canonical` is its C14N form.

    Raises StructureFault.
    """
    _check_root(root, table)
    fast = _scan(root, canonical, table)
    return fast if fast is not None else walk(root, table)


def _check_root(root: etree._Element, table: Table) -> None:
    if local(root) != table.message or namespace(root) != table.namespace:
        raise StructureFault(f"根元素应为 {table.message}", f"root must be {table.message}, found {root.tag}")
    extra = set(root.attrib) - {field.name for field in table.attributes}
    if extra:
        raise StructureFault(
            f"根元素不应有属性 {'、'.join(sorted(map(str, extra)))}",
            f"root must not have the attribute {', '.join(sorted(map(str, extra)))}",
        )
    for field in table.attributes:
        fault = field.wrong(root.get(field.name, ""))
        if fault:
            raise StructureFault(
                f"根元素属性 {field.name} {fault[0]}", f"root attribute {field.name} {fault[1]}"
            )


# ---- the scan ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Patterns:
    open: re.Pattern[str]
    head: re.Pattern[str]
    line: re.Pattern[str]
    close: re.Pattern[str]
    transfer: re.Pattern[str]
    subscribe: re.Pattern[str]
    end: re.Pattern[str]


@lru_cache(maxsize=64)
def _patterns(table_message: str, prefix: str) -> _Patterns:
    table = known()[table_message]
    p = re.escape(prefix + ":") if prefix else ""

    def fields(section: Section) -> str:
        parts = []
        for field in section.fields:
            one = f"<{p}{field.name}>({field.pattern()})</{p}{field.name}>{_GAP}"
            parts.append(one if field.required else f"(?:{one})?")
        return f"<{p}{section.element}>{_GAP}{''.join(parts)}</{p}{section.element}>{_GAP}"

    return _Patterns(
        open=re.compile(rf"<{p}{table.message}[^<>]*>{_GAP}"),
        head=re.compile(f"<{p}{table.document}>{_GAP}{fields(table.head)}"),
        line=re.compile(fields(table.lines)),
        close=re.compile(f"</{p}{table.document}>{_GAP}"),
        transfer=re.compile(fields(table.transfer)),
        subscribe=re.compile(fields(table.subscribe)),
        end=re.compile(f"</{p}{table.message}>"),
    )


def _scan(root: etree._Element, canonical: bytes, table: Table) -> Contents | None:
    """Read the canonical text with one pattern per section; None when anything is not plainly right."""
    prefix = root.prefix or ""
    if prefix and not _PREFIX.fullmatch(prefix):
        return None
    patterns = _patterns(table.message, prefix)
    text = canonical.decode("utf-8")
    start = patterns.open.match(text)
    if start is None:
        return None
    at = start.end()
    head_names = [field.name for field in table.head.fields]
    line_names = [field.name for field in table.lines.fields]
    match_head, match_line, match_close = patterns.head.match, patterns.line.match, patterns.close.match
    values = _unescaped if "&" in text else _plain
    documents: list[Document] = []
    while head := match_head(text, at):
        at = head.end()
        lines = []
        while line := match_line(text, at):
            at = line.end()
            lines.append(dict(zip(line_names, values(line), strict=True)))
        close = match_close(text, at)
        if close is None or not table.lines.low <= len(lines) <= table.lines.high:
            return None
        at = close.end()
        documents.append(Document(dict(zip(head_names, values(head), strict=True)), tuple(lines)))
    transfer = patterns.transfer.match(text, at)
    if transfer is None or not 1 <= len(documents) <= table.max_documents:
        return None
    at = transfer.end()
    subscriptions = 0
    while subscribe := patterns.subscribe.match(text, at):
        at = subscribe.end()
        subscriptions += 1
    if subscriptions > table.subscribe.high or patterns.end.fullmatch(text, at) is None:
        return None
    names = [field.name for field in table.transfer.fields]
    return Contents(tuple(documents), dict(zip(names, values(transfer), strict=True)))


def _plain(match: re.Match[str]) -> tuple[str, ...]:
    return match.groups("")


def _unescaped(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(unescape(value, _RETURN) if "&" in value else value for value in match.groups(""))


# ---- the walk ---------------------------------------------------------------------------------------------------


def walk(root: etree._Element, table: Table) -> Contents:
    """The same by the tree, with the first fault named by document, line and field. Raises StructureFault."""
    documents: list[Document] = []
    transfer: dict[str, str] | None = None
    subscriptions = 0
    stage = 0
    order = [table.document, table.transfer.element, table.subscribe.element, table.extend]
    _no_text(root, None)
    for child in root:
        name = local(child)
        index = len(documents) if name == table.document else None
        if name not in order or namespace(child) != table.namespace:
            raise StructureFault(f"报文中不应有 {name}", f"{name} does not belong in {table.message}", index)
        position = order.index(name)
        repeatable = name in (table.document, table.subscribe.element)
        if position < stage or (position == stage and stage and not repeatable):
            raise StructureFault(f"{name} 的次序或次数不对", f"{name} is out of order or repeated", index)
        stage = position
        if name == table.document:
            if len(documents) >= table.max_documents:
                raise StructureFault(
                    f"一个报文最多 {table.max_documents} 份单证，请拆分",
                    f"a message may hold {table.max_documents} documents; split it",
                    None,
                    TOO_MANY,
                )
            documents.append(_document(child, table, len(documents)))
        elif name == table.transfer.element:
            transfer = _fields(child, table.transfer, table.namespace, None, "")
        elif name == table.subscribe.element:
            _fields(child, table.subscribe, table.namespace, None, "")
            subscriptions += 1
            if subscriptions > table.subscribe.high:
                raise StructureFault(
                    f"{name} 最多 {table.subscribe.high} 个", f"at most {table.subscribe.high} {name}"
                )
    if not documents:
        raise StructureFault(f"报文中没有 {table.document}", f"message holds no {table.document}")
    if transfer is None:
        raise StructureFault(
            f"报文中没有 {table.transfer.element}", f"message holds no {table.transfer.element}"
        )
    return Contents(tuple(documents), transfer)


def _document(element: etree._Element, table: Table, index: int) -> Document:
    _no_text(element, index)
    if element.attrib:
        raise StructureFault(
            f"{table.document} 不应有属性", f"{table.document} must not have attributes", index
        )
    head: dict[str, str] | None = None
    lines: list[dict[str, str]] = []
    for child in element:
        name = local(child)
        if name == table.head.element and head is None and not lines:
            head = _fields(child, table.head, table.namespace, index, "")
        elif name == table.lines.element and head is not None:
            lines.append(_fields(child, table.lines, table.namespace, index, f"第 {len(lines) + 1} 项 "))
        else:
            raise StructureFault(
                f"{table.document} 中 {name} 的次序或次数不对",
                f"{name} is out of order or does not belong in {table.document}",
                index,
            )
    if head is None or not table.lines.low <= len(lines) <= table.lines.high:
        raise StructureFault(
            f"{table.document} 应有 1 个 {table.head.element} 和 {table.lines.low} 到 {table.lines.high} 个"
            f" {table.lines.element}，实为 {len(lines)} 个",
            f"{table.document} needs one {table.head.element} and {table.lines.low} to {table.lines.high}"
            f" {table.lines.element}, found {len(lines)}",
            index,
        )
    return Document(head, tuple(lines))


def _fields(
    element: etree._Element, section: Section, expected: str, index: int | None, where: str
) -> dict[str, str]:
    """Texts of one section, in the table's order."""
    _no_text(element, index)
    if element.attrib or namespace(element) != expected:
        raise StructureFault(
            f"{where}{section.element} 的命名空间或属性不对",
            f"{section.element} has a wrong namespace or attributes",
            index,
        )
    values: dict[str, str] = {field.name: "" for field in section.fields}
    children = list(element)
    at = 0
    for field in section.fields:
        child = children[at] if at < len(children) else None
        if child is None or local(child) != field.name or namespace(child) != expected:
            if field.required:
                raise _missing(field, section, child, where, index)
            continue
        at += 1
        if len(child) or child.attrib:
            raise StructureFault(
                f"{where}{field.zh} {field.name} 只能是文字，不得有子元素或属性",
                f"{section.element}/{field.name} must be plain text",
                index,
            )
        value = child.text or ""
        fault = field.wrong(value)
        if fault:
            raise StructureFault(
                f"{where}{field.zh} {field.name} {fault[0]}",
                f"{section.element}/{field.name} {fault[1]}",
                index,
            )
        values[field.name] = value
    if at < len(children):
        name = local(children[at])
        raise StructureFault(
            f"{where}{section.element} 中 {name} 的次序或次数不对，或不应出现",
            f"{name} is out of order, repeated or unknown in {section.element}",
            index,
        )
    return values


def _missing(
    field: Field, section: Section, found: etree._Element | None, where: str, index: int | None
) -> StructureFault:
    instead = "" if found is None else f"，此处是 {local(found)}"
    return StructureFault(
        f"{where}缺少 {field.zh} {field.name}{instead}",
        f"{section.element}/{field.name} is missing here",
        index,
    )


def _no_text(element: etree._Element, index: int | None) -> None:
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip(" \t\r\n") for text in texts):
        raise StructureFault(f"{local(element)} 内有多余文字", f"{local(element)} holds stray text", index)


def identities(root: etree._Element, table: Table) -> list[dict[str, str]]:
    """Head fields of every document as far as they can be read, for answering a message that is not taken.

    Empty when a document lacks what a receipt must quote: then only the message as a whole can be answered.
    """
    required = [field for field in table.receipt.fields if field.name in {f.name for f in table.head.fields}]
    result: list[dict[str, str]] = []
    for element in root.iter(f"{{{table.namespace}}}{table.head.element}"):
        values = {field.name: "" for field in table.head.fields}
        for child in element:
            if local(child) in values and not len(child):
                values[local(child)] = child.text or ""
        if any(field.wrong(values[field.name]) for field in required):
            return []
        result.append(values)
    return result
