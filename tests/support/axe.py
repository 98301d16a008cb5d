"""What axe-core, the outside judge of accessibility, finds wrong on the glass."""

from __future__ import annotations

import functools
from typing import Any

from playwright.sync_api import Page

from tools.web import WEB

#: WCAG 2.2, levels A and AA
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
#: what keeps somebody from working; the rest is advice
IMPACTS = ("serious", "critical")
#: looks of the pages to be judged: classes of the root element, "" for none
LOOKS = ("",)

_RUN = """async ([tags, look]) => {
    if (look) document.documentElement.classList.add(look);
    const found = await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
    if (look) document.documentElement.classList.remove(look);
    return found.violations.map(({ id, impact, nodes }) => ({
        id, impact, nodes: nodes.map(node => [node.target.join(' '), node.any.concat(node.all, node.none).map(c => c.message)[0]])
    }));
}"""


@functools.cache
def _source() -> str:
    return (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, looks: tuple[str, ...] = LOOKS) -> list[str]:
    """One line per rule that is broken: rule, impact, where first and why."""
    # put in by the debugger, which the pages' content security policy does not bind
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_source())
    return [
        _line(broken, look)
        for look in looks
        for broken in page.evaluate(_RUN, [list(TAGS), look])
        if broken["impact"] in IMPACTS
    ]


def _line(broken: dict[str, Any], look: str) -> str:
    (where, why), more = broken["nodes"][0], len(broken["nodes"]) - 1
    return f"{broken['id']} ({broken['impact']}{', ' + look if look else ''}): {where}: {why}" + (
        f" and {more} more" if more else ""
    )
