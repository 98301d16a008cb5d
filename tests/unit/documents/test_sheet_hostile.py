"""Files that are no orders: refused by name before anything is unpacked, or read without harm."""

from __future__ import annotations

import io
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from types import FrameType

import pytest

from documents.sheet.look import MAX_BYTES, MAX_ENTRIES, look
from documents.sheet.model import MAX_TOLD, SheetProblem, SheetResult
from documents.sheet.read import read
from documents.types.order import ORDER
from tests.unit.documents.workbooks import (
    HEADERS,
    MAIN,
    READING,
    book,
    cells,
    orders,
    packed,
    row_of,
    sheet,
    table,
)

RIGHT = orders(row_of())
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


def with_part(name: str, content: bytes) -> bytes:
    return orders(row_of(), extra={name: content})


def zip_bomb() -> bytes:
    return book({"订单": sheet(" " * 45_000_000)})


def many_entries() -> bytes:
    return packed({f"{number:x}": b"" for number in range(100_000)}, zipfile.ZIP_STORED)


def lying_sizes() -> bytes:
    """The directory promises a few bytes; the part unpacks to far more."""
    content = bytearray(book({"订单": sheet(cells({1: HEADERS, 2: row_of()}) + " " * 5_000_000)}))
    at = content.index(b"xl/worksheets/sheet1.xml", content.index(b"PK\x01\x02"))
    while content[at - 46 : at - 42] != b"PK\x01\x02":
        at = content.index(b"xl/worksheets/sheet1.xml", at + 1)
    content[at - 46 + 24 : at - 46 + 28] = struct.pack("<I", 100)
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(RIGHT)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + offset] |= 1
    return bytes(content)


def doubled_part() -> bytes:
    out = io.BytesIO(RIGHT)
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/worksheets/sheet1.xml", table([row_of("OTHER")]))
    return out.getvalue()


