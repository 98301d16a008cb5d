"""The message tables under tables/: what a message of each type must look like, and what customs does with it.

Must never be filled from the product's declarations; the files are written from the published field tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DIRECTORY = Path(__file__).with_name("tables")
# "unbounded" in a table; what the access point takes at most is a setting.
UNBOUNDED = 2**31
# The same safe subset of YAML, ten times faster where libyaml is there.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
                # "C..n" gives no lower bound, but an empty required field says nothing. "C0..n" says it may.
                low = int(text.group(1)) if text.group(1) else int(required)
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
        only tried when the first meets an escape, which is what keeps the common case fast. Nothing that was matched
        is tried again in another way: with two ways for each of fifty fields, a fault in the last one would take
        2^50 tries.
        """
        if self.digits is None:
            times = f"{{{self.low},{self.high}}}"
            value = rf"(?>[^<&]{times}(?=<)|(?:[^<&]|&(?:amp|lt|gt|\#xD);){times}+)"
        else:
            whole = rf"[0-9]{{1,{self.digits - self.scale}}}+"
            value = whole + (rf"(?>\.[0-9]{{1,{self.scale}}}+)?+" if self.scale else "")
        return value if self.required else f"(?>{value})?+"


@dataclass(frozen=True, slots=True)
class Section:
    """An element holding fields in a fixed order. `high` is UNBOUNDED where the XSD names no limit."""

    element: str
    low: int
    high: int
    fields: tuple[Field, ...]
    names: tuple[str, ...]

    @staticmethod
    def of(row: Mapping[str, Any], low: int = 1, high: int = 1) -> Section:
        """From a table row. Raises KeyError or ValueError."""
        most = row.get("max", high)
        fields = tuple(Field.of(item) for item in row["fields"])
        return Section(
            row["element"],
            int(row.get("min", low)),
            UNBOUNDED if most == "unbounded" else int(most),
            fields,
            tuple(field.name for field in fields),
        )


@dataclass(frozen=True, slots=True)
class Books:
    """How customs keeps documents of one type; names are head fields. Meanings: common.yaml."""

    number: str
    key: tuple[str, ...]
    also: tuple[str, ...]
    parts: tuple[str, ...]
    pre_no: str
    customs_no: str
    final: bool
    facts_head: tuple[str, ...]
    facts_lines: tuple[str, ...]

    @staticmethod
    def of(row: Mapping[str, Any]) -> Books:
        """From a table row. Raises KeyError or ValueError."""
        facts = row.get("facts", {})
        if any(len(names) == 1 for names in facts.values()):
            raise ValueError("facts: one name alone is not kept, give two")
        return Books(
            number=row["number"],
            key=tuple(row["key"]),
            also=tuple(row.get("also", ())),
            parts=tuple(row.get("parts", ())),
            pre_no=row.get("pre_no", ""),
            customs_no=row.get("customs_no", ""),
            final=bool(row.get("final", False)),
            facts_head=tuple(facts.get("head", ())),
            facts_lines=tuple(facts.get("lines", ())),
        )


@dataclass(frozen=True, slots=True)
class LineChecks:
    """What lines must keep. `number` must not be repeated; `sum` is the head field that equals the lines' totals."""

    number: str
    positive: tuple[str, ...]
    not_negative: tuple[str, ...]
    product: bool
    currency: bool
    sum: str


@dataclass(frozen=True, slots=True)
class Checks:
    """What a document must keep by itself; names are head fields. `enterprises`: field and the word for "none"."""

    choices: tuple[tuple[str, frozenset[str]], ...]
    times: tuple[str, ...]
    dates: tuple[str, ...]
    customs: tuple[str, ...]
    enterprises: tuple[tuple[str, str], ...]
    not_negative: tuple[str, ...]
    positive: tuple[str, ...]
    weights: tuple[str, ...]
    lines: LineChecks | None

    @staticmethod
    def of(row: Mapping[str, Any]) -> Checks:
        """From a table row."""
        lines = row.get("lines")
        return Checks(
            choices=tuple((name, frozenset(values)) for name, values in row.get("choices", {}).items()),
            times=tuple(row.get("times", ())),
            dates=tuple(row.get("dates", ())),
            customs=tuple(row.get("customs", ())),
            enterprises=tuple((name, word or "") for name, word in row.get("enterprises", {}).items()),
            not_negative=tuple(row.get("not_negative", ())),
            positive=tuple(row.get("positive", ())),
            weights=tuple(row.get("weights", ())),
            lines=None
            if lines is None
            else LineChecks(
                lines["number"],
                tuple(lines.get("positive", ())),
                tuple(lines.get("not_negative", ())),
                bool(lines.get("product", False)),
                bool(lines.get("currency", False)),
                lines.get("sum", ""),
            ),
        )


