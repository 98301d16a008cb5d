"""The shapes of answers about import tasks and column mappings."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from services.gateway.http.schemas import DocumentRow, FieldProblem, ImportAnswer, OverdueAnswer
from services.gateway.http.shapes import Answer


def _text(**more: Any) -> fields.String:
    return fields.String(required=True, **more)


def _number() -> fields.Integer:
    return fields.Integer(required=True, strict=True)


def _texts() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class _TaskStrategy(Answer):
    id = _text()
    name = _text()


class _Push(Answer):
    """How many documents are in each push state."""

    basic = _number()
    pending = _number()
    declaring = _number()
    success = _number()
    failure = _number()


class ReasonAnswer(Answer):
    """One wrong field of one document, which kept a task from being generated."""

    document_id = _text()
    number = _text()
    label = _text()
    pointer = _text()
    code = _text()
    message = _text()
    value = _text()


class TaskAnswer(Answer):
    """An import task. `reasons` holds the first two hundred."""

    id = _text()
    task_no = _text()
    kind = _text()
    state = _text()
    state_text = _text()
    strategy = fields.Nested(_TaskStrategy, required=True)
    trade_mode = _text()
    customer_no = _text(allow_none=True)
    documents = _number()
    push = fields.Nested(_Push, required=True)
    failure = fields.Nested(FieldProblem, required=True, allow_none=True)
    reasons = fields.List(fields.Nested(ReasonAnswer), required=True)
    reasons_total = _number()
    overdue = fields.Nested(OverdueAnswer, required=True, allow_none=True)
    actions = fields.List(fields.String(), required=True)
    created_at = _text()
    created_by = _text()
    updated_at = _text()
    updated_by = _text()


class TaskPage(Answer):
    """Import tasks, newest first."""

    items = fields.List(fields.Nested(TaskAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    total_estimate = fields.Integer(required=True, allow_none=True)


class TaskDocumentAnswer(Answer):
    """A document of a task with what its task says."""

    document = fields.Nested(DocumentRow, required=True)
    push_state = _text()
    push_state_text = _text()
    task_id = _text()
    task_no = _text()
    strategy_name = _text()
    trade_mode = _text()
    customer_no = _text(allow_none=True)
    modified_by = _text()


class TaskDocumentPage(Answer):
    """Documents of tasks, newest first."""

    items = fields.List(fields.Nested(TaskDocumentAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    total_estimate = fields.Integer(required=True, allow_none=True)


class TaskDetail(TaskAnswer):
    """An import task alone, with its newest imports and the first hundred of its documents."""

    imports = fields.List(fields.Nested(ImportAnswer), required=True)
    items = fields.List(fields.Nested(TaskDocumentAnswer), required=True)
    documents_url = _text()


class MappingAnswer(Answer):
    """A column mapping: place of a field ("head.orderNo") -> header of their own spreadsheet."""

    id = _text()
    kind = _text()
    name = _text()
    columns = _texts()
    constants = _texts()
    etag = _text()
    created_by = _text()
    updated_at = _text()


class MappingPage(Answer):
    """The column mappings of a kind."""

    items = fields.List(fields.Nested(MappingAnswer), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    total_estimate = fields.Integer(required=True, allow_none=True)


class _Proposed(Answer):
    letter = _text()
    header = _text()
    field = _text(allow_none=True)
    label = _text(allow_none=True)
    by = _text(allow_none=True)


class _Missing(Answer):
    field = _text()
    label = _text()


class ProposalAnswer(Answer):
    """Headers found in a workbook with the field that each may mean; `by`: template, label or name."""

    sheet = _text()
    row = _number()
    columns = fields.List(fields.Nested(_Proposed), required=True)
    missing = fields.List(fields.Nested(_Missing), required=True)
