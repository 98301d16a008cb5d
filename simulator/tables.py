"""The message tables under tables/: what a message of each type must look like.

Must never be filled from the product's declarations; the files are written from the published field tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DIRECTORY = Path(__file__).with_name("tables")
_TEXT = re.compile(r"C(?:(\d*)\.\.)?(\d+)")
_DECIMAL = re.compile(r"N(\d+)(?:,(\d+))?")
_NUMBER_VALUE = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One element with text. `digits` is set for numbers, `low`/`high` for characters otherwise."""

    name: str
    zh: str
    required: bool
    type: str
    low: int
    high: int
    digits: int | None
    scale: int

    @staticmethod
    def of(row: dict[str, Any]) -> Field:
        """From a table row. Raises ValueError for a type that is not in the reading rules."""
        kind = str(row["type"])
        required = bool(row["required"])
        if text := _TEXT.fullmatch(kind):
            high = int(text.group(2))
            if text.group(1) is None:
                low = high
            else:
                # "C..n" gives no lower bound, but an empty required field says nothing.
                low = int(text.group(1) or 0) or int(required)
            return Field(row["name"], row["zh"], required, kind, low, high, None, 0)
        if number := _DECIMAL.fullmatch(kind):
            digits, scale = int(number.group(1)), int(number.group(2) or 0)
            return Field(row["name"], row["zh"], required, kind, 1, digits + 2, digits, scale)
        raise ValueError(f"{row['name']}: type {kind!r} is none of Cn, C..n, Ca..b, Nt, Nt,f")

    def wrong(self, value: str) -> tuple[str, str] | None:
        """Why `value` does not fit the type, as zh and en, or None."""
        if self.digits is None:
            if self.low <= len(value) <= self.high or (value == "" and not self.required):
                return None
            return (
                f"长度应为 {self.low} 到 {self.high} 个字符，实为 {len(value)} 个",
                f"must have {self.low} to {self.high} characters, has {len(value)}",
            )
        if value == "" and not self.required:
            return None
        shape = _NUMBER_VALUE.fullmatch(value)
        whole, part = (shape.group(1) or "", shape.group(2) or "") if shape else ("", "")
        if not whole and not part:
            return "应为数字", "must be a number"
        if len(part) > self.scale or len(whole.lstrip("0")) + len(part) > self.digits:
            return (
                f"最多 {self.digits} 位数字、{self.scale} 位小数",
                f"may have {self.digits} digits, {self.scale} of them decimals",
            )
        return None

    def pattern(self) -> str:
        """A regular expression for canonical text that accepts a subset of what `wrong` accepts.

        Canonical text escapes four characters; each counts as one, as it does in the value. The second branch is
        only tried when the first meets an escape, which is what keeps the common case fast.
        """
        if self.digits is None:
            times = f"{{{self.low},{self.high}}}"
            value = rf"(?:[^<&]{times}|(?:[^<&]|&(?:amp|lt|gt|\#xD);){times})"
        else:
            whole = rf"[0-9]{{1,{self.digits - self.scale}}}"
            value = whole + (rf"(?:\.[0-9]{{1,{self.scale}}})?" if self.scale else "")
        return value if self.required else f"(?:{value})?"


@dataclass(frozen=True, slots=True)
class Section:
    """An element holding fields in a fixed order."""

    element: str
    low: int
    high: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One message type."""

    message: str
    namespace: str
    attributes: tuple[Field, ...]
    document: str
    max_documents: int
    head: Section
    lines: Section
    transfer: Section
    subscribe: Section
    extend: str
    receipt_message: str
    receipt: Section


def _section(row: dict[str, Any], low: int, high: int) -> Section:
    return Section(
        row["element"],
        int(row.get("min", low)),
        int(row.get("max", high)),
        tuple(Field.of(item) for item in row["fields"]),
    )


def read(path: Path) -> Table:
    """Read one table file. Raises KeyError or ValueError for a file that does not follow the shape."""
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Table(
        message=data["message"],
        namespace=data["namespace"],
        attributes=tuple(
            Field.of({"zh": item["name"], "required": True, **item}) for item in data["attributes"]
        ),
        document=data["document"]["element"],
        max_documents=int(data["document"]["max"]),
        head=_section(data["head"], 1, 1),
        lines=_section(data["lines"], 1, 1),
        transfer=_section(data["transfer"], 1, 1),
        subscribe=_section(data["subscribe"], 0, 1),
        extend=data["extend"]["element"],
        receipt_message=data["receipt"]["message"],
        receipt=_section(data["receipt"], 1, 1),
    )


@cache
def known() -> dict[str, Table]:
    """All tables by message name."""
    tables = (read(path) for path in sorted(_DIRECTORY.glob("*.yaml")))
    return {table.message: table for table in tables}
