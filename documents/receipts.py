"""What a receipt does to the document it speaks of: the state it leads to, and how it ranks.

A document's state is the greatest (rank, returnTime) of the receipts that arrived for its current attempt, so the
result does not depend on the order of arrival, and nothing moves backward.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from documents.spec import DocumentType

_RETURN_TIME = re.compile(r"[0-9]{17}")
_NEGATIVE = re.compile(r"-[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Effect:
    """state is None where the code is unknown: kept and shown, but moves nothing."""

    state: str | None
    rank: int
    settled: bool


def effect(doctype: DocumentType, code: str) -> Effect:
    """What a returnStatus leads to; any negative number is a processing exception (spec)."""
    status = doctype.lifecycle.by_code.get(code)
    name = status.state if status else doctype.lifecycle.negative if _NEGATIVE.fullmatch(code) else None
    if name is None:
        return Effect(None, -1, False)
    state = doctype.lifecycle.by_name[name]
    return Effect(name, state.rank, state.settled)


def is_time(text: str) -> bool:
    """True for 17 digits that name a moment."""
    if not _RETURN_TIME.fullmatch(text):
        return False
    try:
        datetime.strptime(text[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007 - only whether there is such a moment
    except ValueError:
        return False
    return True


def return_time(text: str) -> str:
    """yyyyMMddHHmmssSSS of customs (Asia/Shanghai) as RFC 3339; empty if it is no such time."""
    if not is_time(text):
        return ""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}.{text[14:]}+08:00"
