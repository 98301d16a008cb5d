"""The agent's handle of one module process: start, call under a deadline, kill. Used by one thread at a time."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.cards import wire
from agent.cards.base import CardError

_ROOT = Path(__file__).resolve().parents[2]
#: all that a vendor's library is given of our environment
_PASSED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "PCSCLITE_CSOCK_NAME",
    "SYSTEMROOT", "WINDIR", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES",
)  # fmt: skip
_END_SECONDS = 2.0


class Process:
    """One `python -m agent.cards.child`."""

    def __init__(self, path: str, environment: Mapping[str, str]) -> None:
        """Start it for the library at `path`; the library is loaded at the first call."""
        given = {name: value for name in _PASSED if (value := os.environ.get(name)) is not None}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agent.cards.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd=_ROOT,
                env={**given, **environment},
                **_apart(),
            )
        except OSError as exc:
            raise CardError("lost", f"the module's process cannot be started: {exc}") from exc
        self._answers: queue.SimpleQueue[list[bytearray] | None] = queue.SimpleQueue()
        # a thread, because Windows cannot wait for a pipe with a limit
        threading.Thread(target=self._read, name="module-answers", daemon=True).start()
        try:
            wire.send(self._stdin, [path.encode()])
        except wire.FrameError as exc:
            self.kill()
            raise CardError("lost", f"the module's process did not start: {exc}") from exc

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self._process.poll() is None

    def call(self, fields: Sequence[bytes | bytearray], seconds: float) -> list[bytearray]:
        """Raises CardError; code lost: the process was killed."""
        try:
            wire.send(self._stdin, fields)
            answer = self._answers.get(timeout=seconds)
        except wire.FrameError as exc:
            self.kill()
            raise CardError("lost", f"the module's process ended: {exc}") from exc
        except queue.Empty as exc:
            self.kill()
            raise CardError("lost", f"the module did not answer within {seconds:g} s") from exc
        if answer and answer[0] == b"ok":
            return answer[1:]
        if answer and answer[0] == b"failed" and len(answer) == 4:
            code, reason, left = (field.decode(errors="replace") for field in answer[1:])
            raise CardError(code, reason, left)
        self.kill()
        ended = self._process.wait()
        raise CardError("lost", f"the module's process ended ({ended})")

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._stdin.close()

    def close(self) -> None:
        """Let it end by itself; kill it if it does not."""
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    def _read(self) -> None:
        # closed by who reads it: another thread's close could hand its number to another file in between
        with self._process.stdout as pipe:  # type: ignore[union-attr]
            while True:
                try:
                    self._answers.put(wire.receive(pipe))  # type: ignore[arg-type]
                except wire.FrameError:
                    self._answers.put(None)
                    return


def _apart() -> dict[str, Any]:
    """Signals of our terminal are not for the children: one in the middle of a login can cost a software token."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
