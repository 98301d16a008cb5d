"""The HTTP API over a running stack: documents, imports, errors, idempotency, the description of itself."""

from __future__ import annotations

import io
import json
import re
import uuid
from typing import Any

import pytest
from openpyxl import load_workbook

from services.gateway.http import document_schemas, schemas
from tests.support.answers import fits, problem
from tests.support.people import Visitor, a_number, same_refusal, signed_in, strategy
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


@pytest.fixture(scope="module")
def english(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant", "en")


def test_a_document_is_saved_read_replaced_and_deleted(clerk: Visitor) -> None:
    number = a_number()
    created = clerk.post("/documents/order", json=clerk.order(number))
    assert created.status_code == 201
    saved = fits(schemas.DocumentAnswer, created)
    address = created.headers["Location"].removeprefix("/api/v1")
    assert saved["number"] == number
    assert saved["etag"] == created.headers["ETag"]
    assert saved["stored_at"].endswith("+08:00")

    read = clerk.get(address)
    assert fits(schemas.DocumentAnswer, read)["body"]["head"]["orderNo"] == number
    etag = read.headers["ETag"]

    changed = clerk.order(number, note="改过")
    assert problem(clerk.put(address, json=changed), 422)["errors"][0]["code"] == "if-match-required"
    assert problem(clerk.put(address, json=changed, headers={"If-Match": "*"}), 422)
    replaced = clerk.put(address, json=changed, headers={"If-Match": etag})
    assert replaced.status_code == 200
    assert replaced.headers["ETag"] != etag
    assert replaced.json()["body"]["head"]["note"] == "改过"
    for stale in (etag, '"nonsense"', "3", '"999999999999"'):
        problem(clerk.put(address, json=changed, headers={"If-Match": stale}), 412)

    parts = {
        "timeline": document_schemas.TimelineAnswer,
        "receipts": document_schemas.ReceiptsAnswer,
        "links": document_schemas.LinksAnswer,
    }
    for part, shape in parts.items():
        fits(shape, clerk.get(f"{address}/{part}"))
    assert clerk.delete(address).status_code == 204
    problem(clerk.get(address), 404)
    problem(clerk.delete(address), 404)


def test_an_unfit_document_is_saved_with_warnings(clerk: Visitor) -> None:
    body = clerk.order()
    del body["head"]["ebpName"]
    answer = clerk.post("/documents/order", json=body)
    assert answer.status_code == 201
    assert [item["pointer"] for item in answer.json()["warnings"]] == ["/head/ebpName"]


def test_lists_page_without_gaps_and_find_numbers(clerk: Visitor) -> None:
    prefix = a_number("P")
    numbers = [f"{prefix}-{index}" for index in range(5)]
    for number in numbers:
        clerk.save_order(number)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = fits(
            schemas.DocumentPage,
            clerk.get("/documents/order", params={"number": prefix, "page_size": "2", "cursor": cursor}),
        )
        seen += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == numbers
    exact = clerk.get("/documents/order", params={"number": numbers[3]}).json()["items"]
    assert [item["number"] for item in exact] == [numbers[3]]
    found = fits(schemas.DocumentPage, clerk.get("/search", params={"q": numbers[0]}))["items"]
    assert [item["number"] for item in found] == [numbers[0]]


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("stored_from=2018-07-01T00:00:00&stored_to=2018-08-01T00:00:01", "/stored_to", "window"),
        ("stored_from=2018-07-02T00:00:00&stored_to=2018-07-01T00:00:00", "/stored_from", "from-after-to"),
        ("stored_from=gestern", "/stored_from", "datetime"),
        ("page_size=0", "/page_size", "range"),
        ("page_size=201", "/page_size", "range"),
        ("page_size=1000000", "/page_size", "range"),
        ("page_size=-1", "/page_size", "range"),
        ("page_size=١٠", "/page_size", "range"),
        ("page_size=1e2", "/page_size", "range"),
        ("sort=tenant_id", "/sort", "sort"),
        ("sort=number;DROP TABLE document", "/sort", "sort"),
        ("sort=--number", "/sort", "sort"),
        ("state=nonsense", "/state", "choice"),
        ("settled=maybe", "/settled", "choice"),
        ("tenant_id=1", "/tenant_id", "unknown"),
        ("page=2", "/page", "choice"),
        ("body->>'x'=1", "/body->>'x'", "unknown"),
        ("sort=number&sort=state", "/sort", "repeated"),
        ("orderNo=A&orderNo=B", "/orderNo", "repeated"),
        ("number=A&orderNo=B", "/number", "repeated"),
    ],
)
def test_wrong_queries_are_named(clerk: Visitor, query: str, pointer: str, code: str) -> None:
    errors = problem(clerk.get(f"/documents/order?{query}"), 422)["errors"]
    assert [(item["pointer"], item["code"]) for item in errors] == [(pointer, code)]


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "../..", "eyJhIjoxfQ==", "'" * 50, "W10=", "WyJ4IiwieSJd", "bnVsbA=="]
)
@pytest.mark.parametrize("path", ["/documents/order", "/imports?kind=order", "/audit"])
def test_made_up_cursors_are_refused(stack: Stack, path: str, cursor: str) -> None:
    admin = signed_in(stack, "A", "enterprise_admin")
    answer = admin.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
    assert answer.status_code in (400, 422), answer.text


