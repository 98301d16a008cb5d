"""The life of a module's process, `python -m agent.cards.child`: orders come in over standard input, answers go out.

Ends when the agent does: whoever reads the pipe sees its end even while a vendor's call hangs in the other thread.
Must never put a PIN anywhere but into the login it came for.
"""

from __future__ import annotations

import os
import queue
import sys
import threading

from agent.cards import wire
from agent.cards.base import CardError, dump
from agent.cards.module import Module

#: how long a login under way is waited for: killing a process in one was seen to cost a software token
_LOGIN_SECONDS = 10.0


def main() -> None:
    """Serve until the pipe closes."""
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    target = os.fdopen(os.dup(1), "wb", buffering=0)
    # what a library prints must not end up between our frames
    os.dup2(2, 1)
    orders: queue.SimpleQueue[list[bytearray]] = queue.SimpleQueue()
    idle = threading.Event()
    idle.set()

    def read() -> None:
        while True:
            try:
                orders.put(wire.receive(source))
            except wire.FrameError:
                idle.wait(_LOGIN_SECONDS)
                os._exit(0)

    first = wire.receive(source)
    module = Module(first[0].decode())
    threading.Thread(target=read, daemon=True).start()
    while True:
        order = orders.get()
        try:
            answer = _answer(module, order, idle)
        except CardError as exc:
            answer = [b"failed", exc.code.encode(), exc.reason.encode(), exc.left.encode()]
        try:
            wire.send(target, answer)
        except wire.FrameError:
            sys.exit(0)


def _answer(module: Module, order: list[bytearray], idle: threading.Event) -> list[bytes]:
    match bytes(order[0]):
        case b"look":
            return [b"ok", dump(module.look())]
        case b"login":
            _, fingerprint, although_low, pin = order
            idle.clear()
            try:
                module.login(fingerprint.decode(), pin, although_low=although_low == b"1")
            finally:
                pin[:] = bytes(len(pin))
                idle.set()
            return [b"ok"]
        case b"sign":
            _, fingerprint, mechanism, payload = order
            return [b"ok", module.sign(fingerprint.decode(), int(mechanism), bytes(payload))]
    raise CardError("failed", "unknown order")


if __name__ == "__main__":
    main()
