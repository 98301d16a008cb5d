"""People at a real Chromium: what a clerk sees and does on the pages, in the words of the manuals.

Finds things only by the pages' data-test hooks or by what a person reads; knows nothing of how the pages are made.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import openpyxl
import requests
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Download, Locator, Page, expect

from tests.support.axe import violations
from tests.support.eventually import eventually
from tests.support.people import Visitor
from tests.support.stack import Stack
from tools.paths import ROOT

SCREEN = {"width": 1366, "height": 768}
SHOTS = ROOT / ".run" / "test" / "screenshots"
#: what a page may take on a busy machine, in milliseconds
PATIENCE = 30_000
#: from 提交海关 to the last receipt, in milliseconds
CUSTOMS = 60_000
#: page ids begin with the letter of the menu group they stand in
GROUPS = {"A": "trade", "B": "logistics", "C": "lists", "D": "returns", "E": "summary"}

# The browser itself reports answers of 4xx and 5xx; whether a page deals well with them is what the tests judge.
_EXPECTED_NOISE = re.compile(r"Failed to load resource")


@dataclass
class Desk:
    """One person's window: a page with everything that went wrong in it."""

    # not in its repr: it holds passwords
    stack: Stack = field(repr=False)
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)

    def at(self, test: str, **having: str) -> Locator:
        """What carries this data-test hook and these data-… values and can be seen: open tabs keep dialogs of theirs."""
        more = "".join(f'[data-{name}="{value}"]' for name, value in having.items())
        return self.page.locator(f'[data-test="{test}"]{more}').filter(visible=True)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.stack['url']}{path}")

    def sign_in(self, username: str, password: str, to: str = "/signin") -> None:
        """Fill in the sign-in page as a person does, and wait for the frame."""
        self.try_sign_in(username, password, to)
        expect(self.at("header")).to_be_visible()

    def try_sign_in(self, username: str, password: str, to: str = "/signin") -> None:
        self.go(to)
        self.at("signin-username").fill(username)
        self.at("signin-password").fill(password)
        self.at("signin-submit").click()

    def take_over(self, visitor: Visitor) -> None:
        """Sit down where this person is signed in already."""
        self.context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": str(self.stack["url"])}
                for cookie in visitor.http.cookies
            ]
        )

    def sign_out(self) -> None:
        self.at("user-menu").click()
        self.at("sign-out").click()
        expect(self.at("signin-page")).to_be_visible()

    def menu(self, page_id: str) -> None:
        """Open a page from the left menu, with the group it stands in, and wait until it is there."""
        self.open_group(page_id)
        self.at(f"menu-{page_id}").click()
        self.on_page(page_id)

    def open_group(self, page_id: str) -> None:
        """Unfold the menu group of a page."""
        group = self.at(f"menu-group-{GROUPS.get(page_id[0], 'settings')}")
        expect(group).to_be_visible()
        # it may open by itself this very moment, because the page that is coming stands in it
        for _ in range(3):
            if group.get_attribute("aria-expanded") == "true":
                return
            group.click()
        expect(group).to_have_attribute("aria-expanded", "true")

    def on_page(self, page_id: str) -> None:
        """The page with this id is on the glass."""
        root = self.page.locator(f'[data-page="{page_id}"], [data-test="{page_id}-page"]')
        expect(root.filter(visible=True)).to_have_count(1)

    def confirm(self, *words: str) -> None:
        """Read the question, which must say these words, and agree."""
        box = self.page.locator(".el-message-box")
        for word in words:
            expect(box).to_contain_text(word)
        box.locator(".el-message-box__btns .el-button--primary").click()
        expect(box).to_be_hidden()

    def refuse(self, *words: str) -> None:
        """Read the question, which must say these words, and go back: nothing is done."""
        box = self.page.locator(".el-message-box")
        for word in words:
            expect(box).to_contain_text(word)
        box.locator(".el-message-box__btns .el-button").first.click()
        expect(box).to_be_hidden()

    def row(self, number: str) -> Locator:
        """The line of one document in the table."""
        return self.at("document-row", number=number)

    def rows(self) -> Locator:
        """The lines in view: of a long table only these, and a few beyond, are on the page."""
        return self.at("document-row")

    def shows_rows(self, count: int) -> list[str]:
        """The table says that it has so many lines, and whoever scrolls through it sees as many; their numbers."""
        table = self.at("document-table")
        expect(table).to_have_attribute("aria-rowcount", str(count + 1))
        expect(table).to_have_attribute("aria-busy", "false")
        table.evaluate("table => table.scrollTo(0, 0)")
        seen: dict[str, str] = {}
        for index in range(2, count + 2):
            line = self.rows().and_(self.page.locator(f'[aria-rowindex="{index}"]'))
            expect(line).to_have_count(1)
            line.scroll_into_view_if_needed()
            seen[str(line.get_attribute("data-id"))] = str(line.get_attribute("data-number"))
        assert len(seen) == count
        return list(seen.values())

    def state(self, number: str) -> Locator:
        """The state tag in a document's line."""
        return self.row(number).locator('[data-test="state-tag"]')

    def find(self, number: str) -> None:
        """Query by (the beginning of) a number, which is the first condition of every query page."""
        self.first_condition().fill(number)
        # until the answer is there, the lines of before are still on the glass
        with self.page.expect_response(lambda answer: number in unquote_plus(answer.url)):
            self.at("query-submit").click()

    def find_coming(self, number: str) -> None:
        """Query again and again until what customs is about to issue is there."""

        def there() -> bool:
            self.find(number)
            return self.row(number).count() > 0

        eventually(there, f"{number} on the page", timeout=CUSTOMS / 1000, interval=0.5)

    def first_condition(self) -> Locator:
        """The field of the number, with which every query page begins."""
        return self.at("conditions").locator('input[data-test^="condition-"]').first

    def expand(self) -> None:
        """Show all conditions."""
        more = self.at("query-expand")
        expect(self.first_condition()).to_be_visible()
        if more.count() and more.get_attribute("aria-expanded") == "false":
            more.click()
            expect(more).to_have_attribute("aria-expanded", "true")

    def stored_between(self, first: str, last: str) -> None:
        """Type a range of storage days as a person does."""
        for name, day in (("from", first), ("to", last)):
            box = self.page.locator(f"#stored-{name}").filter(visible=True)
            box.click()
            box.fill(day)
        self.page.locator("#stored-to").filter(visible=True).press("Enter")

    def choose_state(self, state: str) -> None:
        """Choose one state in its list, and close the list."""
        self.at("condition-state").click()
        self.at(f"state-option-{state}").click()
        self.page.keyboard.press("Escape")
        expect(self.at(f"state-option-{state}")).to_be_hidden()

    def close_all_tabs(self) -> None:
        """关闭全部选项卡: nothing is there but the page one begins with."""
        self.at("tabs-menu").click()
        self.at("tabs-close-all").click()
        expect(self.at("tab-close")).to_have_count(1)

    def accessible(self, where: str) -> None:
        """axe finds nothing serious on what is on the glass."""
        found = violations(self.page)
        assert not found, f"{where}:\n" + "\n".join(found)

    def open_document(self, number: str) -> None:
        """Click the number, as the manuals say, and wait for the detail page."""
        # customs issues several records under one number: the first is as good as the others
        self.row(number).locator('[data-test="open-detail"]').first.click()
        expect(self.at("detail-number")).to_have_text(number)

    def fill_in(self, **fields: str) -> None:
        """Type into fields of the open form; Enter takes the code one means and goes on."""
        for name, value in fields.items():
            field = self.at(f"input-{name}")
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
                continue
            field.click()
            field.fill(value)
            if field.get_attribute("role") == "combobox":
                expect(self.at("code-option").first).to_be_visible()
            field.press("Enter")

    def line(self, at: int) -> Locator:
        """One line (from 0) of the open form's grid; only those in view are on the page."""
        return self.page.locator(f'[data-test="line"][data-line="{at}"]').filter(visible=True)

    def stand_in(self, at: int, name: str) -> Locator:
        """Go to a cell of a line as a clerk does, along the line with Tab; what is there then takes what one types."""
        self.line(at).get_by_role("rowheader").click()
        cell = self.line(at).locator(f'[data-test="line-{name}"]:is(input, select)')
        expect(self.line(at).locator('[data-column="0"] :is(input, select)')).to_be_focused()
        for _ in range(40):
            if cell.count():
                break
            self.page.keyboard.press("Tab")
        expect(cell).to_be_focused()
        return cell

    def fill_line(self, at: int, **fields: str) -> None:
        """Type into the cells of one line (from 0) of the open form."""
        for name, value in fields.items():
            cell = self.stand_in(at, name)
            cell.fill(value)
            if cell.get_attribute("role") == "combobox":
                expect(self.at("code-option").first).to_be_visible()
                cell.press("Enter")

    def picks_moment(self, name: str, moment: str) -> None:
        """Type a date or a date with time into its field, as the calendar writes it."""
        field = self.at(f"field-{name}").locator("input")
        field.fill(moment)
        field.press("Enter")

    def whole(self, what: Locator) -> bool:
        """Whether something is seen without a part cut off by what holds it."""
        return bool(
            what.evaluate(
                """async element => {
                    const seen = await new Promise(done => new IntersectionObserver(([one]) => done(one)).observe(element))
                    return seen.intersectionRatio > 0.99
                }"""
            )
        )

    def becomes(self, state: str, words: str) -> None:
        """The document on the glass comes to this state, in words."""
        expect(self.at("detail-state")).to_have_attribute("data-state", state, timeout=CUSTOMS)
        expect(self.at("detail-state")).to_have_text(words)

    def says(self, *words: str) -> None:
        """A message of the page says these words."""
        message = self.page.locator(".el-message").last
        for word in words:
            expect(message).to_contain_text(word)

    def choose_file(self, path: Path) -> None:
        self.at("import-file").set_input_files(path)
        expect(self.at("chosen-file")).to_have_text(path.name)

    def import_file(self, path: Path) -> Locator:
        """Choose, 导入订单, and wait for the result."""
        self.choose_file(path)
        self.at("import-submit").click()
        result = self.at("import-result")
        expect(result).to_be_visible(timeout=PATIENCE)
        return result

    def submit_all(self, count: int, *words: str) -> None:
        """Select the whole page, 提交海关, agree, and read what was done with each."""
        expect(self.rows()).to_have_count(count)
        self.at("select-page").check()
        expect(self.at("selected-count")).to_have_text(f"已选 {count} 条")
        self.at("action-declare").click()
        self.confirm("提交海关", *words)
        expect(self.at("results-done")).to_contain_text(f"已办理 {count} 条")
        expect(self.at("result-row", ok="true")).to_have_count(count)

    def shows_states(self, numbers: Sequence[str], state: str, words: str) -> None:
        """Each of these lines comes to this state, in words, on the open page."""
        for number in numbers:
            expect(self.state(number)).to_have_attribute("data-state", state, timeout=CUSTOMS)
            expect(self.state(number)).to_have_text(words)

    def cells(self, table: str) -> list[dict[str, str]]:
        """Lines of the table "errors" or "repairs" of an import, as read on the screen; all of them."""
        found = []
        lines = self.at(f"{table}-row")
        expect(lines.first).to_be_visible()
        whole = self.at(table).locator("table").get_attribute("aria-rowcount")
        # of more than a hundred only those in view are on the page
        expect(lines).to_have_count(int(whole or 0) - 1)
        for line in lines.all():
            sheet, row, column, value, reason = line.locator("td").all_inner_texts()
            letter = line.locator(".letter").inner_text()
            found.append(
                {
                    "sheet": sheet,
                    "row": row,
                    "letter": letter,
                    "column": column.removeprefix(letter).strip(),
                    "value": value,
                    "reason": reason,
                }
            )
        return found

    def saved(self, button: Locator, folder: Path) -> Path:
        """Click something that downloads a file; where it is then."""
        with self.page.expect_download() as waiting:
            button.click()
        download: Download = waiting.value
        path = folder / download.suggested_filename
        download.save_as(path)
        return path

    def shoot(self, name: str) -> None:
        """Keep what is on the glass as an artefact of the test run."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")


def open_desk(browser: Browser, stack: Stack, context: BrowserContext | None = None, **options: Any) -> Desk:
    """A window on a clerk's screen in Shanghai: in this context, or a fresh one (own cookies and storage)."""
    if context is None:
        context = browser.new_context(
            **{
                "viewport": SCREEN,
                "locale": "zh-CN",
                "timezone_id": "Asia/Shanghai",
                "reduced_motion": "reduce",
                **options,
            }
        )
        context.set_default_timeout(PATIENCE)
    desk = Desk(stack, context, context.new_page())
    desk.page.on("pageerror", lambda error: desk.wrong.append(f"uncaught: {error}"))

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _EXPECTED_NOISE.search(message.text):
            desk.wrong.append(f"{message.type}: {message.text}")

    desk.page.on("console", heard)
    return desk


