"""The storage-time range of a query: read, brought to Asia/Shanghai, and kept within one calendar month.

Source of the rule: guide 002, 1.1 (2018-07-01 00:00:00 to 2018-07-31 00:00:00 is one). Pure.
"""

from __future__ import annotations

import calendar
import re
from datetime import MAXYEAR, datetime

from runtime.errors import Detail
from services.gateway.http.answers import SHANGHAI
from services.gateway.http.problems import wrong

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?) ?(?P<zone>Z|[+-]?\d{2}:\d{2})?",
    re.ASCII,
)


def read(text: str) -> datetime | None:
    """A moment, or None if it is none. Without an offset it is Asia/Shanghai's.

    A plus sign that a URL turned into a blank is read as the plus it was.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    zone = match["zone"] or ""
    if zone[:1].isdigit():
        zone = f"+{zone}"
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['time']}{zone}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=SHANGHAI)
        return moment.astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        return None


def month_later(moment: datetime) -> datetime | None:
    """The same day and time one calendar month on, or the last day of that month; None past the end of time."""
    year, month = (moment.year, moment.month + 1) if moment.month < 12 else (moment.year + 1, 1)
    if year > MAXYEAR:
        return None
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)


def check(stored_from: str, stored_to: str) -> tuple[str, str, list[Detail]]:
    """Both ends as RFC 3339 in Asia/Shanghai (empty = open) and what is wrong with them."""
    details: list[Detail] = []
    ends: dict[str, datetime | None] = {}
    for name, text in (("stored_from", stored_from), ("stored_to", stored_to)):
        ends[name] = read(text) if text else None
        if text and ends[name] is None:
            details.append(wrong(f"/{name}", "datetime", text))
    start, end = ends["stored_from"], ends["stored_to"]
    if start and end:
        latest = month_later(start)
        if start > end:
            details.append(wrong("/stored_from", "from-after-to", stored_from))
        elif latest is not None and end > latest:
            details.append(wrong("/stored_to", f"window:{latest:%Y-%m-%d %H:%M:%S}", stored_to))
    return (start.isoformat() if start else "", end.isoformat() if end else "", details)