@dataclass(frozen=True, slots=True)
class Table:
    """One message type. `kind` is the number in its name; `lines` is None when the head is all there is.

    `flat`: the head's fields stand directly in the document's element. `signature`: optional, required or declared.
    """

    message: str
    kind: int
    zh: str
    namespace: str
    attributes: tuple[Field, ...]
    document: str
    max_documents: int
    flat: bool
    head: Section
    lines: Section | None
    transfer: Section
    subscribe: Section
    extend: str
    receipt_message: str
    receipt: Section
    signature: str
    books: Books
    course: tuple[str, ...]
    codes: Mapping[str, str]
    checks: Checks

    def number(self, head: Mapping[str, str]) -> str:
        """The document's own number."""
        return head[self.books.number]

    def numbers(self, head: Mapping[str, str]) -> tuple[str, ...]:
        """All numbers a script may name the document by; empty ones left out."""
        return tuple(value for name in (self.books.number, *self.books.also) if (value := head[name]))

    def scope(self, head: Mapping[str, str]) -> str:
        """What makes the number unique, as one text. No field can hold the separator: XML forbids it."""
        return "\x1f".join([head[name] for name in self.books.key])


def kind_of(message: str) -> int:
    """303 for CEB303Message."""
    return int(message[3:6])


def message_of(kind: int) -> str:
    """CEB303Message for 303."""
    return f"CEB{kind}Message"


def _load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - the safe one
    return data


def read(path: Path) -> Table:
    """Read one table file. Raises KeyError or ValueError for a file that does not follow the shape."""
    data = _load(path.with_name("common.yaml")) | _load(path)
    head, document = Section.of(data["head"]), data["document"]["element"]
    return Table(
        message=data["message"],
        kind=kind_of(data["message"]),
        zh=data["zh"],
        namespace=data["namespace"],
        attributes=tuple(
            Field.of({"zh": item["name"], "required": True, **item}) for item in data["attributes"]
        ),
        document=document,
        max_documents=int(data["document"]["max"]),
        flat=head.element == document,
        head=head,
        lines=Section.of(data["lines"]) if "lines" in data else None,
        transfer=Section.of(data["transfer"]),
        subscribe=Section.of(data["subscribe"], 0, 1),
        extend=data["extend"]["element"],
        receipt_message=data["receipt"]["message"],
        receipt=Section.of(data["receipt"]),
        signature=data["signature"],
        books=Books.of(data["books"]),
        course=tuple(data["course"]),
        # Where a type has no status of its own for data that do not fit the signature, it is a failed signature.
        codes={"mismatch": data["codes"]["signature"], **data["shared_codes"], **data["codes"]},
        checks=Checks.of(data["checks"]),
    )


@cache
def known() -> dict[str, Table]:
    """All tables of messages that enterprises send, by message name."""
    tables = (read(path) for path in sorted(_DIRECTORY.glob("CEB*.yaml")) if path.stem != "CEB792")
    return {table.message: table for table in tables}


@cache
def by_kind() -> dict[int, Table]:
    """The same by kind."""
    return {table.kind: table for table in known().values()}


@cache
def result() -> tuple[Section, Section]:
    """Head and lines of the summary result (CEB792), which only customs sends."""
    data = _load(_DIRECTORY / "CEB792.yaml")
    return Section.of(data["head"]), Section.of(data["lines"])