class Customs:
    """The simulated customs' control address."""

    def __init__(self, stack: Stack) -> None:
        self.url = f"{stack['simulator_url']}/control"
        self.http = requests.Session()
        self.http.trust_env = False

    def tell(self, what: str, **how: Any) -> None:
        answer = self.http.post(f"{self.url}/{what}", json=how, timeout=30)
        assert answer.ok, answer.text

    def slowly(self, seconds: float) -> None:
        """Every answer this much later, so that a person can watch the states change."""
        self.tell("faults", delay_ms=int(seconds * 1000))

    def reject(self, prefix: str, reason: str, code: str = "100") -> None:
        """Refuse documents whose number begins like this."""
        self.tell("script", rules=[{"prefix": prefix, "outcome": "reject", "code": code, "reason": reason}])

    def decides(self, prefix: str, code: str) -> None:
        """Documents whose number begins like this end in this status."""
        self.tell("script", rules=[{"prefix": prefix, "outcome": "accept", "code": code}])

    def as_usual(self) -> None:
        self.tell("faults")
        self.tell("script", rules=[])

    def knows(self, number: str) -> list[dict[str, Any]]:
        """Every version of a document that customs has, with its verdict."""
        answer = self.http.get(f"{self.url}/documents", params={"number": number}, timeout=30)
        found: list[dict[str, Any]] = answer.json()
        return found

    def message_about(self, number: str) -> bytes:
        """The last message with this document, exactly as it arrived."""
        messages = self.http.get(f"{self.url}/messages", params={"raw": "true"}, timeout=30).json()
        bodies = [base64.b64decode(message["raw"]) for message in messages]
        return next(body for body in reversed(bodies) if number.encode() in body)


