"""Reading what a caller sent: strict JSON, strict query strings, marshmallow schemas that refuse unknown names.

Every refusal is a Problem with a pointer and a stable code. Must never repair silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sized
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote_to_bytes
from uuid import UUID

import marshmallow as ma
from flask import Request, request
from marshmallow import fields, validate
from webargs.flaskparser import FlaskParser

from runtime.errors import Problem
from services.gateway.http import problems

#: what JSON text can hide from a look at the raw characters: an escaped NUL or half of a surrogate pair
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
#: error keys of marshmallow -> our codes
_COMMON = {"required": "required", "null": "null", "validator_failed": "choice"}
_SCHEMA_WORDS: dict[str, Any] = {"unknown": "unknown", "type": "not-object"}
_TEXT_WORDS: dict[str, Any] = {
    **_COMMON,
    "invalid": "not-text",
    "invalid_utf8": "not-text",
}
_ID_WORDS: dict[str, Any] = {
    **_COMMON,
    "invalid": "not-uuid",
    "invalid_utf8": "not-uuid",
}
_WHOLE_WORDS: dict[str, Any] = {
    **_COMMON,
    "invalid": "not-integer",
    "too_large": "not-integer",
}
_LIST_WORDS: dict[str, Any] = {**_COMMON, "invalid": "not-list"}
_REFUSE_UNKNOWN: dict[str, str | None] = dict.fromkeys(["json", "query", "form", "files"])
#: a JSON body, in bytes; a document with a hundred full lines stays well below
JSON_LIMIT = 2 * 1024 * 1024


def malformed(zh: str, en: str) -> Problem:
    """400: the request itself cannot be read."""
    return Problem("malformed", zh, en)


def json_body(source: Request) -> tuple[bytes, dict[str, Any]]:
    """The body as sent and as parsed; an object in UTF-8 without NUL, half characters, NaN or repeated names."""
    if source.mimetype != "application/json":
        raise Problem(
            "wrong_type",
            "请求内容应为 JSON（Content-Type: application/json）。",
            "The body must be JSON (Content-Type: application/json).",
        )
    if (source.content_length or 0) > JSON_LIMIT:
        raise too_large(JSON_LIMIT)
    raw = source.get_data(cache=True)
    if len(raw) > JSON_LIMIT:
        raise too_large(JSON_LIMIT)
    if len(raw) < (source.content_length or 0):
        raise malformed("请求内容不完整。", "The body is incomplete.")
    try:
        text = raw.decode("utf-8")
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as exc:
        raise malformed("请求内容不是有效的 UTF-8。", "The body is not valid UTF-8.") from exc
    except (ValueError, RecursionError) as exc:
        raise malformed(f"请求内容不是有效的 JSON：{exc}", f"The body is not valid JSON: {exc}") from exc
    if _ESCAPED.search(text):
        _check_characters(data)
    if not isinstance(data, dict):
        raise problems.invalid([problems.wrong("", "not-object")])
    return raw, data


def too_large(limit: int) -> Problem:
    """413 with the limit in words."""
    size = f"{limit // (1024 * 1024)} MB" if limit >= 1024 * 1024 else f"{limit // 1024} KB"
    return Problem("too_large", f"请求内容超过 {size}，请减小后重试。", f"The request is larger than {size}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_characters(data: Any) -> None:
    for text in _texts(data):
        if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise malformed(
                "文本含有无法保存的字符（空字符或半个字符）。", "A text holds NUL or half a character."
            )


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _texts(item)
    elif isinstance(data, dict):
        for name, item in data.items():
            yield name
            yield from _texts(item)


def check_address(source: Request) -> None:
    """Refuse a query string that is no UTF-8 or holds NUL, before anything reads it."""
    raw = unquote_to_bytes(source.query_string)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise malformed("网址参数不是有效的 UTF-8。", "The query string is not valid UTF-8.") from exc
    if b"\x00" in raw:
        raise malformed("网址参数含有空字符。", "The query string holds NUL.")


def single(source: Request, repeatable: tuple[str, ...] = ()) -> dict[str, str]:
    """The query parameters, each given once, apart from `repeatable` (whose values are joined by commas)."""
    found: dict[str, str] = {}
    for name, values in source.args.lists():
        if len(values) > 1 and name not in repeatable:
            raise problems.invalid([problems.wrong(f"/{name}", "repeated", values[1])])
        found[name] = ",".join(values)
    return found


def uuid_or_none(text: str) -> str | None:
    """The canonical spelling of an id, or None if it is none."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return str(parsed) if str(parsed) == text.lower() else None


