"""Settings are named when they are missing, crash points strike once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runtime import config, crash
from runtime.ops import parse_address
from runtime.rls import protect


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_SETTING", raising=False)
    with pytest.raises(config.ConfigError, match="SOME_SETTING"):
        config.text("SOME_SETTING")
    monkeypatch.setenv("SOME_SETTING", "")
    with pytest.raises(config.ConfigError, match="SOME_SETTING"):
        config.text("SOME_SETTING")
    assert config.text("SOME_SETTING", "") == ""


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "101", "1.5", "１", "٣", " 5", "1_0", "1e1"])
def test_a_number_out_of_place_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOME_NUMBER", value)
    with pytest.raises(config.ConfigError, match="SOME_NUMBER"):
        config.number("SOME_NUMBER", 7, 1, 100)


def test_numbers_and_their_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_NUMBER", raising=False)
    assert config.number("SOME_NUMBER", 7, 1, 100) == 7
    monkeypatch.setenv("SOME_NUMBER", "100")
    assert config.number("SOME_NUMBER", 7, 1, 100) == 100


def test_a_path_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "none"))
    with pytest.raises(config.ConfigError, match="does not exist"):
        config.path("SOME_FILE")


@pytest.mark.parametrize(
    ("address", "parsed"), [("127.0.0.1:80", ("127.0.0.1", 80)), (":8080", ("", 8080)), ("::1:5", ("::1", 5))]
)
def test_addresses(address: str, parsed: tuple[str, int]) -> None:
    assert parse_address(address) == parsed


def test_a_crash_point_strikes_once_and_only_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "point"
    program = "from runtime import crash; crash.point('a'); crash.point('b'); print('lived')"

    def run() -> subprocess.CompletedProcess[str]:
        environment = {"CRASH_POINTS_FILE": str(file), "PYTHONPATH": ":".join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )

    file.write_text("b\n")
    first = run()
    assert (first.returncode, first.stdout) == (137, "")
    assert not file.exists()
    second = run()
    assert (second.returncode, second.stdout) == (0, "lived\n")
    file.write_text("c")
    assert run().stdout == "lived\n"
    assert file.exists()
    crash.point("b")


def test_protected_tables_force_the_policy_both_ways() -> None:
    statements = " ; ".join(protect("box", "role"))
    for part in (
        "ENABLE ROW LEVEL SECURITY",
        "FORCE ROW LEVEL SECURITY",
        "USING (",
        "WITH CHECK (",
        "nullif(",
    ):
        assert part in statements
