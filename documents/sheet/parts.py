"""The XML parts of a workbook, looked at before a reader gets them: unsafe XML, far-away cells, odd cells.

Which part is which sheet is said by the workbook's relationships alone; names like sheet1.xml promise nothing.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from typing import Any

from lxml import etree

from documents.sheet.model import SheetProblem, invalid, letter

_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
#: columns beyond the second letter or rows of seven digits: no template reaches there, only a bomb does
# begins with its letter and looks back afterwards: beginning with \b costs three times as much on a large sheet
_FAR_CELL = re.compile(rb"""r(?<!\wr)\s*=\s*["'](?:[A-Za-z]{3,}[0-9]|[A-Za-z]+[1-9][0-9]{6})""")
#: what makes a closer look worth while: a formula or an error value anywhere in the part
_FORMULA = re.compile(rb"""<(?:[\w.-]+:)?f[\s>/]""")
_ERROR = re.compile(rb"""t(?<!\wt)\s*=\s*["']e["']""")
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
#: what zipfile and lxml raise for damaged files
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    etree.XMLSyntaxError,
)

#: (row, column letters) -> "formula" or "error"
OddCells = dict[tuple[int, str], str]


class Parts:
    """The parts of one workbook that passed `look`; raises SheetProblem for unsafe or broken ones."""

    def __init__(self, content: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                # a name that stands twice is read differently by every reader
                self._names = {name.lower(): name for name in names}
                if len(self._names) != len(names):
                    raise _broken()
                self._sheets = self._by_name(archive)
                wanted = {name for name in self._names if name.endswith((".xml", ".rels", ".vml"))}
                parts = {name: self._read(archive, name) for name in wanted | set(self._sheets.values())}
            self._parts = {name: parts[name] for name in self._sheets.values()}
        except _BROKEN as exc:
            raise _broken() from exc

    def odd_cells(self, sheet: str) -> OddCells:
        """Formulas and error values of a sheet, which a reader shows as what was last computed or as nothing."""
        part = self._parts.get(self._sheets.get(sheet, ""))
        if part is None:
            raise _broken()
        if _FAR_CELL.search(part):
            raise invalid(
                "too-many-cells",
                "工作表中远离表格处有单元格（或其格式），请删除多余的空行空列。",
                "The sheet has cells (or formats) far away from the table; delete the unused rows and columns.",
            )
        try:
            return _odd(part) if _FORMULA.search(part) or _ERROR.search(part) else {}
        except (etree.XMLSyntaxError, ValueError) as exc:
            raise _broken() from exc

    def _by_name(self, archive: zipfile.ZipFile) -> dict[str, str]:
        """Sheet name -> its part in lower case, by way of the relationships."""
        targets = {}
        for item in _tree(self._read(archive, _RELATIONS)):
            target = item.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
            targets[item.get("Id", "")] = posixpath.normpath(path).lower()
        found = {}
        for node in _tree(self._read(archive, _WORKBOOK)).iter("{*}sheet"):
            key = next((value for name, value in node.items() if name.endswith("}id")), "")
            found[node.get("name", "")] = targets[key]
        return found

    def _read(self, archive: zipfile.ZipFile, name: str) -> bytes:
        part = archive.read(self._names[name])
        # NUL: UTF-16, in which a declaration would hide from the look and which no spreadsheet program writes
        if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\x00" in part[:1000]:
            raise invalid(
                "unsafe-xml",
                "文件含不安全的 XML 声明，已拒绝；请用 Excel 重新保存。",
                "The file has an unsafe XML declaration and was refused; save it again with Excel.",
            )
        return part


def _tree(part: bytes) -> Any:
    return etree.fromstring(
        part, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    )


def _odd(part: bytes) -> OddCells:
    """Rows and cells may leave out where they stand: then they follow the one before."""
    found: OddCells = {}
    row = column = 0
    reading: Any = etree.iterparse(
        io.BytesIO(part),
        events=("start", "end"),
        tag=("{*}row", "{*}c", "{*}f"),
        resolve_entities=False,
        no_network=True,
    )
    for event, node in reading:
        name = etree.QName(node).localname
        if event == "end":
            node.clear()
        elif name == "row":
            row, column = int(node.get("r") or row + 1), 0
        elif name == "c":
            address = _ADDRESS.fullmatch((node.get("r") or "").upper())
            column = _index(address.group(1)) if address else column + 1
            if node.get("t") == "e":
                found[row, letter(column - 1)] = "error"
        elif (row, letter(column - 1)) not in found:
            found[row, letter(column - 1)] = "formula"
    return found


def _index(letters: str) -> int:
    number = 0
    for each in letters:
        number = number * 26 + ord(each) - 64
    return number


def _broken() -> SheetProblem:
    return invalid(
        "truncated",
        "文件已损坏或不完整，请用 Excel 重新保存后上传。",
        "The file is damaged or cut short; save it again with Excel and upload.",
    )
