"""Settings: what is taken, and what is said of what is not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from agent import config
from agent.errors import AgentError


def read(folder: Path, text: str) -> config.Config:
    (folder / config.FILE).write_text(text, encoding="utf-8")
    return config.read(folder)


def test_without_a_file_there_are_defaults_and_no_module(tmp_path: Path) -> None:
    one = config.read(tmp_path)
    assert one.modules == ()
    assert one.confirm == {"other": True, "document": False}


def test_modules_and_their_profiles(tmp_path: Path) -> None:
    one = read(
        tmp_path,
        '[profile.v]\nsm2_mechanism = 0x80000101\nsm2_der = true\n'
        '[[module]]\npath = "/a/libone.so"\nprofile = "v"\nenvironment = { A = "b" }\n'
        '[[module]]\nname = "two"\npath = "C:\\\\two.dll"\n[confirm]\nsign-in = false\n',
    )  # fmt: skip
    first, second = one.modules
    assert (first.name, first.environment, first.profile.sm2_mechanism) == ("libone", {"A": "b"}, 0x80000101)
    assert first.profile.sm2_der
    assert (second.name, second.path, second.profile.sm2_mechanism) == ("two", "C:\\two.dll", 0)
    assert one.confirm == {"other": True, "document": False, "sign-in": False}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nonsense", "TOML"),
        ("pin = 1", "pin"),
        ("[cards]\npin = 'x'", "cards.pin"),
        ("[cards]\npoll_seconds = 0", "cards.poll_seconds"),
        ("[cards]\npoll_seconds = true", "cards.poll_seconds"),
        ("[page]\nport = 70000", "page.port"),
        ("[page]\nport = 1.5", "page.port"),
        ("[page]\nenabled = 1", "page.enabled"),
        ("page = 1", "page"),
        ("language = 'fr'", "language"),
        ("log_level = 'LOUD'", "log_level"),
        ("[confirm]\nsign-in = 'no'", "confirm.sign-in"),
        ("[module]\npath = 'x'", "module"),
        ("[[module]]\nname = 'x'", "module 1: path"),
        ("[[module]]\npath = 'x'\nslot = 1", "module 1: slot"),
        ("[[module]]\npath = 'x'\nprofile = 'y'", "module 1: profile"),
        ("[[module]]\npath = 'x'\nenvironment = { A = 1 }", "module 1: environment"),
        ("[[module]]\npath = 'x'\n[[module]]\npath = '/y/x.so'", "module"),
        ("[profile.v]\nsm2_mechanism = -1", "profile.v.sm2_mechanism"),
    ],
)
def test_what_is_wrong_is_named_in_both_languages(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(AgentError) as caught:
        read(tmp_path, text)
    assert caught.value.code == "settings"
    assert named in caught.value.zh
    assert named in caught.value.en


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(AgentError):
        config.read(tmp_path, tmp_path / "none.toml")


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_the_samples_are_settings_also_without_their_comment_signs(tmp_path: Path, system: str) -> None:
    text = (Path(config.__file__).parent / f"example-{system}.toml").read_text(encoding="utf-8")
    assert read(tmp_path, text).modules == ()
    # lines that are settings, not prose
    shown = re.sub(r"^# (?=\[|[\w-]+ = )", "", text, flags=re.MULTILINE)
    assert len(tomllib.loads(shown)["module"]) == 3
    assert len(read(tmp_path, shown).modules) == 3
    assert "(assumed)" in text
