"""Import tasks while their processes die: generated once, as a whole; nothing twice, nothing left hanging."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bench.sheets import workbook
from tests.fault.killing import Killer
from tests.support.eventually import eventually
from tests.support.filer import Filer
from tests.support.people import a_number
from tests.support.stack import Stack
from tools.paths import ROOT

PATIENCE = 60.0  # seconds
ORDERS = 3
#: on the way of an import into a task
OF_IMPORTS = ("gateway.imports.before-start", "gateway.replay.before-keeping", "order.import.reading",
              "order.import.before-commit", "order.import.committed")  # fmt: skip


def of_tasks() -> list[str]:
    """All points of import tasks that stand in the source, but for deletion, which has a test of its own."""
    found: set[str] = set()
    for folder in ("filing", "services/gateway"):
        for file in (ROOT / folder).rglob("*.py"):
            found |= set(
                re.findall(
                    r'crash\.point\("((?:gateway\.)?tasks\.[^"]+)"\)', file.read_text(encoding="utf-8")
                )
            )
    return sorted(found - {"tasks.delete.before-commit"})


@pytest.fixture(scope="module")
def filer(stack: Stack) -> Filer:
    return Filer(stack, "A", PATIENCE)


def imported(filer: Filer, task: dict[str, Any], content: bytes) -> dict[str, Any]:
    file = ("orders.xlsx", content, "application/octet-stream")
    started = filer.call("POST", "/imports", data={"kind": "order", "task": task["id"]}, files={"file": file})

    def over() -> Any:
        found = filer.call("GET", f"/imports/{started['id']}")
        return found if found["state"] in ("done", "checked", "failed") else None

    return eventually(over, "the import ends", PATIENCE)


def becomes(filer: Filer, task: dict[str, Any], state: str) -> dict[str, Any]:
    def there() -> Any:
        found = filer.call("GET", f"/tasks/{task['id']}")
        return found if found["state"] == state else None

    return eventually(there, f"the task is {state}", PATIENCE)


@pytest.mark.parametrize("point", [*of_tasks(), *OF_IMPORTS])
def test_dying_on_the_way_of_a_task_changes_nothing_about_its_end(
    stack: Stack, killer: Killer, filer: Filer, point: str
) -> None:
    number = a_number("KILL")
    killer.arm(point)
    body = {"kind": "order", "strategy": filer.strategy, "customer_no": number}
    task = filer.call("POST", "/tasks", json=body)
    brought = imported(filer, task, workbook(ORDERS, f"{number}-"))
    # one import, whichever answer was lost: its own orders are never in its way
    assert (brought["state"], brought["accepted"], brought["errors"]) == ("done", ORDERS, [])
    filer.call("POST", f"/tasks/{task['id']}/generate")
    done = becomes(filer, task, "generated")
    killer.hit(point, lambda: None, PATIENCE)
    assert done["push"]["pending"] == done["documents"] == ORDERS
    assert len(done["imports"]) == 1
    found = filer.call("GET", "/tasks", params={"customer_no": number})["items"]
    assert [item["id"] for item in found] == [task["id"]]
    for item in done["items"]:
        told = filer.call("GET", f"/documents/order/{item['document']['id']}/timeline")["items"]
        assert [entry["what"] for entry in told] == ["imported", "generated"]


def test_dying_while_a_task_is_deleted_deletes_all_or_nothing(
    stack: Stack, killer: Killer, filer: Filer
) -> None:
    number = a_number("KILL")
    task = filer.call("POST", "/tasks", json={"kind": "order", "strategy": filer.strategy})
    imported(filer, task, workbook(ORDERS, f"{number}-"))
    killer.arm("tasks.delete.before-commit")
    died = filer.visitor.delete(f"/tasks/{task['id']}")
    assert died.status_code == 503
    killer.hit("tasks.delete.before-commit", lambda: None, PATIENCE)
    assert filer.call("GET", f"/tasks/{task['id']}")["documents"] == ORDERS
    assert eventually(
        lambda: filer.visitor.delete(f"/tasks/{task['id']}").status_code == 204, "it is deleted", PATIENCE
    )
    assert filer.call("GET", "/documents/order", params={"number": f"{number}-"})["items"] == []
