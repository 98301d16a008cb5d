"""Lists imported as it is usually done; see bench.naive. Names are those of the message."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy import Column, Date, ForeignKey, Integer, Numeric, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from bench.naive import CENT, CODE, Base, NaiveImport, amount, code, text
from documents import codes

_ENTERPRISE = validate.Regexp(rf"(无|NO|{CODE})\Z")


def _table(length: int, name: str) -> fields.String:
    return code(length, validate.OneOf(list(codes.index(name))))


def _choice(*values: str) -> fields.String:
    return code(len(values[0]), validate.OneOf(values))


_LINE: dict[str, Any] = {
    "itemNo": code(20), "gcode": code(10, validate.Regexp(r"[0-9]{10}\Z")), "gname": text(250), "gmodel": text(250),
    "barCode": code(50), "country": _table(3, "country"), "currency": _table(3, "currency"),
    "qty": amount(5, min=0, min_inclusive=False), "qty1": amount(5, min=0, min_inclusive=False),
    "qty2": amount(5, min=0, min_inclusive=False), "unit": _table(3, "unit"), "unit1": _table(3, "unit"),
    "unit2": _table(3, "unit"), "price": amount(5, min=0, min_inclusive=False),
    "totalPrice": amount(2, min=0, min_inclusive=False),
}  # fmt: skip
_HEAD: dict[str, Any] = {
    "customsCode": _table(4, "customs_district"), "ebpCode": code(18, _ENTERPRISE), "ebpName": text(100),
    "orderNo": code(60), "logisticsCode": code(18, _ENTERPRISE), "logisticsName": text(100), "logisticsNo": code(32),
    "copNo": code(30), "ieFlag": _choice("E"), "portCode": _table(4, "customs_district"),
    "ieDate": fields.Date(format="%Y%m%d", required=True), "statisticsFlag": _choice("A", "B"),
    "agentCode": code(18, _ENTERPRISE), "agentName": text(100), "ebcCode": code(18, _ENTERPRISE), "ebcName": text(100),
    "ownerCode": code(18, _ENTERPRISE), "ownerName": text(100), "tradeMode": _choice("9610", "1210", "9710", "9810"),
    "trafMode": _table(1, "transport_mode"), "loctNo": code(10), "country": _table(3, "country"),
    "POD": code(4, validate.Regexp(r"[0-9A-Z]{3,4}\Z")), "freight": amount(5, min=0),
    "fCurrency": _table(3, "currency"), "fFlag": _choice("1", "2", "3"), "insuredFee": amount(5, min=0),
    "iCurrency": _table(3, "currency"), "iFlag": _choice("1", "2", "3"), "wrapType": _table(1, "package_type_ceb"),
    "packNo": fields.Integer(required=True, validate=validate.Range(min=1, max=10**9)),
    "grossWeight": amount(5, min=0), "netWeight": amount(5, min=0),
}  # fmt: skip


class _LineRules(Schema):
    @validates_schema
    def _total(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data["qty"] * data["price"]).quantize(CENT, ROUND_HALF_UP) != data["totalPrice"]:
            raise ValidationError("the total differs from quantity times price", "totalPrice")


class _ListRules(Schema):
    @validates_schema
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["netWeight"] > data["grossWeight"]:
            raise ValidationError("the net weight is above the gross weight", "netWeight")
        seen = set()
        for line in data["lines"]:
            if line["currency"] != data["lines"][0]["currency"]:
                raise ValidationError("currencies differ", "lines")
            key = tuple(line.values())
            if key in seen:
                raise ValidationError("a line is repeated", "lines")
            seen.add(key)


_LineSchema = type(
    "_LineSchema", (_LineRules,), dict(_LINE)
)  # a schema takes its fields out of what it is given
_LINES = fields.List(fields.Nested(_LineSchema), required=True, validate=validate.Length(min=1, max=100))
_ListSchema = type("_ListSchema", (_ListRules,), {**_HEAD, "lines": _LINES})


def _columns(declared: Mapping[str, Any]) -> list[Column[Any]]:
    """A column for each field of a schema."""
    types: dict[type, Any] = {fields.Decimal: Numeric(19, 5), fields.Date: Date, fields.Integer: Integer}
    return [
        Column(name, types.get(type(field), String(250)), nullable=False) for name, field in declared.items()
    ]


class _Line(Base):
    """A line of a list."""

    __table__ = Table(
        "naive_list_line",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("list_id", ForeignKey("naive_list.id"), index=True, nullable=False),
        Column("gnum", Integer, nullable=False),
        *_columns(_LINE),
    )


class _List(Base):
    """Head of a list."""

    __table__ = Table(
        "naive_list",
        Base.metadata,
        Column("id", Integer, primary_key=True),
        Column("tenant_id", String(36), nullable=False),
        Column("state", String(20), index=True, nullable=False),
        *_columns(_HEAD),
        UniqueConstraint("tenant_id", "agentCode", "copNo"),
    )
    lines: Mapped[list[_Line]] = relationship(_Line)


class NaiveLists(NaiveImport):
    """Lists. head: what the strategy and the export date fill in; currency: of every line."""

    schema = _ListSchema()
    group = ("企业唯一编号", "copNo")
    heads: ClassVar = {
        "订单编号": "orderNo", "物流运单编号": "logisticsNo", "运抵国（地区）": "country", "指运港代码": "POD", "运费": "freight",
        "保费": "insuredFee", "毛重(kg)": "grossWeight", "净重(kg)": "netWeight", "件数": "packNo",
    }  # fmt: skip
    columns: ClassVar = {
        "企业商品货号": "itemNo", "商品名称": "gname", "商品编码": "gcode", "规格型号": "gmodel", "条形码": "barCode",
        "目的国": "country", "申报数量": "qty", "申报计量单位": "unit", "法定数量": "qty1", "法定计量单位": "unit1",
        "第二数量": "qty2", "第二计量单位": "unit2", "单价": "price", "总价": "totalPrice",
    }  # fmt: skip

    def __init__(self, url: str, head: Mapping[str, str], currency: str) -> None:
        super().__init__(url, head, {"currency": currency})

    def row(self, data: dict[str, Any], tenant_id: str) -> Base:
        lines = [_Line(gnum=number, **line) for number, line in enumerate(data["lines"], 1)]
        head = {name: value for name, value in data.items() if name != "lines"}
        return _List(**head, tenant_id=tenant_id, state="checked", lines=lines)
