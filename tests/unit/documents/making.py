"""Bodies for tests, made from a declaration alone: right ones, wrong ones, and ones full of awkward text."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from documents import codes
from documents.rules import credit_code, plain
from documents.rules.codes import CREDIT_CODE, REGISTRATION
from documents.spec import DocumentType, Field

#: what may stand in a text and yet trips writers and readers of XML, JSON, SQL and spreadsheets
HOSTILE = (
    "&<>\"'\t\n\r ]]>&amp;<![CDATA[x]]><!--%s{0}=1+1@-+\\;,丂汉字𠮷𝄞😀é\u00a0\u3000\u200b\ufeff\u2028\x7f\x85"
)
#: characters XML 1.0 has no way to carry
IMPOSSIBLE = ("\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff")

#: any text that XML can carry
xml_text = st.text(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    ),
    max_size=40,
)


def any_bodies(doctype: DocumentType, *, max_lines: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of the right shape with any text at all; optional fields may be missing or empty."""
    return st.fixed_dictionaries(
        {
            "head": _any_part(doctype.head),
            "lines": st.lists(_any_part(doctype.lines), min_size=1, max_size=max_lines)
            if doctype.lines
            else st.just([]),
        }
    )


def _any_part(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {field.name: xml_text for field in fields if field.required},
        optional={field.name: xml_text for field in fields if not field.required},
    )


#: what the rules of a kind tie together: kept as it is in the example
TIED = {
    "list": {
        "tradeMode", "statisticsFlag", "licenseNo", "iacCode", "iacName", "emsNo", "itemRecordNo", "grossWeight",
        "netWeight", "currency", "qty", "price", "totalPrice", "qty2", "unit2",
    },
    "arrival": {"billNo", "msgCount", "msgSeqNo"},
    "departure": {"trafName", "voyageNo", "billNo", "msgCount", "msgSeqNo"},
    "master-house": {"msgCount", "msgSeqNo"},
    "return": {"gnum", "qty2", "unit2", "country"},
    "summary-application": {"msgCount", "msgSeqNo", "startTime", "endTime"},
}  # fmt: skip


def right_bodies(doctype: DocumentType, *, max_lines: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that the type's fields and rules accept: any right values, but for what rules tie together."""
    if doctype.message.root == "CEB303Message":
        lines = st.lists(_right_part(doctype.lines), min_size=1, max_size=max_lines)
        return st.builds(_agree, _right_part(doctype.head), lines)
    assert doctype.example is not None
    tied = TIED.get(doctype.kind, set())
    head = _varied(doctype.head, doctype.example["head"], tied)
    lines = [_varied(doctype.lines, line, tied) for line in doctype.example["lines"]]
    return st.fixed_dictionaries({"head": head, "lines": st.tuples(*lines).map(list)})


def _varied(
    fields: tuple[Field, ...], example: Mapping[str, str], tied: Collection[str]
) -> st.SearchStrategy[dict[str, str]]:
    """The example with other right values where nothing ties them; what is optional may be missing."""
    free = [
        field for field in fields if field.name not in tied and field.filled_by not in ("system", "customs")
    ]
    return st.builds(
        lambda kept, values: kept | values,
        st.just({name: value for name, value in example.items() if name in tied}),
        st.fixed_dictionaries(
            {field.name: right_value(field) for field in free if field.required},
            optional={field.name: right_value(field) for field in free if not field.required},
        ),
    )


def _agree(head: dict[str, str], lines: list[dict[str, str]]) -> dict[str, Any]:
    """Totals and one currency, as the rules of CEB303 want them."""
    head.pop("goodsValue", None)
    for index, line in enumerate(lines):
        line["currency"] = head["currency"]
        line["itemNo"] = f"{index}{line['itemNo']}"[:30]
        line["qty"] = plain(Decimal(line["qty"]).quantize(Decimal(1)) % 1_000_000 + 1)
        line["price"] = plain(Decimal(line["price"]).quantize(Decimal("0.01")) % 1_000_000 + 1)
        line["totalPrice"] = plain(Decimal(line["qty"]) * Decimal(line["price"]))
    return {"head": head, "lines": lines}


def _right_part(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, str]]:
    entered = [field for field in fields if field.filled_by not in ("system", "customs")]
    return st.fixed_dictionaries(
        {field.name: right_value(field) for field in entered if field.required},
        optional={field.name: right_value(field) for field in entered if not field.required},
    )


#: codes of enterprises: 10 characters, or 18 of which the last one checks the others
enterprise_codes = st.one_of(
    st.from_regex(REGISTRATION, fullmatch=True, alphabet=st.characters(codec="ascii")),
    st.from_regex(CREDIT_CODE, fullmatch=True, alphabet=st.characters(codec="ascii")).map(
        lambda drawn: credit_code(drawn[:17])
    ),
)


def right_value(field: Field) -> st.SearchStrategy[str]:
    """Values that one field accepts."""
    if field.verify:
        return enterprise_codes
    if field.pattern:
        return st.from_regex(field.pattern[0], fullmatch=True, alphabet=st.characters(codec="ascii"))
    if field.table:
        return st.sampled_from(sorted(codes.index(field.table)))
    if field.choices:
        return st.sampled_from([value for value, _ in field.choices])
    if field.type == "decimal":
        whole = st.integers(1, 10 ** (field.digits - field.scale) - 1)
        return st.builds(lambda left, right: f"{left}.{right:0{field.places}d}", whole,
                         st.integers(0, 10**field.places - 1))  # fmt: skip
    if field.type == "integer":
        return st.integers(1, 10**field.digits - 1).map(str)
    if field.type in ("datetime", "date"):
        form = "%Y%m%d%H%M%S" if field.type == "datetime" else "%Y%m%d"
        return st.datetimes(datetime(2010, 1, 1), datetime(2099, 12, 31)).map(lambda day: day.strftime(form))  # noqa: DTZ001
    inner = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Lo"), codec="utf-8")
    edge = st.one_of(st.sampled_from("绿茶A1-/&<𠮷😀"), inner)
    if field.type == "code":
        ascii_edge = st.sampled_from(string.ascii_letters + string.digits + "-_/.&<")
        return st.text(ascii_edge, min_size=max(field.min_length, 1), max_size=field.length)
    return st.text(edge, min_size=max(field.min_length, 1), max_size=min(field.length, 60))


def order_body(number: str = "TY001", lines: int = 1, **head: Any) -> dict[str, Any]:
    """A right CEB303 order, plainly written out."""
    line = {
        "itemName": "绿茶",
        "unit": "035",
        "currency": "502",
        "qty": "2",
        "price": "1.5",
        "totalPrice": "3.00",
    }
    return {
        "head": {
            "orderType": "B", "orderNo": number, "ebpCode": "无", "ebpName": "海外平台", "ebcCode": "6101960AAA",
            "ebcName": "测试电商有限公司", "freight": "0", "currency": "502", **head,
        },
        "lines": [{"itemNo": f"A{index}", **line} for index in range(lines)],
    }  # fmt: skip
