"""One run of a stack from the first server to the last process: what `make run` does.

Owns the run folder while it lives (a lock says so); never starts beside another supervisor in the same folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tools import demo
from tools.errors import ToolError
from tools.launch import Launch, dies_with_parent, task
from tools.paths import ROOT, private_dir
from tools.ports import HOST, Ports
from tools.procs import identity_of, read_pid_file, write_pid_file
from tools.stack import estate as estates
from tools.stack import secrets
from tools.stack.environment import Estate, command_of, process_environment, task_environment
from tools.stack.files import StackFiles
from tools.stack.supervisor import Stopped, Supervisor
from tools.topology import Process, Topology

DEFAULT_PORT = 8080


def say(name: str, text: str) -> None:
    """One line on the console: time, who, what."""
    print(f"{time.strftime('%H:%M:%S')} {name:<18} {text}", flush=True)


def answers(port: int, path: str) -> bool:
    """True if an HTTP GET on 127.0.0.1 answers 200 within a second."""
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Run:
    """A stack in one run folder. `on_ready` is told once, when everything answers."""

    def __init__(
        self, run_dir: Path, topology: Topology, on_ready: Callable[[], None], *, show_accounts: bool
    ) -> None:
        self._run_dir = private_dir(run_dir)
        self._topology = topology
        self._on_ready = on_ready
        self._show_accounts = show_accounts
        self.files = StackFiles(run_dir)
        private_dir(self.files.pids)
        private_dir(self.files.logs)
        self._ops_urls: dict[str, str] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def servers(self) -> None:
        """Start only the servers, databases and roles; keep them until a signal."""
        with self._owned() as supervisor:
            estate, servers = self._start_servers(supervisor)
            self._take_ports(self._ports, http_port=0)
            self._ports.save()
            self.files.write_servers(estate, servers.postgres_url, servers.parts)
            self._write_environments(estate)
            supervisor.wait(unit.name for unit in supervisor.units)
            say("stack", f"servers ready; addresses: {self.files.servers}")
            self._on_ready()
            supervisor.watch()

    def everything(self) -> None:
        """Start the whole table; keep it until a signal."""
        with self._owned() as supervisor:
            self._take_ports(self._ports, http_port=_wanted_port())
            estate, servers = self._start_servers(supervisor)
            self._ports.save()
            self.files.write_servers(estate, servers.postgres_url, servers.parts)
            self._write_environments(estate)
            topology = self._topology
            supervisor.run_to_end(
                task(entry.name, command_of(entry), task_environment(entry, estate), entry.after)
                for entry in topology.tasks.values()
            )
            seeded: dict[str, object] = {"users": [], "strategies": []}
            if topology.demo:
                told = {
                    name: self._environment(process, estate) for name, process in topology.processes.items()
                }
                seeded = demo.seed(supervisor.run_to_end, told, self._run_dir)
            supervisor.wait(unit.name for unit in supervisor.units)  # the servers that tasks do not need
            supervisor.add(self._launch(process, estate) for process in topology.processes.values())
            supervisor.wait(topology.processes)
            content = {**self._addresses(), "parts": servers.parts, **seeded}
            self.files.write_stack(content)
            demo.announce(content, self.files.stack, accounts=self._show_accounts)
            self._on_ready()
            supervisor.watch()

    @contextlib.contextmanager
    def _owned(self) -> Iterator[Supervisor]:
        descriptor = os.open(self.files.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise ToolError(
                f"{self._run_dir}: 已有一套服务在运行,先执行 make stop,或用 RUN_DIR=… 另开一套 / "
                "a stack is running here: `make stop` first, or run beside it with RUN_DIR=…"
            ) from None
        self.files.remove()
        end_leftovers(self.files)
        own = identity_of(os.getpid())
        assert own is not None
        write_pid_file(self.files.own_pid, own)
        supervisor = Supervisor(self.files.logs, self.files.pids, say, self._changed)
        self._supervisor = supervisor
        self._ports = Ports(self.files.ports)
        self._changed()
        try:
            yield supervisor
        except Stopped:
            pass
        finally:
            self.files.stack.unlink(missing_ok=True)
            self.files.servers.unlink(missing_ok=True)
            say("stack", "stopping")
            supervisor.stop()
            self.files.remove()
            self._ports.release()
            say("stack", "stopped")
            os.close(descriptor)

    def _start_servers(self, supervisor: Supervisor) -> tuple[Estate, estates.Servers]:
        passwords = secrets.make_all(self._run_dir / "secrets", self._topology.processes)
        servers = estates.prepare(self._run_dir, self._ports, passwords, self._topology.needed())
        supervisor.add(servers.launches)
        supervisor.wait(["postgres"])  # the bus takes longest, and tasks do not need it
        services = self._topology.services_with_database()
        return estates.connect(self._run_dir, servers, services, passwords), servers

    def _take_ports(self, ports: Ports, http_port: int) -> None:
        for process in self._topology.processes.values():
            for kind in process.listens:
                wanted = http_port if kind == "http" else 0
                number = ports.take(f"{process.name}.{kind}", wanted)
                self._numbers[process.name, kind] = number
                if kind in {"ops", "control"}:
                    self._ops_urls[process.name] = f"http://{HOST}:{number}"

    def _write_environments(self, estate: Estate) -> None:
        """RUN_DIR/env/NAME: what a process is told beyond the shell's own, to run one by hand or in a test."""
        told = {task.name: task_environment(task, estate) for task in self._topology.tasks.values()}
        for process in self._topology.processes.values():
            told[process.name] = self._environment(process, estate)
        for name, environment in told.items():
            self.files.write_environment(name, environment)

    def _environment(self, process: Process, estate: Estate) -> dict[str, str]:
        return process_environment(process, self._topology.calls(process.name), estate, self._numbers)

    def _launch(self, process: Process, estate: Estate) -> Launch:
        kind, path = ("control", "/control/health") if "control" in process.listens else ("ops", "/readyz")
        port = self._numbers[process.name, kind]
        return Launch(
            name=process.name,
            command=dies_with_parent(command_of(process)),
            environment=self._environment(process, estate),
            ready=lambda: answers(port, path),
            folder=ROOT,
            after=process.after,
            address=self._addresses().get("url") if "http" in process.listens else None,
        )

    def _addresses(self) -> dict[str, str]:
        result = {}
        for (_, kind), port in self._numbers.items():
            if kind == "http":
                result["url"] = f"http://{HOST}:{port}"
            if kind == "control":
                result["simulator_url"] = f"http://{HOST}:{port}"
        return result

    def _changed(self) -> None:
        self.files.write_processes(self._supervisor.units, self._ops_urls)


def _wanted_port() -> int:
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ToolError(f"PORT={text}: 应为 0 到 65535 的整数 / must be a number from 0 to 65535")
    return int(text)


def end_leftovers(files: StackFiles) -> None:
    """End processes of an earlier run in this folder whose supervisor died without stopping them."""
    for path in sorted(files.pids.glob("*.json")):
        identity = read_pid_file(path)
        if identity and identity.pid != os.getpid() and identity.alive():
            print(f"ending {path.stem} (pid {identity.pid}), left over from an earlier run", file=sys.stderr)
            identity.send_to_group(signal.SIGTERM)
            limit = time.monotonic() + 10
            while identity.alive() and time.monotonic() < limit:
                time.sleep(0.05)
            identity.send_to_group(signal.SIGKILL)
        path.unlink(missing_ok=True)
