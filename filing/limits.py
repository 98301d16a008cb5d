"""Time limits of work that people wait for, and what to do when one is over. Judged when somebody looks, by nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from documents.words import Words
from runtime.errors import Detail

#: how often a worker may be killed over one piece of work before that is given up; below the bus' delivery limit
MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a state may last, and why it can last longer."""

    minutes: int
    why: Words


_WAITING = Limit(15, Words(
    "超过时限仍未开始读取：导入进程可能停止或繁忙。可以“重试”，或“放弃”后重新导入；未导入任何数据。",
    "Not begun in time: the imports process may be stopped or busy. Retry it, or give it up and import again; nothing "
    "was stored.",
))  # fmt: skip
_WORKING = Limit(5, Words(
    "超过时限仍未完成：导入进程可能已中断。可以“重试”，或“放弃”后重新导入；不会重复存入。",
    "Not finished in time: the imports process may have been stopped. Retry it, or give it up and import again; nothing "
    "is stored twice.",
))  # fmt: skip
IMPORT: Mapping[str, Limit] = {"waiting": _WAITING, "reading": _WORKING, "storing": _WORKING}
TASK: Mapping[str, Limit] = {
    "generating": Limit(15, Words(
        "超过时限仍未生成：处理进程可能停止或繁忙。可以再次“生成申报数据”，或“放弃生成”；数据未改动。",
        "Not generated in time: the process may be stopped or busy. Generate again or give it up; nothing was changed.",
    )),
}  # fmt: skip


def overdue(limits: Mapping[str, Limit], state: str, since: datetime) -> Detail | None:
    """Why something that is in `state` since then takes too long; None while it does not. value: overdue since when."""
    limit = limits.get(state)
    if limit is None:
        return None
    end = since + timedelta(minutes=limit.minutes)
    if datetime.now(UTC) < end:
        return None
    return Detail("/state", "overdue", limit.why.zh, limit.why.en, end.isoformat())
