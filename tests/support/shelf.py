"""Documents of every kind as they stand on the pages: one before it is sent and one that customs has settled.

Prepared over the API once for many tests, so that a browser need not wait for customs again and again.
"""

from __future__ import annotations

from typing import Any

from tests.support.consignment import Consignment
from tests.support.people import Visitor


class Shelf:
    """By name ("list-closed"): the number of a document, in the tenant of whoever files its kind."""

    def __init__(self, clerk: Visitor, carrier: Visitor, operator: Visitor) -> None:
        self.numbers: dict[str, str] = {}
        self._clerk, self._carrier, self._operator = clerk, carrier, operator

    def fill(self) -> Shelf:
        self._drafts()
        self._filed()
        return self

    def consignment(self) -> Consignment:
        return Consignment(self._clerk, carrier=self._carrier, operator=self._operator, prefix="G")

    def put(self, name: str, saved: dict[str, Any]) -> dict[str, Any]:
        self.numbers[name] = saved["number"]
        return saved

    def _drafts(self) -> None:
        one = self.consignment()
        for kind in ("order", "list", "cancellation", "master-house"):
            self.put(f"{kind}-open", one.save(kind))
        self.put("return-open", one.save("return", tradeMode="9661"))
        for kind, by in (
            ("waybill", self._carrier),
            ("departure", self._carrier),
            ("arrival", self._operator),
            ("tally", self._operator),
        ):
            self.put(f"{kind}-open", one.save(kind, by))

    def _filed(self) -> None:
        """Three consignments: the case of one is closed, one is closed, the list of one is cancelled."""
        three = [self.consignment() for _ in range(3)]
        for one in three:
            one.save("waybill", self._carrier)
        self._file("waybill", self._carrier, three, "settled")
        for one in three:
            one.save("order")
            one.save("list")
        self._file("list", self._clerk, three, "released")
        closed_case, closed, cancelled = three
        self.put("order-done", closed.reaches("order", "accepted"))
        self.put("waybill-done", closed.read("waybill", by=self._carrier))
        self._journey(closed_case, closed)
        self._around(closed)
        invt_no = cancelled.read("list")["body"]["head"]["invtNo"]
        cancelled.save("cancellation", invtNo=invt_no)
        self.put("cancellation-done", cancelled.file("cancellation", "settled"))
        self.put("list-closed", closed.reaches("list", "closed"))
        self._sum_up(closed_case)
        self.put("summary-application-open", self._build(closed))

    def _file(self, kind: str, by: Visitor, these: list[Consignment], state: str) -> None:
        answer = by.post(f"/documents/{kind}/actions/declare", json={"ids": [one.ids[kind] for one in these]})
        assert answer.ok, answer.text
        assert all(result["ok"] for result in answer.json()["results"]), answer.text
        for one in these:
            one.reaches(kind, state, by=by)

    def _journey(self, *these: Consignment) -> None:
        """The goods arrive at the site and leave the country."""
        for kind, by in (("arrival", self._operator), ("departure", self._carrier)):
            lines = [{"logisticsNo": f"W{one.number}"} for one in these]
            these[0].save(kind, by, lines=lines)
            self.put(f"{kind}-done", these[0].file(kind, "settled", by=by))

    def _around(self, one: Consignment) -> None:
        """What hangs on a list beside its own course: the master-house list, a return and its tally."""
        invt_no = one.read("list")["body"]["head"]["invtNo"]
        one.save("master-house", lines=[{"invtNo": invt_no}])
        self.put("master-house-done", one.file("master-house", "accepted", "settled"))
        one.save("return", invtNo=invt_no, tradeMode="9661")
        self.put("return-done", one.file("return", "released"))
        one.save("tally", self._operator, invtNo=invt_no)
        self.put("tally-done", one.file("tally", "settled", by=self._operator))

    def _build(self, one: Consignment) -> dict[str, Any]:
        built = self._clerk.post("/documents/summary-application/build", json={"ids": [one.ids["list"]]})
        assert built.status_code == 201, built.text
        [draft] = built.json()["items"]
        one.ids["summary-application"] = draft["id"]
        return dict(draft)

    def _sum_up(self, one: Consignment) -> None:
        self._build(one)
        self.put("summary-application-done", one.file("summary-application", "settled"))
        self.put("list-case-closed", one.reaches("list", "case_closed"))
        for item in one.read("list", "/links")["items"]:
            if item["kind"] in ("summary-result", "summary-declaration"):
                self.put(f"{item['kind']}-done", item)
