"""Workbooks written part by part, so that a test can make any that a program, a person or an attacker might."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from documents.sheet.model import Reading, letter
from documents.spec import DocumentType
from documents.types.order import ORDER

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HEADERS = tuple(column.header for column in ORDER.sheet.columns)
#: a right row in the template's order: number, article number, article, quantity, total, unit price, unit
ROW = ("TY1", "A1", "绿茶", "2", "3.00", "1.5", "035")
DEFAULTS = {
    "orderType": "B", "ebpCode": "无", "ebpName": "海外平台", "ebcCode": "6101960AAA", "ebcName": "测试电商有限公司",
    "freight": "0", "currency": "502",
}  # fmt: skip

READING = Reading(trade_mode="9710", defaults=DEFAULTS)


@dataclass(frozen=True)
class Formula:
    """A formula with the value that was last computed."""

    text: str
    cached: str


@dataclass(frozen=True)
class Raw:
    """A cell as XML, {r} for its address."""

    xml: str


#: a number with a date format (style 1 of the workbooks below)
DATE = Raw('<c r="{r}" s="1"><v>45000</v></c>')
ERROR = Raw('<c r="{r}" t="e"><v>#N/A</v></c>')
STYLED = Raw('<c r="{r}" s="1"/>')


def row_of(number: Any = "TY1", article: Any = "A1", **changes: Any) -> list[Any]:
    """A right row with changes by field name."""
    values = dict(zip((column.name for column in ORDER.sheet.columns), ROW, strict=True))
    return list((values | {"orderNo": number, "itemNo": article} | changes).values())


def cells(rows: Mapping[int, Sequence[Any]], left: int = 0) -> str:
    """The rows of a sheet: row number -> values, from column `left` on; None leaves a cell out."""
    lines = []
    for number, values in rows.items():
        line = "".join(
            _cell(f"{letter(index + left)}{number}", value)
            for index, value in enumerate(values)
            if value is not None
        )
        lines.append(f'<row r="{number}">{line}</row>')
    return "".join(lines)


def _cell(address: str, value: Any) -> str:
    if isinstance(value, Raw):
        return value.xml.replace("{r}", address)
    if isinstance(value, Formula):
        return f'<c r="{address}" t="str"><f>{escape(value.text)}</f><v>{escape(value.cached)}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{address}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{address}"><v>{value!r}</v></c>'
    return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def sheet(rows: str, tail: str = "", prefix: str = "") -> bytes:
    """A worksheet part. prefix: for its namespace, as some programs write it."""
    space = f"xmlns:{prefix}" if prefix else "xmlns"
    text = f'<worksheet {space}="{MAIN}"><sheetData>{rows}</sheetData>{tail}</worksheet>'
    if prefix:
        for name in ("worksheet", "sheetData", "row", "c", "is", "t", "v", "f"):
            for end in (" ", ">", "/"):
                text = text.replace(f"<{name}{end}", f"<{prefix}:{name}{end}")
            text = text.replace(f"</{name}>", f"</{prefix}:{name}>")
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}'.encode()


def table(rows: Sequence[Sequence[Any]], headers: Sequence[str] = HEADERS) -> bytes:
    """A worksheet with headers in row 1 and rows below."""
    return sheet(cells(dict(enumerate([headers, *rows], 1))))


def book(
    sheets: Mapping[str, bytes],
    *,
    targets: Sequence[str] | None = None,
    extra: Mapping[str, bytes] | None = None,
    instead: Mapping[str, bytes] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A workbook. targets: what the workbook says is the part of each sheet, in the order of the workbook; instead: parts replaced."""
    given = list(targets or (f"worksheets/sheet{n}.xml" for n in range(1, len(sheets) + 1)))
    files = [target.removeprefix("/xl/") for target in given]
    names = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="{target}"/>'
        for n, target in enumerate(given, 1)
    )
    links += f'<Relationship Id="rId99" Type="{RELATIONS}/styles" Target="styles.xml"/>'
    kinds = "".join(
        f'<Override PartName="/xl/{file}" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for file in files
    )
    parts: dict[str, bytes] = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            '<Override PartName="/xl/styles.xml" '
            f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>{kinds}</Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{RELATIONS}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{names}</sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>'.encode(),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills>'
            '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
            '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
            '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
        ).encode(),
    }
    parts |= {f"xl/{file}": content for file, content in zip(files, sheets.values(), strict=True)}
    return packed(parts | dict(extra or {}) | dict(instead or {}), compression)


def packed(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def orders(*rows: Sequence[Any], **options: Any) -> bytes:
    """A workbook with one sheet of orders."""
    return book({ORDER.sheet.title: table(rows)}, **options)


def headers_of(doctype: DocumentType) -> list[str]:
    return [column.header for column in doctype.sheet.columns]