def test_a_month_is_allowed_in_every_spelling(clerk: Visitor) -> None:
    for start, end in (
        ("2018-07-01T00:00:00", "2018-07-31T00:00:00"),
        ("2018-07-01T00:00:00", "2018-08-01T00:00:00"),
        ("2018-07-01T00:00:00+08:00", "2018-07-31T23:59:59+08:00"),
        ("2018-07-01 00:00:00", "2018-07-31 23:59:59"),
    ):
        answer = clerk.get("/documents/order", params={"stored_from": start, "stored_to": end})
        assert answer.status_code == 200, answer.text
    assert (
        clerk.get("/documents/order?state=draft&state=checked&settled=false&sort=-number").status_code == 200
    )


def test_actions_answer_for_each_document(clerk: Visitor) -> None:
    good = clerk.save_order()
    missing = str(uuid.uuid4())
    body = {"ids": [good["id"], missing]}
    results = fits(schemas.ActAnswer, clerk.post("/documents/order/actions/delete", json=body))["results"]
    assert {item["id"]: item["ok"] for item in results} == {good["id"]: True, missing: False}
    assert results[1]["problem"]["status"] == 404


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/ids", "required"),
        ({"ids": []}, "/ids", "too-short"),
        ({"ids": "x"}, "/ids", "not-list"),
        ({"ids": ["1"]}, "/ids/0", "not-uuid"),
        ({"ids": [None]}, "/ids/0", "null"),
        ({"ids": [str(uuid.UUID(int=1))] * 2}, "/ids", "repeated-id"),
        ({"ids": [str(uuid.UUID(int=n)) for n in range(1001)]}, "/ids", "too-long"),
        ({"ids": [str(uuid.UUID(int=1))], "documents_per_message": 0}, "/documents_per_message", "range"),
        ({"ids": [str(uuid.UUID(int=1))], "documents_per_message": 101}, "/documents_per_message", "range"),
        (
            {"ids": [str(uuid.UUID(int=1))], "documents_per_message": True},
            "/documents_per_message",
            "not-integer",
        ),
        (
            {"ids": [str(uuid.UUID(int=1))], "documents_per_message": 1.5},
            "/documents_per_message",
            "not-integer",
        ),
        ({"ids": [str(uuid.UUID(int=1))], "state": "released"}, "/state", "unknown"),
        ({"ids": [str(uuid.UUID(int=1))], "transfer": {"dxp_id": "x"}}, "/transfer", "unknown"),
    ],
)
def test_wrong_actions_are_named(clerk: Visitor, body: dict[str, Any], pointer: str, code: str) -> None:
    errors = problem(clerk.post("/documents/order/actions/declare", json=body), 422)["errors"]
    assert (errors[0]["pointer"], errors[0]["code"]) == (pointer, code)


