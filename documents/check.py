"""Validation of a body: a Marshmallow schema per type, and a straight-line check compiled from it.

`wrongs` is the full report. `is_right` answers only yes or "not sure": it was measured about ten times faster than
loading the schema, and what it does not accept is decided by the schema. Must never accept what the schema refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, fields

from documents.spec import Body, DocumentType, Field
from documents.values import FieldCheck, missing
from documents.words import Words, Wrong


def _messages(field: Field) -> Any:
    lacking = missing(field)
    return {"required": lacking, "null": lacking, "invalid": _NOT_TEXT}


_NOT_TEXT = ("not-text", Words("应为文本（字符串）。", "must be a text (a JSON string)."))
_UNKNOWN = ("unknown-field", Words("没有这个字段，请删除。", "There is no such field; remove it."))


#: who fills a field that nobody may send
NOT_FOR_PEOPLE = ("system", "customs")


def may_lack(doctype: DocumentType) -> frozenset[str]:
    """Head fields that `documents.body.complete` fills in where they are missing."""
    computed = {item.name for item in doctype.head if item.filled_by == "computed"}
    return _given(doctype.head) | computed


def _given(items: tuple[Field, ...]) -> frozenset[str]:
    """Fields with a default."""
    return frozenset(item.name for item in items if item.default is not None)


def _schema(items: tuple[Field, ...], lacking: frozenset[str]) -> type[Schema]:
    members: dict[str, Any] = {
        item.name: fields.String(
            required=item.required and item.name not in lacking,
            validate=FieldCheck(item, optional=item.name in lacking),
            error_messages=_messages(item),
        )
        for item in items
        if item.filled_by not in NOT_FOR_PEOPLE
    }
    members["error_messages"] = {"unknown": _UNKNOWN, "type": _NOT_TEXT}
    members["Meta"] = type("Meta", (Schema.Meta,), {"unknown": RAISE})
    cls: type[Schema] = type("BodyPart", (Schema,), members)
    return cls


class Checker:
    """Validation of one document type, built once (see `checker`)."""

    def __init__(self, doctype: DocumentType) -> None:
        self._type = doctype
        computed = {name for name, _ in doctype.computed}
        self._fields = {item.name: FieldCheck(item) for item in doctype.head if item.name in computed}
        self.head = _schema(doctype.head, may_lack(doctype))()
        self.line = _schema(doctype.lines, _given(doctype.lines))()
        least = doctype.message.min_lines if doctype.lines else 0
        most = doctype.message.max_lines if doctype.lines else 0
        self.is_right: Callable[[Any], bool] = compile_check(self.head, self.line, least, most)

    def wrongs(self, body: Any) -> list[Wrong]:
        """Everything that is wrong with a body, field by field and then by the type's rules; [] if it is right."""
        if self.is_right(body):
            found = [wrong for rule in self._type.rules for wrong in rule(body)]
            return found or self._computed(body)
        found = self._shape(body)
        if found:
            return found
        found = _errors(self.head, body["head"], ("head",))
        for index, line in enumerate(body["lines"]):
            found.extend(_errors(self.line, line, ("lines", index)))
        texts = _texts_only(body)
        seen = {wrong.path for wrong in found}
        found.extend(w for rule in self._type.rules for w in rule(texts) if w.path not in seen)
        return found

    def _computed(self, body: Body) -> list[Wrong]:
        """Head fields worked out from right lines may still exceed what the message carries."""
        found = []
        for name, compute in self._type.computed:
            if not body["head"].get(name):
                value = compute(body)
                reason = self._fields[name].wrong(value)
                if reason is not None:
                    found.append(Wrong(("head", name), *reason, value))
        return found

    def _shape(self, body: Any) -> list[Wrong]:
        if not isinstance(body, Mapping):
            return [
                Wrong((), "shape", Words("应为对象：{head, lines}。", "must be an object: {head, lines}."))
            ]
        found = [Wrong((str(key),), *_UNKNOWN) for key in body if key not in ("head", "lines")]
        if not isinstance(body.get("head"), Mapping):
            found.append(Wrong(("head",), "required", Words("缺少表头 head。", "The head is missing.")))
        lines = body.get("lines")
        if not isinstance(lines, list) or not all(isinstance(line, Mapping) for line in lines):
            found.append(
                Wrong(
                    ("lines",),
                    "required",
                    Words("缺少表体 lines（数组）。", "The lines (a list) are missing."),
                )
            )
        elif not self._type.lines:
            if lines:
                words = Words("此单据没有表体，请删除。", "This kind of document has no lines; remove them.")
                found.append(Wrong(("lines",), "unknown-field", words))
        elif len(lines) < self._type.message.min_lines:
            found.append(
                Wrong(("lines",), "required", Words("至少要有一项表体。", "At least one line is needed."))
            )
        elif len(lines) > self._type.message.max_lines:
            limit = self._type.message.max_lines
            words = Words(
                f"共有 {len(lines)} 项表体，最多 {limit} 项，请拆分。",
                f"There are {len(lines)} lines, the message takes at most {limit}; split the document.",
            )
            found.append(Wrong(("lines", limit), "too-many-lines", words, str(len(lines))))
        return found


