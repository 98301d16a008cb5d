"""Reads topology.toml, the one table of processes: who runs, listens, needs, waits and may call.

Pure apart from reading the file; never guesses. An impossible table raises with every fault it has.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.paths import ROOT

LISTENS = ("http", "grpc", "edge", "enrol", "ops", "control")
# needs without an argument; what each becomes in a process's environment: tools/stack/environment.py
PLAIN_NEEDS = (
    "bus",
    "redis",
    "customs",
    "spool",
    "hsm",
    "actor-key",
    "edge-authority",
    "edge-address",
    "web",
    "font",
    "authority",
)
# needs with the name of the service whose database is meant: as app, relay or owner role
DATABASE_NEEDS = ("database", "outbox", "schema")
NAME = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)?")


@dataclass(frozen=True)
class Process:
    """One process that stays. `after` are names of processes or tasks; `called_by` may open its gRPC port."""

    name: str
    command: tuple[str, ...]
    listens: tuple[str, ...]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    called_by: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The part before the dot: whose process it is."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Task:
    """One command that ends, run before any process."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topology:
    """The whole table. `demo` tells whether the demo profile can be seeded into it."""

    processes: Mapping[str, Process]
    tasks: Mapping[str, Task]
    demo: bool

    def services_with_database(self) -> list[str]:
        """Names of services that own a database, sorted."""
        entries: list[Process | Task] = [*self.processes.values(), *self.tasks.values()]
        found = {need.partition(":")[2] for entry in entries for need in entry.needs if ":" in need}
        return sorted(found)

    def calls(self, caller: str) -> list[Process]:
        """The processes that `caller` may call."""
        return [process for process in self.processes.values() if caller in process.called_by]

    def needed(self) -> set[str]:
        """All kinds of needs in the table, without the names of services."""
        entries: list[Process | Task] = [*self.processes.values(), *self.tasks.values()]
        return {need.partition(":")[0] for entry in entries for need in entry.needs}


def load(path: Path = ROOT / "topology.toml") -> Topology:
    """Read and check a table. Raises ToolError naming every fault."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ToolError(f"{path.name}: {error}") from error
    return parse(content, path.name)


def parse(content: Mapping[str, Any], source: str) -> Topology:
    """Check a table that was read. Raises ToolError naming every fault."""
    faults = [f"unknown section {name!r}" for name in content if name not in {"process", "task", "demo"}]
    process_allowed = {"command", "listens", "needs", "after", "called_by"}
    processes = {}
    for name, entry in content.get("process", {}).items():
        fields = _fields(f"process.{name}", entry, process_allowed, faults)
        processes[name] = Process(name=name, **({"command": (), "listens": ()} | fields))
    tasks = {}
    for name, entry in content.get("task", {}).items():
        fields = _fields(f"task.{name}", entry, {"command", "needs", "after"}, faults)
        tasks[name] = Task(name=name, **({"command": ()} | fields))
    demo = content.get("demo", False)
    if not isinstance(demo, bool):
        faults.append("demo must be true or false")
    if not processes:
        faults.append("no process")
    faults += [f"{name} is both a task and a process" for name in processes.keys() & tasks.keys()]
    for process in processes.values():
        faults += _process_faults(process, processes, tasks)
    for task in tasks.values():
        faults += _entry_faults(f"task.{task.name}", task.name, task.command, task.needs)
        faults += [
            f"task.{task.name}: after {name!r}: no such task" for name in task.after if name not in tasks
        ]
    faults += _cycle_faults([*processes.values(), *tasks.values()])
    if faults:
        raise ToolError(f"{source}: " + "; ".join(faults))
    return Topology(processes=processes, tasks=tasks, demo=demo)


def _fields(where: str, entry: Any, allowed: set[str], faults: list[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(entry, dict):
        faults.append(f"{where} must be a table")
        return {}
    result = {}
    for name, value in entry.items():
        if name not in allowed:
            faults.append(f"{where}: unknown field {name!r}")
        elif not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            faults.append(f"{where}: {name} must be a list of words")
        elif len(set(value)) != len(value) and name != "command":
            faults.append(f"{where}: {name} names something twice")
        else:
            result[name] = tuple(value)
    return result


def _entry_faults(where: str, name: str, command: tuple[str, ...], needs: tuple[str, ...]) -> Iterable[str]:
    if not NAME.fullmatch(name):
        yield f"{where}: a name is one or two lower-case words joined by a dot"
    if not command:
        yield f"{where}: no command"
    for need in needs:
        kind, colon, service = need.partition(":")
        if colon and (kind not in DATABASE_NEEDS or not re.fullmatch("[a-z]+", service)):
            yield f"{where}: needs {need!r}: use one of {', '.join(DATABASE_NEEDS)} and the name of a service"
        if not colon and kind not in PLAIN_NEEDS:
            yield f"{where}: needs {need!r}: unknown; one of {', '.join(PLAIN_NEEDS)}"


def _process_faults(
    process: Process, processes: Mapping[str, Process], tasks: Mapping[str, Task]
) -> Iterable[str]:
    where = f"process.{process.name}"
    yield from _entry_faults(where, process.name, process.command, process.needs)
    for listen in process.listens:
        if listen not in LISTENS:
            yield f"{where}: listens {listen!r}: one of {', '.join(LISTENS)}"
    if not {"ops", "control"} & set(process.listens):
        yield f"{where}: listens neither on ops nor on control, so nobody can tell whether it is ready"
    for need in process.needs:
        kind, _, service = need.partition(":")
        if kind == "schema":
            yield f"{where}: needs {need!r}: only a task may own tables"
        elif kind in DATABASE_NEEDS and service != process.service:
            yield f"{where}: needs {need!r}: a service may use no database but its own"
    for name in process.after:
        if name not in processes and name not in tasks:
            yield f"{where}: after {name!r}: no such process or task"
    yield from _caller_faults(where, process, processes)


def _caller_faults(where: str, process: Process, processes: Mapping[str, Process]) -> Iterable[str]:
    for name in process.called_by:
        if name not in processes:
            yield f"{where}: called by {name!r}: no such process"
        elif name == process.name:
            yield f"{where}: calls itself"
    if process.called_by and "grpc" not in process.listens:
        yield f"{where}: has callers but does not listen on grpc"
    if "grpc" in process.listens and not process.called_by:
        yield f"{where}: listens on grpc but nobody may call it"


def _cycle_faults(entries: list[Process | Task]) -> list[str]:
    faults = []
    waits = {entry.name: entry.after for entry in entries}
    calls = {entry.name: entry.called_by for entry in entries if isinstance(entry, Process)}
    for what, graph in (("waiting", waits), ("calling", calls)):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            faults.append(f"{what} in a circle: {' -> '.join(error.args[1])}")
    return faults
