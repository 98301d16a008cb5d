"""One consignment as documents that fit together: the declared examples under numbers and enterprises of a test's own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from documents import registry
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number

#: value of orderType -> trade mode of the list
MODES = {"E": "9610", "B": "9710", "W": "9810"}


class Consignment:
    """Bodies of one consignment of a person's enterprise, and their saving.

    carrier, operator: who carries and keeps the goods, where these are people of the test, too.
    """

    def __init__(
        self,
        clerk: Visitor,
        order_type: str = "E",
        prefix: str = "C",
        carrier: Visitor | None = None,
        operator: Visitor | None = None,
    ) -> None:
        self.clerk = clerk
        self.type = order_type
        self.trade = "booking" if order_type == "W" else "order"
        self.number = a_number(prefix)
        mine = (clerk.me["client"] or clerk.me)["enterprise"]
        self._parties = dict.fromkeys(("ebc", "agent", "declAgent"), mine)
        self._parties |= {
            name: person.me["enterprise"]
            for name, person in (("logistics", carrier), ("operator", operator))
            if person
        }
        self.ids: dict[str, str] = {}

    def body(self, kind: str, lines: Sequence[dict[str, str]] = (), **head: str) -> dict[str, Any]:
        """A complete, right body of a kind; `head` overrides, each of `lines` overrides the example's first one."""
        doctype = registry.by_kind(kind)
        assert doctype is not None
        example: Any = copy.deepcopy(doctype.example)
        found = example["head"]
        names = {field.name for field in doctype.head if field.filled_by not in ("system", "customs")}
        for party, enterprise in self._parties.items():
            told = {f"{party}Code": enterprise["code"], f"{party}Name": enterprise["name"]}
            found |= {name: value for name, value in told.items() if name in names}
        numbers = {
            "orderNo": self.number,
            "logisticsNo": f"W{self.number}",
            "copNo": f"{self.number}-{kind[:3]}"[-20:],
            "payNo": f"P{self.number}",
            "coElNo": f"R{self.number}"[-20:],
            "billNo": f"B{self.number}"[-20:],
        }
        found |= {name: value for name, value in numbers.items() if name in found}
        found |= {
            name: value
            for name, value in (("tradeMode", MODES[self.type]), ("orderType", self.type))
            if name in found
        }
        for line in example["lines"]:
            if "logisticsNo" in line:
                line["logisticsNo"] = numbers["logisticsNo"]
        example["lines"] = [example["lines"][0] | line for line in lines] or example["lines"]
        example["head"] = {name: value for name, value in found.items() if name in names} | head
        return dict(example)

    def save(
        self, kind: str, by: Visitor | None = None, lines: Sequence[dict[str, str]] = (), **head: str
    ) -> dict[str, Any]:
        """Store one, in another person's tenant where `by` says so; raises if it is not complete and right."""
        answer = (by or self.clerk).post(f"/documents/{kind}", json=self.body(kind, lines, **head))
        assert answer.status_code == 201, answer.text
        saved: dict[str, Any] = answer.json()
        assert saved["warnings"] == [], saved["warnings"]
        self.ids[kind] = saved["id"]
        return saved

    def papers(self) -> None:
        """Order or booking, waybill and payment."""
        for kind in (self.trade, "waybill", "payment"):
            self.save(kind)

    def read(self, kind: str, path: str = "", by: Visitor | None = None) -> dict[str, Any]:
        """One of the documents, or what hangs on it: "/links", "/diagnosis" …"""
        answer = (by or self.clerk).get(f"/documents/{kind}/{self.ids[kind]}{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def act(self, kind: str, action: str, by: Visitor | None = None) -> dict[str, Any]:
        """Do something to one of the documents; its result."""
        answer = (by or self.clerk).post(
            f"/documents/{kind}/actions/{action}", json={"ids": [self.ids[kind]]}
        )
        assert answer.status_code == 200, answer.text
        [result] = answer.json()["results"]
        return dict(result)

    def reaches(self, kind: str, *states: str, by: Visitor | None = None) -> dict[str, Any]:
        """The document as soon as it is in one of these states."""

        def there() -> dict[str, Any] | None:
            found = self.read(kind, by=by)
            assert found["state"] in states, (found["state"], found["return_info"])
            return found

        return eventually(there, f"the {kind} is {' or '.join(states)}", timeout=30) or {}

    def file(self, kind: str, *states: str, by: Visitor | None = None) -> dict[str, Any]:
        """Declare one and wait for one of these states."""
        result = self.act(kind, "declare", by)
        assert result["ok"], result
        return self.reaches(kind, *states, by=by)
