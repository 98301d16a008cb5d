"""Printed documents, read back by a program that is not ours: nothing is lost, nothing breaks, pages count."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import reportlab
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import show
from documents.print import form, listing
from documents.print.fonts import Face, FontError, face
from documents.print.model import Printing, Stored
from documents.registry import REGISTRY
from documents.spec import DocumentType
from tools import fonts

ALL = REGISTRY.types
KINDS = pytest.mark.parametrize("doctype", ALL, ids=lambda item: item.kind)
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])
WITH_LINES = next(item for item in ALL if len(item.lines) > 12)
AT = datetime(2026, 11, 20, 7, 4, 5, tzinfo=UTC)
PRINTING = Printing(at=AT, by="制单员甲")
HOSTILE = (
    "<b>粗</b>", "<script>alert('x')</script>", "{{7*7}}", "&amp;", "%s %n", "=1+1", "😀𠮷", "\u202e反", "a\tb\r\nc", "\x00\x1f",
    "无空格的很长的文字" * 60, "x" * 2000, "，" * 300, "\ud800", "", " ",
)  # fmt: skip


def the_face() -> Face:
    path = fonts.find()
    assert path is not None, "no font: run `make setup-tests`"
    return face(path)


def stored(doctype: DocumentType, **changes: Any) -> Stored:
    """The kind's example as its service keeps it."""
    assert doctype.example is not None
    state = next(iter(doctype.lifecycle.by_name))
    found = {
        "number": doctype.example["head"].get(doctype.number, ""), "state": state, "stored_at": AT, "updated_at": AT,
        "batch_no": "YSWL20261120YSJ01", "created_by": "甲", "head": doctype.example["head"],
        "lines": doctype.example["lines"],
    }  # fmt: skip
    return Stored(**{**found, **changes})


def pages(pdf: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def squeezed(text: str) -> str:
    """Without blanks and line ends, which wrapping adds and takes away."""
    return re.sub(r"[\s\ufffe\u00ad]+", "", text)


def printed(pdf: bytes) -> str:
    return squeezed("".join(pages(pdf)))


@KINDS
@LANGUAGES
def test_every_kind_prints_every_value_of_its_example(doctype: DocumentType, language: str) -> None:
    document = stored(doctype, customs_status="120", return_info="[Code:2600;Desc:校验通过]", revision=2)
    text = printed(form.document(the_face(), doctype, document, Printing(at=AT, by="甲", language=language)))
    for fields, parts in ((doctype.head, [document.head]), (doctype.lines, document.lines)):
        for field in fields:
            for part in parts:
                value = show.shower(field, language)(str(part.get(field.name, "")))
                assert squeezed(value) in text, field.name
            if field.filled_by == "user" and field.required:
                assert squeezed(field.words.as_dict()[language]) in text, field.name
    for words in (
        doctype.title.as_dict()[language],
        document.number,
        "2026-11-20 15:04:05",
        "[Code:2600;Desc:",
    ):
        assert squeezed(words) in text
    assert squeezed(show.status(doctype, "120", language)) in text


@KINDS
def test_a_draft_without_anything_prints(doctype: DocumentType) -> None:
    text = printed(
        form.document(the_face(), doctype, stored(doctype, number="", head={}, lines=[]), PRINTING)
    )
    assert squeezed(doctype.title.zh) in text


def test_the_same_document_makes_the_same_bytes() -> None:
    first = form.document(the_face(), WITH_LINES, stored(WITH_LINES), PRINTING)
    assert first == form.document(the_face(), WITH_LINES, stored(WITH_LINES), PRINTING)


def test_lines_go_on_over_pages_with_headings_and_page_numbers() -> None:
    line = stored(WITH_LINES).lines[0]
    number = WITH_LINES.line_number
    lines = [{**line, number: str(index)} for index in range(1, 151)]
    pdf = form.document(the_face(), WITH_LINES, stored(WITH_LINES, lines=lines), PRINTING)
    found = pages(pdf)
    assert len(found) > 3
    label = squeezed(next(field.zh for field in WITH_LINES.lines if field.name == number))
    for index, text in enumerate(found, 1):
        assert f"第 {index} / {len(found)} 页" in text
        assert "打印时间 2026-11-20 15:04:05 · 打印人 制单员甲" in text
        if index > 1:
            assert label in squeezed(text)
            assert stored(WITH_LINES).number in text
    assert "共 150 行" in found[0] + found[1]


def test_more_lines_than_anybody_reads_on_paper_are_named() -> None:
    line = stored(WITH_LINES).lines[0]
    document = stored(WITH_LINES, lines=[line] * (form.LINES + 1))
    text = "".join(pages(form.document(the_face(), WITH_LINES, document, PRINTING)))
    assert f"共 {form.LINES + 1} 行，仅打印前 {form.LINES} 行" in text


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_stands_in_a_text_is_printed_as_text(value: str) -> None:
    head = {field.name: value for field in WITH_LINES.head}
    line = {field.name: value for field in WITH_LINES.lines}
    document = stored(
        WITH_LINES,
        number=value,
        head=head,
        lines=[line, line],
        return_info=value,
        batch_no=value,
        created_by=value,
    )
    font = the_face()
    text = printed(form.document(font, WITH_LINES, document, Printing(at=AT, by=value)))
    shown = squeezed(font.clean(value))
    assert text.count(shown) >= len(WITH_LINES.head) if shown else text
    rows = [stored(WITH_LINES, number=value, head=head, return_info=value)] * 3
    text = printed(listing.listing(font, WITH_LINES, rows, PRINTING, conditions=[value]))
    assert shown in text


def test_what_the_font_lacks_becomes_a_box() -> None:
    font = the_face()
    assert font.clean("茶😀杯𠮷") == "茶□杯□"
    assert font.clean("a\u200bb\u202ec") == "abc"
    assert font.clean("a\x00b\tc") == "a b c"


@settings(max_examples=200)
@given(text=st.text(max_size=200), width=st.floats(5, 400), size=st.floats(5, 12))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: float, size: float) -> None:
    font = the_face()
    lines = font.wrap(text, size, width)
    assert squeezed("".join(lines)) == squeezed(font.clean(text))
    for line in lines:
        assert len(line) <= 1 or font.width(line, size) <= width * 1.0001


