"""The official field tables as tests know them: written from the specification, never from documents/."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import yaml
from lxml import etree

from documents.spec import DocumentType, Field

GOLDEN = Path(__file__).parent.parent / "golden"
_BASE = ("copCode C..18", "copName C..100", "dxpMode C3 DXP", "dxpId C..30", "note C..1000 ?")
#: patterns of what has a form of its own
_FORMS = {
    "guid": "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}",
    "yyyyMMdd": "[0-9]{8}",
    "yyyyMMddHHmmss": "[0-9]{14}",
    "yyyyMMddHHmmssSSS": "[0-9]{17}",
}


def name_of(doctype: DocumentType) -> str:
    """CEB603 of CEB603Message."""
    return doctype.message.root.removesuffix("Message")


@cache
def table(name: str) -> dict[str, Any]:
    """The printed table of a message, e.g. CEB603."""
    content: dict[str, Any] = yaml.safe_load((GOLDEN / "fields" / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def official_type(field: Field) -> str:
    """The table's notation for a declared field."""
    if field.type == "decimal":
        return f"N{field.digits},{field.scale}"
    if field.type == "integer":
        return f"N{field.digits}"
    if field.type in ("datetime", "date") or field.min_length == field.length:
        return f"C{field.length}"
    return f"C{field.min_length or ''}..{field.length}"


@cache
def schema(name: str) -> etree.XMLSchema:
    """A definition that says what the table says: names, order, lengths, required flags, printed values."""
    official = table(name)
    rows = "".join(_element(row) for row in official["head"]["fields"])
    inner = rows
    if official["head"]["name"]:
        inner = _node(official["head"]["name"], rows, 1, 1)
    if "line" in official:
        line = official["line"]
        inner += _node(
            line["name"], "".join(_element(row) for row in line["fields"]), line["min"], line["max"]
        )
    body = _node(official["node"]["name"], inner, official["node"]["min"], official["node"]["max"])
    if "receipt" in official:
        base = [dict(zip(("name", "type", "more"), row.split(), strict=False)) for row in _BASE]
        body += _node("BaseTransfer", "".join(_element(_row(**row)) for row in base), 1, 1)
    text = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
        targetNamespace="{official["namespace"]}"><xs:element name="{official["message"]}"><xs:complexType>
        <xs:sequence>{body}</xs:sequence>
        <xs:attribute name="guid" use="required">{_simple(_row("guid", "C36"))}</xs:attribute>
        <xs:attribute name="version" use="required" type="xs:string"/>
        </xs:complexType></xs:element></xs:schema>"""
    return etree.XMLSchema(etree.fromstring(text))


def _row(name: str, type: str, more: str = "") -> dict[str, Any]:  # noqa: A002 - as the tables call it
    values = {} if more in ("", "?") else {"values": [more]}
    return {"name": name, "type": type, "required": more != "?", **values}


def _node(name: str, inner: str, least: int, most: int) -> str:
    occurs = f'minOccurs="{least}" maxOccurs="{most or "unbounded"}"'
    return f'<xs:element name="{name}" {occurs}><xs:complexType><xs:sequence>{inner}</xs:sequence></xs:complexType></xs:element>'


def _element(row: dict[str, Any]) -> str:
    return f'<xs:element name="{row["name"]}" minOccurs="{int(row["required"])}">{_simple(row)}</xs:element>'


def _simple(row: dict[str, Any]) -> str:
    kind, notation = row["type"][0], row["type"][1:]
    if kind == "N":
        total, _, places = notation.partition(",")
        base = "xs:decimal" if places else "xs:nonNegativeInteger"
        facets = f'<xs:totalDigits value="{total}"/>' + (
            f'<xs:fractionDigits value="{places}"/>' if places else ""
        )
    else:
        base = "xs:string"
        low, dots, high = notation.partition("..")
        least, most = (int(low or 1), int(high)) if dots else (int(low), int(low))
        facets = f'<xs:minLength value="{least}"/><xs:maxLength value="{most}"/>'
        form = _FORMS.get(row["name"]) or _FORMS.get(row.get("time", ""))
        facets += f"<xs:pattern value={quoteattr(form)}/>" if form else ""
    facets += "".join(f"<xs:enumeration value={quoteattr(str(value))}/>" for value in row.get("values", ()))
    return f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'