@pytest.mark.parametrize("action", ["edit", "release", "Declare", "declare%00", "__class__"])
def test_unknown_actions_are_not_found(clerk: Visitor, action: str) -> None:
    body = {"ids": [str(uuid.uuid4())]}
    answer = clerk.post(f"/documents/order/actions/{action}", json=body)
    assert answer.status_code in (404, 405), answer.text


@pytest.mark.parametrize(
    "extra",
    ["id", "tenant_id", "state", "version", "customs_status", "actions", "etag", "created_by", "__proto__"],
)
def test_no_field_beside_the_body_is_taken(clerk: Visitor, extra: str) -> None:
    body = {**clerk.order(), extra: "x"}
    assert [
        item["pointer"] for item in problem(clerk.post("/documents/order", json=body), 422)["errors"]
    ] == [f"/{extra}"]
    inside = clerk.order(**{extra: "x"})
    problem(clerk.post("/documents/order", json=inside), 422)


def test_amounts_are_texts_and_never_binary_floats(clerk: Visitor) -> None:
    for raw in ("0.1", "1", "1e400", "true", "[]", "{}"):
        body = json.dumps(clerk.order()).replace('"1.5"', raw)
        answer = clerk.post("/documents/order", data=body, headers={"Content-Type": "application/json"})
        problem(answer, 422)


def test_other_kinds_do_not_know_the_id(clerk: Visitor) -> None:
    saved = clerk.save_order()
    for kind in ("booking", "nokind", "order%2f..", "ORDER"):
        problem(clerk.get(f"/documents/{kind}/{saved['id']}"), 404)
    for name in ("1", "x", "0", "%2e%2e", saved["id"].upper() + "0", f"{saved['id']}%00", "null"):
        answer = clerk.get(f"/documents/order/{name}")
        assert same_refusal(answer, clerk.get(f"/documents/order/{uuid.uuid4()}")), answer.text
    assert clerk.get(f"/documents/order/{saved['id'].upper()}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/nothing", 404),
        ("DELETE", "/documents/order", 405),
        ("PATCH", "/documents/order", 405),
        ("TRACE", "/session", 405),
        ("GET", "/documents/order/actions/declare", 405),
        ("GET", "/stats/nothing", 404),
        ("GET", "/code-tables/nothing", 404),
        ("GET", "/code-tables/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/kinds/nothing/template.xlsx", 404),
        ("GET", "/documents/order?number=%ff", 400),
        ("GET", "/documents/order?number=%00", 400),
        ("GET", "/documents/order?%00=1", 400),
        ("GET", "/search", 422),
        ("GET", "/search?q=" + "x" * 101, 422),
        ("GET", "/imports", 422),
        ("GET", "/imports?kind=x", 422),
        ("GET", "/batch-numbers/proposal", 422),
        ("GET", "/batch-numbers/proposal?strategy=x", 422),
        ("GET", "/devices/x", 404),
        ("POST", "/devices/x/actions/activate", 403),
        ("GET", "/users", 403),
        ("GET", "/events?tenant=1", 422),
    ],
)
def test_every_refusal_is_a_problem(clerk: Visitor, method: str, path: str, status: int) -> None:
    found = problem(clerk.call(method, path), status)
    assert found["status"] == status
    assert found["detail"]
    assert found["instance"].startswith("urn:trace:")


def test_refusals_speak_the_callers_language(clerk: Visitor, english: Visitor) -> None:
    path = "/documents/order?page_size=0"
    assert "之间" in problem(clerk.get(path), 422)["errors"][0]["message"]
    assert "within" in problem(english.get(path), 422)["errors"][0]["message"]
    other = english.get(path, headers={"Accept-Language": "fr, zh-CN;q=0.5, en;q=0.2"})
    assert "之间" in problem(other, 422)["detail"]
    state = english.save_order()["state_text"]
    assert state.isascii()


