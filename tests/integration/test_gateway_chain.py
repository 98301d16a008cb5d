"""How documents hang together, over a running stack: chain, comparison, versions, summaries, self-diagnosis."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from services.gateway.http import chain, document_schemas, schemas
from tests.support.answers import fits, problem
from tests.support.consignment import Consignment
from tests.support.people import Visitor, a_number, same_refusal, signed_in
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


@pytest.fixture(scope="module")
def carrier(stack: Stack) -> Visitor:
    return signed_in(stack, "L", "declarant")


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Visitor:
    return signed_in(stack, "O", "declarant")


def links(clerk: Visitor, kind: str, document_id: str) -> dict[str, Any]:
    return fits(document_schemas.LinksAnswer, clerk.get(f"/documents/{kind}/{document_id}/links"))


def lacking(found: dict[str, Any]) -> set[str]:
    return {item["kind"] for item in found["missing"]}


def checks(clerk: Visitor, kind: str, document_id: str) -> dict[str, Any]:
    found = fits(document_schemas.DiagnosisAnswer, clerk.get(f"/documents/{kind}/{document_id}/diagnosis"))
    assert found["ok"] == all(item["result"] != "failed" for item in found["items"])
    return {item["check"]: item for item in found["items"]}


# -- the chain ---------------------------------------------------------------------------------------------------


def test_one_consignment_from_its_first_document_to_the_closed_case(
    clerk: Visitor, carrier: Visitor, operator: Visitor
) -> None:
    whole = Consignment(clerk, carrier=carrier, operator=operator)
    whole.save("order")
    first = links(clerk, "order", whole.ids["order"])
    assert (first["items"], lacking(first)) == ([], {"list"})
    whole.save("list")
    assert lacking(links(clerk, "list", whole.ids["list"])) == {"waybill"}
    whole.save("waybill")
    whole.save("payment")
    ready = links(clerk, "list", whole.ids["list"])
    assert (lacking(ready), {item["kind"] for item in ready["items"]}) == (
        set(),
        {"order", "waybill", "payment"},
    )
    assert "申报清单" in ready["next"]
    comparison = fits(
        document_schemas.ComparisonAnswer, clerk.get(f"/documents/list/{whole.ids['list']}/comparison")
    )
    assert comparison["complete"]

    whole.file("list", "released")
    for kind in ("order", "waybill", "payment"):
        whole.reaches(kind, "accepted", "settled")
    released = links(clerk, "list", whole.ids["list"])
    assert lacking(released) == {"arrival"}
    assert released["missing"][0]["action"] is None, "somebody else files it"
    whole.save("arrival", operator)
    whole.file("arrival", "settled", by=operator)
    whole.save("departure", carrier)
    whole.file("departure", "settled", by=carrier)
    assert lacking(links(carrier, "departure", whole.ids["departure"])) == set()

    whole.reaches("list", "closed")
    closed = links(clerk, "list", whole.ids["list"])
    [missing] = closed["missing"]
    assert (missing["kind"], missing["page"], missing["action"]) == ("summary-application", "E1", "build")
    built = clerk.post("/documents/summary-application/build", json={"ids": [whole.ids["list"]]})
    assert built.status_code == 201, built.text
    [draft] = fits(document_schemas.BuiltAnswer, built)["items"]
    whole.ids["summary-application"] = draft["id"]
    assert lacking(links(clerk, "list", whole.ids["list"])) == {"summary-application"}
    whole.file("summary-application", "settled")
    whole.reaches("list", "case_closed")

    done = links(clerk, "order", whole.ids["order"])
    assert (done["done"], done["missing"], done["more"]) == (True, [], False)
    kinds = {item["kind"] for item in done["items"]}
    assert kinds >= {
        "waybill",
        "payment",
        "list",
        "summary-application",
        "summary-result",
        "summary-declaration",
    }
    assert {item["direction"] for item in done["items"] if item["kind"] == "list"} == {"later"}
    # and back again
    declaration = next(item for item in done["items"] if item["kind"] == "summary-declaration")
    back = links(clerk, "summary-declaration", declaration["id"])
    assert whole.ids["order"] in {item["id"] for item in back["items"]}
    assert back["done"]
    # what customs issued has its lines and can be looked at like everything else
    body = clerk.get(f"/documents/summary-declaration/{declaration['id']}").json()["body"]
    assert body["head"]["entryId"]
    assert [line["logisticsNo"] for line in body["lines"]] == [f"W{whole.number}"]
    assert checks(clerk, "summary-declaration", declaration["id"])["state"]["result"] == "ok"
    # once summed up, nobody sums it up again
    again = clerk.post("/documents/summary-application/build", json={"ids": [whole.ids["list"]]})
    assert problem(again, 422)["errors"][0]["pointer"] == "/ids/0"


def test_any_number_finds_it(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.papers()
    whole.save("list")
    for number in (whole.number, f"W{whole.number}", f"P{whole.number}"):
        found = clerk.get("/search", params={"q": number}).json()["items"]
        assert len(found) >= 1, number
        assert {item["id"] for item in found} & set(whole.ids.values())


def test_parcels_of_one_flight_are_not_mixed_up(clerk: Visitor) -> None:
    bill = a_number("F")[-20:]
    two = [Consignment(clerk), Consignment(clerk)]
    for one in two:
        one.papers()
        one.save("list", billNo=bill)
    found = links(clerk, "list", two[0].ids["list"])
    assert {item["id"] for item in found["items"]} == {
        two[0].ids[kind] for kind in ("order", "waybill", "payment")
    }


def test_a_whole_flight_is_looked_at_within_limits(carrier: Visitor) -> None:
    whole = Consignment(carrier, carrier=carrier)
    numbers = [f"W{number}{whole.number}"[:32] for number in range(chain.DOCUMENTS + 5)]
    for number in numbers:
        whole.save("waybill", logisticsNo=number)
    body = whole.body("departure")
    body["lines"] = [{"logisticsNo": number} for number in numbers]
    flight = carrier.post("/documents/departure", json=body)
    assert flight.status_code == 201, flight.text
    found = links(carrier, "departure", flight.json()["id"])
    assert (len(found["items"]), found["more"]) == (chain.DOCUMENTS, True)
    # a parcel of it does not lead to the other parcels
    parcel = links(carrier, "waybill", whole.ids["waybill"])
    assert ([item["kind"] for item in parcel["items"]], parcel["more"]) == (["departure"], False)


# -- comparison --------------------------------------------------------------------------------------------------


def test_differences_are_named_where_they_stand(clerk: Visitor) -> None:
    whole = Consignment(clerk, "B")
    whole.papers()
    saved = whole.save("list", grossWeight="9.5", netWeight="9", ebcName="另一家")
    path = f"/documents/list/{saved['id']}/comparison"
    found = fits(document_schemas.ComparisonAnswer, clerk.get(path))
    assert not found["complete"]
    legs = {leg["kind"]: leg for leg in found["legs"]}
    assert {kind: leg["status"] for kind, leg in legs.items()} == {
        "order": "differs", "waybill": "differs", "payment": "same",
    }  # fmt: skip
    [name], [weight] = legs["order"]["differences"], legs["waybill"]["differences"]
    assert (name["field"], name["pointer"], name["list_value"]) == ("ebcName", "/head/ebcName", "另一家")
    assert (weight["field"], weight["list_value"]) == ("grossWeight", "9.5")
    assert legs["order"]["id"] == whole.ids["order"]
    item = checks(clerk, "list", saved["id"])["companions"]
    assert item["result"] == "failed"


def test_only_what_is_compared_has_a_comparison(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.save("order")
    problem(clerk.get(f"/documents/order/{whole.ids['order']}/comparison"), 404)
    problem(clerk.get(f"/documents/list/{uuid.uuid4()}/comparison"), 404)


def test_a_broker_sees_the_clients_chain_as_the_mandate_allows(stack: Stack, clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.papers()
    whole.save("list")
    broker = signed_in(stack, "C", "broker")
    assert broker.step_into(clerk.me["tenant"]["id"]).status_code == 200
    # the demo's mandate covers all kinds
    assert (
        links(broker, "list", whole.ids["list"])["items"] == links(clerk, "list", whole.ids["list"])["items"]
    )
    assert checks(broker, "list", whole.ids["list"])["key"]["result"] == "unknown", "it names no keys"
    assert checks(broker, "list", whole.ids["list"])["mandate"]["result"] == "ok"
    assert checks(broker, "list", whole.ids["list"])["kinds"]["result"] == "ok"


# -- versions ----------------------------------------------------------------------------------------------------


def test_an_amendment_becomes_the_version_in_force(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.save("order")
    whole.file("order", "accepted")
    old = whole.ids["order"]
    result = whole.act("order", "amend")
    assert result["ok"], result
    new = result["new_id"]
    fresh = clerk.get(f"/documents/order/{new}").json()
    assert (fresh["revision"], fresh["app_type"], fresh["replaces"]) == (2, "2", old)
    assert clerk.get(f"/documents/order/{old}").json()["replaced_by"] == new
    assert whole.act("order", "amend")["problem"]["status"] == 409
    assert checks(clerk, "order", old)["state"]["page"]["path"] == f"/documents/order/{new}"

    fresh["body"]["head"]["note"] = "改过"
    changed = clerk.put(f"/documents/order/{new}", json=fresh["body"], headers={"If-Match": fresh["etag"]})
    assert changed.status_code == 200, changed.text
    versions = fits(document_schemas.VersionsAnswer, clerk.get(f"/documents/order/{old}/versions"))["items"]
    assert [(item["id"], item["current"]) for item in versions] == [(old, True), (new, False)]
    [change] = versions[1]["changes"]
    assert (change["pointer"], change["new"]) == ("/head/note", "改过")

    whole.ids["order"] = new
    whole.file("order", "accepted")
    whole.ids["order"] = old
    whole.reaches("order", "amended")
    for document_id in (old, new):
        versions = fits(
            document_schemas.VersionsAnswer, clerk.get(f"/documents/order/{document_id}/versions")
        )["items"]
        assert [(item["id"], item["current"]) for item in versions] == [(old, False), (new, True)]
    assert links(clerk, "order", old)["done"], "it is no longer in force"


def test_a_document_customs_holds_is_deleted_there(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.save("order")
    whole.file("order", "accepted")
    answer = clerk.delete(f"/documents/order/{whole.ids['order']}")
    assert answer.status_code == 202, answer.text
    assert fits(schemas.ActResult, answer)["new_id"]
    whole.reaches("order", "deleted")
    draft = whole.clerk.post("/documents/order", json=whole.body("order"))
    assert draft.status_code == 201, "its number may be used again"
    assert clerk.delete(f"/documents/order/{draft.json()['id']}").status_code == 204


# -- summaries ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ids": [str(uuid.UUID(int=1))], "from": "2026-11-01T00:00:00+08:00"}, "/from"),
        ({"ids": [str(uuid.UUID(int=1))]}, "/ids/0"),
        ({"ids": []}, "/ids"),
        ({"ids": ["x"]}, "/ids/0"),
        ({"from": "2026-11-01T00:00:00+08:00", "to": "2026-11-02T00:00:00+08:00"}, "/ebc_code"),
        ({"ebc_code": "9", "from": "x", "to": "2026-11-02T00:00:00+08:00"}, "/from"),
        ({"ebc_code": "9", "from": "2026-11-03T00:00:00+08:00", "to": "2026-11-02T00:00:00+08:00"}, "/from"),
        ({"ebc_code": "9"}, "/from"),
        ({"head": ["x"], "ids": [str(uuid.UUID(int=1))]}, "/head"),
        ({"unknown": "x"}, "/unknown"),
    ],
)
def test_what_cannot_be_summed_up_is_named(clerk: Visitor, body: dict[str, Any], pointer: str) -> None:
    found = problem(clerk.post("/documents/summary-application/build", json=body), 422)
    assert found["errors"][0]["pointer"] == pointer


def test_a_list_that_is_not_closed_is_refused(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    saved = whole.save("list")
    answer = problem(clerk.post("/documents/summary-application/build", json={"ids": [saved["id"]]}), 422)
    assert "已结关" in answer["errors"][0]["message"]


# -- self-diagnosis ----------------------------------------------------------------------------------------------


def test_a_refused_document_explains_itself(clerk: Visitor) -> None:
    whole = Consignment(clerk, prefix="REJ")
    whole.save("order")
    whole.file("order", "rejected")
    found = checks(clerk, "order", whole.ids["order"])
    assert (found["state"]["result"], found["receipts"]["result"]) == ("failed", "failed")
    assert "重新申报" in found["receipts"]["text"]
    assert (found["signed"]["result"], found["sent"]["result"], found["visible"]["result"]) == ("ok",) * 3
    receipts = fits(
        document_schemas.ReceiptsAnswer, clerk.get(f"/documents/order/{whole.ids['order']}/receipts")
    )["items"]
    explained = [item for item in receipts if item["explanation"]]
    assert [item["status"] for item in explained] == ["100"]
    assert explained[0]["explanation"]["certain"] is True
    timeline = fits(
        document_schemas.TimelineAnswer, clerk.get(f"/documents/order/{whole.ids['order']}/timeline")
    )["items"]
    assert [item["what"] for item in timeline if item["explanation"]] == ["receipt"]


def test_who_may_not_file_it_is_told_before(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.save("waybill")
    found = checks(clerk, "waybill", whole.ids["waybill"])
    assert found["kinds"]["result"] == "failed"
    answer = clerk.post("/documents/waybill/actions/declare", json={"ids": [whole.ids["waybill"]]})
    assert problem(answer, 403)["detail"].startswith("运单")


def test_an_unfinished_draft_and_an_unanswered_document(clerk: Visitor) -> None:
    whole = Consignment(clerk, prefix="SIL")
    body = whole.body("order")
    body["head"].pop("ebcName")
    draft = clerk.post("/documents/order", json=body).json()
    item = checks(clerk, "order", draft["id"])["content"]
    assert item["result"] == "failed"
    assert item["page"]["path"] == f"/documents/order/{draft['id']}"
    body["head"]["orderNo"] = a_number("SIL")
    body["head"]["ebcName"] = "某某"
    whole.ids["order"] = clerk.post("/documents/order", json=body).json()["id"]
    whole.file("order", "sent")
    found = checks(clerk, "order", whole.ids["order"])
    assert (found["receipts"]["result"], found["visible"]["result"]) == ("unknown", "unknown")


def test_another_tenants_document_is_not_there(stack: Stack, clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.save("list")
    other = signed_in(stack, "B", "declarant")
    for path in ("links", "comparison", "versions", "diagnosis"):
        mine = other.get(f"/documents/list/{whole.ids['list']}/{path}")
        missing = other.get(f"/documents/list/{uuid.uuid4()}/{path}")
        assert mine.status_code == 404
        assert same_refusal(mine, missing)


# -- pages, numbers, menu ----------------------------------------------------------------------------------------


def test_a_page_of_the_guides_is_its_states(clerk: Visitor) -> None:
    whole = Consignment(clerk)
    whole.save("order")

    def on(page: str, **more: str) -> set[str]:
        answer = clerk.get("/documents/order", params={"page": page, "number": whole.number, **more})
        return {item["id"] for item in fits(schemas.DocumentPage, answer)["items"]}

    assert on("A1") == on("A5") == {whole.ids["order"]}
    assert on("A2") == set()
    assert on("A1", state="checked") == {whole.ids["order"]}
    assert on("A1", state="draft") == set()
    whole.file("order", "accepted")
    assert on("A1") == set()
    assert on("A2") == {whole.ids["order"]}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("page=C5", "/page"), ("page=a1", "/page"), ("page=A2&state=draft", "/state"), ("task=x", "/task")],
)
def test_a_page_that_is_none_is_named(clerk: Visitor, query: str, pointer: str) -> None:
    found = problem(clerk.get(f"/documents/order?{query}"), 422)
    assert found["errors"][0]["pointer"] == pointer


def test_the_menu_can_be_drawn_and_everything_counted(clerk: Visitor) -> None:
    items = fits(schemas.ItemsAnswer, clerk.get("/kinds"))["items"]
    pages = [page["id"] for item in items for page in item["page_sets"]]
    assert len(pages) == len(set(pages))
    assert {"A1", "B3", "C1", "D1", "E4"} <= set(pages)
    for item in items:
        assert item["owner"] in ("order", "list")
        assert item["title"]["zh"]
        fits(schemas.KindAnswer, clerk.get(f"/kinds/{item['kind']}"))
        counted = fits(schemas.CountsAnswer, clerk.get(f"/stats/{item['kind']}"))
        assert counted["kind"] == item["kind"]
    assert clerk.get("/stats/tallies").json()["kind"] == "tally"
    assert clerk.get("/stats/lists").json()["kind"] == "list"


def test_the_session_says_what_the_enterprise_is(carrier: Visitor) -> None:
    me = fits(schemas.SessionAnswer, carrier.get("/session"))
    assert me["enterprise"]["kinds"] == ["logistics", "logistics-b2b"]
