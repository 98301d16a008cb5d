"""商品批次号: logistics short code + date (yyyymmdd) + enterprise short code + two-digit serial (guide 000).

How long the short codes are is not stated; 2 to 10 capitals or digits is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

from runtime.errors import Detail, Problem

_SHORT = r"[A-Z0-9]{2,10}"
_SHAPE = re.compile(rf"({_SHORT}?)(20[0-9]{{6}})({_SHORT})([0-9]{{2}})")


def prefix(logistics: str, enterprise: str, day: date) -> str:
    """Everything but the serial."""
    return f"{logistics}{day:%Y%m%d}{enterprise}"


def propose(logistics: str, enterprise: str, day: date, used: Iterable[str]) -> str:
    """The number after the greatest of the day, or the first gap after 99; a conflict when all are used."""
    start = prefix(logistics, enterprise, day)
    serials = {int(number[-2:]) for number in used if re.fullmatch(re.escape(start) + "[0-9]{2}", number)}
    top = max(serials, default=0)
    for serial in (*range(top + 1, 100), *range(1, top)):
        if serial not in serials:
            return f"{start}{serial:02d}"
    raise Problem(
        "conflict",
        f"今日批次号 {start} 的 99 个流水号已用完，请自行填写其他批次号。",
        f"All 99 serials of {start} are used today; enter another batch number.",
    )


def check(batch_no: str, logistics: str, enterprise: str) -> None:
    """Raise `invalid` unless the number has the shape, a real date and the short codes of strategy and enterprise."""
    found = _SHAPE.fullmatch(batch_no)
    why: tuple[str, str] | None = None
    if not found:
        why = (
            "格式应为：物流简码+日期(yyyymmdd)+企业简码+两位流水号",
            "it must be: logistics code + date + enterprise code + serial",
        )
    elif not batch_no.startswith(logistics) or not batch_no[len(logistics) + 8 :].startswith(enterprise):
        why = (
            f"物流简码应为 {logistics}，企业简码应为 {enterprise}",
            f"the short codes must be {logistics} and {enterprise}",
        )
    elif len(batch_no) != len(logistics) + 8 + len(enterprise) + 2 or not _real_day(
        batch_no[len(logistics) :][:8]
    ):
        why = ("日期不存在或流水号不是两位数字", "the date does not exist or the serial has not two digits")
    if why:
        example = f"{logistics}20260101{enterprise}01"
        zh = f"商品批次号“{batch_no}”不正确：{why[0]}，例如 {example}。"
        en = f"Batch number “{batch_no}” is wrong: {why[1]}, for example {example}."
        raise Problem("invalid", zh, en, [Detail("/batch_no", "batch-number", zh, en, batch_no)])


def _real_day(digits: str) -> bool:
    try:
        datetime.strptime(digits, "%Y%m%d")  # noqa: DTZ007 - a calendar day, no moment
    except ValueError:
        return False
    return True