def test_lines_end_where_a_reader_expects() -> None:
    font = the_face()
    em = font.width("中", 10)
    assert font.wrap("中文字，好", 10, em * 3.2) == ["中文", "字，好"]
    assert font.wrap("中文（好）", 10, em * 3.2) == ["中文", "（好）"]
    assert font.wrap("green tea", 10, font.width("green t", 10)) == ["green", "tea"]
    assert font.wrap("一\n二", 10, 100) == ["一", "二"]
    assert font.wrap("", 10, 100) == [""]


def test_a_number_gets_a_bar_code_only_where_it_can_be_read() -> None:
    def objects(number: str) -> int:
        pdf = form.document(the_face(), WITH_LINES, stored(WITH_LINES, number=number), PRINTING)
        document = pypdfium2.PdfDocument(pdf)
        try:
            return sum(1 for _ in document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH]))
        finally:
            document.close()

    without = objects("编号一")
    assert objects("DD202611200001") > without + 30
    assert objects("A" * 60) > without + 100
    assert objects("") == without
    assert objects("A" * 300) == without


@KINDS
@LANGUAGES
def test_every_kind_prints_a_table_of_its_columns(doctype: DocumentType, language: str) -> None:
    rows = [stored(doctype, number=f"N{index:04}") for index in range(70)]
    conditions = ["入库时间：2026-11-01 – 2026-11-20", "币制：美元[502]"]
    pdf = listing.listing(
        the_face(),
        doctype,
        rows,
        Printing(at=AT, by="甲", language=language),
        conditions=conditions,
        more=True,
    )
    found = pages(pdf)
    text = squeezed("".join(found))
    assert len(found) > 1
    for index in range(70):
        assert f"N{index:04}" in text
    brief = show.Columns(doctype, language, brief=True)
    for index, page in enumerate(found, 1):
        for title in brief.titles:
            assert squeezed(title) in squeezed(page)
        assert (
            f"第 {index} / {len(found)} 页" if language == "zh" else f"Page {index} of {len(found)}"
        ) in page
    assert "币制：美元[502]" in text
    assert ("仅打印前70单" if language == "zh" else "Thefirst70rows") in text
    for title, value in zip(brief.titles, brief.texts(rows[0]), strict=True):
        assert squeezed(value) in text, title


@KINDS
def test_a_table_prints_the_chosen_columns_in_their_order(doctype: DocumentType) -> None:
    chosen = ("updated_at", "state", "number")
    text = squeezed(printed(listing.listing(the_face(), doctype, [stored(doctype)], PRINTING, chosen=chosen)))
    titles = [squeezed(title) for title in show.Columns(doctype, "zh", chosen=chosen).titles]
    assert "".join(titles) in text
    for title in set(show.Columns(doctype, "zh", brief=True).titles) - set(titles):
        if not any(title in one for one in titles):
            assert squeezed(title) not in text.replace(squeezed(doctype.title.zh), "")


def test_a_table_of_nothing_says_so() -> None:
    text = printed(listing.listing(the_face(), WITH_LINES, [], PRINTING))
    assert "共0单" in text


def test_only_a_font_with_chinese_will_do(tmp_path: Path) -> None:
    latin = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    for path in (latin, tmp_path / "missing.ttf"):
        with pytest.raises(FontError, match="Chinese"):
            Face(path)
    (tmp_path / "no.ttf").write_bytes(b"no font")
    with pytest.raises(FontError, match=r"no\.ttf"):
        Face(tmp_path / "no.ttf")


def test_another_program_reads_the_bar_code() -> None:
    for number in ("DD202611200001", "TYDH-005/A", "9" * 25, "Ab" * 25):
        pdf = form.document(the_face(), WITH_LINES, stored(WITH_LINES, number=number), PRINTING)
        document = pypdfium2.PdfDocument(pdf)
        (code,) = zxingcpp.read_barcodes(document[0].render(scale=4).to_pil())
        document.close()
        assert (code.format, code.text) == (zxingcpp.BarcodeFormat.Code128, number)
