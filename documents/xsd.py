"""XSD definitions of messages and receipts, made from the declarations: one per root.

For whoever writes or reads these messages elsewhere, and to judge ours; what rules say of several fields together is
not in them. They are not the published files and must never claim to be: choices and shapes are those declared here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lxml import etree

from documents.registry import REGISTRY, Registry
from documents.spec import DeclarationError, DocumentType, Field, ReceiptForm
from documents.types.answer import FORMAT, UNLIMITED

_XS = "http://www.w3.org/2001/XMLSchema"
_SIGNATURES = "http://www.w3.org/2000/09/xmldsig#"
#: upper case, as the field tables ask of the sender; published samples mix cases, so customs may
_OUR_GUID = "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
_DAY = "[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
_SHAPES = {"date": _DAY, "datetime": f"{_DAY}([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"}
#: what XSD's expressions lack or mean otherwise: groups with a question mark, escapes, anchors
_NOT_FOR_XSD = re.compile(r"\(\?|\\|\^|\$|\*\?|\+\?")

#: what follows the documents of a message that is sent: (name, length, required, only value, label)
_Row = tuple[str, int, bool, str, str]
_TRANSFER: tuple[_Row, ...] = (
    ("copCode", 18, True, "", "传输企业代码 / Enterprise that transmits"),
    ("copName", 100, True, "", "传输企业名称 / Its name"),
    ("dxpMode", 3, True, "DXP", "报文传输模式 / Mode"),
    ("dxpId", 30, True, "", "报文传输编号 / Its number at the data exchange platform"),
    ("note", 1000, False, "", "备注 / Note"),
)
_SUBSCRIBE: tuple[_Row, ...] = (
    ("status", 100, True, "", "订阅状态：ALL 数据和回执，DATA 数据，RET 回执 / ALL, DATA or RET"),
    ("dxpMode", 3, True, "DXP", "报文传输模式 / Mode"),
    ("dxpAddress", 100, True, "", "订阅地址 / Address"),
    ("note", 1000, False, "", "备注 / Note"),
)
_EXTEND: tuple[_Row, ...] = (
    ("name", 30, True, "", "自定义报文名称 / Name"),
    ("version", 30, True, "", "自定义报文版本 / Version"),
)


@cache
def definitions(registry: Registry = REGISTRY) -> Mapping[str, bytes]:
    """Root -> its definition, for all messages and receipts of the types.

    Raises DeclarationError where types of one message contradict each other.
    """
    by_root: dict[str, list[DocumentType]] = {}
    receipts: dict[str, tuple[ReceiptForm, str]] = {}
    for doctype in registry.types:
        by_root.setdefault(doctype.message.root, []).append(doctype)
        if doctype.receipt is not None and doctype.receipt.fields:
            receipts[doctype.receipt.root] = (doctype.receipt, doctype.message.namespace)
            receipts[FORMAT.root] = (FORMAT, doctype.message.namespace)
    found = {root: _message(types) for root, types in by_root.items()}
    found |= {root: _receipt(form, namespace) for root, (form, namespace) in receipts.items()}
    return MappingProxyType(found)


@cache
def schema(root: str, registry: Registry = REGISTRY) -> etree.XMLSchema:
    """The compiled definition of a root of the types; KeyError for any other."""
    return etree.XMLSchema(etree.fromstring(definitions(registry)[root]))


def write(folder: Path) -> list[Path]:
    """One file per root into a folder, which is made if missing; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for root, text in definitions().items():
        file = folder / f"{root}.xsd"
        file.write_bytes(text)
        files.append(file)
    return files


# ---- what a root holds ---------------------------------------------------------------------------------------------


def _message(types: Sequence[DocumentType]) -> bytes:
    form, ours = types[0].message, types[0].message.direction == "out"
    if any(doctype.message != form for doctype in types):
        raise DeclarationError(f"{form.root}: its kinds do not agree on the message")
    guids = {name for doctype in types for name, source in doctype.on_submit if source == "guid"}
    parts = [_field(field, ours, guids) for field in _merged([doctype.head for doctype in types])]
    if form.head:
        parts = [_element(form.head, *parts)]
    if form.line:
        most = 0 if form.split_lines or not ours else form.max_lines
        fields = [_field(field, ours, guids) for field in _merged([doctype.lines for doctype in types])]
        parts.append(_element(form.line, *fields, times=(form.min_lines, most)))
    node = _element(form.node, *parts, times=(1, form.max_documents))
    title = " / ".join(dict.fromkeys(text for item in types for text in (item.title.zh, item.title.en)))
    return _definition(form.namespace, form.root, title, [node, *(_frame() if ours else ())], _guid(ours))


def _receipt(form: ReceiptForm, namespace: str) -> bytes:
    fields = [_field(field, False, set()) for field in form.fields]
    node = _element(form.node, *fields, times=(1, form.max_items))
    return _definition(namespace, form.root, "回执 / Receipt", [node], _guid(ours=False))


def _merged(parts: Iterable[tuple[Field, ...]]) -> tuple[Field, ...]:
    """The fields of types that share a root: alike but for labels and choices, which add up."""
    first, *others = parts
    found = first
    for other in others:
        if [field.name for field in other] != [field.name for field in found]:
            raise DeclarationError("types of one message differ in their fields")
        found = tuple(_both(left, right) for left, right in zip(found, other, strict=True))
    return found


