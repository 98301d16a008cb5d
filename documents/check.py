"""Validation of a body: a Marshmallow schema per type, and a straight-line check compiled from it.

`wrongs` is the full report. `is_right` answers only yes or "not sure": it was measured about ten times faster than
loading the schema, and what it does not accept is decided by the schema. Must never accept what the schema refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from documents import codes
from documents.spec import Body, DocumentType, Field
from documents.words import Words, Wrong

#: C0, DEL, C1, lone surrogates and the two non-characters: PostgreSQL or XML cannot carry them
FORBIDDEN = r"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
#: blanks of any script and zero-width characters, which hide in pasted codes
BLANKS = r"\s\u200b-\u200d\u2060\ufeff\u00a0\u3000"
#: full-width forms of ASCII
FULL_WIDTH = r"\uff01-\uff5e"

_FORBIDDEN = re.compile(f"[{FORBIDDEN}]")
_BLANK = re.compile(f"[{BLANKS}]")
_FULL_WIDTH = re.compile(f"[{FULL_WIDTH}]")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _halfwidth(value: str) -> str:
    return "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else c for c in value)


class FieldCheck(validate.Validator):
    """The rules of one field. `fast`: a full match proves the value right, apart from `members`."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.fast = re.compile(_fast_pattern(field))
        self.members: frozenset[str] | None = None
        if field.table:
            self.members = frozenset(codes.index(field.table))
        elif field.choices:
            self.members = frozenset(value for value, _ in field.choices)

    def __call__(self, value: str) -> str:
        if self.fast.fullmatch(value) and (self.members is None or value in self.members):
            return value
        code, words = _explain(self.field, value)
        raise ValidationError([(code, words)])


def _fast_pattern(field: Field) -> str:
    low = max(field.min_length, 1)
    if field.type == "decimal":
        whole, places = field.digits - field.scale, field.places
        sign = "-?" if field.signed else ""
        positive = r"(?=.*[1-9])" if field.positive else ""
        decimals = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
        return rf"{positive}{sign}[0-9]{{1,{whole}}}{decimals}"
    if field.type == "integer":
        return rf"[0-9]{{1,{field.digits}}}"
    if field.type == "datetime":
        return r"[0-9]{14}"
    if field.pattern:
        return field.pattern[0]
    if field.type == "code":
        return rf"[^{FORBIDDEN}{BLANKS}{FULL_WIDTH}]{{{low},{field.length}}}"
    edge = rf"[^{FORBIDDEN}{BLANKS}]"
    if field.length == 1:
        return edge
    return rf"(?=.{{{low},{field.length}}}\Z){edge}(?:[^{FORBIDDEN}]*{edge})?"


def _explain(field: Field, value: str) -> tuple[str, Words]:
    """Why a value is wrong, in the order in which a person would look."""
    if _FORBIDDEN.search(value):
        return "control-character", Words(
            "含有不可见的控制字符，请删除后重新输入。",
            "contains an invisible control character; delete it and type again.",
        )
    if field.type == "decimal":
        return _explain_decimal(field, value)
    if field.type != "text":
        if _FULL_WIDTH.search(value):
            return "full-width", Words(
                f"“{value}”含全角字符，请改为半角“{_halfwidth(value)}”。",
                f"“{value}” has full-width characters; type {_halfwidth(value)} instead.",
            )
        if _BLANK.search(value):
            return "blank-inside", Words(
                f"“{value}”中含空格，代码和编号中不允许空格，请删除空格。",
                f"“{value}” contains a blank; codes and numbers must not, delete it.",
            )
    elif value != _BLANK.sub("", value[:1]) + value[1:-1] + _BLANK.sub("", value[-1:]) and len(value) > 1:
        return "blank-edge", Words("首尾有空格，请删除。", "begins or ends with a blank; delete it.")
    if field.length and len(value) > field.length:
        return "too-long", Words(
            f"长度为 {len(value)} 个字符，最多 {field.length} 个，请缩短。",
            f"has {len(value)} characters, at most {field.length} are allowed; shorten it.",
        )
    if field.table:
        return _explain_code(field, field.table, value)
    if field.choices:
        known = "、".join(f"{words.zh}[{choice}]" for choice, words in field.choices)
        known_en = ", ".join(f"{words.en}[{choice}]" for choice, words in field.choices)
        return "unknown-code", Words(
            f"“{value}”不在可选范围内，可选：{known}。", f"“{value}” is not one of {known_en}."
        )
    if field.pattern:
        words = field.pattern[1]
        return "code-shape", Words(f"“{value}”格式不正确，{words.zh}", f"“{value}” {words.en}")
    if field.type in ("integer", "datetime"):
        return "not-a-number", Words(f"“{value}”应为纯数字。", f"“{value}” must consist of digits.")
    return "too-short", Words(
        f"长度为 {len(value)} 个字符，至少 {max(field.min_length, 1)} 个。",
        f"has {len(value)} characters, at least {max(field.min_length, 1)} are needed.",
    )


def _explain_code(field: Field, table: str, value: str) -> tuple[str, Words]:
    if len(value) < field.min_length:
        example = next(iter(codes.index(table)))
        padded = value.zfill(field.min_length)
        hint = f"，是否为 {padded}？" if padded in codes.index(table) else f"，例如 {example}。"
        hint_en = f"; did you mean {padded}?" if padded in codes.index(table) else f", for example {example}."
        return "code-shape", Words(
            f"{field.zh}代码应为 {field.min_length} 位，“{value}”只有 {len(value)} 位{hint}",
            f"{field.en} code has {field.min_length} characters, “{value}” has {len(value)}{hint_en}",
        )
    return "unknown-code", Words(
        f"代码“{value}”不在{field.zh}代码表中，请按代码表填写。",
        f"Code “{value}” is not in the code table of {field.en.lower()}; choose one of the table.",
    )


