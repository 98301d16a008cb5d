"""A dead channel is left alone, probed by single messages, and trusted again after one success."""

from __future__ import annotations

from services.gateway.customs.circuit import FIRST_PROBE, LAST_PROBE, THRESHOLD, Circuit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_its_life() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(THRESHOLD - 1):
        circuit.failed("refused")
    assert circuit.admits(50) == 50
    circuit.failed("refused")
    assert circuit.open
    assert circuit.reason == "refused"
    assert circuit.admits(50) == 0

    clock.now += FIRST_PROBE
    assert circuit.admits(50) == 1
    circuit.failed("still refused")
    assert circuit.admits(50) == 0
    clock.now += FIRST_PROBE
    assert circuit.admits(50) == 0
    clock.now += FIRST_PROBE
    assert circuit.admits(50) == 1

    circuit.succeeded()
    assert not circuit.open
    assert circuit.admits(50) == 50
    assert circuit.reason == ""


def test_the_pause_is_bounded() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(100):
        circuit.failed("down")
    clock.now += LAST_PROBE
    assert circuit.admits(9) == 1
