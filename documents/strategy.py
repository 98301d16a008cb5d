"""业务策略 and kinds: which kinds a strategy serves, and what it fills into them. Follows from the declarations.

A strategy names head fields by their message names, more than any one kind has; a kind takes those that it says a
strategy fills. Must never fill what a person or customs fills.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from documents.spec import DocumentType, Field, SheetColumn

#: 贸易方式 (customs supervision mode) -> orderType of its orders, bookings and lists (field table CEB303)
ORDER_TYPES = {"9610": "E", "1210": "E", "9710": "B", "9810": "W"}
#: head fields that the trade mode itself decides
_TRADE_MODE, _ORDER_TYPE = "tradeMode", "orderType"


def fill(
    doctype: DocumentType, trade_mode: str, defaults: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What a strategy puts into the head and into each line of a document of this kind."""
    known = {name: value for name, value in defaults.items() if value}
    if trade_mode:
        known.setdefault(_TRADE_MODE, trade_mode)
    if trade_mode in ORDER_TYPES:
        known.setdefault(_ORDER_TYPE, ORDER_TYPES[trade_mode])
    return _own(doctype.head, known), _own(doctype.lines, known)


def _own(fields: Iterable[Field], known: Mapping[str, str]) -> dict[str, str]:
    return {
        item.name: known[item.name] for item in fields if item.filled_by == "strategy" and item.name in known
    }


def fits(doctype: DocumentType, trade_mode: str, defaults: Mapping[str, str]) -> bool:
    """Whether a strategy serves this kind: it has something to fill, and what tells kinds apart has a value of it."""
    if doctype.message.direction == "in":
        return False
    head, _ = fill(doctype, trade_mode, defaults)
    if doctype.discriminator is not None:
        name, allowed = doctype.discriminator
        if head.get(name) not in allowed:
            return False
    choices = {
        item.name: {value for value, _ in item.choices}
        for item in doctype.head
        if item.name == _TRADE_MODE and item.choices and item.filled_by == "strategy"
    }
    return bool(head) and all(head.get(name) in values for name, values in choices.items())


def completes(doctype: DocumentType, trade_mode: str, defaults: Mapping[str, str]) -> bool:
    """Whether a strategy fits and fills all that the import template leaves to one."""
    if doctype.sheet is None or not fits(doctype, trade_mode, defaults):
        return False
    filled = {name for part in fill(doctype, trade_mode, defaults) for name in part}
    return all(item.name in filled for item in lacking(doctype, doctype.sheet.columns))


def lacking(doctype: DocumentType, columns: Iterable[SheetColumn]) -> tuple[Field, ...]:
    """Required fields that only a strategy can fill where a workbook has no more than these columns."""
    there = {(column.level, column.name) for column in columns}
    return tuple(
        item
        for level, fields in (("head", doctype.head), ("line", doctype.lines))
        for item in fields
        if item.filled_by == "strategy"
        and item.required
        and item.default is None
        and (level, item.name) not in there
    )
