"""The whole product as `make run` leaves it: everything is ready, and the demo's people are there."""

from __future__ import annotations

import stat
import urllib.request

import pytest

from tests.support.stack import Stack
from tools.topology import load


def test_every_process_of_the_table_is_ready(stack: Stack) -> None:
    processes = stack.processes()
    assert set(load().processes) <= set(processes)
    assert {name for name, entry in processes.items() if not entry["ready"]} == set()


@pytest.mark.parametrize("name", sorted(load().processes))
def test_every_process_answers_its_operations_address(stack: Stack, name: str) -> None:
    path = "/control/health" if "control" in load().processes[name].listens else "/readyz"
    with urllib.request.urlopen(stack.processes()[name]["ops_url"] + path, timeout=10) as answer:
        assert answer.status == 200


def test_the_demos_people_are_there_with_passwords_of_their_own(stack: Stack) -> None:
    found = {(user["tenant"], user["role"]) for user in stack["users"]}
    assert found >= {
        ("A", "declarant"),
        ("A", "enterprise_admin"),
        ("B", "declarant"),
        ("B", "enterprise_admin"),
        ("L", "declarant"),
        ("L", "enterprise_admin"),
        ("O", "declarant"),
        ("O", "enterprise_admin"),
        ("C", "broker"),
        ("provider", "provider_admin"),
        ("platform", "platform_admin"),
    }
    passwords = [user["password"] for user in stack["users"]]
    assert len(set(passwords)) == len(passwords)
    assert min(map(len, passwords)) >= 12


@pytest.mark.parametrize("tenant", ["A", "B"])
def test_both_enterprises_have_their_strategies(stack: Stack, tenant: str) -> None:
    found = {strategy["trade_mode"] for strategy in stack["strategies"] if strategy["tenant"] == tenant}
    assert found == {"9710", "9610", "9810"}


def test_only_the_owner_may_read_who_they_are(stack: Stack) -> None:
    for path in (stack.run_dir / "stack.json", *(stack.run_dir / "secrets").glob("*.json")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # nor do they stand in the log of a detached start
    written = (stack.run_dir / "logs" / "stack.log").read_text()
    assert [user["username"] for user in stack["users"] if user["password"] in written] == []


def test_the_page_is_served(stack: Stack) -> None:
    with urllib.request.urlopen(stack["url"] + "/", timeout=10) as answer:
        assert "text/html" in answer.headers["Content-Type"]
        assert b"<!doctype html>" in answer.read()[:200].lower()
