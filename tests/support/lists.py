"""Query pages: conditions, the table, and what is done to its lines."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote_plus

from playwright.sync_api import Locator, expect

from tests.support.eventually import eventually
from tests.support.glass import CUSTOMS, Glass


class Lists(Glass):
    """What a person does on a query page."""

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

    def open_document(self, number: str) -> None:
        """Click the number, as the manuals say, and wait for the detail page."""
        # customs issues several records under one number: the first is as good as the others
        self.row(number).locator('[data-test="open-detail"]').first.click()
        expect(self.at("detail-number")).to_have_text(number)

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
