"""`python -m tools.suite`: all tests but the fault tests, in parts of which a few run side by side.

Tests wait a lot, for pages, servers and tokens that are started and killed: together the parts take far less than one
after the other. Each part's lines bear its name; a failure of any is the suite's. The closing line sums them up as
pytest's own does, and says once more what failed: where only the end of a long log is kept, that is what is looked for.
More words are pytest's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tools.paths import ROOT

#: parts that run at the same time: they wait more than they work, but more of them make each other late on two cores
AT_ONCE = 4
#: integration tests whose servers, tokens and processes are their own; all others share a running stack
_PROCESSES = ("agent", "test_bus_*.py", "test_customs_*.py", "test_simulator*.py", "test_stack_*.py")
_SIGNER = ("signing", "test_signer*.py")
_ELSEWHERE = ("tests/e2e", "tests/fault", "tests/integration")
_DOCUMENTS = ("tests/contract", "tests/unit/documents")
_ISOLATION = "tests/isolation"
#: pytest's code for "all passed"
PASSED = 0
#: how pytest's short summary, and vitest's, name a test that failed
_FAILED = re.compile(r"\s*(FAILED|ERROR|FAIL) +\S")
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|warnings?|deselected|xfailed|xpassed)\b")


def parts() -> dict[str, list[str]]:
    """Name -> what pytest is told; the longest first."""
    processes, signer = _integration(_PROCESSES), _integration(_SIGNER)
    return {
        "pages": ["tests/e2e"],
        "services": ["tests/integration", *(f"--ignore={path}" for path in (*processes, *signer))],
        "signer": signer,
        "processes": processes,
        "documents": list(_DOCUMENTS),
        "isolation": [_ISOLATION],
        "rest": [f"--ignore={path}" for path in (*_ELSEWHERE, *_DOCUMENTS, _ISOLATION)],
    }


def _integration(names: Sequence[str]) -> list[str]:
    folder = ROOT / "tests" / "integration"
    return sorted(str(path.relative_to(ROOT)) for name in names for path in folder.glob(name))


@dataclass
class Part:
    """One run of a test program; code: its exit code once it ended. counts: word of pytest's closing line -> number.
    failures: the lines that name what failed."""

    name: str
    command: Sequence[str]
    code: int = -1
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        """To its end, its output line by line under its name."""
        last = ""
        with subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(f"{self.name}: {line}", end="", flush=True)
                last = line if _COUNT.search(line) else last
                if _FAILED.match(line):
                    self.failures.append(line.strip())
            self.code = process.wait()
        self.counts = closing(last)


def closing(line: str) -> dict[str, int]:
    """The numbers of pytest's closing line by their words, e.g. {"passed": 12, "failed": 1}."""
    return {
        word.rstrip("s") if word == "errors" else word: int(number) for number, word in _COUNT.findall(line)
    }


def summed(done: Sequence[Part], seconds: float) -> str:
    """A closing line for all, in pytest's words."""
    total: dict[str, int] = {}
    for part in done:
        for word, number in part.counts.items():
            total[word] = total.get(word, 0) + number
    found = ", ".join(f"{number} {word}" for word, number in sorted(total.items()) if number)
    return f"==== {found or 'no tests ran'} in {seconds:.0f}s ===="


def failed(done: Sequence[Part]) -> list[str]:
    """What failed, one line each with its part's name; a part that ended otherwise is named, too."""
    lines = []
    for part in done:
        lines += [f"{part.name}: {line}" for line in dict.fromkeys(part.failures)]
        if part.code != PASSED and not part.failures:
            lines.append(f"{part.name}: ended with {part.code}")
    return lines


def verdict(done: Sequence[Part]) -> int:
    """0 only if each part ran tests and all of them passed."""
    return int(any(part.code != PASSED or not part.counts.get("passed") for part in done))


def main() -> int:
    """The browser application's own tests run among the others."""
    begun = time.monotonic()
    pytest = [sys.executable, "-u", "-m", "pytest", "--color=no"]
    all_parts = [Part(name, [*pytest, *words, *sys.argv[1:]]) for name, words in parts().items()]
    all_parts.append(Part("web", [sys.executable, "-u", "-m", "tools.web", "test"]))
    with ThreadPoolExecutor(AT_ONCE) as runners:
        list(runners.map(Part.run, all_parts))
    print("\n".join([*failed(all_parts), summed(all_parts, time.monotonic() - begun)]))
    return verdict(all_parts)


if __name__ == "__main__":
    sys.exit(main())
