"""Customs messages: bodies to canonical XML bytes and back.

Writing fills templates that are compiled once per type and already in canonical form (inclusive C14N 1.0: sorted
namespaces and attributes, no empty-element tags, no declaration), so that nothing is parsed or canonicalised on the
way; tests hold it byte for byte against lxml's C14N. Reading goes by namespace, never by prefix, and keeps what it
does not know.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lxml import etree

from documents.spec import Body, DocumentType, Field

VERSION = "1.0"
#: what canonical XML escapes in text; > and CR too, unlike ordinary serialisers
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_ESCAPE = re.compile("[&<>\r]")
#: characters XML 1.0 cannot carry at all
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_SUSPECT = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class XmlError(Exception):
    """A text cannot be carried, or a message cannot be read; says why. zh: the same in Chinese, where people read it."""

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en)
        self.zh = zh or en


@dataclass(frozen=True, slots=True)
class Transfer:
    """BaseTransfer: who transmits. dxpMode is the fixed text DXP (field table)."""

    cop_code: str
    cop_name: str
    dxp_id: str


def escape(text: str) -> str:
    """Text as canonical XML writes it; raises XmlError for characters XML cannot carry."""
    bad = _IMPOSSIBLE.search(text)
    if bad:
        raise XmlError(f"character U+{ord(bad.group()):04X} cannot stand in XML")
    return _ESCAPE.sub(lambda found: _ESCAPES[found.group()], text)


def _attribute(text: str) -> str:
    escaped = escape(text).replace("&gt;", ">").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;")


class _Part:
    """The elements of one node in order: a piece of template with a slot each.

    prefix: with its colon, or empty for the default namespace. The slot of an optional element holds the whole
    element or nothing; `optional` tells its place, start and end tag.
    """

    def __init__(self, prefix: str, fields: Sequence[Field]) -> None:
        pieces: list[str] = []
        self.names = [field.name for field in fields]
        self.optional: list[tuple[int, str, str]] = []
        for index, field in enumerate(fields):
            name = f"{prefix}{field.name}"
            if field.required:
                pieces.append(f"<{name}>%s</{name}>")
            else:
                pieces.append("%s")
                self.optional.append((index, f"<{name}>", f"</{name}>"))
        self.template = "".join(pieces)

    def shifted(self, by: int) -> list[tuple[int, str, str]]:
        """`optional` where `by` slots come before this part."""
        return [(index + by, start, end) for index, start, end in self.optional]


class Writer:
    """Writes messages of one type. Build once, see `writer`."""

    def __init__(self, doctype: DocumentType) -> None:
        form = doctype.message
        self._form = form
        p = self._prefix = f"{form.prefix}:" if form.prefix else ""
        space = f"xmlns:{form.prefix}" if form.prefix else "xmlns"
        self._start = f'<{p}{form.root} {space}="{_attribute(form.namespace)}" guid="'
        base = "".join(f"<{p}{name}>%s</{p}{name}>" for name in ("copCode", "copName", "dxpMode", "dxpId"))
        self._end = f"<{p}BaseTransfer>{base}</{p}BaseTransfer></{p}{form.root}>"
        self._head = _Part(p, doctype.head)
        self._line = _Part(p, doctype.lines)
        #: which slot of a line takes its number; None where lines have none
        self._number_at = self._line.names.index(doctype.line_number) if doctype.line_number else None
        self._by_lines: dict[int, tuple[str, list[tuple[int, str, str]]]] = {}

    def _compiled(self, lines: int) -> tuple[str, list[tuple[int, str, str]]]:
        """The template of a document with that many lines, and its optional slots; made once."""
        known = self._by_lines.get(lines)
        if known is None:
            p, form = self._prefix, self._form
            line = f"<{p}{form.line}>{self._line.template}</{p}{form.line}>"
            # a flat document has its fields in the node itself
            head = (
                f"<{p}{form.head}>{self._head.template}</{p}{form.head}>"
                if form.head
                else self._head.template
            )
            optional = list(self._head.optional)
            for number in range(lines):
                optional += self._line.shifted(len(self._head.names) + number * len(self._line.names))
            known = (f"<{p}{form.node}>{head}{line * lines}</{p}{form.node}>", optional)
            self._by_lines[lines] = known
        return known

    def document(self, body: Body, system: Mapping[str, str]) -> str:
        """One document's node. system: the head fields set when it is sent (guid, appTime …)."""
        get = {**body["head"], **system}.get
        values = [get(name) or "" for name in self._head.names]
        names, lines, numbered = self._line.names, body["lines"], self._number_at
        for number, line in enumerate(lines, 1):
            get = line.get
            before = len(values)
            values += [get(name) or "" for name in names]
            if numbered is not None:
                values[before + numbered] = str(number)
        template, optional = self._compiled(len(lines))
        if _SUSPECT.search("".join(values)):
            values = [escape(value) for value in values]
        for index, start, end in optional:
            if values[index]:
                values[index] = f"{start}{values[index]}{end}"
        return template % tuple(values)

    def message(self, documents: Iterable[str], guid: str, transfer: Transfer) -> bytes:
        """The canonical bytes of an unsigned message of up to `max_documents` documents."""
        nodes = list(documents)
        if not 0 < len(nodes) <= self._form.max_documents:
            raise XmlError(f"a message holds 1 to {self._form.max_documents} documents, not {len(nodes)}")
        start = f'{self._start}{_attribute(guid)}" version="{VERSION}">'
        end = self._end % (
            escape(transfer.cop_code),
            escape(transfer.cop_name),
            "DXP",
            escape(transfer.dxp_id),
        )
        return "".join((start, *nodes, end)).encode()


