"""What `make messages` sends: consignments that fit together, made of the declared examples.

Three parcels on one flight, one per way of exporting: retail from a special area (1210), B2B (9710), overseas
warehouse (9810); and a retail parcel that was cancelled and stayed. Order, payment, waybill and list of each agree;
what comes later names them by the numbers that customs is going to give. All of it exists nowhere.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from documents.body import complete
from documents.check import checker
from documents.registry import by_kind
from documents.spec import DocumentType
from documents.types import made_up
from tools.errors import ToolError


@dataclass(frozen=True, slots=True)
class Sample:
    """One message to be: file name without extension, kind, its documents."""

    name: str
    doctype: DocumentType
    bodies: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Parcel:
    """Numbers of one parcel and how it is exported."""

    kind: str
    order_type: str
    trade_mode: str
    order_no: str
    waybill_no: str
    list_no: str
    own_no: str

    @property
    def platform(self) -> Mapping[str, str]:
        return made_up.WAREHOUSE if self.kind == "booking" else made_up.PLATFORM


_RETAIL = _Parcel(
    "order", "E", "1210", made_up.ORDER_NO, made_up.WAYBILL_NO, made_up.LIST_NO, "QD202611200001"
)
_B2B = _Parcel(
    "order", "B", "9710", "DD202611200002", "YD202611200002", "90002026E000000002", "QD202611200002"
)
_WAREHOUSE = _Parcel(
    "booking", "W", "9810", made_up.BOOKING_NO, "YD202611200003", "90002026E000000003", "QD202611200003"
)
_CANCELLED = _Parcel(
    "order", "E", "1210", "DD202611200004", "YD202611200004", "90002026E000000004", "QD202611200004"
)
_FLOWN = (_RETAIL, _B2B, _WAREHOUSE)
_ALL = (*_FLOWN, _CANCELLED)
#: what only exports from a special area carry
_ZONE = {"iacCode", "iacName", "emsNo", "itemRecordNo"}


def samples() -> list[Sample]:
    """All messages an enterprise sends, in the order of business. Raises ToolError if an example is not right."""
    lines = [{"logisticsNo": one.waybill_no, "totalPackageNo": "ZB0001"} for one in _FLOWN]
    named = [line | {"invtNo": one.list_no} for line, one in zip(lines, _FLOWN, strict=True)]
    return [
        _sample("CEB303Message", "order", _order(_B2B)),
        _sample("CEB303Message-E", "order", _order(_RETAIL), _order(_CANCELLED)),
        _sample("CEB303Message-W", "booking", _order(_WAREHOUSE)),
        _sample("CEB403Message", "payment", *(
            _body("payment", orderNo=one.order_no, payNo=f"ZF{one.order_no[2:]}") for one in (_RETAIL, _B2B, _CANCELLED)
        )),
        _sample("CEB505Message", "waybill", *(_body("waybill", logisticsNo=one.waybill_no) for one in _ALL)),
        _sample("CEB603Message", "list", *map(_list, _ALL)),
        _sample("CEB607Message", "master-house", _body("master-house", named, grossWeight="3.54")),
        _sample("CEB507Message", "arrival", _body("arrival", lines)),
        _sample("CEB509Message", "departure", _body("departure", lines)),
        _sample("CEB213Message", "return", _body("return")),
        _sample("CEB215Message", "tally", _body("tally")),
        _sample("CEB701Message", "summary-application", _body("summary-application")),
        _sample("CEB605Message", "cancellation", _body("cancellation", invtNo=_CANCELLED.list_no)),
    ]  # fmt: skip


def _order(parcel: _Parcel) -> dict[str, Any]:
    return _body(parcel.kind, orderNo=parcel.order_no, orderType=parcel.order_type)


def _list(parcel: _Parcel) -> dict[str, Any]:
    body = _body(
        "list", orderNo=parcel.order_no, logisticsNo=parcel.waybill_no, copNo=parcel.own_no,
        tradeMode=parcel.trade_mode, **parcel.platform,
    )  # fmt: skip
    if parcel.trade_mode != "1210":
        for part in (body["head"], *body["lines"]):
            for name in _ZONE & part.keys():
                del part[name]
    return body


def _body(kind: str, lines: list[dict[str, str]] | None = None, /, **head: str) -> dict[str, Any]:
    """A kind's example with some other values."""
    body: dict[str, Any] = copy.deepcopy(dict(_type(kind).example or {}))
    body["head"].update(head)
    if lines is not None:
        body["lines"] = lines
    return body


def _type(kind: str) -> DocumentType:
    doctype = by_kind(kind)
    if doctype is None or doctype.example is None:
        raise ToolError(f"messages: there is no kind {kind} with an example")
    return doctype


def _sample(name: str, kind: str, *bodies: dict[str, Any]) -> Sample:
    doctype = _type(kind)
    for body in bodies:
        wrongs = checker(doctype).wrongs(body)
        if wrongs:
            told = "; ".join(f"{wrong.pointer}: {wrong.words.en}" for wrong in wrongs)
            raise ToolError(f"messages: {name} is not right: {told}")
    return Sample(name, doctype, tuple(complete(doctype, body) for body in bodies))
