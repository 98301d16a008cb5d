"""Starts a supervisor without a terminal and waits until it says that everything is ready.

Used by `--detach` and by tests; never polls: the supervisor writes into a pipe, or its end closes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.errors import ToolError
from tools.launch import dies_with_parent
from tools.paths import ROOT, private_dir
from tools.stack.files import StackFiles

READY = b"ready"


def start(
    run_dir: Path, command: str, topology: Path, environment: Mapping[str, str], *, with_parent: bool
) -> subprocess.Popen[bytes]:
    """Start `command` (up or servers) for a run folder; `with_parent`: it stops when the caller dies.

    Raises ToolError with what the supervisor printed if it ends before all is ready."""
    log = private_dir(StackFiles(private_dir(run_dir)).logs) / "stack.log"
    receive, send = os.pipe()
    words: tuple[str, ...] = (sys.executable, "-m", "tools.stack", "--topology", str(topology.resolve()))
    words = (*words, command, "--ready-fd", str(send))
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(
            dies_with_parent(words) if with_parent else words,
            cwd=ROOT,
            env=dict(environment) | {"RUN_DIR": str(run_dir.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[send],
        )
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        if pipe.read() == READY:  # ends with the word, or with the process
            return process
    process.wait()
    with log.open("rb") as written:
        written.seek(begin)
        raise ToolError(written.read().decode(errors="replace").strip())
