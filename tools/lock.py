"""`make lock`: resolves requirements/*.in into hashed, universal *.txt without addresses or paths.

Never run by set-up or tests: a lock changes only when somebody asks for it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.paths import ROOT

# in this order: the later ones are constrained by runtime.txt
NAMES = ("setup", "runtime", "dev", "local", "agent")


def main() -> int:
    """Resolve all files; the last versions that were locked stay unless `--upgrade` is given."""
    uv = Path(sys.executable).with_name("uv")
    for name in NAMES:
        folder = ROOT / "requirements"
        command = [
            str(uv),
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--python-version=3.11",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-annotate",
            "--no-header",
            *sys.argv[1:],
            f"{name}.in",
            f"--output-file={name}.txt",
        ]
        done = subprocess.run(command, cwd=folder, check=False)
        if done.returncode:
            print(f"lock: requirements/{name}.in could not be resolved; uv's message is above")
            return done.returncode
        print(f"lock: requirements/{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
