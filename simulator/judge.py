"""Judging one document: the rules it must keep, then what the books already hold, then the script.

Pure: no clock, no database, no network. Must never use the product's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from simulator import tables
from simulator.checks import check_document
from simulator.config import Rules
from simulator.contents import Document
from simulator.courses import HELD, REJECTED, course
from simulator.problems import Refusal
from simulator.script import Outcome
from simulator.tables import Table


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the books already say about one number of one type; the numbers customs gave it then."""

    guid: str
    app_type: str
    app_time: str
    accepted: bool
    pre_no: str = ""
    customs_no: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one document. `verdict` is accepted, rejected, error, inspect, silent or waiting."""

    verdict: str
    code: str
    info: str
    steps: tuple[str, ...]
    delay_ms: int
    prefixed: bool

    @property
    def held(self) -> bool:
        """Whether customs keeps the document."""
        return self.verdict in HELD


def check_message(
    message: dict[str, str], sender: str, msg_type: str, root_type: str, holder_code: str | None
) -> None:
    """Envelope, transfer node and certificate must name the same party. Raises Refusal."""
    if msg_type != root_type:
        raise Refusal(
            "content",
            f"信封 MsgType 为 {msg_type or '空'}，业务报文为 {root_type}",
            f"envelope says MsgType {msg_type or 'nothing'}, the message is {root_type}",
        )
    if message["dxpMode"] != "DXP":
        raise Refusal("content", "BaseTransfer 的 dxpMode 应为 DXP", "BaseTransfer/dxpMode must be DXP")
    if message["dxpId"] != sender:
        raise Refusal(
            "enterprise",
            f"BaseTransfer 的 dxpId {message['dxpId']} 与信封发送方 {sender} 不一致",
            f"BaseTransfer/dxpId {message['dxpId']} is not the envelope's sender {sender}",
        )
    if holder_code is not None and message["copCode"] != holder_code:
        raise Refusal(
            "enterprise",
            f"传输企业代码 {message['copCode']} 与证书持有人 {holder_code} 不一致",
            f"BaseTransfer/copCode {message['copCode']} is not the certificate holder's code {holder_code}",
        )


def in_books(earlier: Sequence[Earlier]) -> Earlier | None:
    """The version that customs holds now, if any."""
    accepted = [row for row in earlier if row.accepted]
    # A deleted document may be declared anew; what was last accepted decides.
    return accepted[-1] if accepted and accepted[-1].app_type != "3" else None


def check_books(head: dict[str, str], table: Table, earlier: Sequence[Earlier]) -> Refusal | None:
    """Does the document fit what was accepted before under the same number?"""
    if not earlier:
        if head["appType"] == "1":
            return None
        return _not_there(head, table)
    name = f"{table.zh} {table.number(head)}"
    if any(row.accepted and row.guid == head["guid"] and row.app_type == head["appType"] for row in earlier):
        return Refusal(
            table.codes["exists"],
            f"{name} 已申报并入库，请勿重复申报",
            f"{table.number(head)} was accepted before under another message",
        )
    held = in_books(earlier)
    if head["appType"] == "1":
        if held is None:
            return None
        return Refusal(
            table.codes["exists"],
            f"{name} 已存在，请更换编号或改为变更申报",
            f"{table.number(head)} exists; use another number or amend",
        )
    if held is None:
        return _not_there(head, table)
    if table.books.final:
        return Refusal(
            table.codes["state"], f"{name} 已办结，不能变更或删除", f"{table.number(head)} is done with"
        )
    if head["appTime"] < held.app_time:
        return Refusal(
            table.codes["older"],
            f"申报时间 {head['appTime']} 早于已入库报文 {held.app_time}",
            f"appTime {head['appTime']} is older than the stored {held.app_time}",
        )
    return None


def _not_there(head: dict[str, str], table: Table) -> Refusal:
    number = table.number(head)
    return Refusal(
        table.codes["unknown"],
        f"{table.zh} {number} 未入库，不能变更或删除",
        f"{number} is not in the books, it cannot be amended or deleted",
    )


def judge(
    document: Document,
    table: Table,
    earlier: Sequence[Earlier],
    rules: Rules,
    outcome: Outcome,
    related: Callable[[Document], Refusal | None] = lambda _document: None,
) -> Judgement:
    """The outcome of a well-built, rightly signed document. `related`: what it must keep towards other documents."""
    fault = (
        check_document(document, table, rules)
        or check_books(document.head, table, earlier)
        or related(document)
    )
    if fault is not None:
        return refused(fault, outcome.prefixed)
    return scripted(table, outcome, document.head["appType"])


def scripted(table: Table, outcome: Outcome, app_type: str) -> Judgement:
    """What becomes of a good document."""
    return _scripted(table.kind, outcome, app_type)


@lru_cache(maxsize=1024)
def _scripted(kind: int, outcome: Outcome, app_type: str) -> Judgement:
    way = course(tables.by_kind()[kind], outcome, app_type)
    return Judgement(way.verdict, way.code, way.info, way.steps, outcome.delay_ms, outcome.prefixed)


def refused(fault: Refusal, prefixed: bool) -> Judgement:
    """A processing exception comes alone and at once; a rejection goes the usual way to customs first."""
    if fault.status == REJECTED:
        return Judgement("rejected", REJECTED, fault.zh[:1000], ("2", "3"), 0, prefixed)
    return Judgement("error", fault.status, fault.zh[:1000], (), 0, prefixed)
