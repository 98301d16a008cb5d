"""Remembers what was made from what, so that a repeated set-up costs a second.

A stamp is written after the work; never before, so an interrupted step is done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tools.paths import ROOT, private_dir


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """One hash over names and contents of files (relative to the checkout) and some words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_fresh(name: str, wanted: str) -> bool:
    """True if step `name` was last done for exactly this fingerprint."""
    path = _path(name)
    return path.exists() and path.read_text() == wanted


def done(name: str, wanted: str) -> None:
    """Note that step `name` is done for this fingerprint."""
    private_dir(ROOT / ".run")
    private_dir(_path(name).parent)
    _path(name).write_text(wanted)


def _path(name: str) -> Path:
    return ROOT / ".run" / "stamps" / name
