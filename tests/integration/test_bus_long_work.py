"""A handler that takes longer than the broker waits for a heartbeat keeps its message; a lost line hurts nobody."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from runtime import bus
from runtime.bus import Bus, BusConsumer, Delivery, Message, event_queue
from tests.support.eventually import eventually


def test_long_work_keeps_its_connection_and_its_message(
    servers: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # the broker hangs up on who is silent for two of these
    monkeypatch.setattr(bus, "HEARTBEAT", 1)
    url, key = servers["bus_url"], f"test.{uuid.uuid4()}"
    stop, seen, lost = threading.Event(), [], threading.Event()
    pause = threading.Event()

    def work(batch: list[Delivery]) -> None:
        (delivery,) = batch
        seen.append(delivery.id)
        if delivery.body == b"long":
            for _ in range(50):
                pause.wait(0.1)
                delivery.keep_alive()
        elif not lost.is_set():
            lost.set()
            delivery.message.channel.connection.transport.sock.close()
            delivery.keep_alive()

    consumer = BusConsumer(url, event_queue(key, [key]), work, stop, prefetch=1, batch=1)
    thread = threading.Thread(target=consumer.run)
    thread.start()
    publisher = Bus(url)
    try:
        assert consumer.connected.wait(10)
        ids = [str(uuid.uuid4()) for _ in range(2)]
        for number, body in zip(ids, (b"long", b"lost"), strict=True):
            publisher.publish_many(
                [Message(key, {"id": number, "tenant": "", "actor": "", "type": ""}, body)]
            )
        # the long one once: its acknowledgement arrived; the lost one comes again
        eventually(lambda: len(seen) == 3, "both are worked on", 30)
        assert seen == [ids[0], ids[1], ids[1]]
    finally:
        stop.set()
        thread.join()
        connection = publisher.connect()
        event_queue(key, [key])(connection.channel()).delete()
        publisher.close()
