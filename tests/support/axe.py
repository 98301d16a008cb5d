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
#: the looks of the pages to be judged
LOOKS = ("light", "dark")
#: the only rule that depends on the look; the others need not be asked twice
CONTRAST = "color-contrast"

# Colours that fade from one look to the other would be judged half-way: nothing fades meanwhile. A sheet made by script,
# because the pages' content security policy forbids inline styles.
_RUN = """async ([only, look]) => {
    const root = document.documentElement;
    const before = root.classList.contains('dark');
    const still = new CSSStyleSheet();
    still.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important }');
    document.adoptedStyleSheets.push(still);
    root.classList.toggle('dark', look === 'dark');
    let found;
    try {
        found = await axe.run(document, { runOnly: only, resultTypes: ['violations'] });
    } finally {
        root.classList.toggle('dark', before);
        document.adoptedStyleSheets.pop();
    }
    return found.violations.map(({ id, impact, nodes }) => ({
        id, impact, nodes: nodes.map(node => [node.target.join(' '), node.any.concat(node.all, node.none).map(c => c.message)[0]])
    }));
}"""


@functools.cache
def _source() -> str:
    return (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """One line per rule that is broken: rule, impact, look, where first and why."""
    # put in by the debugger, which the pages' content security policy does not bind
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_source())
    return [
        _line(broken, look)
        for look in LOOKS
        for broken in page.evaluate(_RUN, [_asked(look), look])
        if broken["impact"] in IMPACTS
    ]


def _asked(look: str) -> dict[str, Any]:
    if look == LOOKS[0]:
        return {"type": "tag", "values": list(TAGS)}
    return {"type": "rule", "values": [CONTRAST]}


def _line(broken: dict[str, Any], look: str) -> str:
    (where, why), more = broken["nodes"][0], len(broken["nodes"]) - 1
    return f"{broken['id']} ({broken['impact']}, {look}): {where}: {why}" + (
        f" and {more} more" if more else ""
    )
