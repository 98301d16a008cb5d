"""Debian packages unpacked without root into a cache folder: RabbitMQ, SoftHSM, a browser, a font, outside judges.

Uses the machine's own package sources through apt-get (own lists folder, nothing is installed, no service starts).
Never writes outside the cache folder and never runs a package's scripts.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.errors import ToolError
from tools.paths import cache_dir

SYSTEM = Path("/")


def folder() -> Path:
    """Where packages of this system and processor are unpacked, each in a folder of its own name."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    name = f"{release.get('ID', 'unknown')}-{release.get('VERSION_ID', '0')}-{platform.machine()}"
    return cache_dir() / "debs" / name


def roots() -> list[Path]:
    """Folders that look like a small `/`: one per unpacked package (each with what it needs)."""
    return sorted(path for path in folder().glob("*") if path.is_dir() and not path.name.startswith("."))


def find(*patterns: str) -> Iterator[Path]:
    """Files or folders that match a pattern relative to `/`, unpacked ones before the machine's own."""
    for root in (*roots(), SYSTEM):
        for pattern in patterns:
            yield from sorted(root.glob(pattern))


def program(name: str) -> Path | None:
    """A program by name: the machine's own, else an unpacked one (run it with its
    package's `environment`), else None."""
    own = shutil.which(name)
    if own:
        return Path(own)
    return next(find(f"usr/bin/{name}", f"usr/sbin/{name}"), None)


def library_path(package: str) -> dict[str, str]:
    """LD_LIBRARY_PATH for running what came with an unpacked package; empty if it brought no libraries."""
    root = folder() / package
    # the last one is where PulseAudio's client, which Chromium links to, keeps half of itself
    patterns = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio")
    found = [str(path) for pattern in patterns for path in root.glob(pattern) if any(path.glob("*.so*"))]
    return {"LD_LIBRARY_PATH": os.pathsep.join(found)} if found else {}


def environment(package: str) -> dict[str, str]:
    """A small environment (PATH, libraries) for running a program of an unpacked package."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin")} | library_path(package)


def unpack(packages: Iterable[str]) -> list[str]:
    """Fetch each package with what it needs and the machine lacks, and unpack it below `folder()`.

    A package that is unpacked already costs nothing; one that was interrupted starts anew. Returns the names of
    those that were fetched. Raises ToolError with what apt-get said."""
    wanted = [name for name in packages if not (folder() / name).exists()]
    if not wanted:
        return []
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise ToolError(
            f"需要 {' '.join(wanted)},而本机没有 apt-get / dpkg,请自行安装 / needed: {' '.join(wanted)}; "
            "this machine has no apt-get and dpkg, so install them yourself"
        )
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".") as name:
        apt = _Apt(Path(name))
        for package in wanted:
            apt.unpack(package).rename(folder() / package)
    return wanted


class _Apt:
    """apt-get with every folder it writes to below ours."""

    def __init__(self, work: Path) -> None:
        self._work = work
        lists = cache_dir() / "apt-lists"
        for path in (lists / "partial", work / "cache/archives/partial"):
            path.mkdir(parents=True, exist_ok=True)
        self._options = [
            f"-oDir::State::Lists={lists}",
            f"-oDir::Cache={work / 'cache'}",
            "-oDebug::NoLocking=1",
            # as root, apt-get would fetch as a user who may not write here
            "-oAPT::Sandbox::User=root",
            "-oAcquire::Retries=3",
            "-oAcquire::Languages=none",
        ]
        _run(["apt-get", *self._options, "update", "-qq"], work)

    def unpack(self, package: str) -> Path:
        """Fetch and unpack into a new folder."""
        archives = self._work / f"{package}-archives"
        root = self._work / f"{package}-root"
        archives.mkdir()
        root.mkdir()
        names = self._missing(package)
        if names:
            _run(["apt-get", *self._options, "download", *names], archives)
        for archive in sorted(archives.glob("*.deb")):
            _run(["dpkg", "-x", str(archive), str(root)], archives)
        # dpkg -x gives the root folder the rights of the package's; ours must stay readable for a shared cache
        root.chmod(0o755)
        return root

    def _missing(self, package: str) -> list[str]:
        """What an installation would add to this machine. Newer versions of what is there are left alone."""
        command = ["apt-get", *self._options, "-s", "-q", "--no-install-recommends", "install", package]
        words = [line.split() for line in _run(command, self._work).splitlines() if line.startswith("Inst ")]
        # "Inst name (new …)" adds; "Inst name [old] (new …)" replaces
        return [word[1] for word in words if not word[2].startswith("[")]


def _run(command: list[str], where: Path) -> str:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise ToolError(
            f"{command[0]} failed ({done.returncode}):\n{done.stdout[-1000:]}{done.stderr[-2000:]}"
        )
    return done.stdout
