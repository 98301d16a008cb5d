"""A saved column mapping: an enterprise's own headers instead of the template's. Checked before it is kept.

A place is "head.orderNo" or "line.qty"; a bare field name will do where only one of the two has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from documents.check import NOT_FOR_PEOPLE
from documents.sheet.cells import title, title_text
from documents.sheet.layout import Place
from documents.sheet.model import sheet_of
from documents.spec import DocumentType, Field, SheetColumn
from documents.values import FORBIDDEN, FieldCheck
from documents.words import Words, Wrong, short

#: characters of a header
HEADER_LENGTH = 100
_CONTROL = re.compile(f"[{FORBIDDEN}]")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """columns: place -> header text in their own spreadsheet; constants: place -> value of every document."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]

    @property
    def sheet_columns(self) -> tuple[SheetColumn, ...]:
        """As a template's columns."""
        found = ((place_of(name), header) for name, header in self.columns.items())
        return tuple(SheetColumn(header, name, level) for (level, name), header in found)

    @property
    def fixed(self) -> dict[Place, str]:
        """Constants by (level, field)."""
        return {place_of(name): value for name, value in self.constants.items()}


def place_of(name: str) -> Place:
    """A place as level and field: "head.orderNo" is head and orderNo."""
    level, _, field = name.partition(".")
    return ("line" if level == "line" else "head", field)


def check(
    doctype: DocumentType, columns: Mapping[str, str], constants: Mapping[str, str]
) -> tuple[ColumnMapping, list[Wrong]]:
    """The mapping with whole places, and everything that is wrong with it, by name of what was given."""
    wrongs: list[Wrong] = []
    places: dict[str, str] = {}
    for what, given in (("columns", columns), ("constants", constants)):
        for name in given:
            found = _place(doctype, name)
            if isinstance(found, Words):
                wrongs.append(Wrong((what, name), "unknown-field", found, name))
            elif found in places.values():
                words = Words(
                    "这个字段已指定，请删除其中一个。", "This field stands here twice; remove one of them."
                )
                wrongs.append(Wrong((what, name), "repeated", words, name))
            else:
                places[f"{what}/{name}"] = found
    made = ColumnMapping(
        {places[f"columns/{n}"]: title_text(h) for n, h in columns.items() if f"columns/{n}" in places},
        {places[f"constants/{n}"]: value for n, value in constants.items() if f"constants/{n}" in places},
    )
    wrongs += _headers(columns)
    wrongs += _values(doctype, constants, places)
    return made, wrongs or list(_lacking(doctype, made))


def _place(doctype: DocumentType, name: str) -> str | Words:
    level, dot, field = name.partition(".")
    found = [
        f"{each}.{item.name}"
        for each, fields in (("head", doctype.head), ("line", doctype.lines))
        for item in fields
        if item.filled_by not in NOT_FOR_PEOPLE
        and (item.name == name or (dot and (each, item.name) == (level, field)))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        return Words(
            f"表头和表体都有“{name}”，请写明 {found[0]} 或 {found[1]}。",
            f"Both head and lines have {name}; write {found[0]} or {found[1]}.",
        )
    return Words(
        f"{doctype.title.zh}没有可导入的字段“{short(name)}”，请删除。",
        f"{doctype.title.en} has no field “{short(name)}” that can be imported; remove it.",
    )


def _headers(columns: Mapping[str, str]) -> Iterator[Wrong]:
    seen: dict[str, str] = {}
    for name, header in columns.items():
        shown, key = title_text(header), title(header)
        if not key or len(shown) > HEADER_LENGTH or _CONTROL.search(shown):
            words = Words(
                f"列标题应为 1 至 {HEADER_LENGTH} 个可见字符。",
                f"A header has 1 to {HEADER_LENGTH} visible characters.",
            )
            yield Wrong(("columns", name), "header", words, header)
        elif key in seen:
            words = Words(
                f"列标题“{short(shown)}”已用于 {seen[key]}，一列只能对应一个字段。",
                f"Header “{short(shown)}” is used for {seen[key]} already; a column fills one field.",
            )
            yield Wrong(("columns", name), "double-header", words, header)
        else:
            seen[key] = name


def _values(
    doctype: DocumentType, constants: Mapping[str, str], places: Mapping[str, str]
) -> Iterator[Wrong]:
    for name, value in constants.items():
        place = places.get(f"constants/{name}")
        if place is None:
            continue
        item = field_at(doctype, place_of(place))
        if value == "":
            reason: tuple[str, Words] | None = ("required", Words("请填写固定值。", "Enter the constant."))
        else:
            reason = FieldCheck(item).wrong(value)
        if reason is not None:
            yield Wrong(("constants", name), *reason, value)


def _lacking(doctype: DocumentType, made: ColumnMapping) -> Iterator[Wrong]:
    """Required fields that neither a column nor anything else fills; the document's number must be a column."""
    sheet = sheet_of(doctype)
    for level, fields in (("head", doctype.head), ("line", doctype.lines)):
        for item in fields:
            place = f"{level}.{item.name}"
            number = level == "head" and item.name == sheet.group
            if place in made.columns or (place in made.constants and not number):
                continue
            by_itself = item.filled_by != "user" or item.default is not None or not item.required
            if number or not (by_itself or (level == "head" and item.name == sheet.export_date)):
                words = Words(
                    f"{item.zh}必填，请指定对应的列{'' if number else '或固定值'}。",
                    f"{item.en} is required; name its column{'' if number else ' or a constant'}.",
                )
                yield Wrong(("columns", place), "required", words)


def field_at(doctype: DocumentType, place: Place) -> Field:
    """The field at a place; LookupError if there is none."""
    level, name = place
    for item in doctype.head if level == "head" else doctype.lines:
        if item.name == name:
            return item
    raise LookupError(name)
