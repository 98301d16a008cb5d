"""Uploading workbooks: taken in, shown, marked, discarded, and refused with a reason."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from openpyxl import load_workbook

from services.gateway.http import schemas
from tests.support.answers import fits, problem
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, signed_in, strategy
from tests.support.stack import Stack
from tools.paths import ROOT

SAMPLES = ROOT / "tests/samples"


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


def wait_for(visitor: Visitor, import_id: str, *states: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        task = fits(schemas.ImportAnswer, visitor.get(f"/imports/{import_id}"))
        return task if task["state"] in states else None

    found = eventually(look, f"import {import_id} to be {states}", timeout=30)
    assert found is not None
    return found


def upload(
    visitor: Visitor, stack: Stack, content: bytes, name: str = "订单.xlsx", **form: str
) -> requests.Response:
    fields = {"kind": "order", "strategy": strategy(stack, "A"), **form}
    return visitor.post("/imports", data=fields, files={"file": (name, content)})


def test_a_wrong_workbook_is_shown_marked_and_discarded(stack: Stack, clerk: Visitor) -> None:
    content = (SAMPLES / "9710-orders-wrong.xlsx").read_bytes()
    started = upload(clerk, stack, content, "../错误.xlsx")
    assert started.status_code == 202
    fits(schemas.StartedAnswer, started)
    task = wait_for(clerk, started.json()["id"], "checked")
    assert task["file_name"] == "错误.xlsx"
    assert task["errors_total"] == len(task["errors"]) > 0
    assert all(item["message"] and item["code"] for item in task["errors"])
    marked = clerk.get(f"/imports/{task['id']}/errors.xlsx")
    assert marked.headers["Content-Disposition"].startswith("attachment")
    load_workbook(io.BytesIO(marked.content))
    assert clerk.delete(f"/imports/{task['id']}").status_code == 204
    assert clerk.get(f"/imports/{task['id']}").json()["state"] == "discarded"
    problem(clerk.post(f"/imports/{task['id']}/keep-valid"), 409)
    listed = fits(schemas.ImportPage, clerk.get("/imports?kind=order"))["items"]
    assert task["id"] in [item["id"] for item in listed]


def test_uploading_again_under_one_key_starts_one_import(stack: Stack, clerk: Visitor) -> None:
    content = (SAMPLES / "9710-orders-wrong.xlsx").read_bytes()
    clerk.http.headers["Idempotency-Key"] = a_number()
    try:
        # the form's boundary is random each time: what counts is what is in it
        first, again = upload(clerk, stack, content), upload(clerk, stack, content)
        assert first.json()["id"] == again.json()["id"]
        assert problem(upload(clerk, stack, content + b"x"), 422)["errors"][0]["code"] == "key-reused"
    finally:
        del clerk.http.headers["Idempotency-Key"]
    wait_for(clerk, first.json()["id"], "checked")
    clerk.delete(f"/imports/{first.json()['id']}")


def test_wrong_uploads_are_named(stack: Stack, clerk: Visitor) -> None:
    def code(answer: requests.Response, status: int = 422) -> str:
        return str(problem(answer, status).get("errors", [{"code": ""}])[0]["code"])

    assert code(upload(clerk, stack, b"")) == "file-empty"
    assert code(upload(clerk, stack, b"x", kind="nokind")) == "kind-unknown"
    assert code(upload(clerk, stack, b"x", strategy="x")) == "strategy-unknown"
    assert code(upload(clerk, stack, b"x", strategy=strategy(stack, "B"))) == "strategy-unknown"
    assert code(upload(clerk, stack, b"x", strategy=strategy(stack, "A", "9810"))) == "strategy-kind"
    assert code(upload(clerk, stack, b"x", strategy="")) == "strategy-needed"
    assert code(upload(clerk, stack, b"x", batch_no="nonsense")) == "batch-number"
    assert code(upload(clerk, stack, b"x", tenant_id="1")) == "unknown"
    assert (
        code(clerk.post("/imports", data={"kind": "order", "file": "text"}, files={"other": b"x"}))
        == "unknown"
    )
    assert code(clerk.post("/imports", files={"kind": (None, "order")})) == "required"
    two = [("file", ("a.xlsx", b"x")), ("file", ("b.xlsx", b"y"))]
    assert code(clerk.post("/imports", data={"kind": "order"}, files=two)) == "repeated"
    problem(clerk.post("/imports", json={"kind": "order"}), 415)
    form_type = {"Content-Type": "multipart/form-data; boundary=x"}
    assert clerk.post("/imports", data=b"no form at all", headers=form_type).status_code in (400, 422)
    form_type = {"Content-Type": "multipart/form-data"}
    assert clerk.post("/imports", data=b"no form at all", headers=form_type).status_code in (400, 415, 422)


def test_too_large_files_are_refused(stack: Stack, clerk: Visitor) -> None:
    ten = b"x" * (10 * 1024 * 1024 + 1)
    assert "10 MB" in problem(upload(clerk, stack, ten), 413)["detail"]

    def in_pieces() -> Any:
        # no length is told: the limit must hold while reading
        for _ in range(12):
            yield b"x" * (1024 * 1024)

    kind = {"Content-Type": "application/json"}
    assert clerk.post("/documents/order", data=in_pieces(), headers=kind).status_code == 413
    assert clerk.get("/session").status_code == 200
