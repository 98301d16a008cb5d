"""What the shapes of answers are made of. An answer holds what is declared and nothing else."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields


class Answer(Schema):
    """Base: an answer holds what is declared and nothing else."""

    class Meta:
        unknown = RAISE


def a_text(**kwargs: Any) -> fields.String:
    """A text that is always there."""
    return fields.String(required=True, **kwargs)


def a_number(**kwargs: Any) -> fields.Integer:
    """A whole number that is always there."""
    return fields.Integer(required=True, strict=True, **kwargs)


def a_flag() -> fields.Boolean:
    """True or false."""
    return fields.Boolean(required=True)


def some_texts(**kwargs: Any) -> fields.List[Any]:
    """A list of texts."""
    return fields.List(fields.String(), required=True, **kwargs)


def one(schema: type[Schema], **kwargs: Any) -> fields.Nested:
    """An object of that shape."""
    return fields.Nested(schema, required=True, **kwargs)


def many(schema: type[Schema]) -> fields.List[Any]:
    """A list of objects of that shape."""
    return fields.List(fields.Nested(schema), required=True)
