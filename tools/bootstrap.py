"""Makes .venv with the locked packages. Runs on the machine's own Python, so it imports the standard library only.

Never installs what the lock files do not name by hash, and never names a package registry: pip's and uv's own
configuration of the machine decides where packages come from.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
TOOL = ROOT / "requirements" / "setup.txt"
LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("runtime", "dev", "local")]
LEAST = (3, 11)
# pip's settings and what uv calls them: uv does not read pip's configuration
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def main() -> int:
    """Make or refresh .venv; at once when nothing changed."""
    if sys.version_info < LEAST:
        found = ".".join(map(str, sys.version_info[:3]))
        wanted = ".".join(map(str, LEAST))
        print(
            f"Python {found} is too old: {wanted} or later is needed; choose one: make PYTHON=python{wanted} …"
        )
        return 1
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        print(
            "This Python cannot make virtual environments (no ensurepip). On Debian and Ubuntu:\n"
            "    apt-get install python3-venv make\n"
            "then run this again."
        )
        return 1
    (ROOT / ".run").mkdir(mode=0o700, exist_ok=True)
    with (ROOT / ".run" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _refresh()


def _refresh() -> int:
    wanted = _fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
        return 0
    begin = time.monotonic()
    if not _venv_is_here():
        print("setup: .venv", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    STAMP.unlink(missing_ok=True)
    print("setup: locked packages", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    have_uv = subprocess.run([*pip, "--requirement", str(TOOL)], check=False).returncode == 0
    if not (have_uv and _install_with_uv()):
        print("setup: uv could not install, using pip (slower)", flush=True)
        files = [part for lock in LOCKS for part in ("--requirement", str(lock))]
        done = subprocess.run([*pip, *files], check=False)
        if done.returncode:
            print("setup: pip could not install the locked packages; its message is above")
            return done.returncode
    STAMP.write_text(wanted)
    print(f"setup: packages ready in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


def _venv_is_here() -> bool:
    """True if .venv was made in this very folder by a Python of this version: scripts in it hold its path."""
    pip = VENV / "bin" / "pip"
    if not (PYTHON.exists() and pip.exists() and str(VENV) in pip.read_text()):
        return False
    code = "import sys; print(sys.version_info[:2])"
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == str(sys.version_info[:2])


def _install_with_uv() -> bool:
    """uv with the machine's pip configuration told to it; False if it fails, whatever the reason."""
    files = [part for lock in LOCKS for part in ("--requirement", str(lock))]
    uv = VENV / "bin" / "uv"
    command = [str(uv), "pip", "install", "--quiet", "--require-hashes", "--python", str(PYTHON), *files]
    return subprocess.run(command, env=_uv_environment(), check=False).returncode == 0


def _uv_environment() -> dict[str, str]:
    environment = dict(os.environ)
    listing = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    settings: dict[str, str] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        # global.index-url='…', install.index-url='…', :env:.index-url='…'; the last one wins as in pip
        settings[name.rpartition(".")[2]] = value.strip("'\"").replace("\\n", " ")
    for pip_name, uv_name in PIP_TO_UV.items():
        if pip_name in settings:
            environment.setdefault(uv_name, settings[pip_name])
    # a hash decides what is taken, so every source may offer it
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    environment.setdefault("UV_LINK_MODE", "copy")
    environment.pop("VIRTUAL_ENV", None)
    return environment


def _fingerprint() -> str:
    digest = hashlib.sha256(f"{VENV} {sys.version_info[:2]}".encode())
    for path in (TOOL, *LOCKS, Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
