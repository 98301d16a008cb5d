"""The parent's handle of one token process: start, call under a deadline, kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from services.signer.tokens import wire
from services.signer.tokens.base import TokenError, TokenInfo

#: seconds to load a library, log in and find the keys; longer ones are taken for hanging
START_SECONDS = 20.0
_ROOT = Path(__file__).resolve().parents[3]
#: a vendor's library gets none of our addresses and none of our other secrets
_WITHHELD = ("_URL", "_GRPC", "_LISTEN")
_WITHHELD_BEGINNINGS = ("TLS_", "ACTOR_", "TOKEN_", "SEALED_", "SIGNER_")


class Worker:
    """One child process. Not for several threads at once."""

    def __init__(self, module: str, settings: dict[str, str]) -> None:
        """Start `python -m module`; raises TokenError if its token cannot be used."""
        ours, theirs = socket.socketpair()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.endswith(_WITHHELD) and not name.startswith(_WITHHELD_BEGINNINGS)
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                cwd=_ROOT,
                env=environment | settings,
                # signals to our group are not for it: killed in the middle of a login it can cost a soft token
                start_new_session=True,
            )
        self._channel = ours
        #: when its last answer came (monotonic)
        self.used = time.monotonic()
        try:
            self.info = self._hello(wire.receive(ours, START_SECONDS))
        except wire.FrameError as exc:
            self.kill()
            raise TokenError("lost", f"the token process did not start: {exc}") from exc
        except TokenError:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @staticmethod
    def _hello(fields: list[bytes]) -> TokenInfo:
        if fields[0] == b"ready":
            mechanisms = frozenset(field.decode() for field in fields[3:])
            return TokenInfo(fields[1].decode(), fields[2] == b"1", mechanisms)
        raise TokenError(fields[1].decode(), fields[2].decode(errors="replace"))

    @property
    def alive(self) -> bool:
        """Does the child still run? A stopped one does, too."""
        return self._process.poll() is None

    def call(self, fields: Sequence[bytes], seconds: float) -> list[bytes]:
        """Send a request and wait for its answer. Raises TokenError; code lost: this process is of no more use."""
        try:
            wire.send(self._channel, fields, seconds)
            answer = wire.receive(self._channel, seconds)
        except wire.FrameError as exc:
            raise TokenError("lost", f"the token process gave no answer: {exc}") from exc
        self.used = time.monotonic()
        if answer and answer[0] == b"ok":
            return answer[1:]
        if len(answer) == 3 and answer[0] == b"failed":
            raise TokenError(answer[1].decode(), answer[2].decode(errors="replace"))
        raise TokenError("lost", "the token process answered something else")

    def kill(self) -> None:
        """End the process whatever it does."""
        self._channel.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Let the process end by itself; kill it if it does not."""
        self._channel.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.kill()
