"""What every page shows alike: things by their hooks, questions, messages, downloads."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

#: what a page may take on a busy machine, in milliseconds
PATIENCE = 30_000
#: from 提交海关 to the last receipt, in milliseconds
CUSTOMS = 60_000


class Glass:
    """A page as a person sees it."""

    page: Page

    def at(self, test: str, **having: str) -> Locator:
        """What carries this data-test hook and these data-… values and can be seen: open tabs keep dialogs of theirs."""
        more = "".join(f'[data-{name}="{value}"]' for name, value in having.items())
        return self.page.locator(f'[data-test="{test}"]{more}').filter(visible=True)

    def says(self, *words: str) -> None:
        """A message of the page says these words."""
        message = self.page.locator(".el-message").last
        for word in words:
            expect(message).to_contain_text(word)

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

    def saved(self, button: Locator, folder: Path) -> Path:
        """Click something that downloads a file; where it is then."""
        with self.page.expect_download() as waiting:
            button.click()
        download: Download = waiting.value
        path = folder / download.suggested_filename
        download.save_as(path)
        return path
