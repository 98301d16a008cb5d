"""Browser windows that tests hand on: cookies and storage of the one before are wiped, files the browser keeps stay.

A fresh window would load and compile every file of the application again, which takes longer than most tests.
"""

from __future__ import annotations

from playwright.sync_api import Browser, BrowserContext

from tests.support.browser import Desk, open_desk
from tests.support.stack import Stack

#: all a page can leave behind in a browser, but for the files' own cache
LEFT = "cookies,local_storage,indexeddb,websql,service_workers,cache_storage,file_systems"


class Windows:
    """The windows of one browser; each test takes some and gives them back."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self._browser = browser
        self._stack = stack
        self._free: list[BrowserContext] = []
        self._special: list[BrowserContext] = []

    def take(self, **options: object) -> Desk:
        """A clean window; with options of its own it is used only once."""
        if not options and self._free:
            return open_desk(self._browser, self._stack, self._free.pop())
        desk = open_desk(self._browser, self._stack, **options)
        if options:
            self._special.append(desk.context)
        return desk

    def give_back(self, desk: Desk) -> None:
        """Nothing of who sat there is left; whatever it listens to ends now."""
        context = desk.context
        if context in self._special:
            self._special.remove(context)
            context.close()
            return
        for page in context.pages:
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        page = context.new_page()
        wiping = context.new_cdp_session(page)
        wiping.send("Storage.clearDataForOrigin", {"origin": str(self._stack["url"]), "storageTypes": LEFT})
        page.close()
        self._free.append(context)