def filled(template: Path, path: Path, sheet: str, rows: Sequence[Mapping[str, str | int]]) -> Path:
    """A copy of a downloaded template with these rows below its heads."""
    book = openpyxl.load_workbook(template)
    page = book[sheet]
    columns = {str(cell.value): number for number, cell in enumerate(page[1], start=1)}
    for line, row in enumerate(rows, start=2):
        for head, value in row.items():
            page.cell(line, columns[head], value)
    book.save(path)
    return path


def renumbered(sample: Path, path: Path, begins: str, instead: str) -> Path:
    """A copy of a sample workbook whose numbers (column A) are this test's own; the overlong one stays."""
    book = openpyxl.load_workbook(sample)
    for (cell,) in book.worksheets[0].iter_rows(min_row=2, max_col=1):
        if isinstance(cell.value, str) and cell.value.startswith(begins) and len(cell.value) <= 60:
            cell.value = instead + cell.value.removeprefix(begins)
    book.save(path)
    return path


def marked_cells(sheet: Worksheet) -> set[str]:
    """Addresses of the cells below the heads that are filled with a red."""
    found = set()
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            colour = str(cell.fill.fgColor.rgb) if cell.fill.fill_type == "solid" else ""
            red, green, blue = (int(colour[at : at + 2], 16) for at in (2, 4, 6)) if colour else (0, 0, 0)
            if red > 200 and green < red - 30 and blue < red - 30:
                found.add(cell.coordinate)
    return found
