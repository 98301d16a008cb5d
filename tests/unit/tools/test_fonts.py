"""The font of printed documents: found, named, told to the process that prints, and asked to have Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest
import reportlab

from runtime.config import ConfigError
from services.gateway import config
from tools import debs, fonts
from tools.errors import ToolError


def test_a_named_font_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.ttf"
    monkeypatch.setenv("TONGGUAN_FONT_FILE", str(own))
    with pytest.raises(ToolError, match="own.ttf"):
        fonts.find()
    own.touch()
    assert fonts.find() == own


def test_an_unpacked_font_is_found_before_the_machines_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGGUAN_CACHE", str(tmp_path))
    monkeypatch.setattr(debs, "SYSTEM", tmp_path / "system")
    assert fonts.find() is None
    for root in (tmp_path / "system", debs.folder() / fonts.PACKAGE):
        font = root / "usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
        font.parent.mkdir(parents=True)
        font.touch()
        assert fonts.find() == font


def test_the_gateway_starts_without_a_font_but_not_with_a_useless_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FONT_FILE", raising=False)
    assert config._font() is None
    monkeypatch.setenv("FONT_FILE", str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"))
    with pytest.raises(ConfigError, match="Chinese"):
        config._font()
    monkeypatch.setenv("FONT_FILE", "nowhere.ttf")
    with pytest.raises(ConfigError, match="FONT_FILE"):
        config._font()
    found = fonts.find()
    assert found is not None
    monkeypatch.setenv("FONT_FILE", str(found))
    assert config._font() == found
