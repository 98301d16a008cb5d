"""One consignment as documents that fit together: the declared examples under numbers and enterprises of a test's own."""

from __future__ import annotations

import copy
from typing import Any

from documents import registry
from tests.support.people import Visitor, a_number

#: value of orderType -> trade mode of the list
MODES = {"E": "9610", "B": "9710", "W": "9810"}


class Consignment:
    """Bodies of one consignment of a person's enterprise, and their saving."""

    def __init__(self, clerk: Visitor, order_type: str = "E") -> None:
        self.clerk = clerk
        self.type = order_type
        self.trade = "booking" if order_type == "W" else "order"
        self.number = a_number("C")
        enterprise = (clerk.me["client"] or clerk.me)["enterprise"]
        self._mine = {"Code": enterprise["code"], "Name": enterprise["name"]}
        self.ids: dict[str, str] = {}

    def body(self, kind: str, **head: str) -> dict[str, Any]:
        """A complete, right body of a kind; `head` overrides."""
        doctype = registry.by_kind(kind)
        assert doctype is not None
        example: Any = copy.deepcopy(doctype.example)
        found = example["head"]
        names = {field.name for field in doctype.head if field.filled_by not in ("system", "customs")}
        for party in ("ebc", "agent", "declAgent"):
            found |= {f"{party}{end}": value for end, value in self._mine.items() if f"{party}{end}" in names}
        numbers = {
            "orderNo": self.number,
            "logisticsNo": f"W{self.number}",
            "copNo": f"{kind[:4]}-{self.number}"[:20],
            "payNo": f"P{self.number}",
            "coElNo": f"R{self.number}"[:20],
        }
        found |= {name: value for name, value in numbers.items() if name in found}
        found |= {name: value for name, value in (("tradeMode", MODES[self.type]), ("orderType", self.type)) if name in found}
        for line in example["lines"]:
            if "logisticsNo" in line:
                line["logisticsNo"] = numbers["logisticsNo"]
        example["head"] = {name: value for name, value in found.items() if name in names} | head
        return dict(example)

    def save(self, kind: str, **head: str) -> dict[str, Any]:
        """Store one; raises if it is not complete and right."""
        answer = self.clerk.post(f"/documents/{kind}", json=self.body(kind, **head))
        assert answer.status_code == 201, answer.text
        saved: dict[str, Any] = answer.json()
        assert saved["warnings"] == [], saved["warnings"]
        self.ids[kind] = saved["id"]
        return saved

    def papers(self) -> None:
        """Order or booking, waybill and payment."""
        for kind in (self.trade, "waybill", "payment"):
            self.save(kind)

    def read(self, kind: str, path: str = "") -> dict[str, Any]:
        """One of the documents, or what hangs on it: "/links", "/diagnosis" …"""
        answer = self.clerk.get(f"/documents/{kind}/{self.ids[kind]}{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def act(self, kind: str, action: str) -> dict[str, Any]:
        """Do something to one of the documents; its result."""
        answer = self.clerk.post(f"/documents/{kind}/actions/{action}", json={"ids": [self.ids[kind]]})
        assert answer.status_code == 200, answer.text
        [result] = answer.json()["results"]
        return dict(result)

    def state(self, kind: str) -> str:
        """The state a document is in now."""
        return str(self.read(kind)["state"])
