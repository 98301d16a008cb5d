"""A declaration as JSON for the pages and for other programs (GET /api/v1/kinds/{kind}), and words for states."""

from __future__ import annotations

from functools import cache
from typing import Any

from documents.rules import Reckoned
from documents.sheet.model import field_of
from documents.spec import DocumentType, Field, Mark, Sheet
from documents.words import Words

#: columns every kind has: name, label, width, align, shown by default, sortable, fixed
_BUILT_IN = (
    ("state", Words("状态", "State"), 130, "left", True, True, False),
    ("return_info", Words("回执信息", "Customs' words"), 200, "left", True, False, False),
    ("stored_at", Words("入库时间", "Stored"), 140, "left", True, True, False),
    ("updated_at", Words("最近变更", "Last change"), 140, "left", False, False, False),
)
#: what customs said and when, and whether it takes too long: conditions of every kind that is filed
PERIODS = ("refused", "cleared")
_FACTS = (
    ("refused", Words("退单时间", "Refused at"), "daterange", None),
    ("refusal", Words("退单原因", "Reason of refusal"), "text", None),
    ("cleared", Words("放行/审结时间", "Cleared at"), "daterange", None),
    (
        "overdue",
        Words("超时未动", "Overdue"),
        "choice",
        [{"value": "true", "label": {"zh": "是", "en": "Yes"}}],
    ),
)
_BATCH = ("batch_no", Words("商品批次号", "Batch number"), 170, "left", True, False, False)


@cache
def describe(doctype: DocumentType) -> dict[str, Any]:
    """The kind's definition; labels are {"zh", "en"}. The result is shared: do not change it."""
    number_field = doctype.head_field(doctype.number)
    columns = [_column("number", number_field.words, 170, "left", True, True, True)]
    batch = doctype.sheet is not None and doctype.sheet.batch
    columns += [_column(*row) for row in _BUILT_IN[:1]]
    for column in doctype.columns:
        words = doctype.head_field(column.name).words
        columns.append(_column(column.name, words, column.width, column.align, column.default, False, False))
    columns += [_column(*row) for row in (*_BUILT_IN[1:], *([_BATCH] if batch else []))]
    makes = {item.action: item.kind for item in doctype.derives}
    return {
        "kind": doctype.kind,
        "title": doctype.title.as_dict(),
        "message": doctype.message.root,
        "owner": doctype.owner,
        "pages": [page.id for page in doctype.pages],
        "page_sets": [
            {"id": page.id, "title": page.title.as_dict(), "group": page.group, "states": list(page.states),
             "entry": page.entry}
            for page in doctype.pages
        ],
        "received": doctype.message.direction == "in",
        "senders": list(doctype.senders),
        "number_field": doctype.number,
        "number_label": number_field.words.as_dict(),
        "head": [_field(item) for item in doctype.head],
        "lines": [_field(item) for item in doctype.lines],
        "line_number": doctype.line_number,
        "min_lines": doctype.message.min_lines if doctype.lines else 0,
        "max_lines": doctype.message.max_lines if doctype.lines else 0,
        "areas": [{"name": name, "label": words.as_dict()} for name, words in doctype.areas],
        "conditions": [_condition(doctype, item.name, item.match) for item in doctype.conditions]
        + [_mark(item) for item in doctype.marks]
        + ([_batch_condition()] if batch else [])
        + (_facts() if doctype.message.direction == "out" else []),
        "columns": columns,
        "states": [
            {"name": state.name, "label": state.words.as_dict(), "colour": state.colour, "settled": state.settled,
             "held": state.held, "limit_minutes": state.limit_minutes or None,
             "stuck": state.stuck.as_dict() if state.stuck else None}
            for state in doctype.lifecycle.states
        ],
        "actions": [
            {"name": action.name, "label": action.words.as_dict(), "states": list(action.states),
             "batch": action.name != "edit", "makes": makes.get(action.name), "confirm": action.confirm.as_dict(), "permission": action.permission}
            for action in doctype.actions
        ],
        "reckoned": [rule.as_dict() for rule in doctype.rules if isinstance(rule, Reckoned)],
        "sheet": _sheet(doctype, doctype.sheet) if doctype.sheet else None,
    }  # fmt: skip


def _mark(item: Mark) -> dict[str, Any]:
    values = [item.none, *((value, words) for value, words, _, _ in item.values)]
    choices = [{"value": value, "label": words.as_dict()} for value, words in values]
    return {
        "name": item.name, "label": item.words.as_dict(), "type": "choice", "match": "equals", "code_table": None,
        "choices": choices,
    }  # fmt: skip


def _facts() -> list[dict[str, Any]]:
    return [
        {"name": name, "label": words.as_dict(), "type": kind, "match": "equals", "code_table": None,
         "choices": choices}
        for name, words, kind, choices in _FACTS
    ]  # fmt: skip


def _batch_condition() -> dict[str, Any]:
    return {
        "name": _BATCH[0], "label": _BATCH[1].as_dict(), "type": "text", "match": "equals", "code_table": None,
        "choices": None,
    }  # fmt: skip


def _sheet(doctype: DocumentType, sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.title,
        "batch": sheet.batch,
        "export_date": sheet.export_date or None,
        "columns": [
            {"field": column.name, "level": column.level,
             "label": {"zh": column.header, "en": field_of(doctype, column).en},
             "required": field_of(doctype, column).required}
            for column in sheet.columns
        ],
    }  # fmt: skip


def _field(item: Field) -> dict[str, Any]:
    return {
        "name": item.name,
        "label": item.words.as_dict(),
        "type": item.type,
        "length": item.length or None,
        "min_length": item.min_length or None,
        "digits": item.digits or None,
        "scale": item.places if item.type == "decimal" else None,
        "required": item.required,
        "code_table": item.table,
        "open_table": item.open_table,
        "area": item.area,
        "border": item.border,
        "filled_by": item.filled_by,
        "default": item.default,
        "note": item.note.as_dict() if item.note else None,
        "choices": _choices(item),
    }


def _choices(item: Field) -> list[dict[str, Any]] | None:
    return [{"value": value, "label": words.as_dict()} for value, words in item.choices] or None


def _condition(doctype: DocumentType, name: str, match: str) -> dict[str, Any]:
    item = doctype.head_field(name)
    kind = "choice" if item.choices else "code" if item.table else "date" if item.type == "date" else "text"
    return {
        "name": name,
        "label": item.words.as_dict(),
        "type": kind,
        "match": match,
        "code_table": item.table,
        "choices": _choices(item),
    }


def _column(
    name: str, label: Words, width: int, align: str, default: bool, sortable: bool, fixed: bool
) -> dict[str, Any]:
    return {
        "name": name, "label": label.as_dict(), "width": width, "align": align,
        "default": default, "sortable": sortable, "fixed": fixed,
    }  # fmt: skip


def state_text(doctype: DocumentType, state: str, lang: str = "zh") -> str:
    """A state in words."""
    words = doctype.lifecycle.by_name[state].words
    return words.en if lang == "en" else words.zh


def status_words(doctype: DocumentType, code: str) -> Words:
    """A returnStatus in words; unknown codes are data, not errors (the published lists end in "and others")."""
    status = doctype.lifecycle.by_code.get(code)
    if status is not None:
        return status.words
    if code.startswith("-"):
        return Words(f"处理异常（{code}）", f"Processing error ({code})")
    return Words(f"其他状态（{code}）", f"Other status ({code})")
