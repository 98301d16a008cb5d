"""The command line of the supervisor: up, servers, down, status, env.

Never does the work itself; it parses, detaches and reports.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from tools.errors import ToolError
from tools.paths import ROOT, run_dir
from tools.procs import read_pid_file
from tools.stack import detached
from tools.stack.files import StackFiles
from tools.stack.running import Run, end_leftovers
from tools.topology import load

STOP_SECONDS = 90


def main() -> int:
    """Parse, do, and turn a ToolError into one message and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description=__doc__)
    parser.add_argument(
        "--topology", type=Path, default=ROOT / "topology.toml", help="another table of processes"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start the whole stack and stay until Ctrl-C"),
        ("servers", "start only PostgreSQL, Redis, RabbitMQ and the token, with databases and roles"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--detach", action="store_true", help="return when everything is ready")
        command.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    commands.add_parser("down", help="stop the stack of this run folder")
    commands.add_parser("status", help="list what runs in this run folder")
    arguments = parser.parse_args()
    files = StackFiles(run_dir())
    try:
        match arguments.command:
            case "down":
                return _down(files)
            case "status":
                return _status(files)
            case _ if arguments.detach:
                return _detach(arguments)
        return _run(arguments)
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    def on_ready() -> None:
        if arguments.ready_fd is not None:
            os.write(arguments.ready_fd, detached.READY)
            os.close(arguments.ready_fd)

    # a detached stack's console is a log file, which is no place for passwords
    run = Run(run_dir(), load(arguments.topology), on_ready, show_accounts=arguments.ready_fd is None)
    if arguments.command == "servers":
        run.servers()
    else:
        run.everything()
    return 0


def _detach(arguments: argparse.Namespace) -> int:
    process = detached.start(run_dir(), arguments.command, arguments.topology, os.environ, with_parent=False)
    print(f"running (pid {process.pid}), log: {StackFiles(run_dir()).logs / 'stack.log'}")
    return 0


def _down(files: StackFiles) -> int:
    supervisor = read_pid_file(files.own_pid)
    if supervisor and supervisor.alive():
        supervisor.send(signal.SIGTERM)
        limit = time.monotonic() + STOP_SECONDS
        while supervisor.alive() and time.monotonic() < limit:
            time.sleep(0.05)
        if supervisor.alive():
            supervisor.send(signal.SIGKILL)
    # only what a supervisor left that could not stop its children
    end_leftovers(files)
    files.remove()
    print("stopped")
    return 0


def _status(files: StackFiles) -> int:
    supervisor = read_pid_file(files.own_pid)
    if not (supervisor and supervisor.alive()):
        print("not running")
        return 1
    processes = json.loads(files.processes.read_text()) if files.processes.exists() else {}
    for name, entry in processes.items():
        state = "ready" if entry["ready"] else "not ready"
        print(f"{name:<18} {state:<10} pid {entry['pid'] or '-':<8} restarts {entry['restarts']}")
    return 0 if processes and all(entry["ready"] for entry in processes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
