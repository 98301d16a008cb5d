"""Times as text: RFC 3339 UTC on the wire and in the journal."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The clock of this PC."""
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """2026-11-20T07:04:00.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(value: str) -> datetime:
    """Inverse of `text`, for any RFC 3339 time; raises ValueError for anything else, also one without a zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)
