"""The process table: the real one holds, and each impossible one is refused with its reason."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest

from tools.errors import ToolError
from tools.paths import ROOT
from tools.topology import load, parse

GOOD: dict[str, Any] = {
    "task": {"order.migrate": {"command": ["python"], "needs": ["schema:order"]}},
    "process": {
        "order.serve": {
            "command": ["python", "-m", "x"],
            "listens": ["grpc", "ops"],
            "needs": ["database:order", "bus"],
            "after": ["order.migrate"],
            "called_by": ["gateway.http"],
        },
        "gateway.http": {"command": ["python"], "listens": ["http", "ops"], "after": ["order.serve"]},
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with one field (section/name/field) set."""
    table = copy.deepcopy(GOOD)
    section, name, field = path.split("/")
    table[section].setdefault(name, {})[field] = value
    return table


def test_the_real_table_is_possible() -> None:
    topology = load()
    assert set(topology.processes) == {
        *("order.serve", "order.consume", "order.imports", "order.relay"),
        *("list.serve", "list.consume", "list.imports", "list.relay"),
        *("signer.serve", "signer.pool", "signer.cards", "signer.consume", "signer.relay"),
        *("gateway.http", "gateway.transmit", "gateway.receipts", "gateway.relay"),
        "gateway.agents",
        "simulator",
    }
    assert topology.services_with_database() == ["gateway", "list", "order", "signer"]
    assert {callee.name for callee in topology.calls("gateway.http")} == {
        "order.serve",
        "list.serve",
        "signer.serve",
    }


def test_only_the_pool_knows_a_pin() -> None:
    assert [name for name, process in load().processes.items() if "hsm" in process.needs] == ["signer.pool"]


def test_only_the_gateway_holds_the_key_that_signs_actors() -> None:
    holders = {name for name, process in load().processes.items() if "actor-key" in process.needs}
    assert holders == {
        *("gateway.http", "gateway.transmit", "gateway.receipts", "gateway.relay", "gateway.agents"),
    }


def test_each_process_is_in_the_table_once() -> None:
    # TOML refuses a table that is written twice; commands must not repeat either
    content = tomllib.loads((ROOT / "topology.toml").read_text(encoding="utf-8"))
    commands = [tuple(entry["command"]) for entry in content["process"].values()]
    assert len(set(commands)) == len(commands)


def test_a_possible_table_is_read() -> None:
    topology = parse(GOOD, "table")
    assert topology.processes["order.serve"].command == ("python", "-m", "x")
    assert topology.processes["order.serve"].service == "order"
    assert topology.demo is False


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("process/order.serve/comand", ["x"], "unknown field 'comand'"),
        ("process/order.serve/command", [], "no command"),
        ("process/order.serve/command", "python", "must be a list of words"),
        ("process/order.serve/command", ["python", 1], "must be a list of words"),
        ("process/order.serve/listens", ["grpc", "ops", "smtp"], "listens 'smtp'"),
        ("process/order.serve/listens", ["grpc"], "neither on ops nor on control"),
        ("process/order.serve/listens", ["ops"], "has callers but does not listen on grpc"),
        ("process/order.serve/listens", ["grpc", "ops", "ops"], "names something twice"),
        ("process/order.serve/needs", ["database"], "needs 'database': unknown"),
        ("process/order.serve/needs", ["bus:order"], "needs 'bus:order'"),
        ("process/order.serve/needs", ["coffee"], "needs 'coffee': unknown"),
        ("process/order.serve/needs", ["database:signer"], "no database but its own"),
        ("process/order.serve/needs", ["schema:order"], "only a task may own tables"),
        ("process/order.serve/after", ["order.migrat"], "no such process or task"),
        ("process/order.serve/after", ["gateway.http"], "waiting in a circle"),
        ("process/order.serve/called_by", ["nobody.here"], "no such process"),
        ("process/order.serve/called_by", ["order.serve"], "calls itself"),
        ("process/order.serve/called_by", [], "nobody may call it"),
        ("process/order.migrate/command", ["python"], "both a task and a process"),
        ("process/Order Serve/command", ["python"], "one or two lower-case words"),
        ("task/order.migrate/after", ["order.serve"], "no such task"),
        ("task/order.migrate/listens", ["ops"], "unknown field 'listens'"),
    ],
)
def test_an_impossible_table_is_refused(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        parse(changed(path, value), "table")


def test_all_faults_are_named_at_once() -> None:
    table = changed("process/order.serve/needs", ["coffee", "tea"])
    table["proces"] = {}
    with pytest.raises(ToolError) as caught:
        parse(table, "table")
    for part in ("table:", "'proces'", "'coffee'", "'tea'"):
        assert part in str(caught.value)


def test_calls_in_a_circle_are_refused() -> None:
    table = copy.deepcopy(GOOD)
    table["process"]["gateway.http"] |= {
        "listens": ["http", "ops", "grpc"],
        "called_by": ["order.serve"],
        "after": [],
    }
    with pytest.raises(ToolError, match="calling in a circle"):
        parse(table, "table")


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ToolError, match="no process"):
        parse({}, "table")
