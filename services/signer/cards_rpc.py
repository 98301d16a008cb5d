"""gRPC streams to seats: one reader thread and one writer per connection, one listener for all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc

from runtime import log
from runtime.errors import Problem
from runtime.grpc_server import current_actor
from runtime.wake import Listener
from services.signer.seat import Seat
from services.signer.signing import Signing
from services.signer.store import jobs

_LOG = log.get("cards")
#: seconds between looks when nothing was notified
IDLE = 5.0


class CardsServicer:
    """proto/signer/v1/cards.proto."""

    def __init__(self, making: Signing, heartbeat: int) -> None:
        """heartbeat: seconds within which each side of a connection says something."""
        self._making = making
        self._heartbeat = heartbeat
        self._lock = threading.Lock()
        self._seats: set[Seat] = set()

    def start(self, stop: threading.Event) -> None:
        """Begin to listen for work; ends by itself when stopped."""
        threading.Thread(target=self._listen, args=(stop,), name="cards-listen", daemon=True).start()

    def _listen(self, stop: threading.Event) -> None:
        listener = Listener(self._making.database.url, jobs.CHANNEL)
        while not stop.is_set():
            queues = {queue for queue, _tenant, _lane in jobs.heard(listener.wait(IDLE))}
            with self._lock:
                seats = list(self._seats)
            for seat in seats:
                if not queues or queues & seat.queues:
                    seat.wake()
        listener.close()

    def Attend(self, frames: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        actor = current_actor()
        actor.require("card.attend")
        seat = Seat(self._making, actor, self._heartbeat)
        with self._lock:
            self._seats.add(seat)
        threading.Thread(target=_read, args=(seat, frames, context), name="seat", daemon=True).start()
        try:
            yield from seat.frames(context.is_active)
        finally:
            with self._lock:
                self._seats.discard(seat)
            seat.close()


def _read(seat: Seat, frames: Iterator[Any], context: grpc.ServicerContext) -> None:
    try:
        for frame in frames:
            seat.heard(frame)
    except Problem as problem:
        # what was not taken is sent again over the next connection
        _LOG.warning("cards.ended", kind=problem.kind, reason=problem.en)
    except grpc.RpcError:
        _LOG.info("cards.cut")
    except Exception:  # noqa: BLE001 - edge of the process: gRPC answers a stream that broke on its own
        # what an iterator of a cancelled call raises has no type of its own
        if context.is_active():
            _LOG.exception("cards.failed")
    finally:
        seat.stop()
