"""Settings: read once, wrong ones named, nothing assumed silently."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from simulator.config import ConfigError, Rules, load

GOOD = {
    "SPOOL_DIR": "/nowhere/spool",
    "SIMULATOR_LISTEN": "127.0.0.1:8099",
    "SIMULATOR_DATA_DIR": "/nowhere/data",
    "AUTHORITY_DIR": "/nowhere/authority",
}


def test_defaults() -> None:
    found = load(GOOD)
    assert (found.listen, found.in_queue, found.out_queue) == (
        ("127.0.0.1", 8099),
        "customs.in",
        "customs.out",
    )
    assert found.amqp_url is None
    assert found.rules == Rules()
    assert found.rules.require_signature


def test_settings_are_read() -> None:
    more = {
        "SIMULATOR_REQUIRE_SIGNATURE": "no",
        "SIMULATOR_ALGORITHMS": "rsa-sha1, rsa-sha256",
        "SIMULATOR_AMOUNT_TOLERANCE": "0",
        "SIMULATOR_AMOUNT_SCALE": "2",
        "CUSTOMS_AMQP_URL": "amqp://127.0.0.1/customs",
    }
    rules = load(GOOD | more).rules
    assert (rules.require_signature, rules.amount_tolerance, rules.amount_scale) == (False, Decimal(0), 2)
    assert rules.algorithms == {"rsa-sha1", "rsa-sha256"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPOOL_DIR", ""),
        ("SIMULATOR_LISTEN", ""),
        ("SIMULATOR_LISTEN", "8099"),
        ("SIMULATOR_DATA_DIR", ""),
        ("AUTHORITY_DIR", " "),
        ("SIMULATOR_REQUIRE_SIGNATURE", "maybe"),
        ("SIMULATOR_ALGORITHMS", "hmac-sha1"),
        ("SIMULATOR_AMOUNT_TOLERANCE", "NaN"),
        ("SIMULATOR_AMOUNT_TOLERANCE", "-1"),
        ("SIMULATOR_AMOUNT_TOLERANCE", "x"),
        ("SIMULATOR_AMOUNT_SCALE", "11"),
        ("SIMULATOR_PREFETCH", "0"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(GOOD | {name: value})
    assert name in str(caught.value) or "listen" in str(caught.value)


def test_the_command_says_what_is_missing() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "simulator", "serve"], env={}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "SPOOL_DIR" in answer.stderr
    assert "Traceback" not in answer.stderr
