"""Every field of every kind: missing, too long, no code of its table, hostile. Each is named, in both languages."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from documents.body import complete
from documents.check import checker
from documents.registry import ALL
from documents.spec import DocumentType, Field
from documents.words import Wrong
from tests.unit.documents.making import IMPOSSIBLE

Place = tuple[str, Field]
#: what may be typed as it is, in whatever language the page is
LITERAL = re.compile("无")
CHINESE = re.compile("[\u4e00-\u9fff]")
HOSTILE = (
    "' OR '1'='1", "<script>alert(1)</script>", "]]><x/>", "../../etc/passwd", "=cmd|' /C calc'!A0", "%s%n{0}", "\\",
    "１２３", "١٢", "1\u200b2", "\ufeff1", "\u202e12", "1 2", "null", "-0", "1e9", "NaN",
)  # fmt: skip


def places(doctype: DocumentType) -> Iterator[Place]:
    for level, fields in (("head", doctype.head), ("lines", doctype.lines)):
        for field in fields:
            if field.filled_by not in ("system", "customs"):
                yield level, field


EVERY = [(item, level, field) for item in ALL for level, field in places(item)]
CODES = [place for place in EVERY if place[2].table or place[2].choices or place[2].pattern]


def named_by(found: list[tuple[DocumentType, str, Field]]) -> pytest.MarkDecorator:
    ids = [f"{item.kind}-{level}-{field.name}" for item, level, field in found]
    return pytest.mark.parametrize(("doctype", "level", "field"), found, ids=ids)


FIELDS = named_by(EVERY)
CODED = named_by(CODES)


def with_value(doctype: DocumentType, level: str, name: str, value: str | None) -> dict[str, Any]:
    """The example with another value in one place; None: without it."""
    assert doctype.example is not None
    body = copy.deepcopy(dict(doctype.example))
    part = body["head"] if level == "head" else body["lines"][0]
    if value is None:
        part.pop(name, None)
    else:
        part[name] = value
    return body


def path_of(level: str, name: str) -> tuple[str | int, ...]:
    return ("head", name) if level == "head" else ("lines", 0, name)


def named(doctype: DocumentType, level: str, field: Field, value: str | None) -> Wrong:
    """The wrong of that field in a body where only it is wrong."""
    found = checker(doctype).wrongs(with_value(doctype, level, field.name, value))
    here = [wrong for wrong in found if wrong.path == path_of(level, field.name)]
    assert here, (field.name, value, found)
    return here[0]


def assert_sentences(wrong: Wrong) -> None:
    assert wrong.words.zh.endswith("。")
    assert wrong.words.en.endswith(".")
    assert CHINESE.search(wrong.words.zh)
    assert len(wrong.words.zh) >= 6
    assert len(wrong.words.en) >= 15
    (wrong.words.zh + wrong.words.en + wrong.value).encode()


@FIELDS
def test_a_missing_field_is_asked_for_by_name(doctype: DocumentType, level: str, field: Field) -> None:
    body = with_value(doctype, level, field.name, None)
    found = {wrong.path: wrong for wrong in checker(doctype).wrongs(body)}
    if field.required and field.default is None and field.filled_by != "computed":
        wrong = found[path_of(level, field.name)]
        assert wrong.code == "required"
        assert field.zh in wrong.words.zh
        assert field.en in wrong.words.en
        assert_sentences(wrong)
    elif field.required:
        part = complete(doctype, body)["head"] if level == "head" else complete(doctype, body)["lines"][0]
        assert part[field.name]
    elif found:
        # an optional field that a rule needs: the rule says so at the field
        assert [wrong.path[-1] for wrong in found.values()] == [field.name]


@FIELDS
def test_too_long_values_say_how_long_they_may_be(doctype: DocumentType, level: str, field: Field) -> None:
    limit = field.length or field.digits
    wrong = named(doctype, level, field, "9" * (limit + 1))
    assert wrong.code in {"too-long", "out-of-range", "not-a-time", "not-a-date"}
    assert str({"datetime": 14, "date": 8}.get(field.type, limit - field.scale)) in wrong.words.zh
    assert_sentences(wrong)


@CODED
def test_wrong_codes_are_told_from_right_ones(doctype: DocumentType, level: str, field: Field) -> None:
    for value in ("?" * max(field.min_length, 1), "~" * field.length):
        wrong = named(doctype, level, field, value)
        assert wrong.code in {"unknown-code", "code-shape"}
        assert_sentences(wrong)
        assert not CHINESE.search(LITERAL.sub("", wrong.words.en))


@FIELDS
def test_hostile_values_are_refused_or_kept_as_they_are(
    doctype: DocumentType, level: str, field: Field
) -> None:
    for value in HOSTILE:
        body = with_value(doctype, level, field.name, value)
        wrongs = checker(doctype).wrongs(body)
        found = [wrong for wrong in wrongs if wrong.path == path_of(level, field.name)]
        for wrong in found:
            assert_sentences(wrong)
        if not wrongs:
            whole = complete(doctype, body)
            assert (whole["head"] if level == "head" else whole["lines"][0])[field.name] == value
        if field.type != "text" and not field.choices and re.search("[^!-~]", value):
            assert found, value


@FIELDS
def test_what_no_message_can_carry_is_refused(doctype: DocumentType, level: str, field: Field) -> None:
    for character in IMPOSSIBLE:
        wrong = named(doctype, level, field, character)
        assert wrong.code == "control-character"
        assert_sentences(wrong)


@pytest.mark.parametrize("doctype", ALL, ids=lambda t: t.kind)
def test_fields_of_the_system_and_of_customs_are_refused(doctype: DocumentType) -> None:
    for level, fields in (("head", doctype.head), ("lines", doctype.lines)):
        for field in fields:
            if field.filled_by in ("system", "customs"):
                assert named(doctype, level, field, "1").code == "unknown-field"
