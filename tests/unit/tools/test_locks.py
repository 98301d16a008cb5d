"""Lock files: every package by hash, no address of anybody's registry, and the pins that must agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tools.lock import NAMES
from tools.paths import ROOT

LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in NAMES]


def entries(path: Path) -> list[str]:
    """Logical lines of a requirements file."""
    return path.read_text().replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_by_hash(path: Path) -> None:
    lines = [line for line in entries(path) if line.strip()]
    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+", line), line
        assert "--hash=sha256:" in line, line


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_no_lock_says_where_packages_come_from(path: Path) -> None:
    assert not re.search(r"://|^/|-index|find-links", path.read_text(), re.MULTILINE)


def test_the_browser_applications_lock_has_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "services/gateway/web/package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name.startswith("node_modules/")}
    assert installed
    assert [name for name, entry in installed.items() if "resolved" in entry] == []
    assert [name for name, entry in installed.items() if "integrity" not in entry] == []


def test_generated_code_and_its_library_have_one_version() -> None:
    versions = dict(
        match.groups()
        for path in LOCKS
        for line in entries(path)
        if (match := re.match(r"(grpcio(?:-tools)?)==(\S+)", line))
    )
    assert versions["grpcio"] == versions["grpcio-tools"]
