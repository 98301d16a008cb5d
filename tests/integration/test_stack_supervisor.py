"""The supervisor with real servers and stand-in processes: order, readiness, restarts, a clean end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.eventually import eventually
from tests.support.stack import BASE, Stack, running, tool
from tools.paths import ROOT
from tools.procs import start_time

TABLE = ROOT / "tests/support/standins.toml"
LIGHT = ROOT / "tests/support/standins-light.toml"


@pytest.fixture(scope="module")
def standins() -> Iterator[Stack]:
    """A running stack of stand-ins."""
    with running(BASE / "standins", "up", TABLE) as run_dir:
        yield Stack(json.loads((run_dir / "stack.json").read_text()), run_dir)


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Path]:
    """A run folder for a second stack, far from the checkout."""
    yield tmp_path / "run"
    tool(tmp_path / "run", "down")


def diary(stack: Stack) -> list[str]:
    lines = (stack.run_dir / "diary").read_text().splitlines()
    return [line.partition(" ")[2] for line in lines]


def environment_of(url: str) -> dict[str, str]:
    """What a stand-in was told."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        found: dict[str, str] = json.loads(answer.read())
        return found


def wait_for_restart(stack: Stack, name: str, old: int, timeout: float = 30) -> dict[str, Any]:
    def again() -> dict[str, Any] | None:
        entry = stack.processes()[name]
        return entry if entry["ready"] and entry["pid"] not in {None, old} else None

    return eventually(again, f"{name} is ready again", timeout=timeout) or {}


def write_table(path: Path, kind: str) -> Path:
    """A table with one process of a kind and nothing else."""
    path.write_text(
        f'[process.simulator]\ncommand = ["python", "-m", "tests.support.standin", "{kind}"]\nlistens = ["control"]\n'
    )
    return path