def _errors(schema: Schema, part: Mapping[str, Any], path: tuple[str | int, ...]) -> list[Wrong]:
    found: list[Wrong] = []
    for name, messages in schema.validate(part).items():
        first: Any = messages[0] if isinstance(messages, list) else messages
        code, words = first
        value = part.get(name, "")
        found.append(Wrong((*path, str(name)), code, words, value if isinstance(value, str) else repr(value)))
    return found


def _texts_only(body: Mapping[str, Any]) -> Body:
    def clean(part: Mapping[str, Any]) -> dict[str, str]:
        return {key: value for key, value in part.items() if isinstance(value, str)}

    return {"head": clean(body["head"]), "lines": [clean(line) for line in body["lines"]]}


def compile_check(head: Schema, line: Schema, least: int, most: int) -> Callable[[Any], bool]:
    """One straight-line function from two flat schemas of String fields with FieldCheck validators.

    least, most: how many lines there may be.

    Anything else in a schema refuses to compile, so that the fast path can never know less than the schema.
    """
    names: dict[str, Any] = {"HEAD": frozenset(head.fields), "LINE": frozenset(line.fields)}
    code = ["def check(body):", "    try:", "        if len(body) != 2: return False"]
    code += ["        part = body['head']", "        if not part.keys() <= HEAD: return False"]
    code += _straight(head, "h", "        ", names)
    code += ["        lines = body['lines']"]
    code += [f"        if type(lines) is not list or not {least} <= len(lines) <= {most}: return False"]
    code += ["        for part in lines:", "            if not part.keys() <= LINE: return False"]
    code += _straight(line, "l", "            ", names)
    code += ["    except (TypeError, KeyError, AttributeError):", "        return False", "    return True"]
    exec("\n".join(code), names)  # noqa: S102 - source is made above from declarations only
    compiled: Callable[[Any], bool] = names["check"]
    return compiled


def _straight(schema: Schema, mark: str, indent: str, names: dict[str, Any]) -> list[str]:
    code: list[str] = []
    for number, (name, field) in enumerate(schema.fields.items()):
        validators = field.validators
        if (
            type(field) is not fields.String
            or len(validators) != 1
            or not isinstance(validators[0], FieldCheck)
        ):
            raise TypeError(f"{name}: only text fields with a FieldCheck can be compiled")
        rule = validators[0]
        names[f"{mark}{number}"] = rule.fast.fullmatch
        # an explicit null is no text and left to the schema: fullmatch raises TypeError on it
        code.append(
            f"{indent}v = part[{name!r}]" if not rule.optional else f"{indent}v = part.get({name!r}, '')"
        )
        inner = indent
        if rule.optional:
            code.append(f"{indent}if v != '':")
            inner += "    "
        code.append(f"{inner}if {mark}{number}(v) is None: return False")
        if rule.members is not None:
            names[f"{mark}{number}m"] = rule.members
            code.append(f"{inner}if v not in {mark}{number}m: return False")
        if rule.verify is not None:
            names[f"{mark}{number}v"] = rule.verify
            code.append(f"{inner}if {mark}{number}v(v) is not None: return False")
    return code


@cache
def checker(doctype: DocumentType) -> Checker:
    """The checker of a type, built on first use."""
    return Checker(doctype)