FILES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "nothing": (lambda: b"", "wrong_type", "empty-file"),
    "xls or encrypted": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "wrong_type", "xls-or-encrypted"),
    "pdf": (lambda: b"%PDF-1.7\n", "wrong_type", "pdf"),
    "csv": (lambda: b"a,b\n1,2\n", "wrong_type", "not-xlsx"),
    "csv in GBK": (lambda: "订单号,数量\n".encode("gbk"), "wrong_type", "not-xlsx"),
    "csv in UTF-16": (lambda: "订单号,数量\n".encode("utf-16"), "wrong_type", "not-xlsx"),
    "html called xls": (lambda: b"<html><table></table></html>", "wrong_type", "not-xlsx"),
    "image": (lambda: b"\x89PNG\r\n\x1a\n", "wrong_type", "not-xlsx"),
    "zip of something else": (lambda: packed({"a.txt": b"x"}), "wrong_type", "not-xlsx"),
    "binary workbook": (lambda: packed({"xl/workbook.bin": b"x"}), "wrong_type", "not-xlsx"),
    "empty zip": (lambda: packed({}), "wrong_type", "not-xlsx"),
    "PK and no zip": (lambda: b"PK\x03\x04" + bytes(100), "invalid", "truncated"),
    "cut in the middle": (lambda: RIGHT[: len(RIGHT) // 2], "invalid", "truncated"),
    "cut at the end": (lambda: RIGHT[:-30], "invalid", "truncated"),
    "damaged inside": (lambda: RIGHT[:900] + bytes(40) + RIGHT[940:], "invalid", "truncated"),
    "too big": (lambda: b"PK" + bytes(MAX_BYTES), "too_large", "too-large"),
    "zip bomb": (zip_bomb, "too_large", "too-large"),
    "100,000 entries": (many_entries, "too_large", "too-large"),
    "one entry too many": (lambda: with_parts(MAX_ENTRIES), "too_large", "too-large"),
    "lying sizes": (lying_sizes, "invalid", "truncated"),
    "encrypted entries": (encrypted, "wrong_type", "encrypted"),
    "macro": (lambda: with_part("xl/vbaProject.bin", b"x"), "wrong_type", "macro"),
    "external link": (lambda: with_part("xl/externalLinks/externalLink1.xml", b"<x/>"), "wrong_type", "embedded"),
    "embedded object": (lambda: with_part("xl/embeddings/oleObject1.bin", b"x"), "wrong_type", "embedded"),
    "active control": (lambda: with_part("xl/activeX/activeX1.xml", b"<x/>"), "wrong_type", "embedded"),
    "nested zip": (lambda: with_part("xl/media/more.zip", packed({"a": b"x"})), "wrong_type", "embedded"),
    "nested workbook": (lambda: with_part("more.XLSX", RIGHT), "wrong_type", "embedded"),
    "part twice": (doubled_part, "invalid", "truncated"),
    "declaration in the sheet": (
        lambda: book({"订单": DOCTYPE + table([row_of()])}), "invalid", "unsafe-xml"),
    "declaration in a part called otherwise": (
        lambda: book({"订单": DOCTYPE + table([row_of()])}, targets=["worksheets/sheet.dat"]), "invalid", "unsafe-xml"),
    "declaration in UTF-16": (
        lambda: with_part("xl/sharedStrings.xml", (DOCTYPE.decode() + "<x/>").encode("utf-16")), "invalid", "unsafe-xml"),
    "declaration in relationships": (
        lambda: with_part("xl/_rels/workbook.xml.rels", DOCTYPE + b"<x/>"), "invalid", "unsafe-xml"),
    "declaration in styles": (lambda: with_part("xl/styles.xml", DOCTYPE + b"<x/>"), "invalid", "unsafe-xml"),
    "far cell": (lambda: book({"订单": sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')}),
                 "invalid", "too-many-cells"),
    "far cell in other quotes": (
        lambda: book({"订单": sheet("<row r='1048576'><c r = 'xfd1048576'/></row>")}), "invalid", "too-many-cells"),
    "far row": (lambda: book({"订单": sheet('<row r="1048576"><c r="A1048576" s="1"/></row>')}),
                "invalid", "too-many-cells"),
    "far column": (lambda: book({"订单": sheet('<row r="1"><c r="AAA1" s="1"/></row>')}), "invalid", "too-many-cells"),
    "100,001 rows": (lambda: book({"订单": sheet(cells({1: HEADERS, 100_002: row_of()}))}), "too_large", "too-large"),
    "broken sheet": (lambda: book({"订单": b"<worksheet><sheetData><row><c><f>"}), "invalid", "truncated"),
    "sheet of nothing": (lambda: book({"订单": b""}), "invalid", "unreadable"),
    "workbook without sheets": (lambda: with_part("xl/workbook.xml", f'<workbook xmlns="{MAIN}"/>'.encode()),
                                "invalid", "unreadable"),
    "sheet without a part": (lambda: with_part("xl/_rels/workbook.xml.rels", b"<x/>"), "invalid", "truncated"),
    "text that is not there": (
        lambda: book({"订单": sheet('<row r="1"><c r="A1" t="s"><v>99</v></c></row>')}), "invalid", "unreadable"),
}  # fmt: skip


def with_parts(number: int) -> bytes:
    return orders(row_of(), extra={f"xl/media/{index}.png": b"x" for index in range(number)})


@pytest.mark.parametrize(("make", "kind", "code"), FILES.values(), ids=list(FILES))
def test_hostile_and_foreign_files_are_refused_by_name(
    make: Callable[[], bytes], kind: str, code: str
) -> None:
    content = make()
    started = time.process_time()
    with pytest.raises(SheetProblem) as caught:
        read(ORDER, content, READING)
    assert time.process_time() - started < 2
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert caught.value.words.zh.endswith("。")
    assert caught.value.words.en.endswith(".")


def test_a_bomb_is_seen_without_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zip_bomb()
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(SheetProblem, match="was not read"):
        look(content)


def test_pictures_and_printer_settings_do_no_harm() -> None:
    extra = {
        "xl/media/image1.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
        "xl/printerSettings/printerSettings1.bin": b"\x00P\x00",
    }
    assert len(read(ORDER, orders(row_of(), extra=extra), READING).documents) == 1


def calls_of(content: bytes) -> tuple[int, SheetResult]:
    """How many functions reading calls: what it costs, the same on every machine."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        found = read(ORDER, content, READING)
    finally:
        sys.setprofile(None)
    return count, found


@pytest.mark.parametrize("rows", [3_000])
def test_a_column_that_is_wrong_throughout_costs_no_more_than_its_rows(rows: int) -> None:
    """Every row of its own document, every row with a wrong cell."""
    few, _ = calls_of(orders(*(row_of(f"T{number}", unit=35) for number in range(rows // 10))))
    many, result = calls_of(orders(*(row_of(f"T{number}", unit=35) for number in range(rows))))
    assert many < 11 * few
    assert (len(result.wrong), result.rejected) == (rows, rows)


def test_no_more_wrong_cells_are_told_than_anybody_reads() -> None:
    rows = MAX_TOLD // 2 + 100
    content = orders(*(row_of(f"T{number}", itemNo=5, unit=35, itemName=7) for number in range(rows)))
    result = read(ORDER, content, READING)
    assert len(result.wrong) == MAX_TOLD + 1
    assert (result.wrong[-1].code, result.wrong[-1].row) == ("more", result.wrong[-2].row)
    assert str(2 * rows - MAX_TOLD) in result.wrong[-1].zh
    assert result.rejected == rows
