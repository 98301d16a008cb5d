"""Is the message built as its table says: names, order, occurrence, types - and what does it contain?

Two readers give the same answer: the tree walk here, which explains every fault, and the scan (scan.py), which is about
ten times cheaper and only ever says "fine" or "I do not know". Must never judge what the values mean.
"""

from __future__ import annotations

from lxml import etree

from simulator.config import MOST_LINES
from simulator.contents import Contents, Document
from simulator.problems import Refusal
from simulator.scan import scan
from simulator.tables import Field, Section, Table
from simulator.xmlsafe import local, namespace

__all__ = ["Contents", "Document", "StructureFault", "identities", "read", "walk"]


class StructureFault(Refusal):
    """One place where the message differs from the table. `index` is the document (from 0), None = elsewhere."""

    def __init__(self, zh: str, en: str, index: int | None = None, what: str = "structure") -> None:
        super().__init__(what, zh, en)
        self.index = index


def read(root: etree._Element, canonical: bytes, table: Table, most_lines: int = MOST_LINES) -> Contents:
    """Contents of a message whose signature element is already gone; `canonical` is its C14N form.

    Raises StructureFault with the type's own status.
    """
    try:
        _check_root(root, table)
        fast = scan(root, canonical, table, most_lines)
        return fast if fast is not None else _walk(root, table, most_lines)
    except StructureFault as fault:
        fault.resolve(table.codes)
        raise


def walk(root: etree._Element, table: Table, most_lines: int = MOST_LINES) -> Contents:
    """The same by the tree alone, with the first fault named by document, line and field."""
    try:
        return _walk(root, table, most_lines)
    except StructureFault as fault:
        fault.resolve(table.codes)
        raise


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


def _walk(root: etree._Element, table: Table, most_lines: int) -> Contents:
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
                    "too_many",
                )
            documents.append(_document(child, table, len(documents), most_lines))
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


def _document(element: etree._Element, table: Table, index: int, most_lines: int) -> Document:
    _no_text(element, index)
    if element.attrib:
        raise StructureFault(
            f"{table.document} 不应有属性", f"{table.document} must not have attributes", index
        )
    if table.lines is None:
        return Document(_fields(element, table.head, table.namespace, index, ""), ())
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
    low, high = table.lines.low, min(table.lines.high, most_lines)
    if head is None or not low <= len(lines) <= high:
        raise StructureFault(
            f"{table.document} 应有 1 个 {table.head.element} 和 {low} 到 {high} 个 {table.lines.element}，"
            f"实为 {len(lines)} 个",
            f"{table.document} needs one {table.head.element} and {low} to {high} {table.lines.element},"
            f" found {len(lines)}",
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
    given = set(table.head.names) - {"preNo", table.books.customs_no}
    quoted = [field for field in table.receipt.fields if field.name in given]
    result: list[dict[str, str]] = []
    for element in root.iter(f"{{{table.namespace}}}{table.head.element}"):
        values = {field.name: "" for field in table.head.fields}
        for child in element:
            if local(child) in values and not len(child):
                values[local(child)] = child.text or ""
        if any(field.wrong(values[field.name]) for field in quoted):
            return []
        result.append(values)
    return result
