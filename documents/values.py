"""What one value of one field may be, and why it may not: the rule as one pattern, the reason as a sentence.

Values are texts and stay texts: nothing here converts, trims or repairs.
"""

from __future__ import annotations

import re

from marshmallow import ValidationError, validate

from documents import codes
from documents.spec import Field
from documents.words import Words, short

#: C0, DEL, C1, lone surrogates and the two non-characters: PostgreSQL or XML cannot carry them
FORBIDDEN = r"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
#: blanks of any script and characters without a width, which hide in pasted codes
BLANKS = r"\s\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u2800\u3164\ufeff\uffa0"
#: full-width forms of ASCII
FULL_WIDTH = r"\uff01-\uff5e"

_FORBIDDEN = re.compile(f"[{FORBIDDEN}]")
_BLANK = re.compile(f"[{BLANKS}]")
_FULL_WIDTH = re.compile(f"[{FULL_WIDTH}]")
#: digits of other scripts, raised and lowered ones: in a code nobody would see that they are not 0-9
_ODD_DIGIT = re.compile(r"[^\D0-9]|[\u00b2\u00b3\u00b9\u2070-\u2089]")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
#: yyyyMMdd in the ranges of the calendar; the 29th of February only where there is one
_DATE = (
    r"20[0-9]{2}(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)"
    r"|02(?:0[1-9]|1[0-9]|2[0-8]))|20(?:[02468][048]|[13579][26])0229"
)
_TIME = rf"(?:{_DATE})(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"


class FieldCheck(validate.Validator):
    """The rules of one field. `fast`: a full match proves the value right, apart from `members`.

    An empty text is the same as none: forms send it for fields that were left empty. optional: it may be missing.
    """

    def __init__(self, field: Field, *, optional: bool = False) -> None:
        self.field = field
        self.optional = optional or not field.required
        self.fast = re.compile(_fast_pattern(field))
        self.members: frozenset[str] | None = None
        self.verify = field.verify
        if field.table and not field.open_table:
            self.members = frozenset(codes.index(field.table))
        elif field.choices:
            self.members = frozenset(value for value, _ in field.choices)

    def __call__(self, value: str) -> str:
        found = self.wrong(value)
        if found is not None:
            raise ValidationError([found])
        return value

    def wrong(self, value: str) -> tuple[str, Words] | None:
        """Code and words for a wrong value, None for a right one."""
        if self.fast.fullmatch(value) and (self.members is None or value in self.members):
            return self.verify(value) if self.verify else None
        if value == "":
            return None if self.optional else missing(self.field)
        return _explain(self.field, value)


def missing(field: Field) -> tuple[str, Words]:
    """Code and words for a required value that is not there."""
    return "required", Words(f"{field.zh}必填，请填写。", f"{field.en} is required; fill it in.")


def _fast_pattern(field: Field) -> str:
    low = max(field.min_length, 1)
    if field.type == "decimal":
        whole, places = field.digits - field.scale, field.places
        sign = r"(?:-(?=.*[1-9]))?" if field.signed else ""
        positive = r"(?=.*[1-9])" if field.positive else ""
        decimals = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
        return rf"{positive}{sign}[0-9]{{1,{whole}}}{decimals}"
    if field.type == "integer":
        return rf"[0-9]{{1,{field.digits}}}"
    if field.type == "datetime":
        return _TIME
    if field.type == "date":
        return _DATE
    if field.pattern:
        return rf"(?=[^{FORBIDDEN}]{{{low},{field.length}}}\Z)(?:{field.pattern[0]})"
    if field.type == "code":
        # most codes are plain ASCII, of which nothing is forbidden: the long way is for the others
        odd = rf"(?!.*(?:{_ODD_DIGIT.pattern}))[^{FORBIDDEN}{BLANKS}{FULL_WIDTH}]"
        return rf"[!-~]{{{low},{field.length}}}|{odd}{{{low},{field.length}}}"
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
    blanks = _explain_blanks(field, value)
    if blanks is not None:
        return blanks
    if field.type == "integer":
        return _explain_integer(field, value)
    if field.type == "datetime":
        return "not-a-time", Words(
            f"“{short(value)}”不是有效时间，应为 14 位数字 yyyyMMddHHmmss，例如 20260131093000。",
            f"“{short(value)}” is no time; write 14 digits, yyyyMMddHHmmss, for example 20260131093000.",
        )
    if field.type == "date":
        return "not-a-date", Words(
            f"“{short(value)}”不是有效日期，应为 8 位数字 yyyyMMdd，例如 20260131。",
            f"“{short(value)}” is no date; write 8 digits, yyyyMMdd, for example 20260131.",
        )
    if len(value) > field.length:
        return "too-long", Words(
            f"长度为 {len(value)} 个字符，最多 {field.length} 个，请缩短。",
            f"has {len(value)} characters, at most {field.length} are allowed; shorten it.",
        )
    return _explain_text(field, value)


