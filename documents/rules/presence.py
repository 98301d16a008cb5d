"""What must be there, or must not, because of something else in the same document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from documents.spec import Body, Rule
from documents.words import Words, Wrong, short

_Path = tuple[str | int, ...]


def _parts(body: Body, level: str) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    if level == "head":
        yield ("head",), body["head"]
    else:
        for index, line in enumerate(body["lines"]):
            yield ("lines", index), line


def needed_where(
    field: str,
    label: Words,
    other: str,
    values: frozenset[str],
    reason: Words,
    *,
    level: str = "head",
    unless: bool = False,
) -> Rule:
    """A field is needed where a head field has one of these values (unless: where it has any other).

    reason: the condition in words. Each use names its source.
    """

    def check(body: Body) -> Iterator[Wrong]:
        decides = body["head"].get(other, "")
        if not decides or (decides in values) == unless:
            return
        for path, part in _parts(body, level):
            if not part.get(field):
                yield Wrong(
                    (*path, field),
                    "required",
                    Words(
                        f"{reason.zh}{label.zh}必填，请填写。",
                        f"{label.en} is required {reason.en}; fill it in.",
                    ),
                )

    return check


def empty_where(field: str, label: Words, other: str, values: frozenset[str], reason: Words) -> Rule:
    """A head field must be empty where another has one of these values. Each use names its source."""

    def check(body: Body) -> Iterator[Wrong]:
        given = body["head"].get(field, "")
        if given and body["head"].get(other, "") in values:
            yield Wrong(
                ("head", field),
                "not-allowed",
                Words(
                    f"{reason.zh}不能填写{label.zh}“{short(given)}”，请删除或更改前者。",
                    f"{label.en} {short(given)} cannot stand {reason.en}; remove it or change the other.",
                ),
                given,
            )

    return check


def together(first: str, second: str, words: Words) -> Rule:
    """Two fields of a line go together: both or neither. words: their two names. Each use names its source."""

    def check(body: Body) -> Iterator[Wrong]:
        for index, line in enumerate(body["lines"]):
            if bool(line.get(first)) != bool(line.get(second)):
                lacking = second if line.get(first) else first
                yield Wrong(
                    ("lines", index, lacking),
                    "incomplete",
                    Words(
                        f"{words.zh}须同时填写或同时留空，请补全。",
                        f"{words.en} go together: fill in both or neither.",
                    ),
                )

    return check


def not_code(field: str, refused: frozenset[str], words: Words) -> Rule:
    """A head field must not hold one of these codes. words: why, and the way out. Each use names its source."""

    def check(body: Body) -> Iterator[Wrong]:
        given = body["head"].get(field, "")
        if given in refused:
            yield Wrong(("head", field), "not-allowed", words, given)

    return check
