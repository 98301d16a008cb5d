"""What the self-diagnosis knows when it judges. Values only; gathered in http/diagnosis.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from documents.compare import Comparison
from documents.spec import DocumentType
from documents.words import Words
from services.gateway.tenants.domain import Enterprise, Mandate

Result = Literal["ok", "warning", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Page:
    """Where something can be mended."""

    path: str
    label: Words


@dataclass(frozen=True, slots=True)
class Item:
    """One check: its stable name, its title, how it ended, and in words what, why and the way out."""

    check: str
    label: Words
    result: Result
    words: Words
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """The key that signs for the enterprise. state: usable | expired | unavailable."""

    label: str
    state: str
    not_before: datetime
    not_after: datetime
    hardware: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the timeline: saved, submitted, signed, sent, refused …; detail as the service tells it."""

    what: str
    at: datetime
    detail: Mapping[str, str] = field(default_factory=dict)
    words: Words = field(default_factory=lambda: Words("", ""))


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt: returnStatus, customs' words, whether it moved the document."""

    status: str
    words: Words
    info: str
    standing: str
    at: str


@dataclass(frozen=True, slots=True)
class Way:
    """How far the last message is on its way: sending, waiting, sent, refused. reason: of waiting or refusal."""

    state: str
    attempts: int
    since: datetime
    code: str = ""
    reason: Words | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What of this enterprise waits for its channel."""

    waiting: int
    since: datetime | None
    reason: Words | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about one document and those who file it. None: could not be found out, or may not be seen.

    body: head and lines. keys: the active ones of the enterprise. comparison: only of kinds that are compared.
    """

    now: datetime
    doctype: DocumentType
    id: str
    state: str
    customs_status: str
    return_info: str
    updated_at: datetime
    replaced_by: str
    body: Mapping[str, Any]
    enterprise: Enterprise | None
    enterprise_kinds: tuple[str, ...]
    mandate: Mandate | None
    keys: Sequence[Key] | None
    timeline: Sequence[Happened]
    receipts: Sequence[Receipt]
    way: Way | None = None
    queue: Queue | None = None
    odd_receipts: int = 0
    comparison: Comparison | None = None

    @property
    def submitted(self) -> Happened | None:
        """The last time it was filed; None if it never was, or was changed since."""
        last = None
        for entry in self.timeline:
            if entry.what == "submitted":
                last = entry
            elif entry.what == "edited":
                last = None
        return last

    def since_submitted(self, what: str) -> Happened | None:
        """The last entry of a sort since it was filed last."""
        start = self.submitted
        if start is None:
            return None
        found = [entry for entry in self.timeline if entry.what == what and entry.at >= start.at]
        return found[-1] if found else None
