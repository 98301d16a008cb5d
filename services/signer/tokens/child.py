"""The life of a token process: open the token once, answer frames in one thread, die with the parent.

Must never outlive the signer: it holds a logged-in session.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable

from services.signer.tokens import wire
from services.signer.tokens.base import FATAL, SignRequest, Token, TokenError

_PR_SET_PDEATHSIG = 1


def run(open_token: Callable[[], Token]) -> None:
    """Serve the socket whose descriptor is the first argument, until the parent closes it."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    try:
        token = open_token()
    except TokenError as exc:
        wire.send(channel, [b"unusable", exc.code.encode(), exc.reason.encode()])
        return
    # only now: SoftHSM rewrites its token at every login and loses it if the process is killed meanwhile (measured)
    _die_with_parent(int(sys.argv[2]))
    info = token.info()
    flags = b"1" if info.hardware else b"0"
    wire.send(channel, [b"ready", info.name.encode(), flags, *(name.encode() for name in info.mechanisms)])
    while True:
        try:
            request = wire.receive(channel)
        except wire.FrameError:
            return
        try:
            answer = _answer(token, request)
        except TokenError as exc:
            wire.send(channel, [b"failed", exc.code.encode(), exc.reason.encode()])
            if exc.code in FATAL:
                # one lost token poisons the library for the whole process: a new process is the way back
                return
        else:
            wire.send(channel, answer)


def _answer(token: Token, request: list[bytes]) -> list[bytes]:
    verb, *arguments = request
    match verb:
        case b"sign":
            requests = [
                SignRequest(arguments[at].decode(), arguments[at + 1].decode(), arguments[at + 2])
                for at in range(0, len(arguments), 3)
            ]
            answer = [b"ok"]
            for result in token.sign_batch(requests):
                if isinstance(result, TokenError):
                    answer += (result.code.encode(), result.reason.encode())
                else:
                    answer += (b"", result)
            return answer
        case b"keys":
            return [b"ok", *(key.encode() for key in token.key_names())]
        case b"public":
            return [b"ok", token.public_key(arguments[0].decode())]
        case b"generate":
            return [b"ok", token.generate(arguments[0].decode(), arguments[1].decode())]
    raise TokenError("failed", f"unknown verb {verb!r}")


def _die_with_parent(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # a vendor's call that hangs would never notice the closed pipe
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        # it ended while we logged in
        sys.exit(1)
