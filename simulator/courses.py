"""Which statuses a document goes through and in which words, by type and scripted outcome.

Sources: receipt status table of the spec for the numbers and their words; which of them a type ends with is in its table.
Pure. Must never decide whether a document is good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.script import Outcome
from simulator.tables import Table

# Published, the export's first. 501-503, 599 and 700 are published for import lists only.
WORDS = {
    "1": "电子口岸已暂存",
    "2": "电子口岸申报中",
    "3": "发送海关成功",
    "4": "发送海关失败",
    "100": "海关退单",
    "120": "海关入库",
    "300": "人工审核",
    "399": "海关审结",
    "500": "海关查验",
    "501": "扣留移送通关",
    "502": "扣留移送缉私",
    "503": "扣留移送法规",
    "505": "移交",
    "599": "其它扣留",
    "600": "挂起",
    "700": "退运",
    "800": "放行",
    "899": "结关",
}
REJECTED, RELEASED, CLOSED, SETTLED, STORED = "100", "800", "899", "399", "120"
# Statuses that the electronic port gives, before customs has seen the document.
PORT = frozenset({"1", "2", "3", "4"})

# Verdicts by which customs holds a document.
HELD = frozenset({"accepted", "inspect", "silent", "waiting"})

_REASONS = {
    "reject": "海关退单：申报内容与监管要求不符，请核对后重新申报",
    "error": "处理异常：数据校验未通过",
}
_ACCEPTED = {"1": "新增申报成功，海关入库", "2": "变更申报成功，海关入库", "3": "删除申报成功，海关入库"}
_VERDICTS = {"reject": "rejected", "error": "error", "inspect": "inspect", "silent": "silent"}


@dataclass(frozen=True, slots=True)
class Course:
    """Statuses in order, the last one apart since it may come later; "" = there is none. `info` is its words."""

    verdict: str
    steps: tuple[str, ...]
    code: str
    info: str

    @property
    def statuses(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.steps, self.code) if self.code else self.steps


def words(status: str) -> str:
    """What a receipt says with a status; unknown ones speak for themselves."""
    return WORDS.get(status, "处理异常" if status.startswith("-") else status)


def course(table: Table, outcome: Outcome, app_type: str = "1") -> Course:
    """The course of a good document of a type."""
    statuses = outcome.statuses
    if statuses is None:
        statuses = _usual(table, outcome.outcome)
        verdict = _VERDICTS.get(outcome.outcome, "accepted")
        if app_type == "3" and verdict == "accepted" and RELEASED in statuses:
            # What is deleted is neither released nor closed; that 120 is its end is assumed.
            statuses = _until(statuses, STORED)
        if outcome.code is not None:
            statuses = (*statuses[:-1], outcome.code)
    else:
        verdict = _verdict(statuses[-1] if statuses else "")
    if not statuses:
        return Course("silent", (), "", outcome.info or "")
    code = statuses[-1]
    info = outcome.info
    if info is None and outcome.statuses is None and outcome.code is None:
        info = _REASONS.get(outcome.outcome)
        if info is None and code == STORED:
            info = _ACCEPTED.get(app_type)
    return Course(verdict, tuple(statuses[:-1]), code, words(code) if info is None else info)


def verdict_of(verdicts: Sequence[str]) -> str:
    """What a message is called whose documents were judged so."""
    if "waiting" in verdicts:
        return "waiting"
    refusals = sum(verdict not in HELD for verdict in verdicts)
    if not refusals:
        return "accepted"
    return "rejected" if refusals == len(verdicts) else "mixed"


def _usual(table: Table, outcome: str) -> tuple[str, ...]:
    accepted = table.course
    if outcome == "reject":
        return (*accepted[:2], REJECTED)
    if outcome == "error":
        return (table.codes["script"],)
    if outcome == "silent":
        return ()
    # Lists and returns go on after customs stored them; for the others the status takes the place of the usual end.
    stored = _until(accepted, STORED) if RELEASED in accepted else accepted[:-1]
    ends = {"inspect": ("500",), "review": ("300",), "settle": (SETTLED,), "release": (RELEASED,)}
    if outcome in ends:
        return (*stored, *ends[outcome])
    if outcome == "close":
        return (*stored, RELEASED, CLOSED)
    if outcome == "hold":
        return _until(accepted, STORED) if STORED in accepted else accepted[:-1]
    return accepted


def _until(statuses: tuple[str, ...], last: str) -> tuple[str, ...]:
    return statuses[: statuses.index(last) + 1]


def _verdict(final: str) -> str:
    if final.startswith("-"):
        return "error"
    return {"": "silent", REJECTED: "rejected", "500": "inspect"}.get(final, "accepted")
