"""The line grid of the forms by keyboard alone: every key once, an input method, Excel both ways, five hundred lines.

The keys are those of manual 002, part three (关于键盘操作), and those that spreadsheets have taught people.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk

PASTE = """(text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.activeElement.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


class Grid:
    """What one sees and presses in the grid."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.keys = desk.page.keyboard

    def cell(self, at: int, name: str) -> Locator:
        return self.desk.line(at).locator(f'[data-test="line-{name}"]')

    def stands_in(self, at: int, name: str, value: str | None = None) -> None:
        expect(self.cell(at, name)).to_be_focused()
        if value is not None:
            expect(self.cell(at, name)).to_have_value(value)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys.press(key)

    def has_lines(self, number: int) -> None:
        expect(self.desk.at("line-count")).to_have_text(f"共 {number} 项")

    def compose(self, letters: str, signs: str) -> None:
        """Type with an input method: the letters are composed first, then replaced by the signs one chose."""
        session = self.desk.context.new_cdp_session(self.desk.page)
        for end in range(1, len(letters) + 1):
            composed = {"text": letters[:end], "selectionStart": end, "selectionEnd": end}
            session.send("Input.imeSetComposition", composed)
        session.send("Input.insertText", {"text": signs})
        session.detach()


@pytest.fixture
def grid(sits: Sits) -> Grid:
    """A declarant in the first cell of a new list."""
    desk = sits("A")
    desk.open_group("C1")
    desk.at("menu-C1").click()
    expect(desk.at("form-page")).to_be_visible()
    desk.at("form-strategy").select_option(label="9610 清单模式")
    desk.stand_in(0, "itemNo")
    return Grid(desk)


def test_every_key_of_the_grid(grid: Grid) -> None:
    typing_and_going_on(grid)
    codes_and_input_methods(grid)
    lines(grid)
    blocks(grid)
    errors_and_the_way_out(grid)


def typing_and_going_on(grid: Grid) -> None:
    """Typing starts; Enter takes and goes on, Shift+Enter back; F2 edits; Escape gives back; arrows move or edit."""
    grid.keys.type("CB001")
    grid.press("Enter")
    grid.stands_in(0, "itemRecordNo")
    grid.press("Shift+Enter")
    grid.stands_in(0, "itemNo", "CB001")
    # typing replaces what stands there, Escape gives it back
    grid.keys.type("CB9")
    grid.stands_in(0, "itemNo", "CB9")
    grid.press("Escape")
    grid.stands_in(0, "itemNo", "CB001")
    # F2 edits it; the arrows then belong to the text, and leave it at its end
    grid.press("F2", "ArrowLeft")
    grid.keys.type("-")
    grid.stands_in(0, "itemNo", "CB00-1")
    grid.press("End", "ArrowRight")
    grid.stands_in(0, "itemRecordNo")
    grid.press("ArrowLeft")
    grid.stands_in(0, "itemNo", "CB00-1")
    # what was taken can be taken back, and done again
    grid.press("Control+z")
    grid.stands_in(0, "itemNo", "CB001")
    grid.press("Control+y")
    grid.stands_in(0, "itemNo", "CB00-1")
    grid.press("Control+z")
    grid.press("Tab")
    grid.stands_in(0, "itemRecordNo")
    grid.press("Shift+Tab")
    grid.stands_in(0, "itemNo", "CB001")


def codes_and_input_methods(grid: Grid) -> None:
    """The first sign of an input method starts the edit; a list of codes has Up, Down, Enter and the first Escape."""
    grid.desk.stand_in(0, "itemName")
    grid.compose("beizi", "杯子")
    grid.stands_in(0, "itemName", "杯子")
    grid.press("Enter")
    expect(grid.cell(0, "itemName")).to_have_text("杯子")
    grid.desk.stand_in(0, "country")
    grid.keys.type("m")
    options = grid.desk.at("code-option")
    expect(options.nth(1)).to_be_visible()
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    grid.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    grid.press("Escape")
    expect(options).to_have_count(0)
    grid.stands_in(0, "country", "m")
    grid.press("Escape")
    grid.stands_in(0, "country", "")
    grid.keys.type("mg")
    expect(options.first).to_contain_text("美国")
    grid.press("Enter")
    grid.stands_in(0, "currency")
    expect(grid.cell(0, "country")).to_have_text("美国[502]")


def lines(grid: Grid) -> None:
    """Enter at the end begins a line; Up and Down keep the column; lines are copied, taken away and brought back."""
    grid.press("End")
    grid.stands_in(0, "note")
    grid.press("Enter")
    grid.has_lines(2)
    grid.stands_in(1, "itemNo", "")
    grid.keys.type("CB002")
    grid.press("ArrowUp")
    grid.stands_in(0, "itemNo", "CB001")
    grid.press("ArrowDown")
    grid.stands_in(1, "itemNo", "CB002")
    grid.press("Control+d")
    grid.has_lines(3)
    grid.stands_in(2, "itemNo", "CB002")
    grid.press("Control+ArrowUp")
    grid.stands_in(0, "itemNo", "CB001")
    grid.press("Control+Delete")
    grid.has_lines(2)
    grid.stands_in(0, "itemNo", "CB002")
    grid.press("Control+z")
    grid.has_lines(3)
    grid.stands_in(0, "itemNo", "CB001")
    grid.press("Control+z")
    grid.has_lines(2)
    grid.press("Control+y")
    grid.has_lines(3)
    grid.press("Control+z", "Control+ArrowUp")
    grid.stands_in(0, "itemNo", "CB001")


def blocks(grid: Grid) -> None:
    """Shift and an arrow select; Ctrl+C and Ctrl+V copy and paste, beyond the last line, too; Delete clears."""
    grid.press("Shift+ArrowDown", "Shift+ArrowRight")
    expect(grid.desk.at("line-block")).to_have_text("已选 2 行 × 2 列")
    expect(grid.desk.page.locator('[role="gridcell"][aria-selected="true"]')).to_have_count(4)
    grid.desk.shoot("58-grid-block")
    grid.press("Control+c", "ArrowDown", "Control+v")
    grid.has_lines(3)
    grid.stands_in(1, "itemNo", "CB001")
    expect(grid.cell(2, "itemNo")).to_have_text("CB002")
    # one paste is one step
    grid.press("Control+z")
    grid.has_lines(2)
    grid.press("Control+ArrowUp", "Shift+ArrowDown", "Delete")
    grid.stands_in(0, "itemNo", "")
    expect(grid.cell(1, "itemNo")).to_have_text("")
    grid.press("Control+z")
    expect(grid.cell(1, "itemNo")).to_have_text("CB002")
    grid.press("Control+ArrowUp", "Control+x")
    grid.stands_in(0, "itemNo", "")
    grid.press("Control+z")
    grid.stands_in(0, "itemNo", "CB001")


def errors_and_the_way_out(grid: Grid) -> None:
    """What is wrong is said of the cell and in words where one stands; Tab after the last cell leaves the grid."""
    grid.desk.stand_in(0, "qty").fill("１０")
    grid.press("Enter", "ArrowLeft")
    grid.stands_in(0, "qty", "１０")
    expect(grid.cell(0, "qty")).to_have_attribute("aria-invalid", "true")
    expect(grid.cell(0, "qty")).to_have_accessible_description("含全角字符“１０”，请改为半角 10")
    grid.press("End", "Control+ArrowDown")
    grid.stands_in(1, "note")
    grid.press("Tab")
    expect(grid.desk.at("lines").locator(":focus")).to_have_count(0)
    # and the grid is where it was
    grid.press("Shift+Tab")
    grid.stands_in(1, "note")


def test_names_from_a_spreadsheet_become_codes_and_are_told(grid: Grid) -> None:
    grid.desk.stand_in(0, "country")
    text = "美国\t人民币[142]\t1,234.50\r\n没有这个国家\tUSD\t 2\r\n"
    grid.desk.page.evaluate(PASTE, text)
    grid.has_lines(2)
    expect(grid.cell(0, "currency")).to_have_text("人民币[142]")
    expect(grid.cell(1, "currency")).to_have_text("美元[502]")
    # what means nothing stays as it was, and is judged
    expect(grid.cell(1, "country")).to_have_text("没有这个国家")
    grid.desk.stand_in(1, "qty")
    grid.stands_in(1, "qty", "2")
    expect(grid.cell(0, "qty")).to_have_text("1234.50")
    expect(grid.desk.at("paste-note")).to_contain_text("更正了 5 处")
    grid.desk.at("paste-note").locator("summary").click()
    expect(grid.desk.at("paste-repair").filter(has_text="“1,234.50” → 1234.50")).to_have_count(1)
    expect(grid.desk.at("paste-repair").filter(has_text="“USD” → 502")).to_have_count(1)
    grid.desk.shoot("59-grid-pasted-names")
    grid.desk.stand_in(0, "country")
    grid.stands_in(0, "country", "502")
    # the paste and what was mended of it are one step
    grid.press("Control+z")
    grid.has_lines(1)
    expect(grid.cell(0, "country")).to_have_value("")


def test_five_hundred_lines_are_on_the_page_only_where_one_looks(sits: Sits) -> None:
    desk = sits("O")
    desk.on_page("B3")
    desk.at("tool-new").click()
    expect(desk.at("form-page")).to_be_visible()
    desk.at("line-add").click()
    desk.stand_in(0, "logisticsNo")
    grid = Grid(desk)
    desk.page.evaluate(PASTE, "\r\n".join(f"YD{n:05}\tZB{n:03}" for n in range(500)))
    grid.has_lines(500)
    assert desk.at("line").count() < 40
    expect(desk.page.get_by_role("grid")).to_have_attribute("aria-rowcount", "501")
    grid.press("Control+ArrowDown")
    grid.stands_in(499, "logisticsNo", "YD00499")
    expect(desk.line(499)).to_have_attribute("aria-rowindex", "501")
    assert desk.at("line").count() < 40
    desk.shoot("60-grid-five-hundred")
    # a cell keeps what is typed in it while one scrolls away and comes back
    grid.keys.type("YDX")
    desk.line(490).hover()
    desk.page.mouse.wheel(0, -9_000)
    expect(desk.line(210)).to_be_visible()
    grid.keys.type("1")
    grid.stands_in(499, "logisticsNo", "YDX1")
    expect(desk.line(495)).to_be_visible()
    # the whole paste goes at once
    grid.press("Enter", "Control+z", "Control+z")
    grid.has_lines(1)