def test_what_a_browser_is_told(stack: Stack, clerk: Visitor) -> None:
    for answer in (
        clerk.get("/session"),
        Visitor(stack).get("/session"),
        clerk.get("/nothing"),
        clerk.get(clerk.root),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        # no page reaches a program on the visitor's own machine
        assert "connect-src 'self';" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"]
        assert answer.headers["X-Request-Id"]
        assert "Server" not in answer.headers or "Python" not in answer.headers["Server"]
    assert clerk.get("/session").headers["Cache-Control"] == "no-store"


def test_pages_are_served_for_their_own_addresses(stack: Stack) -> None:
    visitor = Visitor(stack)
    for path in ("/", "/orders/query?state=draft", "/documents/order/1"):
        page = visitor.get(visitor.root + path)
        assert page.status_code == 200
        assert page.headers["Content-Type"].startswith("text/html")
        assert page.headers["Cache-Control"] == "no-cache"
    for path in (
        "/missing.js",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fapp.py",
        "/%00",
    ):
        assert "root:" not in visitor.get(visitor.root + path).text
    assert visitor.get(visitor.root + "/missing.js").status_code == 404
    assert visitor.get(visitor.root + "/api").status_code == 404
    assert visitor.post(visitor.root + "/orders").status_code in (404, 405)


def test_kinds_and_code_tables(clerk: Visitor) -> None:
    names = [item["kind"] for item in fits(schemas.ItemsAnswer, clerk.get("/kinds"))["items"]]
    assert "order" in names
    for name in names:
        kind = clerk.get(f"/kinds/{name}").json()
        assert kind["kind"] == name
        template = clerk.get(f"/kinds/{name}/template.xlsx")
        if kind["sheet"] is None:
            problem(template, 404)
        else:
            load_workbook(io.BytesIO(template.content))
    tables = [item["name"] for item in fits(schemas.ItemsAnswer, clerk.get("/code-tables"))["items"]]
    for name in tables:
        assert fits(schemas.CodePage, clerk.get(f"/code-tables/{name}"))["items"]
    dollar = clerk.get("/code-tables/currency?q=美元").json()["items"]
    assert [item["code"] for item in dollar] == ["502"]


def test_other_lists_have_their_shapes(stack: Stack, clerk: Visitor) -> None:
    admin = signed_in(stack, "A", "enterprise_admin")
    fits(schemas.SessionAnswer, clerk.get("/session"))
    assert len(fits(schemas.StrategyPage, clerk.get("/strategies"))["items"]) >= 3
    assert fits(schemas.KeyPage, clerk.get("/devices"))["items"]
    assert fits(schemas.UserPage, admin.get("/users"))["items"]
    assert "password" not in admin.get("/users").text
    assert fits(schemas.MandatePage, admin.get("/mandates"))["items"]
    assert fits(schemas.AuditPage, admin.get("/audit?page_size=3"))["items"]
    fits(schemas.CountsAnswer, clerk.get("/stats/orders"))
    fits(
        schemas.BatchNumberAnswer,
        clerk.get("/batch-numbers/proposal", params={"strategy": strategy(stack, "A")}),
    )


def test_the_trail_pages_without_gaps(stack: Stack) -> None:
    admin = signed_in(stack, "A", "enterprise_admin")
    whole = admin.get("/audit?page_size=50").json()["items"]
    first = admin.get("/audit?page_size=2").json()
    second = admin.get("/audit", params={"page_size": "2", "cursor": first["next_cursor"]}).json()
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == [item["id"] for item in whole[:4]]


def test_the_description_knows_every_address(clerk: Visitor) -> None:
    spec = clerk.get(clerk.root + "/api/openapi.json").json()
    assert spec["openapi"].startswith("3.1")
    described = {
        (method, path) for path, item in spec["paths"].items() for method in item if method != "parameters"
    }
    assert ("post", "/api/v1/documents/{kind}/actions/{action}") in described
    assert ("put", "/api/v1/documents/{kind}/{document_id}") in described
    assert len(described) >= 35
    text = json.dumps(spec)
    assert "ProblemAnswer" in spec["components"]["schemas"]
    for name in set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text)):
        assert name in spec["components"]["schemas"]
    page = clerk.get(clerk.root + "/api/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<script>" not in page.text
    for name, kind in (("docs.js", "javascript"), ("docs.css", "css")):
        assert kind in clerk.get(f"{clerk.root}/api/docs/{name}").headers["Content-Type"]
    assert clerk.get(f"{clerk.root}/api/docs/..%2fdocs.py").status_code == 404
