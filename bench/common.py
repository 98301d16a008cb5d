"""What every benchmark needs: CPU of processes, medians, and a report as a table and as JSON.

CPU comes from the kernel's own accounts, so that figures hold on a machine that others use too. Must never judge by
wall clock where CPU time or a ratio within the run would do.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import ssl
import statistics
import subprocess
import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import psycopg

from tools.paths import ROOT

RESULTS = ROOT / "bench" / "results"
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report. goal: for the reader, e.g. "≥ 6"; met: None where there is no goal."""

    what: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None


@dataclass(slots=True)
class Report:
    """The figures of one benchmark; `finish` prints them and writes bench/results/NAME.json."""

    name: str
    figures: list[Figure] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def measured_on(self, postgres_url: str) -> None:
        """Keep which server it was, and which driver."""
        with psycopg.connect(postgres_url) as connection:
            number = connection.info.server_version
        self.versions["PostgreSQL"] = f"{number // 10_000}.{number % 10_000}"
        self.versions |= {name: version(name) for name in ("psycopg", "SQLAlchemy")}

    def add(self, what: str, value: float, unit: str) -> None:
        """A figure without a goal."""
        self.figures.append(Figure(what, _shown(value), unit))

    def at_least(self, what: str, value: float, unit: str, goal: float) -> None:
        """A figure that should be `goal` or more."""
        self.figures.append(Figure(what, _shown(value), unit, f"≥ {goal:g}", value >= goal))

    def at_most(self, what: str, value: float, unit: str, goal: float) -> None:
        """A figure that should be `goal` or less."""
        self.figures.append(Figure(what, _shown(value), unit, f"≤ {goal:g}", value <= goal))

    def finish(self, folder: Path = RESULTS) -> int:
        """Print and keep the figures; returns 1 if a goal was missed, else 0 (for the process's exit code)."""
        content = {
            "name": self.name,
            "commit": commit(),
            "machine": machine(),
            **({"versions": self.versions} if self.versions else {}),
            "figures": [asdict(figure) for figure in self.figures],
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"\n{self.name}  {content['commit']}  {content['machine']}")
        rows = [
            (f.what, f"{f.value:,g}", f.unit, f.goal, {None: "", True: "yes", False: "NO"}[f.met])
            for f in self.figures
        ]
        print(table(("what", "value", "unit", "goal", "met"), rows))
        return int(any(figure.met is False for figure in self.figures))


def _shown(value: float) -> float:
    """Three to four digits: more would claim a precision that no run repeats."""
    return round(value, 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Text in columns; the second and later columns of numbers are set to the right."""
    cells = [list(titles), *(list(row) for row in rows)]
    widths = [max(_width(row[index]) for row in cells) for index in range(len(titles))]
    lines = []
    for row in cells:
        padded = []
        for index, (text, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _width(text))
            number = index > 0 and text[:1].isdigit()
            padded.append(space + text if number else text + space)
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def commit() -> str:
    """The checkout's commit, with a mark if something in it was changed since; empty outside git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def machine() -> str:
    """Processor, cores, system, Python and OpenSSL: what a figure depends on."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0))
    return (
        f"{model}, {cores} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    )


def median(values: Iterable[float]) -> float:
    """The middle of several runs."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """How far runs lie apart: (greatest - least) / median, in percent."""
    return 100 * (max(values) - min(values)) / statistics.median(values)


def own_cpu() -> float:
    """CPU seconds (user and system) of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def children_cpu() -> float:
    """CPU seconds of this process's children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def process_cpu(pid: int) -> float:
    """CPU seconds of a running process, all threads, without its children; 0 once it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICK if fields else 0.0


def cpu_clock(pid: int) -> float:
    """CPU seconds of a running process as its own clock tells them: nanoseconds apart, not ticks.

    Raises OSError once it is gone. The clock's number follows from the process's (clock_getcpuclockid in libc)."""
    return time.clock_gettime(~pid << 3 | 2)


def reaped_cpu(pid: int) -> float:
    """CPU seconds of the ended children (and theirs) that a process waited for; 0 once it is gone."""
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) / _TICK if fields else 0.0


def parent_of(pid: int) -> int:
    """The parent's pid; 0 if the process is gone."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    """/proc/PID/stat from field 3 (state) on; the name before it may hold anything, also brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def tree(root: int) -> list[int]:
    """A process and all that descend from it, as of now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children.setdefault(parent_of(int(entry.name)), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def machine_busy() -> float:
    """Busy CPU seconds of the whole machine so far, all cores."""
    fields = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICK
