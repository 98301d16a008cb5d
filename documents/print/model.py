"""What is printed: a stored document with its body, and the circumstances of printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A document as its service keeps it. head, lines: texts by message names, as in its body."""

    number: str
    state: str
    stored_at: datetime
    updated_at: datetime
    customs_status: str = ""
    return_info: str = ""
    batch_no: str = ""
    created_by: str = ""
    revision: int = 1
    head: Mapping[str, str] = field(default_factory=dict)
    lines: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """Who prints when, in which language (zh or en)."""

    at: datetime
    by: str
    language: str = "zh"
