"""Lines against each other and against the head: what must be equal, what must not stand twice."""

from __future__ import annotations

from collections.abc import Iterator

from documents.spec import Body, Rule
from documents.words import Words, Wrong, short


def same_in_lines(field: str, label: Words) -> Rule:
    """A field that stands in head and lines must be the same in both."""

    def check(body: Body) -> Iterator[Wrong]:
        wanted = body["head"].get(field, "")
        for index, line in enumerate(body["lines"]):
            given = line.get(field, "")
            if wanted and given and given != wanted:
                yield Wrong(
                    ("lines", index, field),
                    "mismatch",
                    Words(
                        f"表体{label.zh}“{short(given)}”与表头“{short(wanted)}”不一致，请统一。",
                        f"{label.en} {short(given)} of the line differs from {short(wanted)} of the head; "
                        "make them equal.",
                    ),
                    given,
                )

    return check


def no_repeated_line(fields: tuple[str, ...], shown: str, label: Words | None = None) -> Rule:
    """The same line must not stand twice in one document; the later one is named.

    label: what must not repeat, where that is a number and not the whole line. A line that lacks all is passed over.
    """

    def check(body: Body) -> Iterator[Wrong]:
        seen: dict[tuple[str, ...], int] = {}
        for index, line in enumerate(body["lines"]):
            key = tuple(line.get(name, "") for name in fields)
            first = seen.setdefault(key, index)
            if first != index and any(key):
                given = line.get(shown, "")
                yield Wrong(
                    ("lines", index, shown), "duplicate-line", _repeated(label, given, first + 1), given
                )

    return check


def _repeated(label: Words | None, given: str, first: int) -> Words:
    if label is None:
        return Words(
            f"与同一单据第 {first} 项商品完全相同，疑为重复行；请删除一行或合并数量。",
            f"The same as line {first} of this document; delete one of them or add the quantities.",
        )
    return Words(
        f"{label.zh}“{short(given)}”与同一单据第 {first} 项重复，请删除其中一项或更正。",
        f"{label.en} {short(given)} stands in line {first} already; delete or correct one of them.",
    )


def same_among_lines(field: str, label: Words) -> Rule:
    """All lines have the same value in a field; those that differ from the first are named. Each use names its source."""

    def check(body: Body) -> Iterator[Wrong]:
        wanted = ""
        for index, line in enumerate(body["lines"]):
            given = line.get(field, "")
            wanted = wanted or given
            if given and given != wanted:
                yield Wrong(
                    ("lines", index, field),
                    "mismatch",
                    Words(
                        f"{label.zh}“{short(given)}”与其他表体的“{short(wanted)}”不一致，请统一或拆分单据。",
                        f"{label.en} {short(given)} differs from {short(wanted)} of other lines; make them equal or "
                        "split the document.",
                    ),
                    given,
                )

    return check


def lines_or(field: str, words: Words) -> Rule:
    """A document without lines needs a head field instead. words: what is missing. Each use names its source."""

    def check(body: Body) -> Iterator[Wrong]:
        if not body["lines"] and not body["head"].get(field):
            yield Wrong(("head", field), "required", words)

    return check


def empty_with_lines(field: str, words: Words) -> Rule:
    """A head field that stands for lines excludes them. words: why, and the way out. Each use names its source."""

    def check(body: Body) -> Iterator[Wrong]:
        given = body["head"].get(field, "")
        if body["lines"] and given:
            yield Wrong(("head", field), "not-allowed", words, given)

    return check