@cache
def writer(doctype: DocumentType) -> Writer:
    """The writer of a type, compiled on first use."""
    return Writer(doctype)


@dataclass(frozen=True, slots=True)
class Read:
    """What a message says. bodies: head and lines with every element as text, known or not.

    unknown: paths of elements that the declaration does not name, kept in the bodies all the same.
    """

    root: str
    guid: str
    bodies: tuple[dict[str, Any], ...]
    transfer: dict[str, str]
    unknown: tuple[str, ...]


def parse(raw: bytes) -> etree._Element:
    """A tree from a safe parser: no DTD, no entities, no network, lxml's size limits kept.

    Comments and instructions are left out, so that none can cut a text in two.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as exc:
        raise XmlError(f"not well-formed: {exc.msg}", f"不是格式正确的 XML：{exc.msg}") from exc
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise XmlError("a document type declaration is not allowed", "不允许含有文档类型声明（DOCTYPE）")
    return root


def from_xml(doctype: DocumentType, raw: bytes) -> Read:
    """Read a message of this type; raises XmlError if it is another one."""
    return from_tree(doctype, parse(raw))


def from_tree(doctype: DocumentType, root: etree._Element) -> Read:
    """The same of a message that was parsed already (see `parse`)."""
    form = doctype.message
    if root.tag != f"{{{form.namespace}}}{form.root}":
        raise XmlError(f"root is {root.tag}, expected {form.root}")
    head_names = {field.name for field in doctype.head}
    line_names = {field.name for field in doctype.lines}
    unknown: list[str] = []
    bodies: list[dict[str, Any]] = []
    transfer: dict[str, str] = {}
    for node in root:
        name = name_of(node, form.namespace)
        if name == form.node:
            if form.head:
                bodies.append(_body(doctype, node, head_names, line_names, unknown))
            else:
                bodies.append(
                    {"head": texts(node, form.namespace, head_names, form.node, unknown), "lines": []}
                )
        elif name == "BaseTransfer":
            transfer = {name_of(item, form.namespace): item.text or "" for item in node}
        elif name not in (_SIGNATURE, "BaseSubscribe", "ExtendMessage"):
            unknown.append(name)
    return Read(form.root, root.get("guid", ""), tuple(bodies), transfer, tuple(dict.fromkeys(unknown)))


def _body(
    doctype: DocumentType,
    node: etree._Element,
    head_names: set[str],
    line_names: set[str],
    unknown: list[str],
) -> dict[str, Any]:
    form = doctype.message
    body: dict[str, Any] = {"head": {}, "lines": []}
    for part in node:
        inner = name_of(part, form.namespace)
        path = f"{form.node}/{inner}"
        if inner == form.head:
            body["head"] = texts(part, form.namespace, head_names, path, unknown)
        elif form.line and inner == form.line:
            body["lines"].append(texts(part, form.namespace, line_names, path, unknown))
        else:
            unknown.append(path)
    return body


def texts(
    part: etree._Element, namespace: str, known: Container[str], path: str, unknown: list[str]
) -> dict[str, str]:
    """The elements of a part as texts, in their order; a repeated one as name[2], a foreign one as {namespace}name.

    Paths of those that are not known are added to `unknown`.
    """
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for item in part:
        element = name_of(item, namespace)
        number = counts[element] = counts.get(element, 0) + 1
        name = element if number == 1 else f"{element}[{number}]"
        if name not in known:
            unknown.append(f"{path}/{name}")
        found[name] = "".join(str(text) for text in item.itertext())
    return found


def name_of(element: etree._Element, namespace: str) -> str:
    """The local name of an element of ours; "{namespace}name" of any other, so that it never passes for ours.

    "{}name" without a namespace.
    """
    name = etree.QName(element)
    return name.localname if name.namespace == namespace else f"{{{name.namespace or ''}}}{name.localname}"