def _explain_text(field: Field, value: str) -> tuple[str, Words]:
    if field.table and not field.open_table:
        return _explain_code(field, field.table, value)
    if field.choices:
        known = "、".join(f"{words.zh}[{choice}]" for choice, words in field.choices)
        known_en = ", ".join(f"{words.en}[{choice}]" for choice, words in field.choices)
        return "unknown-code", Words(
            f"“{short(value)}”不在可选范围内，可选：{known}。",
            f"“{short(value)}” is not one of {known_en}; choose one of them.",
        )
    if field.pattern and not re.fullmatch(field.pattern[0], value):
        words = field.pattern[1]
        padded = f"0{value}"
        if re.fullmatch("[0-9]+", value) and re.fullmatch(field.pattern[0], padded):
            # spreadsheets drop the leading zero of what they take for a number; only a person can say that it did
            words = Words(
                f"{words.zh}可能被 Excel 去掉了前导零，是否为 {padded}？",
                f"{words.en} A spreadsheet may have dropped a leading zero; did you mean {padded}?",
            )
        return "code-shape", Words(f"“{short(value)}”格式不正确，{words.zh}", f"“{short(value)}” {words.en}")
    return "too-short", Words(
        f"长度为 {len(value)} 个字符，至少 {field.min_length} 个，请补全。",
        f"has {len(value)} characters, at least {field.min_length} are needed; complete it.",
    )


def _explain_blanks(field: Field, value: str) -> tuple[str, Words] | None:
    """Blanks and look-alikes: in codes and numbers nowhere, in texts not at the ends."""
    shown = short(value)
    if field.type == "text":
        if not (_BLANK.match(value[0]) or _BLANK.match(value[-1])):
            return None
        return "blank-edge", Words(
            "首尾有空格或不可见字符，请删除。",
            "begins or ends with a blank or an invisible character; delete it.",
        )
    if _FULL_WIDTH.search(value):
        return "full-width", Words(
            f"“{shown}”含全角字符，请改为半角“{_halfwidth(shown)}”。",
            f"“{shown}” has full-width characters; type {_halfwidth(shown)} instead.",
        )
    if _BLANK.search(value) and field.type not in ("date", "datetime"):
        return "blank-inside", Words(
            f"“{shown}”中含空格或不可见字符，代码和编号中不允许，请删除。",
            f"“{shown}” contains a blank or an invisible character; codes and numbers must not, delete it.",
        )
    if _ODD_DIGIT.search(value):
        return "odd-digit", Words(
            f"“{shown}”含其他文字或上下标的数字，请改为半角 0-9。",
            f"“{shown}” has digits of another script or raised ones; type 0-9 instead.",
        )
    return None


def _halfwidth(value: str) -> str:
    return "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else c for c in value)


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


def _explain_integer(field: Field, value: str) -> tuple[str, Words]:
    if not re.fullmatch("[0-9]+", value):
        return "not-a-number", Words(
            f"“{short(value)}”应为纯数字（0-9）。", f"“{short(value)}” must consist of the digits 0-9."
        )
    return "out-of-range", Words(
        f"有 {len(value)} 位数字，最多 {field.digits} 位，请更正。",
        f"has {len(value)} digits, at most {field.digits} are allowed; correct it.",
    )


def _explain_decimal(field: Field, value: str) -> tuple[str, Words]:
    shown = short(value)
    if _FULL_WIDTH.search(value):
        return "full-width", Words(
            f"“{shown}”含全角数字，请改为半角 {_halfwidth(shown)}。",
            f"“{shown}” has full-width digits; type {_halfwidth(shown)} instead.",
        )
    if _SCIENTIFIC.fullmatch(value):
        return "scientific", Words(
            f"“{shown}”为科学计数法，请写成普通数字。",
            f"“{shown}” is in scientific notation; write it as a plain number.",
        )
    if not _DECIMAL.fullmatch(value):
        return "not-a-number", Words(
            f"“{shown}”不是数字，请填写如 12.5 的数字（半角，无空格和千分位）。",
            f"“{shown}” is not a number; enter one like 12.5 (no blanks, no thousands separators).",
        )
    nothing = not re.search("[1-9]", value)
    if field.positive and (nothing or value.startswith("-")):
        return "not-positive", Words(
            f"“{shown}”必须大于 0，请更正。", f"“{shown}” must be above 0; correct it."
        )
    if value.startswith("-") and (nothing or not field.signed):
        return "negative", Words(
            f"“{shown}”不能带负号，请填写 0 或正数。",
            f"“{shown}” must not have a minus sign; enter 0 or more.",
        )
    whole, _, decimals = value.removeprefix("-").partition(".")
    if len(decimals) > field.places:
        return "too-many-decimals", Words(
            f"“{shown}”有 {len(decimals)} 位小数，最多 {field.places} 位，请修改。",
            f"“{shown}” has {len(decimals)} decimals, at most {field.places} are allowed; shorten it.",
        )
    limit = field.digits - field.scale
    return "out-of-range", Words(
        f"整数部分有 {len(whole)} 位，最多 {limit} 位，请更正。",
        f"has {len(whole)} digits before the point, at most {limit} are allowed; correct it.",
    )