def _both(left: Field, right: Field) -> Field:
    shape = ("type", "required", "length", "min_length", "digits", "scale", "pattern")
    if any(getattr(left, name) != getattr(right, name) for name in shape):
        raise DeclarationError(f"{left.name}: types of one message differ in it")
    return replace(
        left,
        zh="/".join(dict.fromkeys((left.zh, right.zh))),
        en="/".join(dict.fromkeys((left.en, right.en))),
        choices=tuple(dict((*left.choices, *right.choices)).items()),
        default=None,
    )


# ---- elements of the definition ------------------------------------------------------------------------------------


def _definition(
    namespace: str, root: str, title: str, content: Sequence[etree._Element], guid: etree._Element
) -> bytes:
    version = _restriction("string", ("minLength", 1), ("maxLength", 10))
    body = _xs(
        "complexType",
        _xs("sequence", *content),
        _xs("attribute", guid, name="guid", use="required"),
        _xs("attribute", version, name="version", use="required"),
    )
    element = _xs("element", _note(title), body, name=root)
    schema = _xs("schema", element, targetNamespace=namespace, elementFormDefault="qualified")
    etree.indent(schema)
    return etree.tostring(schema, xml_declaration=True, encoding="UTF-8") + b"\n"


def _frame() -> tuple[etree._Element, ...]:
    """Who transmits, who else gets receipts, the signature, anything else."""
    anything = _xs("any", processContents="skip", minOccurs="0")
    return (
        _element("BaseTransfer", *map(_row, _TRANSFER)),
        _element("BaseSubscribe", *map(_row, _SUBSCRIBE), times=(0, 5)),
        _xs("any", namespace=_SIGNATURES, processContents="skip", minOccurs="0"),
        _element("ExtendMessage", *map(_row, _EXTEND), _element("Message", anything), times=(0, 1)),
    )


def _row(row: _Row) -> etree._Element:
    name, length, required, value, label = row
    kind = _restriction(
        "string", *([("enumeration", value)] if value else [("minLength", 1), ("maxLength", length)])
    )
    return _xs("element", _note(label), kind, name=name, **_times(int(required), 1))


def _field(field: Field, ours: bool, guids: set[str]) -> etree._Element:
    label = _note(f"{field.zh} / {field.en}")
    return _xs("element", label, _type(field, ours, guids), name=field.name, **_times(int(field.required), 1))


def _type(field: Field, ours: bool, guids: set[str]) -> etree._Element:
    """The restriction of one field. ours: what we send must hold something; what customs sends may be empty."""
    if field.type == "decimal":
        lowest: list[tuple[str, object]] = [("minExclusive", 0)] if field.positive else [("minInclusive", 0)]
        digits = [("totalDigits", field.digits), ("fractionDigits", field.scale)]
        return _restriction("decimal", *digits, *([] if field.signed else lowest))
    if field.type == "integer":
        return _restriction("nonNegativeInteger", ("totalDigits", field.digits))
    if field.type in _SHAPES:
        return _restriction("string", ("pattern", _SHAPES[field.type]))
    if field.choices:
        return _restriction("string", *(("enumeration", value) for value, _ in field.choices))
    if field.name in guids:
        return _guid(ours)
    facets: list[tuple[str, object]] = []
    least = max(field.min_length, int(ours))
    if least:
        facets.append(("minLength", least))
    if field.length < UNLIMITED:
        facets.append(("maxLength", field.length))
    # a number of customs goes back to customs as it came, whatever it looks like
    if field.pattern and field.filled_by != "customs" and not _NOT_FOR_XSD.search(field.pattern[0]):
        facets.append(("pattern", field.pattern[0]))
    return _restriction("string", *facets)


def _guid(ours: bool) -> etree._Element:
    return _restriction("string", ("pattern", _OUR_GUID) if ours else ("length", 36))


def _element(name: str, *content: etree._Element, times: tuple[int, int] = (1, 1)) -> etree._Element:
    """An element with a sequence in it. times: fewest and most, 0 for any number."""
    return _xs("element", _xs("complexType", _xs("sequence", *content)), name=name, **_times(*times))


def _times(fewest: int, most: int) -> dict[str, str]:
    """minOccurs and maxOccurs where they are not 1."""
    low = {"minOccurs": str(fewest)} if fewest != 1 else {}
    return low | ({"maxOccurs": str(most or "unbounded")} if most != 1 else {})


def _restriction(base: str, *facets: tuple[str, object]) -> etree._Element:
    items = [_xs(name, value=str(value)) for name, value in facets]
    return _xs("simpleType", _xs("restriction", *items, base=f"xs:{base}"))


def _note(text: str) -> etree._Element:
    words = _xs("documentation")
    words.text = text
    return _xs("annotation", words)


def _xs(tag: str, *children: etree._Element, **attributes: str) -> etree._Element:
    element = etree.Element(f"{{{_XS}}}{tag}", attributes, {"xs": _XS})
    element.extend(children)
    return element
