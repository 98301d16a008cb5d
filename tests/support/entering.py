"""Entering data: the form of a document with its grid of lines, and the import of a workbook."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.support.glass import PATIENCE, Glass


class Entering(Glass):
    """What a person does in a form and on an import page."""

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
