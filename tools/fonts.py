"""The font with Chinese that documents are printed in, and that the browser of tests shows.

Only TrueType outlines can be embedded into a PDF; the machine's own font is taken before one is unpacked.
"""

from __future__ import annotations

import os
from pathlib import Path

from tools import debs
from tools.errors import ToolError

#: the package that is unpacked where there is none
PACKAGE = "fonts-wqy-microhei"
#: fonts with Chinese and TrueType outlines, below /
_PATTERNS = (
    "usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "usr/share/fonts/**/NotoSansSC*.ttf",
    "usr/share/fonts/**/DroidSansFallbackFull.ttf",
)


def find() -> Path | None:
    """The file that TONGGUAN_FONT_FILE names, else one of the machine's or an unpacked one; None if there is none.

    Raises ToolError where the variable names no file."""
    named = os.environ.get("TONGGUAN_FONT_FILE")
    if named:
        if not Path(named).is_file():
            raise ToolError(f"TONGGUAN_FONT_FILE: 没有文件 / there is no file {named}")
        return Path(named).resolve()
    return next(debs.find(*_PATTERNS), None)
