"""`make agent`: the edge agent as a wheel for customers' PCs, with the protocol's generated code in it.

Builds from a copy, because the agent's package is a folder beside others here. Must never take in anything but agent/
and proto/agent/.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT, run_dir

_PARTS = ("agent", "proto/agent")
_AT_THE_TOP = ("pyproject.toml", "README.md")


def main() -> int:
    """Write the wheel and its locked requirements to .run/agent/dist; returns an exit code."""
    source, target = run_dir() / "agent" / "source", run_dir() / "agent" / "dist"
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for part in _PARTS:
        shutil.copytree(
            ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__", *_AT_THE_TOP)
        )
    for name in _AT_THE_TOP:
        shutil.copy(ROOT / "agent" / name, source / name)
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run([uv, "build", "--wheel", "--quiet", "--out-dir", target, source], check=False)
    if done.returncode:
        print("agent: the wheel could not be built; uv's message is above")
        return done.returncode
    shutil.copy(ROOT / "requirements" / "agent.txt", target / "requirements.txt")
    shutil.copytree(ROOT / "agent" / "packaging", target / "packaging")
    for path in sorted(target.rglob("*")):
        if path.is_file():
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
