"""Another vendor's token: opencryptoki's software token, alone, beside SoftHSM, and with a wrong PIN.

It needs user namespaces with overlays. Where a machine has none these tests do not run, and the report says why; with
TONGGUAN_REQUIRE_OPENCRYPTOKI=1 they fail instead.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from services.signer import certificates
from tests.support.other_token import PIN, SO_PIN
from tools.paths import ROOT
from tools.servers import opencryptoki


@pytest.fixture(scope="module", autouse=True)
def _able() -> None:
    reason = opencryptoki.hindrance()
    if reason and os.environ.get("TONGGUAN_REQUIRE_OPENCRYPTOKI"):
        pytest.fail(f"opencryptoki: {reason}")
    if reason:
        pytest.skip(f"opencryptoki: {reason}")


def inside(folder: Path, verb: str) -> dict[str, Any]:
    """Do it where the token is at work (other_token.py); answers what it printed."""
    command = [sys.executable, "-m", "tests.support.other_token", verb, str(folder)]
    done = opencryptoki.run(folder / "ock", SO_PIN, PIN, ["env", f"PYTHONPATH={ROOT}", *command], 240)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_another_vendors_token_signs_and_heals(tmp_path: Path) -> None:
    told = inside(tmp_path, "single")
    assert told["signed"] == 400
    assert "SoftTok" in told["name"]
    assert certificates.key_kind(bytes.fromhex(told["public"])) == "rsa"
    assert "digest-info" in told["mechanisms"]


def test_members_of_two_vendors_make_one_device(tmp_path: Path) -> None:
    told = inside(tmp_path, "mixed")
    assert told["same_key"] == [True, True]
    # PKCS#1 signatures are the same every time, whoever makes them
    assert len(set(told["apart"])) == 1
    assert told["whole"] == 400
    assert told["shares"] == [60, 60]
    assert "digest-info" in told["mechanisms"]


def test_a_wrong_pin_never_comes_near_to_locking_it(tmp_path: Path) -> None:
    told = inside(tmp_path, "wrong-pin")
    assert told["attempts"] == 1
    assert not {"USER_PIN_FINAL_TRY", "USER_PIN_LOCKED"} & set(told["flags"])