def _explain_decimal(field: Field, value: str) -> tuple[str, Words]:
    if _FULL_WIDTH.search(value):
        return "full-width", Words(
            f"“{value}”含全角数字，请改为半角 {_halfwidth(value)}。",
            f"“{value}” has full-width digits; type {_halfwidth(value)} instead.",
        )
    if _SCIENTIFIC.fullmatch(value):
        return "scientific", Words(
            f"“{value}”为科学计数法，请写成普通数字。",
            f"“{value}” is in scientific notation; write it as a plain number.",
        )
    if not _DECIMAL.fullmatch(value):
        return "not-a-number", Words(
            f"“{value}”不是数字，请填写如 12.5 的数字。", f"“{value}” is not a number; enter one like 12.5."
        )
    if value.startswith("-") or (field.positive and not re.search("[1-9]", value)):
        code = "not-positive" if field.positive else "negative"
        least = "大于 0" if field.positive else "不小于 0"
        least_en = "above 0" if field.positive else "0 or more"
        return code, Words(f"“{value}”必须{least}。", f"“{value}” must be {least_en}.")
    whole, _, decimals = value.partition(".")
    if len(decimals) > field.places:
        return "too-many-decimals", Words(
            f"“{value}”有 {len(decimals)} 位小数，最多 {field.places} 位。",
            f"“{value}” has {len(decimals)} decimals, at most {field.places} are allowed.",
        )
    limit = field.digits - field.scale
    return "out-of-range", Words(
        f"整数部分有 {len(whole)} 位，最多 {limit} 位。",
        f"has {len(whole)} digits before the point, at most {limit}.",
    )


def _required(field: Field) -> Any:
    missing = ("required", Words(f"{field.zh}必填，请填写。", f"{field.en} is required; fill it in."))
    return {"required": missing, "null": missing, "invalid": _NOT_TEXT}


_NOT_TEXT = ("not-text", Words("应为文本（字符串）。", "must be a text (a JSON string)."))
_UNKNOWN = ("unknown-field", Words("没有这个字段，请删除。", "There is no such field; remove it."))


def _schema(items: tuple[Field, ...], may_lack: frozenset[str]) -> type[Schema]:
    members: dict[str, Any] = {
        item.name: fields.String(
            required=item.required and item.name not in may_lack,
            validate=FieldCheck(item),
            error_messages=_required(item),
        )
        for item in items
        if item.filled_by not in ("system", "customs")
    }
    members["error_messages"] = {"unknown": _UNKNOWN, "type": _NOT_TEXT}
    members["Meta"] = type("Meta", (Schema.Meta,), {"unknown": RAISE})
    cls: type[Schema] = type("BodyPart", (Schema,), members)
    return cls


class Checker:
    """Validation of one document type, built once (see `checker`)."""

    def __init__(self, doctype: DocumentType) -> None:
        self._type = doctype
        may_lack = frozenset(item.name for item in doctype.head if item.filled_by == "computed")
        self.head = _schema(doctype.head, may_lack)()
        self.line = _schema(doctype.lines, frozenset())()
        self.is_right: Callable[[Any], bool] = compile_check(self.head, self.line, doctype.message.max_lines)

    def wrongs(self, body: Any) -> list[Wrong]:
        """Everything that is wrong with a body, field by field and then by the type's rules; [] if it is right."""
        if self.is_right(body):
            return [wrong for rule in self._type.rules for wrong in rule(body)]
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
        elif not lines:
            found.append(
                Wrong(("lines",), "required", Words("至少要有一项商品。", "At least one line is needed."))
            )
        elif len(lines) > self._type.message.max_lines:
            limit = self._type.message.max_lines
            words = Words(
                f"共有 {len(lines)} 项商品，报文最多 {limit} 项，请拆分。",
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
        found.append(
            Wrong((*path, str(name)), code, words, value if isinstance(value, str) else repr(value)[:100])
        )
    return found


def _texts_only(body: Mapping[str, Any]) -> Body:
    def clean(part: Mapping[str, Any]) -> dict[str, str]:
        return {key: value for key, value in part.items() if isinstance(value, str)}

    return {"head": clean(body["head"]), "lines": [clean(line) for line in body["lines"]]}


def compile_check(head: Schema, line: Schema, max_lines: int) -> Callable[[Any], bool]:
    """One straight-line function from two flat schemas of String fields with FieldCheck validators.

    Anything else in a schema refuses to compile, so that the fast path can never know less than the schema.
    """
    names: dict[str, Any] = {"HEAD": frozenset(head.fields), "LINE": frozenset(line.fields)}
    code = ["def check(body):", "    try:", "        if len(body) != 2: return False"]
    code += ["        part = body['head']", "        if not part.keys() <= HEAD: return False"]
    code += _straight(head, "h", "        ", names)
    code += ["        lines = body['lines']"]
    code += [f"        if type(lines) is not list or not 0 < len(lines) <= {max_lines}: return False"]
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
        get = f"part[{name!r}]" if field.required else f"part.get({name!r})"
        inner = indent if field.required else indent + "    "
        code.append(f"{indent}v = {get}")
        if not field.required:
            code.append(f"{indent}if v is not None:")
        code.append(f"{inner}if {mark}{number}(v) is None: return False")
        if rule.members is not None:
            names[f"{mark}{number}m"] = rule.members
            code.append(f"{inner}if v not in {mark}{number}m: return False")
    return code


@cache
def checker(doctype: DocumentType) -> Checker:
    """The checker of a type, built on first use."""
    return Checker(doctype)
