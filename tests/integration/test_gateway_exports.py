"""Exports and print over HTTP with everything running: at once, in the background, killed in the middle, refused."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pypdfium2
import pytest
import requests
from openpyxl import load_workbook

from documents import body as bodies
from documents.registry import REGISTRY
from filing import ids
from filing.store import documents as store
from runtime.db import Database
from runtime.errors import Problem
from services.gateway.app import make_app, make_parts
from services.gateway.config import http_config
from services.gateway.http import prints
from services.gateway.http.exports import ExportAnswer
from tests.integration.test_gateway_live import listening
from tests.support.answers import fits, problem
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, signed_in, tenant_id
from tests.support.stack import Stack

MANY = 20_000
#: of them, those whose number goes on with 0
HALF = 10_000


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


@pytest.fixture(scope="module")
def foreigner(stack: Stack) -> Visitor:
    return signed_in(stack, "B", "declarant")


@contextmanager
def order_database(stack: Stack) -> Iterator[Database]:
    database = Database(stack.environment("order.serve")["DATABASE_URL"], pool_size=2)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture(scope="module")
def batch(stack: Stack, clerk: Visitor) -> str:
    """The batch number of many orders of A's, stored as an import stores them."""
    doctype = next(item for item in REGISTRY.types if item.kind == "order")
    name = a_number("B")
    tenant = tenant_id(stack, "A")
    rows, keys = [], []
    for number, document_id in enumerate(ids.ordered_ids(MANY)):
        whole = clerk.order(f"{name}-{number:05}")
        key = bodies.natural_key(doctype, whole["head"])
        rows.append((document_id, whole["head"]["orderNo"], key, json.dumps(whole, ensure_ascii=False)))
        keys += [(*pair, document_id) for pair in bodies.keys(doctype, whole)]
    common = {"kind": "order", "state": "checked", "rank": 1, "batch_no": name, "mandate": None, "task": None,
              "created_by": "x", "what": "imported", "detail": "{}"}  # fmt: skip
    with order_database(stack) as database, database.transaction(tenant) as connection:
        assert store.insert_many(connection, rows, keys, [], common) == MANY
    return name


def file_name(answer: requests.Response) -> str:
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    return unquote(disposition.partition("filename*=UTF-8''")[2])


def rows(content: bytes, sheet: int = 0) -> list[tuple[Any, ...]]:
    return list(
        load_workbook(io.BytesIO(content), read_only=True).worksheets[sheet].iter_rows(values_only=True)
    )


