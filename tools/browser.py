"""A Chromium for tests, with a font that can show Chinese.

Takes the machine's own or unpacks Debian's without root; never pretends: where neither can be had, it says why.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

from tools import debs, fonts
from tools.errors import ToolError
from tools.paths import cache_dir, write_private

#: the browser without its windows: a third less work for the same pages
PACKAGE = "chromium-headless-shell"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def packages() -> tuple[str, ...]:
    """What to unpack on this machine: the font always (nothing happens where it is installed)."""
    return (fonts.PACKAGE,) if _own() else (PACKAGE, fonts.PACKAGE)


def chromium_path() -> Path:
    """A program that starts Chromium so that it finds its libraries and a Chinese font.

    Raises ToolError with the reason where there is no browser."""
    own = _own()
    browser = own or next(debs.find(f"usr/lib/chromium/{PACKAGE}"), None)
    if browser is None:
        raise ToolError(
            "浏览器测试需要 Chromium:本机没有,也未能解包 / no Chromium on this machine and none unpacked: "
            "run `python -m tools.setup --tests`, or name one with TONGGUAN_CHROMIUM"
        )
    fonts_folders = [str(root / "usr/share/fonts") for root in debs.roots()]
    folder = cache_dir() / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "fonts.conf"
    write_private(settings, _font_configuration(fonts_folders, folder / "font-cache"))
    told = {"FONTCONFIG_FILE": str(settings)} | ({} if own else debs.library_path(PACKAGE))
    exports = [f'export {name}="{value}"' for name, value in told.items()]
    lines = ["#!/bin/sh", *exports, f'exec "{browser}" "$@"']
    launcher = folder / "chromium"
    write_private(launcher, "\n".join(lines) + "\n", mode=0o700)
    return launcher


def _own() -> Path | None:
    named = os.environ.get("TONGGUAN_CHROMIUM")
    if named:
        return Path(named)
    return next((Path(found) for name in SYSTEM_NAMES if (found := shutil.which(name))), None)


def _font_configuration(folders: list[str], cache: Path) -> str:
    """The machine's fonts and ours; a machine without fontconfig has no /etc/fonts/fonts.conf, which is fine."""
    own = "".join(f"<dir>{escape(folder)}</dir>" for folder in ("/usr/share/fonts", *folders))
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
        f"{own}<cachedir>{escape(str(cache))}</cachedir></fontconfig>\n"
    )
