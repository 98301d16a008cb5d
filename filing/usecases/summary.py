"""汇总申请: closed lists become summary applications, chosen one by one or all of a period.

Source: guide 002, 5.1, and field table CEB701: an application names closed lists of one consignor at one customs
office. Lists that stand in an application which customs has not refused are left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from documents import body as bodies
from documents.check import checker
from documents.spec import DocumentType
from filing.context import Filing
from filing.store import documents as store
from filing.store import summary as lists
from filing.times import SHANGHAI
from filing.usecases import content
from runtime.actor import Actor
from runtime.errors import Detail, Problem

LIST, APPLICATION = "list", "summary-application"
#: lists that one call may sum up
MAX_LISTS = 20_000
#: head fields of an application that its lists must have in common
_COMMON = ("customsCode", "agentCode", "agentName", "ebcCode", "ebcName")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Either ids of lists, or an enterprise and the time in which its lists were closed (RFC 3339), and how they are
    declared (statisticsFlag). head: what the application says beyond what its lists say."""

    ids: Sequence[str] = ()
    ebc_code: str = ""
    closed_from: str = ""
    closed_to: str = ""
    statistics_flag: str = ""
    head: Mapping[str, str] = field(default_factory=dict)


def build(filing: Filing, actor: Actor, wanted: Wanted) -> list[Any]:
    """Applications from closed lists, one for each customs office, declarant and consignor; stored, not yet filed."""
    doctype, source = filing.doctype(APPLICATION), filing.doctype(LIST)
    actor.require("document.write", APPLICATION)
    actor.require("document.read", LIST)
    with filing.database.transaction(actor.tenant_id) as connection:
        rows = _chosen(connection, source, wanted) if wanted.ids else _of_period(connection, wanted)
        # what an application has in common with its lists is a choice among them, never another value
        rows = [
            row
            for row in rows
            if all(row.head.get(name) == wanted.head.get(name, row.head.get(name)) for name in _COMMON)
        ]
        if not rows:
            raise Problem(
                "conflict",
                "没有可汇总的清单：须为已结关、申报业务类型一致且尚未申请汇总的清单。",
                "There are no lists to sum up: they must be closed and not part of another application.",
            )
        parts = []
        for group in _grouped(rows):
            body = _application(doctype, group, wanted.head)
            parts += [_row(doctype, part) for part in bodies.split(doctype, body)]
        added = content.add(connection, doctype, actor, parts)
        ids = [row["id"] for row in added]
        store.add_events(connection, ids, "saved", actor.label, {"lists": str(len(rows))})
        known = store.lock(connection, APPLICATION, ids)
    return [known[document_id] for document_id in ids]


def _chosen(connection: Any, source: DocumentType, wanted: Wanted) -> Sequence[Any]:
    rows = lists.by_ids(connection, LIST, APPLICATION, wanted.ids)
    known = {str(row.id): row for row in rows}
    details = []
    for position, document_id in enumerate(wanted.ids):
        row = known.get(document_id)
        if row is None:
            details.append(_wrong(position, "not-found", "清单不存在。", "There is no such list.", ""))
        elif row.state != "closed":
            state = source.lifecycle.by_name[row.state].words
            details.append(_wrong(
                position, "not-closed", f"清单 {row.number} 当前为“{state.zh}”，只有已结关的清单才能汇总。",
                f"List {row.number} is “{state.en}”; only closed lists can be summed up.", row.number,
            ))  # fmt: skip
        elif row.applied:
            details.append(_wrong(
                position, "applied", f"清单 {row.number} 已在汇总申请单 {row.applied} 中。",
                f"List {row.number} is part of summary application {row.applied} already.", row.number,
            ))  # fmt: skip
    if details:
        raise Problem(
            "invalid",
            f"所选清单中有 {len(details)} 份不能汇总，请取消选择后重试。",
            f"{len(details)} of the chosen lists cannot be summed up; leave them out and try again.",
            details[: content.MAX_DETAILS],
        )
    return rows


def _of_period(connection: Any, wanted: Wanted) -> Sequence[Any]:
    start, end = _moment("from", wanted.closed_from), _moment("to", wanted.closed_to)
    if not wanted.ebc_code:
        raise _missing("ebc_code", "收发货人代码", "The consignor's code")
    if start > end:
        raise Problem("invalid", "开始时间不能晚于结束时间。", "The period begins after its end.",
                      [Detail("/from", "range", "开始时间不能晚于结束时间。", "It begins after its end.")])  # fmt: skip
    rows = lists.closed_between(
        connection, LIST, APPLICATION, wanted.ebc_code, _compact(start), _compact(end), MAX_LISTS + 1
    )
    if wanted.statistics_flag:
        rows = [row for row in rows if row.head.get("statisticsFlag") == wanted.statistics_flag]
    if len(rows) > MAX_LISTS:
        raise Problem(
            "too_large",
            f"该期间内的清单超过 {MAX_LISTS} 份，请缩短期间。",
            f"There are more than {MAX_LISTS} lists in this period; shorten it.",
        )
    return rows


def _moment(name: str, value: str) -> datetime:
    if not value:
        raise _missing(name, "汇总期间", "The period")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Problem(
            "invalid", f"“{value[:40]}”不是有效时间。", f"“{value[:40]}” is no time.",
            [Detail(f"/{name}", "not-a-time", "应为如 2026-11-01T00:00:00+08:00 的时间。",
                    "Write it like 2026-11-01T00:00:00+08:00.", value[:40])],
        ) from None  # fmt: skip
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _compact(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S") + "000"


def _missing(name: str, zh: str, en: str) -> Problem:
    return Problem("invalid", f"{zh}必填。", f"{en} is required.",
                   [Detail(f"/{name}", "required", f"{zh}必填。", f"{en} is required.")])  # fmt: skip


def _wrong(position: int, code: str, zh: str, en: str, value: str) -> Detail:
    return Detail(f"/ids/{position}", code, zh, en, value)


def _grouped(rows: Iterable[Any]) -> list[list[Any]]:
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(row.head.get(name, "") for name in _COMMON), []).append(row)
    return list(groups.values())


def _application(doctype: DocumentType, group: Sequence[Any], given: Mapping[str, str]) -> dict[str, Any]:
    first = group[0].head
    head = {name: first[name] for name in _COMMON if first.get(name)}
    # whoever declares the lists declares what they are summed up to, unless told otherwise
    head |= {"declAgentCode": first["agentCode"], "declAgentName": first["agentName"]}
    today = datetime.now(SHANGHAI).strftime("%Y%m%d%H%M%S")
    head |= {"copNo": f"HZ{today}{secrets.randbelow(10**6):06d}", "summaryFlag": "1", "itemNameFlag": "1"}
    head |= {name: value for name, value in given.items() if value and name not in _COMMON}
    body = {"head": head, "lines": [{"invtNo": row.head["invtNo"]} for row in group]}
    wrongs = checker(doctype).wrongs(body)
    if wrongs:
        raise Problem(
            "invalid",
            f"汇总申请单有 {len(wrongs)} 处内容不正确，请更正后重试。",
            f"{len(wrongs)} values of the summary application are wrong; correct them and try again.",
            content.details(wrongs),
        )
    return bodies.complete(doctype, body)


def _row(doctype: DocumentType, body: Any) -> dict[str, Any]:
    state = doctype.lifecycle.by_name["checked"]
    return {"state": state.name, "rank": state.rank, **content.content_of(doctype, body)}
