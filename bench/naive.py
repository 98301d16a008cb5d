"""The import as it is usually written: openpyxl, a marshmallow schema per document, SQLAlchemy's ORM.

The other side of bench.import, for orders; bench.naive_lists has lists. Checks the same fields and sums as our path, and has it easier in all else: no
row-level security, no searchable keys, no timeline, no child process, no message to anybody.
"""

from __future__ import annotations

import io
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

import openpyxl
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy import ForeignKey, Numeric, String, UniqueConstraint, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from documents import codes
from runtime.db import sqlalchemy_url

CENT = Decimal("0.01")
CODE = r"[0-9A-Z]{10}|[0-9A-HJ-NPQRTUWXY]{18}"
_COLUMNS = {
    "商品货号": "item_no",
    "商品名称": "item_name",
    "数量": "qty",
    "总额": "total_price",
    "单价": "price",
    "计量单位": "unit",
}
_HEAD = {
    "orderType": "order_type",
    "ebpCode": "ebp_code",
    "ebpName": "ebp_name",
    "ebcCode": "ebc_code",
    "ebcName": "ebc_name",
    "freight": "freight",
    "currency": "currency",
}


def text(length: int, *more: Any) -> fields.String:
    """A required text."""
    return fields.String(required=True, validate=[validate.Length(min=1, max=length), *more])


def code(length: int, *more: Any) -> fields.String:
    """A required text without blanks."""
    return text(length, validate.Regexp(r"[!-~\u4e00-\u9fff]+\Z"), *more)


def amount(places: int, **limits: Any) -> fields.Decimal:
    """A required decimal. limits: of marshmallow's Range."""
    return fields.Decimal(
        places=places, required=True, validate=validate.Range(max=Decimal(10) ** 14, **limits)
    )


class LineSchema(Schema):
    """One line of an order."""

    item_no = code(30)
    item_name = text(250)
    unit = code(3, validate.OneOf(list(codes.index("unit"))))
    currency = code(3, validate.OneOf(list(codes.index("currency"))))
    qty = amount(5, min=0, min_inclusive=False)
    price = amount(5, min=0, min_inclusive=False)
    total_price = amount(2, min=0, min_inclusive=False)

    @validates_schema
    def _total(self, data: Mapping[str, Any], **_: Any) -> None:
        computed = (data["qty"] * data["price"]).quantize(CENT, ROUND_HALF_UP)
        if computed != data["total_price"]:
            raise ValidationError("the total differs from quantity times price", "total_price")


class OrderSchema(Schema):
    """One order with its lines."""

    order_no = code(60)
    order_type = code(1, validate.OneOf(["B", "E"]))
    ebp_code = code(18, validate.Regexp(rf"(无|{CODE})\Z"))
    ebp_name = text(100)
    ebc_code = code(18, validate.Regexp(rf"({CODE})\Z"))
    ebc_name = text(100)
    freight = amount(5, min=0)
    currency = code(3, validate.OneOf(list(codes.index("currency"))))
    lines = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(min=1, max=100))

    @validates_schema
    def _lines(self, data: Mapping[str, Any], **_: Any) -> None:
        seen = set()
        for line in data["lines"]:
            if line["currency"] != data["currency"]:
                raise ValidationError("currencies differ", "lines")
            key = tuple(line.values())
            if key in seen:
                raise ValidationError("a line is repeated", "lines")
            seen.add(key)


class Base(DeclarativeBase):
    """The naive tables of all kinds."""