class Parser(FlaskParser):
    """webargs with our JSON reader, our errors, and unknown names refused everywhere."""

    DEFAULT_UNKNOWN_BY_LOCATION = _REFUSE_UNKNOWN

    def load_json(self, req: Any, schema: ma.Schema) -> Any:
        return json_body(req)[1]

    def load_querystring(self, req: Any, schema: ma.Schema) -> Any:
        return single(req)

    def load_form(self, req: Any, schema: ma.Schema) -> Any:
        return _form(req)

    def handle_error(
        self, error: ma.ValidationError, req: Any, schema: ma.Schema, **_kwargs: Any
    ) -> NoReturn:
        messages: Any = error.messages
        ((location, tree),) = messages.items()
        sent: Any = json_body(req)[1] if location == "json" else dict(req.args) if location == "query" else {}
        raise problems.invalid(
            problems.wrong(pointer, token, _value_at(sent, pointer)) for pointer, token in _flatten(tree, "")
        ) from error


def _form(source: Request) -> dict[str, Any]:
    if source.mimetype != "multipart/form-data":
        raise Problem(
            "wrong_type", "请以表单（multipart/form-data）上传文件。", "Upload as multipart/form-data."
        )
    found: dict[str, Any] = {}
    sent: list[tuple[str, list[Any]]] = [*source.form.lists(), *source.files.lists()]
    for name, values in sent:
        if len(values) > 1 or name in found:
            raise problems.invalid([problems.wrong(f"/{name}", "repeated")])
        found[name] = values[0]
        # U+FFFD stands where the form's bytes were no UTF-8
        if isinstance(found[name], str) and ("\x00" in found[name] or "\ufffd" in found[name]):
            raise malformed(f"{name} 不是有效的 UTF-8 文本。", f"{name} is not valid UTF-8 text.")
    return found


def _flatten(tree: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for name, item in tree.items():
            step = "" if name == "_schema" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from _flatten(item, pointer + step)
    else:
        for token in tree:
            yield pointer, token


def _value_at(data: Any, pointer: str) -> object:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict) and name in data:
            data = data[name]
        elif isinstance(data, list) and name.isdigit() and int(name) < len(data):
            data = data[int(name)]
        else:
            return ""
    if "password" in pointer:
        return ""  # never said back, not even to whom sent it
    return data if isinstance(data, str | int) else ""


class Schema(ma.Schema):
    """Base of all request schemas: unknown names are refused by name."""

    class Meta:
        unknown = ma.RAISE

    error_messages = _SCHEMA_WORDS


class Text(fields.String):
    """A text of limited length; control characters that no form field can hold are refused."""

    default_error_messages = _TEXT_WORDS

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=_Length(low, high), **kwargs)


class Id(fields.String):
    """A UUID in canonical spelling."""

    default_error_messages = _ID_WORDS

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        found = uuid_or_none(value) if isinstance(value, str) else None
        if found is None:
            raise self.make_error("invalid")
        return found


class Whole(fields.Integer):
    """A whole number within limits, written with ASCII digits."""

    default_error_messages = _WHOLE_WORDS

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high, error=f"range:{low}–{high}"), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self.make_error("invalid")


class Ids(fields.List[str]):
    """1 to `high` different ids."""

    default_error_messages = _LIST_WORDS

    def __init__(self, high: int, **kwargs: Any) -> None:
        super().__init__(Id(metadata={"format": "uuid"}), validate=[_Length(1, high), _no_repeat], **kwargs)


Measured = TypeVar("Measured", bound=Sized)


class _Length(validate.Length):
    """marshmallow's, which the description understands, with our codes."""

    def __call__(self, value: Measured) -> Measured:
        if self.min is not None and len(value) < self.min:
            raise ma.ValidationError(f"too-short:{self.min}")
        if self.max is not None and len(value) > self.max:
            raise ma.ValidationError(f"too-long:{self.max}")
        return value


def _no_repeat(value: list[str]) -> None:
    if len(set(value)) != len(value):
        raise ma.ValidationError("repeated-id")


def one_of(*values: str) -> Any:
    """A validator: the value is one of these."""
    return validate.OneOf(values, error="choice:" + ", ".join(values))


def current_query(*names: str) -> dict[str, str]:
    """The query parameters of this request, none but `names`, each at most once."""
    found = single(request)
    unknown = [
        problems.wrong(f"/{name}", "unknown", value) for name, value in found.items() if name not in names
    ]
    if unknown:
        raise problems.invalid(unknown)
    return found