class TestStart:
    def test_each_starts_after_what_it_waits_for(self, standins: Stack) -> None:
        written = diary(standins)
        assert written.index("order.migrate done") < written.index("order.serve started")
        assert written.index("order.serve started") < written.index("gateway.http started")
        assert {"simulator started"} <= set(written)

    def test_stack_json_tells_where_to_go(self, standins: Stack) -> None:
        path = standins.run_dir / "stack.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert set(standins) == {"url", "simulator_url", "parts", "users", "strategies"}
        assert standins["parts"]["database"].startswith("postgresql 18")
        assert standins["parts"]["bus"].startswith("rabbitmq 3.")
        told = environment_of(standins.processes()["gateway.http"]["ops_url"] + "/readyz")
        assert standins["url"] == f"http://{told['HTTP_LISTEN']}"
        assert standins["simulator_url"] == standins.processes()["simulator"]["ops_url"]

    def test_a_process_can_use_what_it_was_told(self, standins: Stack) -> None:
        told = environment_of(standins.processes()["order.serve"]["ops_url"])
        with psycopg.connect(told["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("order_app",)
        for name in (
            "TLS_CA_FILE",
            "TLS_CERT_FILE",
            "TLS_KEY_FILE",
            "ACTOR_PUBLIC_KEY_FILE",
            "SIGNER_DEVICES_FILE",
        ):
            assert Path(told[name]).stat().st_size

    def test_a_second_start_in_the_same_folder_is_refused(self, standins: Stack) -> None:
        refused = tool(standins.run_dir, "--topology", str(TABLE), "up", "--detach")
        assert refused.returncode == 1
        assert "make stop" in refused.stderr
        assert "RUN_DIR" in refused.stderr
        assert standins.processes()["gateway.http"]["ready"]

    def test_status_lists_every_process(self, standins: Stack) -> None:
        answer = tool(standins.run_dir, "status")
        assert answer.returncode == 0
        for name in ("postgres", "redis", "rabbitmq", "order.serve", "gateway.http", "simulator"):
            assert name in answer.stdout

    def test_two_stacks_run_side_by_side(self, standins: Stack, beside: Path) -> None:
        with running(beside, "up", LIGHT):
            other = json.loads((beside / "stack.json").read_text())
            mine = json.loads((standins.run_dir / "ports.json").read_text())
            theirs = json.loads((beside / "ports.json").read_text())
            assert not set(mine.values()) & set(theirs.values())
            assert other["url"] != standins["url"]
        # stopping one leaves the other alone
        assert tool(standins.run_dir, "status").returncode == 0

    def test_servers_named_by_variables_are_used_and_none_is_started(
        self, standins: Stack, beside: Path
    ) -> None:
        outside = standins.servers()
        begun = tool(
            beside,
            "servers",
            "--detach",
            TONGGUAN_POSTGRES_URL=outside["postgres_url"],
            TONGGUAN_REDIS_URL=outside["redis_url"],
            TONGGUAN_AMQP_URL=urlsplit(outside["bus_url"])._replace(path="").geturl(),
            TONGGUAN_DEVICES_FILE=outside["devices_file"],
        )
        assert begun.returncode == 0, begun.stderr
        found = json.loads((beside / "servers.json").read_text())
        assert json.loads((beside / "processes.json").read_text()) == {}
        assert (found["bus_url"], found["redis_url"]) == (outside["bus_url"], outside["redis_url"])
        assert {part.rpartition(" ")[2] for part in found["parts"].values()} == {"(outside)"}

    def test_an_outside_server_that_refuses_us_is_named(self, standins: Stack, beside: Path) -> None:
        wrong = urlsplit(standins.servers()["postgres_url"])
        url = wrong._replace(netloc=f"postgres:wrong@{wrong.hostname}:{wrong.port}").geturl()
        refused = tool(beside, "servers", "--detach", TONGGUAN_POSTGRES_URL=url)
        assert refused.returncode == 1
        assert f"PostgreSQL at {wrong.hostname}:{wrong.port}" in refused.stderr
        assert "wrong@" not in refused.stderr
        assert not (beside / "servers.json").exists()


class TestRestart:
    def test_a_killed_process_comes_back_and_its_children_do_not_stay(self, standins: Stack) -> None:
        before = standins.processes()["order.serve"]
        child = int((standins.run_dir / "child.pid").read_text())
        os.kill(before["pid"], signal.SIGKILL)
        after = wait_for_restart(standins, "order.serve", before["pid"])
        assert after["ops_url"] == before["ops_url"]
        assert after["restarts"] == before["restarts"] + 1
        assert start_time(child) is None
        # nobody else was touched
        assert standins.processes()["gateway.http"]["restarts"] == 0

    @pytest.mark.parametrize("name", ["postgres", "redis", "rabbitmq", "epmd"])
    def test_a_killed_server_comes_back_at_its_place_with_its_data(self, standins: Stack, name: str) -> None:
        servers = standins.servers()
        with psycopg.connect(servers["postgres_url"]) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (name text)")
            connection.execute("INSERT INTO kept VALUES (%s)", (name,))
        before = standins.processes()[name]["pid"]
        os.kill(before, signal.SIGKILL)
        wait_for_restart(standins, name, before, timeout=60)
        assert standins.servers() == servers
        with psycopg.connect(servers["postgres_url"]) as connection:
            assert connection.execute("SELECT 1 FROM kept WHERE name = %s", (name,)).fetchone()

    def test_pauses_between_restarts_grow(self, standins: Stack) -> None:
        for _ in range(3):
            entry = eventually(
                lambda: (now := standins.processes()["simulator"]) and now["ready"] and now,
                "simulator is ready",
            )
            os.kill(entry["pid"], signal.SIGKILL)
            wait_for_restart(standins, "simulator", entry["pid"])
        lines = (standins.run_dir / "logs/stack.log").read_text().splitlines()
        pauses = [
            line.partition("again in ")[2].split()[0]
            for line in lines
            if " simulator " in line and "again" in line
        ]
        assert pauses[:3] == ["0.3", "0.6", "1.2"]


class TestStop:
    def test_all_end_in_reverse_order_and_nothing_is_left(self, beside: Path) -> None:
        with running(beside, "up", LIGHT):
            stack = Stack(json.loads((beside / "stack.json").read_text()), beside)
            pids = [entry["pid"] for entry in stack.processes().values()]
            ports = json.loads((beside / "ports.json").read_text()).values()
        assert [pid for pid in pids if start_time(pid) is not None] == []
        written = diary(stack)
        assert written.index("gateway.http stopped") < written.index("order.serve stopped")
        for name in ("stack.json", "servers.json", "processes.json", "env"):
            assert not (beside / name).exists()
        assert list((beside / "pids").iterdir()) == []
        for port in ports:
            with contextlib.closing(socket.create_server(("127.0.0.1", port))):
                pass
        assert tool(beside, "status").returncode == 1
        assert tool(beside, "down").returncode == 0  # again: nothing to do

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_in_the_foreground_a_signal_stops_all(self, beside: Path, number: signal.Signals) -> None:
        command = [sys.executable, "-m", "tools.stack", "--topology", str(LIGHT), "up"]
        environment = os.environ | {"RUN_DIR": str(beside), "PORT": "0"}
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            eventually((beside / "stack.json").exists, "the stack is ready", timeout=60)
            pids = [entry["pid"] for entry in json.loads((beside / "processes.json").read_text()).values()]
            process.send_signal(number)
            output = process.communicate(timeout=30)[0]
        assert process.returncode == 0
        assert (
            f"http://127.0.0.1:{json.loads((beside / 'ports.json').read_text())['gateway.http.http']}"
            in output
        )
        assert [pid for pid in pids if start_time(pid) is not None] == []
        assert not (beside / "stack.json").exists()

    def test_a_process_that_does_not_stop_is_killed(self, beside: Path, tmp_path: Path) -> None:
        table = write_table(tmp_path / "stubborn.toml", "stubborn")
        with running(beside, "up", table):
            pid = json.loads((beside / "processes.json").read_text())["simulator"]["pid"]
        assert start_time(pid) is None
        assert "does not stop: killed" in (beside / "logs/stack.log").read_text()

    def test_a_killed_supervisor_takes_all_with_it_and_the_next_start_works(self, beside: Path) -> None:
        with running(beside, "up", LIGHT):
            pids = [entry["pid"] for entry in json.loads((beside / "processes.json").read_text()).values()]
            os.kill(json.loads((beside / "pids/supervisor.json").read_text())["pid"], signal.SIGKILL)
            eventually(lambda: all(start_time(pid) is None for pid in pids), "all have ended", timeout=30)
            begun = tool(beside, "--topology", str(LIGHT), "up", "--detach")
            assert begun.returncode == 0, begun.stderr

    def test_a_killed_test_run_leaves_nothing_behind(self, beside: Path) -> None:
        code = (
            "import signal, sys; from pathlib import Path; from tests.support.stack import running\n"
            "with running(Path(sys.argv[1]), 'up', Path(sys.argv[2])): print(flush=True); signal.pause()"
        )
        command = [sys.executable, "-c", code, str(beside), str(LIGHT)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as test_run:
            assert test_run.stdout
            assert test_run.stdout.readline() == "\n"
            pids = [entry["pid"] for entry in json.loads((beside / "processes.json").read_text()).values()]
            test_run.kill()
        eventually(lambda: all(start_time(pid) is None for pid in pids), "all have ended", timeout=30)
        eventually(lambda: not (beside / "stack.json").exists(), "stack.json is removed")

    def test_stop_never_ends_a_stranger_with_an_old_number(self, beside: Path) -> None:
        pids = beside / "pids"
        pids.mkdir(parents=True)
        # this test's own process, but with the start time of an earlier one
        (pids / "order.serve.json").write_text(json.dumps({"pid": os.getpid(), "started": 1}))
        (pids / "supervisor.json").write_text(json.dumps({"pid": os.getpid(), "started": 1}))
        assert tool(beside, "down").returncode == 0
        assert list(pids.iterdir()) == []


class TestFailure:
    def test_a_process_that_cannot_start_is_reported_with_its_last_words(
        self, beside: Path, tmp_path: Path
    ) -> None:
        table = write_table(tmp_path / "broken.toml", "broken")
        failed = tool(beside, "--topology", str(table), "up", "--detach")
        assert failed.returncode == 1
        assert "simulator: ended with 3" in failed.stderr
        assert "cannot start: the moon is wrong" in failed.stderr
        assert not (beside / "stack.json").exists()
        assert list((beside / "pids").iterdir()) == []

    def test_a_taken_port_is_named_with_the_way_out(self, beside: Path) -> None:
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
            failed = tool(beside, "--topology", str(LIGHT), "up", "--detach", PORT=str(port))
        assert failed.returncode == 1
        assert f"port {port} is taken" in failed.stderr
        assert "PORT=0" in failed.stderr

    @pytest.mark.parametrize("port", ["eighty", "70000", "-1", "８０"])
    def test_a_port_that_is_none_is_refused(self, beside: Path, port: str) -> None:
        failed = tool(beside, "--topology", str(LIGHT), "up", "--detach", PORT=port)
        assert failed.returncode == 1
        assert f"PORT={port}" in failed.stderr
