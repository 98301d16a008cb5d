"""Ports of a stack: free, kept over restarts, and never shared by two stacks."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tools.errors import ToolError
from tools.ports import FIRST, HOST, LAST, Ports


def test_two_stacks_that_start_together_never_share_a_port(tmp_path: Path) -> None:
    stacks = [Ports(tmp_path / f"{number}.json") for number in range(4)]
    taken = [stack.take(f"port{index}") for index in range(50) for stack in stacks]
    assert len(set(taken)) == len(taken)
    assert all(FIRST <= port <= LAST for port in taken)


def test_a_name_keeps_its_port_also_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = Ports(file)
    port = first.take("postgres")
    assert first.take("postgres") == port
    first.save()
    first.release()
    assert json.loads(file.read_text()) == {"postgres": port}
    assert file.stat().st_mode & 0o777 == 0o600
    second = Ports(file)
    assert second.take("postgres") == port
    second.release()


def test_an_earlier_port_that_another_program_took_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    earlier = Ports(file)
    port = earlier.take("redis")
    earlier.save()
    earlier.release()
    with socket.create_server((HOST, port)):
        later = Ports(file)
        assert later.take("redis") != port
        later.release()


def test_a_wanted_port_that_is_taken_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        ports = Ports(tmp_path / "ports.json")
        with pytest.raises(ToolError, match=rf"port {port} is taken.*PORT=0"):
            ports.take("http", port)
        ports.release()
