"""Import tasks and column mappings over HTTP, through the real processes of every service."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest
import requests
from openpyxl import load_workbook

from documents.registry import ALL, by_kind
from documents.sheet.model import sheet_of
from services.gateway.http import schemas, task_schemas
from tests.integration.test_gateway_imports import wait_for
from tests.integration.test_gateway_live import listening
from tests.support.answers import fits, problem
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, signed_in, strategy
from tests.support.stack import Stack
from tests.unit.documents.filled import example_of, reading_of, rows, workbook
from tests.unit.documents.test_mapping import OWN
from tests.unit.documents.test_sheet_hostile import FILES
from tests.unit.documents.workbooks import orders, row_of

KINDS = pytest.mark.parametrize("kind", [item.kind for item in ALL if item.sheet])


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


def new_task(clerk: Visitor, stack: Stack, **more: str) -> dict[str, Any]:
    body = {"kind": "order", "strategy": strategy(stack, "A"), "task_no": a_number("TASK"), **more}
    answer = clerk.post("/tasks", json=body)
    assert answer.status_code == 201, answer.text
    return fits(task_schemas.TaskAnswer, answer)


def upload(clerk: Visitor, content: bytes, **form: str) -> requests.Response:
    return clerk.post("/imports", data=form, files={"file": ("数据.xlsx", content)})


def supplement(clerk: Visitor, task: dict[str, Any], content: bytes, *states: str) -> dict[str, Any]:
    started = upload(clerk, content, kind=task["kind"], task=task["id"])
    assert started.status_code == 202, started.text
    return wait_for(clerk, started.json()["id"], *(states or ("done",)))


def becomes(clerk: Visitor, task: dict[str, Any], state: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found = fits(task_schemas.TaskDetail, clerk.get(f"/tasks/{task['id']}"))
        return found if found["state"] == state else None

    found = eventually(there, f"the task is {state}", 30)
    assert found is not None
    return found


def test_a_task_goes_from_basic_data_to_customs(stack: Stack, clerk: Visitor) -> None:
    numbers = [a_number("F"), a_number("F")]
    task = new_task(clerk, stack, customer_no="K-7")
    assert (task["state_text"], task["documents"], task["customer_no"]) == ("暂存", 0, "K-7")
    supplement(clerk, task, orders(row_of(numbers[0])))
    again = supplement(clerk, task, orders(row_of(numbers[0]), row_of(numbers[1])), "checked")
    assert [item["code"] for item in again["errors"]] == ["exists"]
    assert clerk.post(f"/imports/{again['id']}/keep-valid").status_code == 200
    wait_for(clerk, again["id"], "done")
    before = becomes(clerk, task, "draft")
    assert (before["documents"], before["push"]["basic"]) == (2, 2)
    assert before["imports"][0]["id"] == again["id"]
    assert {item["document"]["number"] for item in before["items"]} == set(numbers)
    assert {item["push_state_text"] for item in before["items"]} == {"基础数据"}

    asked = clerk.post(f"/tasks/{task['id']}/generate")
    assert asked.status_code == 202, asked.text
    after = becomes(clerk, task, "generated")
    assert after["push"]["pending"] == 2
    assert after["actions"] == ["import", "generate", "delete"]
    ids = [item["document"]["id"] for item in after["items"]]
    pushed = clerk.post("/documents/order/actions/push", json={"ids": ids})
    assert [item["ok"] for item in pushed.json()["results"]] == [True, True]

    def successful() -> list[str]:
        query = {"kind": "order", "task": task["id"], "push_state": "success"}
        page = fits(task_schemas.TaskDocumentPage, clerk.get("/tasks/documents", params=query))
        return [item["document"]["number"] for item in page["items"]]

    eventually(lambda: set(successful()) == set(numbers), "customs took both", 60)
    problem(clerk.delete(f"/tasks/{task['id']}"), 409)
    listed = fits(
        schemas.DocumentPage,
        clerk.get("/documents/order", params={"task": task["id"], "push_state": "success"}),
    )
    assert len(listed["items"]) == 2


def test_an_open_page_hears_of_its_task_and_nobody_elses_does(stack: Stack, clerk: Visitor) -> None:
    stranger = signed_in(stack, "B", "declarant")
    task = new_task(clerk, stack)
    supplement(clerk, task, orders(row_of(a_number("L"))))
    with listening(clerk) as page, listening(stranger) as other:
        clerk.post(f"/tasks/{task['id']}/generate")
        wanted = [
            {"id": task["id"], "kind": "order", "state": state} for state in ("generating", "generated")
        ]
        told = [("task.progress", data) for data in wanted]
        eventually(
            lambda: [event for event in page.events if event[0] == "task.progress"] == told, "it hears", 30
        )
        assert other.events == []


def test_tasks_are_found_and_deleted(stack: Stack, clerk: Visitor) -> None:
    number = a_number("T")
    task = new_task(clerk, stack)
    supplement(clerk, task, orders(row_of(number)))

    def found(**query: str) -> list[str]:
        return [
            item["id"] for item in fits(task_schemas.TaskPage, clerk.get("/tasks", params=query))["items"]
        ]

    assert (
        found(task_no=task["task_no"])
        == found(number=number)
        == found(kind="order", number=number)
        == [task["id"]]
    )
    assert (
        found(task_no=task["task_no"], state="generated")
        == found(task_no=task["task_no"], strategy="9810")
        == []
    )
    assert clerk.delete(f"/tasks/{task['id']}").status_code == 204
    problem(clerk.get(f"/tasks/{task['id']}"), 404)
    assert found(task_no=task["task_no"]) == []
    assert clerk.get("/documents/order", params={"number": number}).json()["items"] == []


def test_pages_of_tasks_over_all_services_are_one_list(stack: Stack, clerk: Visitor) -> None:
    prefix = a_number("P")
    made = [
        new_task(clerk, stack, task_no=f"{prefix}-{index}", kind=kind)["id"]
        for index, kind in enumerate(["order", "list", "order", "list", "waybill"])
    ]
    seen: list[str] = []
    cursor = ""
    for _ in itertools.repeat(None, 5):
        query = {"task_no": prefix, "page_size": "2", **({"cursor": cursor} if cursor else {})}
        page = clerk.get("/tasks", params=query).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == list(reversed(made))
    assert problem(clerk.get("/tasks", params={"cursor": "x"}), 422)["errors"][0]["code"] == "cursor"


def test_a_task_number_is_used_once_in_the_whole_tenant(stack: Stack, clerk: Visitor) -> None:
    task = new_task(clerk, stack)
    for kind in ("order", "list"):
        body = {"kind": kind, "strategy": strategy(stack, "A"), "task_no": task["task_no"]}
        errors = problem(clerk.post("/tasks", json=body), 409)["errors"]
        assert errors[0]["pointer"] == "/task_no"


def test_wrong_tasks_are_named(stack: Stack, clerk: Visitor) -> None:
    own = strategy(stack, "A")

    def code(status: int = 422, **body: Any) -> str:
        return str(
            problem(clerk.post("/tasks", json={"kind": "order", "strategy": own} | body), status)["errors"][
                0
            ]["code"]
        )

    assert code(kind="nokind") == "kind-unknown"
    assert code(kind="summary-result") == "not-imported"
    assert code(strategy="x") == "strategy-unknown"
    assert code(strategy=strategy(stack, "B")) == "strategy-unknown"
    assert code(strategy=strategy(stack, "A", "9810")) == "strategy-kind"
    assert code(task_no="a b") == "task-number"
    assert code(task_no=1) == "not-text"
    assert code(customer_no="x" * 101) == "too-long"
    assert code(state="generated") == "unknown"
    task = new_task(clerk, stack)
    again = {"kind": "order", "task": task["id"], "strategy": own}
    assert problem(upload(clerk, orders(row_of()), **again), 422)["errors"][0]["code"] == "strategy-of-task"
    problem(upload(clerk, orders(row_of()), kind="booking", task=task["id"]), 404)
    problem(clerk.post(f"/tasks/{task['id']}/generate"), 409)
    problem(clerk.post(f"/tasks/{task['id']}/give-up"), 409)
    problem(clerk.get("/tasks/documents"), 422)
    for query in ("state=nothing", "page_size=0", "nothing=1", "modified_from=yesterday"):
        problem(clerk.get(f"/tasks?{query}"), 422)


def test_a_task_created_again_under_one_key_is_one_task(stack: Stack, clerk: Visitor) -> None:
    body = {"kind": "order", "strategy": strategy(stack, "A")}
    clerk.http.headers["Idempotency-Key"] = a_number()
    try:
        first, again = clerk.post("/tasks", json=body), clerk.post("/tasks", json=body)
    finally:
        del clerk.http.headers["Idempotency-Key"]
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["task_no"].startswith("ORDER-")


# -- imports of every kind ---------------------------------------------------------------------------------------------


def own_numbers(kind: str, found: list[list[Any]]) -> list[list[Any]]:
    """The example with a number of its own."""
    doctype = by_kind(kind)
    assert doctype is not None
    group = next(i for i, c in enumerate(sheet_of(doctype).columns) if c.name == sheet_of(doctype).group)
    number = a_number("I")[:20]
    for row in found:
        row[group] = number
    return found


@KINDS
def test_every_template_is_filled_in_and_imported(stack: Stack, clerk: Visitor, kind: str) -> None:
    doctype = by_kind(kind)
    assert doctype is not None
    sheet = sheet_of(doctype)
    answer = clerk.get(f"/kinds/{kind}/template.xlsx")
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.content))
    for row in own_numbers(kind, rows(doctype)):
        book[sheet.title].append(row)
    out = io.BytesIO()
    book.save(out)
    day = reading_of(doctype, example_of(doctype)).export_date
    mode = "9810" if kind == "booking" else "9710"
    form = {"kind": kind, "strategy": strategy(stack, "A", mode)}
    if sheet.export_date:
        form["export_date"] = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    started = upload(clerk, out.getvalue(), **form)
    assert started.status_code == 202, started.text
    done = wait_for(clerk, started.json()["id"], "done", "checked", "failed")
    assert (done["state"], done["errors"]) == ("done", [])
    assert done["accepted"] == 1
    assert bool(done["batch_no"]) == sheet.batch
    if sheet.export_date:
        assert done["export_date"] == form["export_date"]


def test_an_import_names_what_its_form_lacks(stack: Stack, clerk: Visitor) -> None:
    def code(answer: requests.Response) -> tuple[str, str]:
        first = problem(answer, 422)["errors"][0]
        return first["pointer"], first["code"]

    listing = {"kind": "list", "strategy": strategy(stack, "A")}
    list_type = by_kind("list")
    assert list_type is not None
    content = workbook(list_type, *rows(list_type))
    assert code(upload(clerk, content, **listing)) == ("/export_date", "required")
    for day in ("2026-02-30", "20261120", "2026-W01-1", "tomorrow"):
        assert code(upload(clerk, content, **listing, export_date=day)) == ("/export_date", "day")
    assert code(upload(clerk, content, **listing, export_date="1999-01-01")) == ("/export_date", "not-a-date")
    assert code(
        upload(clerk, content, kind="waybill", export_date="2026-01-01", strategy=listing["strategy"])
    ) == (
        "/export_date",
        "unknown",
    )
    assert code(upload(clerk, content, kind="waybill")) == ("/strategy", "strategy-needed")
    assert code(upload(clerk, content, kind="summary-result")) == ("/kind", "not-imported")
    problem(upload(clerk, content, **listing, export_date="2026-11-20", mapping="x"), 404)
    problem(clerk.get("/kinds/summary-result/template.xlsx"), 404)


def test_the_carriers_only_strategy_need_not_be_named(stack: Stack) -> None:
    carrier = signed_in(stack, "L", "declarant")
    doctype = by_kind("waybill")
    assert doctype is not None
    started = upload(carrier, workbook(doctype, *own_numbers("waybill", rows(doctype))), kind="waybill")
    assert started.status_code == 202, started.text
    assert wait_for(carrier, started.json()["id"], "done", "checked")["state"] == "done"
    mine = fits(schemas.StrategyPage, carrier.get("/strategies"))["items"]
    assert [item["kind"] for item in mine] == ["waybill"]
    assert "departure" in mine[0]["kinds"]


def test_strategies_say_which_kinds_they_serve(clerk: Visitor) -> None:
    found = {item["trade_mode"]: item["kinds"] for item in clerk.get("/strategies").json()["items"]}
    for mode, kind in (("9610", "order"), ("9710", "order"), ("9810", "booking")):
        assert found[mode][0] == kind
        assert {"payment", "list"} <= set(found[mode])
        assert {"order", "booking"} & set(found[mode]) == {kind}


# -- mappings ----------------------------------------------------------------------------------------------------------


def test_a_mapping_is_proposed_saved_used_and_changed(stack: Stack, clerk: Visitor) -> None:
    number = a_number("M")
    titles = [OWN["orderNo"], *(column.header for column in sheet_of(by_kind("order")).columns[1:])]  # type: ignore[arg-type]
    order_type = by_kind("order")
    assert order_type is not None
    content = workbook(order_type, row_of(number), titles=titles)
    answer = clerk.post(
        "/import-mappings/proposal", data={"kind": "order"}, files={"file": ("a.xlsx", content)}
    )
    proposal = fits(task_schemas.ProposalAnswer, answer)
    assert [item["field"] for item in proposal["missing"]] == ["head.orderNo"]
    columns = {item["field"]: item["header"] for item in proposal["columns"] if item["field"]}
    name = a_number("映射")
    body = {"kind": "order", "name": name, "columns": columns}
    errors = problem(clerk.post("/import-mappings", json=body), 422)["errors"]
    assert [(item["pointer"], item["code"]) for item in errors] == [("/columns/head.orderNo", "required")]
    body["columns"] = columns | {"orderNo": OWN["orderNo"]}
    made = clerk.post("/import-mappings", json=body)
    saved = fits(task_schemas.MappingAnswer, made)
    assert made.status_code == 201
    assert made.headers["ETag"] == saved["etag"]
    assert saved["columns"]["head.orderNo"] == OWN["orderNo"]
    problem(clerk.post("/import-mappings", json=body), 409)
    listed = fits(task_schemas.MappingPage, clerk.get("/import-mappings?kind=order"))["items"]
    assert saved in listed

    started = upload(clerk, content, kind="order", strategy=strategy(stack, "A"), mapping=saved["id"])
    done = wait_for(clerk, started.json()["id"], "done")
    assert done["mapping_name"] == name

    place = f"/import-mappings/{saved['id']}"
    change = {"name": name, "columns": saved["columns"], "constants": {"head.note": "批量"}}
    assert problem(clerk.put(place, json=change), 422)["errors"][0]["code"] == "if-match-required"
    changed = clerk.put(place, json=change, headers={"If-Match": saved["etag"]})
    assert fits(task_schemas.MappingAnswer, changed)["constants"] == {"head.note": "批量"}
    problem(clerk.put(place, json=change, headers={"If-Match": saved["etag"]}), 412)
    problem(clerk.delete(place, headers={"If-Match": saved["etag"]}), 412)
    assert clerk.delete(place).status_code == 204
    problem(clerk.get(place), 404)


def test_a_mapping_that_names_everything_needs_no_strategy(clerk: Visitor) -> None:
    doctype = by_kind("payment")
    assert doctype is not None
    head = example_of(doctype)["head"]
    columns = {
        f"head.{item.name}": item.zh for item in doctype.head if item.filled_by in ("user", "strategy")
    }
    made = clerk.post(
        "/import-mappings", json={"kind": "payment", "name": a_number(), "columns": columns}
    ).json()
    row = [a_number() if place == "head.orderNo" else head.get(place[5:], "") for place in columns]
    content = workbook(doctype, row, titles=list(columns.values()))
    started = upload(clerk, content, kind="payment", mapping=made["id"])
    assert started.status_code == 202, started.text
    done = wait_for(clerk, started.json()["id"], "done", "checked")
    assert (done["state"], done["strategy_name"], done["errors"]) == ("done", None, [])
    started = upload(clerk, content, kind="payment")
    assert problem(started, 422)["errors"][0]["code"] == "strategy-needed"


def test_wrong_mappings_are_named(clerk: Visitor) -> None:
    def code(**body: Any) -> str:
        answer = clerk.post(
            "/import-mappings", json={"kind": "order", "name": a_number(), "columns": OWN} | body
        )
        return str(problem(answer, 422)["errors"][0]["code"])

    assert code(kind="") == "required"
    assert code(kind="summary-declaration") == "not-imported"
    assert code(name="") == "too-short"
    assert code(columns=["x"]) == "not-texts"
    assert code(columns={"orderNo": 1}) == "not-texts"
    assert code(columns={f"f{index}": "x" for index in range(600)}) == "not-texts"
    assert code(columns={"orderNo": "x" * 5000}) == "not-texts"
    assert code(constants={"qty": None}) == "not-texts"
    assert code(tenant_id="x") == "unknown"
    assert code(columns={**OWN, "tenant_id": "x"}) == "unknown-field"
    problem(clerk.get("/import-mappings"), 422)


@pytest.mark.parametrize(
    "name",
    [name for name, made in FILES.items() if made[2] in ("unsafe-xml", "truncated", "not-xlsx", "macro")],
)
def test_hostile_files_are_refused_as_proposals(clerk: Visitor, name: str) -> None:
    make, kind, code = FILES[name]
    answer = clerk.post(
        "/import-mappings/proposal", data={"kind": "order"}, files={"file": ("a.xlsx", make())}
    )
    status = {"wrong_type": 415, "invalid": 422, "too_large": 413}[kind]
    assert problem(answer, status)["errors"][0]["code"] == code
