"""The browser for tests starts on this machine and can show Chinese, or the test fails and says why."""

from __future__ import annotations

from playwright.sync_api import Browser

# Paints one character on a canvas and answers its pixels.
PAINT = """(text) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const pen = canvas.getContext('2d');
    pen.font = '48px sans-serif';
    pen.fillText(text, 4, 52);
    return canvas.toDataURL();
}"""


def test_chinese_is_painted_as_characters_and_not_as_boxes(browser: Browser) -> None:
    page = browser.new_page()
    page.goto("about:blank")
    painted = {text: page.evaluate(PAINT, text) for text in ("通", "关", "龘", " ", "\U0010fffd")}
    page.close()
    # without a font every character is the same box as one that no font has
    assert len(set(painted.values())) == len(painted), list(painted)
