"""Every published code is explained, in both languages, with a way out; the table is compared with the spec's list."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import reasons
from documents.registry import REGISTRY

#: table 7-2 as published: ranges, then the codes it names
RANGES = {
    "企业类型": (-10102, -10101), "订单": (-301017, -301001), "收款单": (-401013, -401001),
    "运单": (-505017, -502001), "清单": (-621999, -621000), "撤销申请单": (-623999, -623000),
    "退货申请单": (-625209, -625001), "入库明细单": (-800006, -800000),
}  # fmt: skip
NAMED = {
    "-301002": "重复", "-301010": "已存在", "-301011": "清单使用", "-301014": "早于", "-301015": "过多",
    "-504012": "已存在", "-504013": "过多", "-504016": "已申报", "-621004": "已申报", "-621011": "不允许改单",
    "-621012": "不允许改单", "-621028": "不一致", "-621029": "验签失败", "-621030": "过大",
    "-623003": "不存在", "-623005": "不允许撤销", "-623029": "验签失败",
}  # fmt: skip
#: table 7-1
PLATFORM = (
    "0001", "0002", "0999", "1001", "1002", "1003", "1004", "1999", "2001", "2002", "2999", "3001", "3002", "3003", "3999",
)  # fmt: skip


@pytest.mark.parametrize(("word", "ends"), RANGES.items())
def test_every_range_is_explained(word: str, ends: tuple[int, int]) -> None:
    for code in (*ends, sum(ends) // 2):
        found = reasons.of_status(str(code))
        assert found is not None
        assert word in found.words.zh
        assert found.certain == (word != "入库明细单")


@pytest.mark.parametrize(("code", "word"), NAMED.items())
def test_a_named_code_has_words_of_its_own(code: str, word: str) -> None:
    found = reasons.of_status(code)
    assert found is not None
    assert word in found.words.zh


@pytest.mark.parametrize("code", PLATFORM)
def test_every_platform_error_has_words_of_its_own(code: str) -> None:
    assert reasons.of_platform(code).certain
    assert len({reasons.of_platform(item).words for item in PLATFORM}) == len(PLATFORM)


def test_beyond_the_tables() -> None:
    general = reasons.of_status("-999999")
    assert general is not None
    assert general.words.zh == "处理异常"
    assert reasons.of_platform("4000").words == reasons.of_platform("9999").words
    for code in ("3998", "0000", "00010", "x", "", "-001"):
        found = reasons.of_platform(code)
        assert (found.words.zh, found.certain) == ("未知的平台应答代码", False)


@given(st.integers(-999_999_999, -1))
def test_any_negative_status_is_explained(code: int) -> None:
    found = reasons.of_status(str(code))
    assert found is not None
    assert found.code == str(code)


@pytest.mark.parametrize("code", ["", "x", "-", "1", "2", "120", "399", "800", "-1x", "+4", "-12345678901"])
def test_what_is_no_refusal_has_no_reason(code: str) -> None:
    assert reasons.of_status(code) is None


def test_statuses_that_lead_to_a_refusal_are_explained() -> None:
    for doctype in REGISTRY.types:
        for status in doctype.lifecycle.statuses:
            refused = status.state in ("rejected", "send_failed")
            assert (reasons.of_status(status.code) is not None) == refused, (doctype.kind, status.code)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("platform-1004", "签名与数据不符"),
        ("format-621029", "清单验签失败"),
        ("platform-77", "未知的平台应答代码"),
    ],
)
def test_refusals_of_whole_messages(code: str, meaning: str) -> None:
    found = reasons.of_refusal(code)
    assert found is not None
    assert found.words.zh == meaning
    for other in ("sign.no-key", "enterprise-missing", "", "format", "platform-x"):
        assert reasons.of_refusal(other) is None


@pytest.mark.parametrize("table", ["return_errors.csv", "platform_errors.csv"])
def test_rows_are_complete_in_both_languages(table: str) -> None:
    lines = (Path(reasons.__file__).parent / "tables" / table).read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert rows
    for row in rows:
        assert None not in row, "a comma in a text shifts the columns"
        assert int(row["low"]) <= int(row["high"])
        assert row["certainty"] in ("certain", "assumed")
        for name in ("zh", "way_zh"):
            assert any("\u4e00" <= sign <= "\u9fff" for sign in row[name]), row
        for name in ("en", "way_en"):
            assert row[name].isascii(), row
            assert row[name], row
