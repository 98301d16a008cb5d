"""A range of times in a query: read, brought to Asia/Shanghai, and kept within one calendar month.

Source of the rule: guide 002, 1.1 (2018-07-01 00:00:00 to 2018-07-31 00:00:00 is one). Pure.
"""

from __future__ import annotations

import calendar
import re
from datetime import MAXYEAR, date, datetime, time, timedelta

from runtime.errors import Detail
from services.gateway.http.answers import SHANGHAI
from services.gateway.http.problems import wrong

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?) ?(?P<zone>Z|[+-]?\d{2}:\d{2})?",
    re.ASCII,
)

_DAY = re.compile(r"20\d{2}-\d{2}-\d{2}", re.ASCII)


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


def check(start_text: str, end_text: str, name: str = "stored") -> tuple[str, str, list[Detail]]:
    """Both ends as RFC 3339 in Asia/Shanghai (empty = open) and what is wrong with them; name: of the range."""
    details: list[Detail] = []
    ends: list[datetime | None] = []
    for place, text in ((f"/{name}_from", start_text), (f"/{name}_to", end_text)):
        ends.append(read(text) if text else None)
        if text and ends[-1] is None:
            details.append(wrong(place, "datetime", text))
    start, end = ends
    if start and end:
        latest = month_later(start)
        if start > end:
            details.append(wrong(f"/{name}_from", "from-after-to", start_text))
        elif latest is not None and end > latest:
            details.append(wrong(f"/{name}_to", f"window:{latest:%Y-%m-%d %H:%M:%S}", end_text))
    return (start.isoformat() if start else "", end.isoformat() if end else "", details)


def today() -> date:
    """The day it is in Asia/Shanghai."""
    return datetime.now(SHANGHAI).date()


def days_before(day: date, count: int) -> date:
    """So many days earlier."""
    return day - timedelta(days=count)


def of_days(first: date, last: date) -> tuple[str, str]:
    """The first and the last moment of days, as RFC 3339."""
    moments = datetime.combine(first, time.min, SHANGHAI), datetime.combine(last, time.max, SHANGHAI)
    return moments[0].isoformat(), moments[1].isoformat()


def check_days(first_text: str, last_text: str) -> tuple[date | None, date | None, list[Detail]]:
    """Two days, yyyy-mm-dd, both included, one calendar month apart at most; None where one is not given or wrong."""
    details: list[Detail] = []
    days: list[date | None] = []
    for place, text in (("/from", first_text), ("/to", last_text)):
        days.append(_day(text))
        if text and days[-1] is None:
            details.append(wrong(place, "day", text))
    first, last = days
    if first and last:
        latest = month_later(datetime.combine(first, time.min, SHANGHAI))
        if first > last:
            details.append(wrong("/from", "from-after-to", first_text))
        elif latest is not None and last >= latest.date():
            details.append(wrong("/to", f"window:{days_before(latest.date(), 1)}", last_text))
    return first, last, details


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