class Order(Base):
    """Head of an order."""

    __tablename__ = "naive_order"
    __table_args__ = (UniqueConstraint("tenant_id", "ebp_code", "order_no"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(String(36))
    order_no: Mapped[str] = mapped_column(String(60))
    order_type: Mapped[str] = mapped_column(String(1))
    ebp_code: Mapped[str] = mapped_column(String(18))
    ebp_name: Mapped[str] = mapped_column(String(100))
    ebc_code: Mapped[str] = mapped_column(String(18))
    ebc_name: Mapped[str] = mapped_column(String(100))
    goods_value: Mapped[Decimal] = mapped_column(Numeric(19, 5))
    freight: Mapped[Decimal] = mapped_column(Numeric(19, 5))
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(20), index=True)
    lines: Mapped[list[Line]] = relationship(back_populates="order")


class Line(Base):
    """A line of an order."""

    __tablename__ = "naive_line"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("naive_order.id"), index=True)
    gnum: Mapped[int]
    item_no: Mapped[str] = mapped_column(String(30))
    item_name: Mapped[str] = mapped_column(String(250))
    unit: Mapped[str] = mapped_column(String(3))
    currency: Mapped[str] = mapped_column(String(3))
    qty: Mapped[Decimal] = mapped_column(Numeric(19, 5))
    price: Mapped[Decimal] = mapped_column(Numeric(19, 5))
    total_price: Mapped[Decimal] = mapped_column(Numeric(19, 5))
    order: Mapped[Order] = relationship(back_populates="lines")


class NaiveImport(ABC):
    """One database with naive tables of one kind. `run` imports a workbook and tells where its CPU went.

    group: the column that tells documents apart; columns: what rows of a document's lines hold; heads: what its head
    holds. All from titles to names in the schema.
    """

    schema: ClassVar[Schema]
    group: ClassVar[tuple[str, str]]
    columns: ClassVar[Mapping[str, str]]
    heads: ClassVar[Mapping[str, str]] = {}

    def __init__(self, url: str, head: Mapping[str, str], line: Mapping[str, str]) -> None:
        self._engine = create_engine(sqlalchemy_url(url))
        Base.metadata.create_all(self._engine)
        self._head, self._line = dict(head), dict(line)

    @abstractmethod
    def row(self, data: dict[str, Any], tenant_id: str) -> Base:
        """The table's object of one checked document."""

    def run(self, content: bytes, tenant_id: str) -> dict[str, float]:
        """CPU seconds of this process by step: read, check, store."""
        began = time.process_time()
        found = self._read(content)
        read = time.process_time()
        loaded = [self.schema.load(document) for document in found]
        checked = time.process_time()
        with Session(self._engine) as session:
            session.add_all([self.row(data, tenant_id) for data in loaded])
            session.commit()
        return {"read": read - began, "check": checked - read, "store": time.process_time() - checked}

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _read(self, content: bytes) -> Sequence[dict[str, Any]]:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        rows = sheet.iter_rows(values_only=True)
        titles = next(rows)
        title, name = self.group
        group = titles.index(title)
        heads = [(titles.index(header), name) for header, name in self.heads.items()]
        columns = [(titles.index(header), name) for header, name in self.columns.items()]
        documents: dict[str, dict[str, Any]] = {}
        for row in rows:
            number = str(row[group])
            if number not in documents:
                head = {name: str(row[index]).strip() for index, name in heads if row[index] is not None}
                documents[number] = {**self._head, **head, name: number, "lines": []}
            line = {name: str(row[index]).strip() for index, name in columns if row[index] is not None}
            documents[number]["lines"].append({**line, **self._line})
        return list(documents.values())


class NaiveOrders(NaiveImport):
    """Orders."""

    schema = OrderSchema()
    group = ("订单号", "order_no")
    columns = _COLUMNS

    def __init__(self, url: str, defaults: Mapping[str, str]) -> None:
        head = {_HEAD[name]: value for name, value in defaults.items()}
        super().__init__(url, head, {"currency": defaults["currency"]})

    def row(self, data: dict[str, Any], tenant_id: str) -> Base:
        return _order(data, tenant_id)


def _order(data: dict[str, Any], tenant_id: str) -> Order:
    lines = [Line(gnum=number, **line) for number, line in enumerate(data["lines"], 1)]
    head = {name: value for name, value in data.items() if name != "lines"}
    value = sum((line["total_price"] for line in data["lines"]), Decimal(0))
    return Order(**head, tenant_id=tenant_id, goods_value=value, state="checked", lines=lines)
