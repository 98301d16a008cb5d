"""`python -m tools.suite`: all tests but the fault tests, in two halves side by side.

The one waits for pages, the other for servers and tokens that are started and killed, about as long: together they take
little more than the longer one. Each half's lines bear its name; a failure of either is the suite's. The closing line
sums both up as pytest's own does.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

from tools.paths import ROOT

#: name -> what pytest is told
HALVES = {
    "pages": ("--ignore=tests/integration", "--ignore=tests/fault"),
    "processes": ("tests/integration",),
}
#: pytest's codes for "all passed" and "no test ran"
PASSED, NONE_RAN = 0, 5
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|warnings?|deselected|xfailed|xpassed)\b")


@dataclass
class Half:
    """One pytest process; code: its exit code once it ended. counts: word of the closing line -> number."""

    name: str
    words: tuple[str, ...]
    code: int = -1
    counts: dict[str, int] = field(default_factory=dict)

    def run(self, more: list[str]) -> None:
        """To its end, its output line by line under its name."""
        command = [sys.executable, "-u", "-m", "pytest", "--color=no", *self.words, *more]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            print(f"{self.name}: {line}", end="", flush=True)
            last = line if _COUNT.search(line) else last
        self.code = process.wait()
        self.counts = closing(last)


def closing(line: str) -> dict[str, int]:
    """The numbers of pytest's closing line by their words, e.g. {"passed": 12, "failed": 1}."""
    return {
        word.rstrip("s") if word == "errors" else word: int(number) for number, word in _COUNT.findall(line)
    }


def summed(halves: list[Half], seconds: float) -> str:
    """A closing line for both, in pytest's words."""
    total: dict[str, int] = {}
    for half in halves:
        for word, number in half.counts.items():
            total[word] = total.get(word, 0) + number
    found = ", ".join(f"{number} {word}" for word, number in sorted(total.items()) if number)
    return f"==== {found or 'no tests ran'} in {seconds:.0f}s ===="


def verdict(halves: list[Half]) -> int:
    """0 only if each half ran tests and all of them passed."""
    return int(any(half.code != PASSED or not half.counts.get("passed") for half in halves))


def main() -> int:
    """The browser application's own tests first; more words are pytest's."""
    begun = time.monotonic()
    if subprocess.run([sys.executable, "-m", "tools.web", "test"], cwd=ROOT, check=False).returncode:
        return 1
    halves = [Half(name, words) for name, words in HALVES.items()]
    running = [threading.Thread(target=half.run, args=(sys.argv[1:],)) for half in halves]
    for one in running:
        one.start()
    for one in running:
        one.join()
    print(summed(halves, time.monotonic() - begun))
    return verdict(halves)


if __name__ == "__main__":
    sys.exit(main())
