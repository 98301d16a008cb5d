"""What a well-built message holds, as plain values.

Both readers of a message, the scan and the walk, fill these. Must never know how a message is judged.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One business document: fields by name, optional ones that are absent read as empty."""

    head: dict[str, str]
    lines: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a well-built message holds."""

    documents: tuple[Document, ...]
    transfer: dict[str, str]
