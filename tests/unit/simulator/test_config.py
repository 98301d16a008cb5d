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


def test_settings_of_lists_and_summaries_are_read() -> None:
    more = {
        "SIMULATOR_COMPARE": "off",
        "SIMULATOR_COMPARE_WAIT_S": "0.25",
        "SIMULATOR_REQUIRE_PAYMENT": "on",
        "SIMULATOR_COMPARE_CHARGE": "off",
        "SIMULATOR_AMEND_STATES": "120",
        "SIMULATOR_CANCEL_STATES": "120, 300",
        "SIMULATOR_CLOSE_ON_DEPARTURE": "no",
        "SIMULATOR_SUMMARY_ONLY_B": "no",
        "SIMULATOR_RESULT_STEP_S": "0",
        "SIMULATOR_DECLARATION_STATES": "A B 1",
        "SIMULATOR_MISSING_INVT_NO": "omit",
        "SIMULATOR_MAX_LINES": "100",
        "SIMULATOR_CHECK_CODES": "no",
        "SIMULATOR_VERIFY_SIGNATURES": "no",
    }
    rules = load(GOOD | more).rules
    assert rules == Rules(
        compare=False,
        compare_wait_ms=250,
        require_payment=True,
        compare_charge=False,
        amend_states=frozenset({"120"}),
        cancel_states=frozenset({"120", "300"}),
        close_on_departure=False,
        summary_only_b=False,
        result_step_ms=0,
        declaration_states=("A", "B", "1"),
        missing_invt_no="omit",
        max_lines=100,
        check_codes=False,
        verify_signatures=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMULATOR_COMPARE_WAIT_S", "soon"),
        ("SIMULATOR_COMPARE_WAIT_S", "-1"),
        ("SIMULATOR_RESULT_STEP_S", "NaN"),
        ("SIMULATOR_CANCEL_STATES", "released"),
        ("SIMULATOR_DECLARATION_STATES", "A B"),
        ("SIMULATOR_DECLARATION_STATES", "A B LONG"),
        ("SIMULATOR_MISSING_INVT_NO", "guess"),
        ("SIMULATOR_MAX_LINES", "100000"),
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
