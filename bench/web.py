"""`make bench-web`: from a key to the paint of what it did, in the list of 200 x 30 and the grid of 500 x 20.

Our widgets beside the same data in a plain el-table, in one Chromium, in turn; and beside the least that any key can
cost here: a bare page of which one cell changes its colour. Nothing can be ten times quicker than a peer that takes less
than ten times that least; there ours must be close to it. Must never measure anything but trusted
keys, and never a page that is still busy with the key before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from bench.common import Report, median, spread
from tools import web
from tools.browser import chromium_path
from tools.errors import ToolError
from tools.paths import ROOT

PAGES = ROOT / ".run" / "bench-web"
FIRST_LOAD = ROOT / ".run" / "first-load.json"
SCREEN: ViewportSize = {"width": 1366, "height": 768}
#: what a page of the product may cost at first, in kB; budget.ts holds the build to it
BUDGET = 350
GOAL = 10
#: times the least that any key costs, where that forbids the goal above
CLOSE = 1.5
WARM_UP = 3
SIDES = ("our", "plain")
#: an el-table of 10,000 inputs may take minutes to mount on a busy machine, in milliseconds
LONG = 900_000
#: frames as soon as they are ready, not when a screen would show the next one: what is measured is the work
FLAGS = ("--disable-frame-rate-limit", "--disable-gpu-vsync")

Action = tuple[str, str]
GRID: tuple[Action, ...] = (("a letter typed", "x"), ("Enter to the next cell", "Enter"))
LIST: tuple[Action, ...] = (
    ("arrow to the next row", "ArrowDown"),
    ("Space selects the row", " "),
    ("one row changes", "F7"),
    ("all rows replaced", "F9"),
)


@dataclass
class Series:
    """Milliseconds of one action of one side, and the median of each round."""

    times: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)

    def add(self, times: list[float]) -> None:
        self.times.extend(times)
        self.rounds.append(median(times))

    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[-1]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The built pages at an address of their own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def build() -> dict[str, float]:
    """Build the pages of the benchmark, and the product's: kB of JavaScript (gzip) that each page costs at first."""
    for arguments in (
        ("--config", "bench/vite.config.ts", "--outDir", str(PAGES)),
        ("--outDir", str(PAGES.with_name("bench-web-dist"))),
    ):
        done = web.npm("exec", "--", "vite", "build", "--emptyOutDir", *arguments, FIRST_LOAD=str(FIRST_LOAD))
        if done.returncode:
            raise ToolError(f"vite build failed:\n{done.stdout[-4000:]}")
    sizes: dict[str, float] = json.loads(FIRST_LOAD.read_text())
    return sizes


def pressed(page: Page, key: str) -> float:
    """Milliseconds from this key to the paint of what it did; returns when the page is at rest."""
    page.keyboard.press(key)
    return float(page.evaluate("window.lastKey()"))


def mount(browser: Browser, url: str, thing: str) -> tuple[Page, float]:
    """A fresh page; F6 mounts what is measured."""
    page = browser.new_page(viewport=SCREEN)
    page.set_default_timeout(LONG)
    page.goto(f"{url}/?thing={thing}")
    page.locator("#app p").wait_for(state="attached")
    return page, pressed(page, "F6")


def stand(page: Page, thing: str) -> None:
    """Where the keys go."""
    if thing == "our-grid":
        page.locator('[data-line="2"] [data-column="2"]').click()
    elif thing == "plain-grid":
        page.locator(".el-table__body input").nth(42).focus()
    elif thing == "our-list":
        page.locator('[data-test="document-row"]').first.focus()
    else:
        page.locator('[data-test="plain"]').focus()


def at_the_end(page: Page, thing: str) -> None:
    """The last cell of the last line, where Enter adds a line."""
    if thing == "our-grid":
        for key in ("Control+ArrowDown", "End"):
            pressed(page, key)
    else:
        page.evaluate("[...document.querySelectorAll('.el-table__body input')].at(-1).focus()")


def one_round(browser: Browser, url: str, side: str, what: str, times: int) -> dict[str, list[float]]:
    """Every action of one widget in a fresh page."""
    thing = f"{side}-{what}"
    page, mounted = mount(browser, url, thing)
    found = {"mounting": [mounted]}
    stand(page, thing)
    for action, key in GRID if what == "grid" else LIST:
        for _ in range(WARM_UP):
            pressed(page, key)
        found[action] = [pressed(page, key) for _ in range(times)]
    if what == "grid":
        found["Enter adds a line"] = []
        for _ in range(WARM_UP + times // 2):
            at_the_end(page, thing)
            found["Enter adds a line"].append(pressed(page, "Enter"))
        del found["Enter adds a line"][:WARM_UP]
    page.close()
    return found


def compare(what: str, rounds: int, times: int, url: str) -> dict[str, dict[str, Series]]:
    """Both sides in turn, each round beginning with the other one; times by action and side."""
    found: dict[str, dict[str, Series]] = {}
    with sync_playwright() as playwright:
        for number in range(rounds):
            for side in SIDES if number % 2 else reversed(SIDES):
                # a browser of its own: nobody inherits the other's heap
                browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
                for action, taken in one_round(browser, url, side, what, times).items():
                    found.setdefault(action, {}).setdefault(side, Series()).add(taken)
                    print(f"  {what} {side:5} {action}: {median(taken):.1f} ms", flush=True)
                browser.close()
    return found


def least(rounds: int, times: int, url: str) -> Series:
    """What a key costs that changes the colour of one cell of a bare page."""
    series = Series()
    with sync_playwright() as playwright:
        for _ in range(rounds):
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
            page, _ = mount(browser, url, "bare")
            page.locator('[data-test="bare"]').focus()
            for _ in range(WARM_UP):
                pressed(page, " ")
            series.add([pressed(page, " ") for _ in range(times)])
            browser.close()
    return series


def tell(report: Report, what: str, found: dict[str, dict[str, Series]], floor: float) -> None:
    """Medians and 95th percentiles of both sides, and how many times less ours is. floor: ms that any key costs."""
    for action, sides in found.items():
        for side, name in (("our", "ours"), ("plain", "el-table")):
            series = sides[side]
            report.add(f"{what}, {action}, {name}: median", median(series.times), "ms")
            if len(series.times) > 10:
                report.add(f"{what}, {action}, {name}: p95", series.p95(), "ms")
            if len(series.rounds) > 1:
                report.add(f"{what}, {action}, {name}: spread of the rounds", spread(series.rounds), "%")
        ours, plain = median(sides["our"].times), median(sides["plain"].times)
        if plain >= GOAL * floor:
            report.at_least(f"{what}, {action}: times less than el-table", plain / ours, "x", GOAL)
        else:
            report.add(f"{what}, {action}: times less than el-table", plain / ours, "x")
            report.at_most(f"{what}, {action}: times the least that any key costs", ours / floor, "x", CLOSE)


def main() -> int:
    """Returns 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="fresh pages of each side")
    parser.add_argument("--times", type=int, default=20, help="presses of each key in a round")
    given = parser.parse_args()
    report = Report("web")
    sizes = build()
    page, size = max(sizes.items(), key=lambda item: item[1])
    report.at_most(f"first load of JavaScript, gzip, greatest page ({page})", size, "kB", BUDGET)
    with served(PAGES) as url:
        floor = least(given.rounds, given.times, url)
        report.add("a bare page, one cell changes its colour: median", median(floor.times), "ms")
        for what, title in (("list", "list of 200 x 30"), ("grid", "grid of 500 x 20")):
            tell(report, title, compare(what, given.rounds, given.times, url), median(floor.times))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