def pdf_text(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    try:
        return "".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def finished(visitor: Visitor, export_id: str, timeout: float = 90) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        task = fits(ExportAnswer, visitor.get(f"/exports/{export_id}"))
        return task if task["state"] in ("done", "failed") else None

    found = eventually(look, f"export {export_id} ends", timeout, 0.2)
    assert found is not None
    return found


def test_a_query_comes_out_as_a_workbook_at_once(clerk: Visitor) -> None:
    name = a_number("<b>=1")
    clerk.save_order(name, note="=cmd()")
    answer = clerk.get("/documents/order/export.xlsx", params={"number": name})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/vnd.openxml")
    assert file_name(answer).startswith("出口订单-")
    found = rows(answer.content)
    assert [row[0] for row in found] == ["订单编号", name]
    assert "美元[502]" in found[1]
    assert rows(answer.content, 1)[1][0] == name
    english = signed_in_english(clerk).get("/documents/order/export.xlsx", params={"number": name})
    assert file_name(english).startswith("Export order-")
    assert rows(english.content)[0][0] == "Order number"


def test_chosen_columns_come_out_in_their_order(clerk: Visitor) -> None:
    number = clerk.save_order(a_number())["number"]
    asked = {"number": number, "columns": "state,number"}
    answer = clerk.get("/documents/order/export.xlsx", params=asked)
    assert rows(answer.content) == [("状态", "订单编号"), ("待提交", number)]
    assert len(load_workbook(io.BytesIO(answer.content)).worksheets) == 1
    begun = clerk.post("/documents/order/exports", params=asked)
    assert begun.status_code == 202, begun.text
    task = finished(clerk, begun.json()["id"])
    assert rows(clerk.get(f"/exports/{task['id']}/file.xlsx").content) == rows(answer.content)
    printed = "".join(pdf_text(clerk.get("/documents/order/print.pdf", params=asked)).split())
    assert "状态订单编号" in printed
    assert "入库时间" not in printed
    clerk.delete(f"/exports/{task['id']}")


def signed_in_english(visitor: Visitor) -> Visitor:
    visitor.http.headers["Accept-Language"] = "en"
    return visitor


@pytest.fixture(autouse=True)
def _chinese(clerk: Visitor) -> Iterator[None]:
    yield
    clerk.http.headers["Accept-Language"] = "zh-CN"


def test_many_documents_in_the_background_with_progress(
    clerk: Visitor, foreigner: Visitor, batch: str
) -> None:
    refused = problem(clerk.get(f"/documents/order/export.xlsx?batch_no={batch}"), 422)
    assert "POST" in refused["detail"]
    with listening(clerk) as mine, listening(foreigner) as theirs:
        started = clerk.post(f"/documents/order/exports?batch_no={batch}&sort=number")
        assert started.status_code == 202
        task = fits(ExportAnswer, started)
        assert started.headers["Location"].endswith(task["id"])
        done = finished(clerk, task["id"])
        assert (done["state"], done["rows"], done["done"], done["failure"]) == ("done", MANY, MANY, None)
        assert done["kept_until"] > done["created_at"]

        def told() -> list[dict[str, Any]]:
            return [
                data for name, data in mine.events if name == "export.progress" and data["id"] == task["id"]
            ]

        eventually(lambda: told()[-1:] and told()[-1]["state"] == "done", "the page hears of it")
        assert [item["done"] for item in told()] == sorted(item["done"] for item in told())
        assert len({item["done"] for item in told()}) > 2
        assert not any(name == "export.progress" for name, _ in theirs.events)
    answer = clerk.get(done["file_url"].removeprefix("/api/v1"))
    assert len(answer.content) == done["file_bytes"] == int(answer.headers["Content-Length"])
    assert file_name(answer) == done["file_name"]
    found = rows(answer.content)
    assert [row[0] for row in found[1:]] == [f"{batch}-{number:05}" for number in range(MANY)]
    assert len(rows(answer.content, 1)) == MANY + 1
    for path in (f"/exports/{task['id']}", f"/exports/{task['id']}/file.xlsx"):
        problem(foreigner.get(path), 404)
    problem(foreigner.delete(f"/exports/{task['id']}"), 404)
    assert clerk.delete(f"/exports/{task['id']}").status_code == 204
    problem(clerk.get(f"/exports/{task['id']}"), 404)


@pytest.mark.parametrize(
    "point", ["export.running", "export.writing", "export.before-commit", "export.committed"]
)
def test_a_worker_killed_in_the_middle_begins_again(
    stack: Stack, clerk: Visitor, batch: str, point: str
) -> None:
    before = stack.processes()["order.imports"]["pid"]
    armed = Path(stack.environment("order.imports")["CRASH_POINTS_FILE"])
    armed.write_text(point)
    task = clerk.post(f"/documents/order/exports?number={batch}-0").json()
    eventually(lambda: not armed.exists(), f"somebody dies at {point}", 60)
    done = finished(clerk, task["id"])
    assert (done["state"], done["rows"], done["done"]) == ("done", HALF, HALF)
    eventually(lambda: stack.processes()["order.imports"]["pid"] != before, "the process is back", 30)
    answer = clerk.get(f"/exports/{task['id']}/file.xlsx")
    assert len({row[0] for row in rows(answer.content)[1:]}) == HALF
    clerk.delete(f"/exports/{task['id']}")


def test_a_worker_killed_from_outside_begins_again(stack: Stack, clerk: Visitor, batch: str) -> None:
    task = clerk.post(f"/documents/order/exports?number={batch}-0").json()
    eventually(lambda: clerk.get(f"/exports/{task['id']}").json()["state"] == "running", "it runs", 60, 0.02)
    os.kill(stack.processes()["order.imports"]["pid"], signal.SIGKILL)
    assert finished(clerk, task["id"])["state"] == "done"
    clerk.delete(f"/exports/{task['id']}")


def test_one_that_runs_can_be_stopped_and_has_no_file_yet(clerk: Visitor, batch: str) -> None:
    task = clerk.post(f"/documents/order/exports?batch_no={batch}").json()
    seen = clerk.get(f"/exports/{task['id']}").json()
    if seen["state"] != "done":
        assert seen["file_url"] is None
        problem(clerk.get(f"/exports/{task['id']}/file.xlsx"), 409)
    assert clerk.delete(f"/exports/{task['id']}").status_code == 204
    problem(clerk.delete(f"/exports/{task['id']}"), 404)


def test_one_key_starts_one_export_and_the_fourth_is_too_many(clerk: Visitor) -> None:
    key = a_number()
    path = f"/documents/order/exports?number={a_number()}"
    first, again = (clerk.post(path, headers={"Idempotency-Key": key}) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    other = clerk.post("/documents/order/exports", headers={"Idempotency-Key": key})
    assert problem(other, 422)["errors"][0]["code"] == "key-reused"
    finished(clerk, first.json()["id"])
    clerk.delete(f"/exports/{first.json()['id']}")


HOSTILE_QUERIES = (
    {"cursor": "x"}, {"page_size": "10"}, {"nonsense": "x"}, {"state": "nonsense"}, {"sort": "body"}, {"page": "Z9"},
    {"sort": "number; DROP TABLE document"}, {"settled": "maybe"}, {"stored_from": "yesterday"}, {"task": "x"},
    {"stored_from": "2026-01-01T00:00:00+08:00", "stored_to": "2026-03-01T00:00:00+08:00"},
    {"stored_from": "2026-03-01T00:00:00+08:00", "stored_to": "2026-02-28T00:00:00+08:00"},
    {"columns": "number,body"}, {"columns": "number,number"}, {"columns": "lines"}, {"columns": "x" * 5000},
    {"number": "a\x01b"}, {"tenant_id": "x"}, {"file": "../../etc/passwd"},
)  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE_QUERIES, ids=str)
def test_hostile_queries_are_refused_by_name(clerk: Visitor, query: dict[str, str]) -> None:
    for send in (
        lambda: clerk.get("/documents/order/export.xlsx", params=query),
        lambda: clerk.post("/documents/order/exports", params=query),
        lambda: clerk.get("/documents/order/print.pdf", params=query),
    ):
        found = problem(send(), 422)
        assert found["errors"][0]["pointer"].lstrip("/").split("/")[0] in {*query, "orderNo"}


def test_what_is_not_there_is_not_there(clerk: Visitor) -> None:
    for path in (
        "/documents/nokind/export.xlsx", "/documents/nokind/print.pdf", "/exports/x", "/exports/x/file.xlsx",
        "/documents/order/x/print.pdf", "/documents/nokind/x/print.pdf", "/exports/..%2f..%2fx/file.xlsx",
    ):  # fmt: skip
        problem(clerk.get(path), 404)
    problem(clerk.post("/documents/nokind/exports"), 404)
    problem(clerk.delete("/exports/x"), 404)


def test_every_kind_is_exported_and_printed(stack: Stack, clerk: Visitor) -> None:
    for kind in clerk.get("/kinds").json()["items"]:
        assert clerk.get(f"/documents/{kind['kind']}/export.xlsx?number=nobody").status_code == 200
        assert kind["title"]["zh"] in pdf_text(clerk.get(f"/documents/{kind['kind']}/print.pdf"))


def test_one_document_is_printed(clerk: Visitor, foreigner: Visitor) -> None:
    saved = clerk.save_order(a_number(), ebpName="<script>alert(1)</script>茶叶平台")
    answer = clerk.get(f"/documents/order/{saved['id']}/print.pdf")
    text = "".join(pdf_text(answer).split())
    for words in (
        saved["number"],
        "出口订单",
        "<script>alert(1)</script>茶叶平台",
        "绿茶",
        "美元[502]",
        "第1/1页",
    ):
        assert words in text
    assert clerk.me["user"]["name"] in text
    assert file_name(answer) == f"出口订单-{saved['number']}.pdf"
    assert 'filename="download.pdf"' in answer.headers["Content-Disposition"]
    english = pdf_text(signed_in_english(clerk).get(f"/documents/order/{saved['id']}/print.pdf"))
    assert "Export order" in english
    assert "Page 1 of 1" in english
    problem(foreigner.get(f"/documents/order/{saved['id']}/print.pdf"), 404)
    problem(clerk.get(f"/documents/booking/{saved['id']}/print.pdf"), 404)


def test_the_table_has_the_first_rows_and_says_so(clerk: Visitor, foreigner: Visitor, batch: str) -> None:
    text = pdf_text(clerk.get(f"/documents/order/print.pdf?batch_no={batch}&sort=number&state=checked"))
    assert "仅打印前 500 单" in text
    assert f"商品批次号：{batch}" in text
    assert "状态：待提交" in text
    plain = "".join(text.split())
    assert f"{batch}-00000" in plain
    assert f"{batch}-00499" in plain
    assert f"{batch}-00500" not in plain
    assert "共 0 单" in pdf_text(foreigner.get(f"/documents/order/print.pdf?batch_no={batch}"))


def test_a_mandate_without_the_scope_lets_nothing_out(stack: Stack, clerk: Visitor) -> None:
    broker = signed_in(stack, "C", "broker")
    assert broker.step_into(clerk.me["tenant"]["id"]).status_code == 200
    assert "document.export" in broker.me["permissions"]
    assert broker.get("/documents/order/export.xlsx?number=nobody").status_code == 200
    broker.step_into(None)
    for path in ("/documents/order/export.xlsx", "/documents/order/print.pdf", "/exports/x"):
        problem(broker.get(path), 403)
    problem(broker.post("/documents/order/exports"), 403)


def test_what_leaves_stands_in_the_trail(stack: Stack, clerk: Visitor) -> None:
    number = a_number()
    saved = clerk.save_order(number)
    clerk.get(f"/documents/order/export.xlsx?number={number}")
    clerk.get(f"/documents/order/{saved['id']}/print.pdf")
    trail = signed_in(stack, "A", "enterprise_admin").get("/audit?page_size=20").json()["items"]
    assert any(row["what"] == "export" and row["detail"] == {"query": {"number": number}} for row in trail)
    assert any(row["what"] == "print" and row["detail"] == {"ids": [saved["id"]]} for row in trail)


def test_without_a_font_printing_says_what_to_do(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = stack.environment("gateway.http")
    environment.pop("FONT_FILE")
    monkeypatch.delenv("FONT_FILE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    parts = make_parts(http_config())
    app = make_app(parts)
    try:
        with app.test_request_context(), pytest.raises(Problem, match="FONT_FILE") as caught:
            prints._painted(lambda _: b"")
    finally:
        parts.database.close()
    assert caught.value.kind == "unavailable"
