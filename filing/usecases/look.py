"""Reading: pages of documents, one document, its receipts and its timeline, search, counts."""

from __future__ import annotations

import base64
import binascii
import json
import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from documents import groups
from documents.describe import PERIODS, status_words
from documents.receipts import return_time
from documents.spec import DocumentType
from documents.values import FORBIDDEN
from documents.words import Words
from filing.context import Filing, check_id
from filing.store import documents as store
from filing.store import messages, query
from filing.store import receipts as receipt_store
from filing.times import SHANGHAI
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found

PAGE_LIMIT = 200
#: years that a range of storage times may name, the last one excluded
_YEARS = (2000, 2100)
#: what PostgreSQL cannot take in a text, and no number or code contains
_CONTROL = re.compile(f"[{FORBIDDEN}]")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, the cursor of the next ("" at the end) and the count (10,001 = more than 10,000)."""

    rows: Sequence[Any]
    next_cursor: str
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline."""

    at: datetime
    what: str
    words: Words
    actor: str
    detail: Mapping[str, str]


def page(filing: Filing, actor: Actor, wanted: Mapping[str, Any]) -> Page:
    """One page of a query. wanted: kind, states, settled, stored_from, stored_to, conditions, sort, page_size,
    cursor, as they came; everything is checked against the declaration."""
    doctype = filing.doctype(wanted["kind"])
    actor.require("document.read", doctype.kind)
    found = wanted_filter(doctype, wanted)
    with filing.database.transaction(actor.tenant_id) as connection:
        query.weigh(connection, found)
        rows = list(query.page(connection, found))
        more = len(rows) == found.limit
        whole = not more and found.after is None
        found.after = None
        total = len(rows) if whole else query.count(connection, found)
    rows = rows[: found.limit - 1]
    return Page(rows, _cursor(found.sort, rows[-1]) if more and rows else "", total)


def wanted_filter(doctype: DocumentType, wanted: Mapping[str, Any]) -> query.Filter:
    """What was asked for, checked against the declaration. wanted: as for `page`."""
    size = wanted["page_size"] or 50
    if not 1 <= size <= PAGE_LIMIT:
        raise _invalid(
            "page_size",
            "out-of-range",
            f"每页条数须为 1 至 {PAGE_LIMIT}。",
            f"page_size must be 1 to {PAGE_LIMIT}.",
        )
    sort = wanted["sort"] or "-stored_at"
    name = sort.removeprefix("-")
    if name not in query.SORTS:
        names = ", ".join(query.SORTS)
        raise _invalid(
            "sort",
            "unknown-field",
            f"不能按“{name}”排序，可选：{names}。",
            f"Cannot sort by {name}; use {names}.",
        )
    for state in wanted["states"]:
        if state not in doctype.lifecycle.by_name:
            raise _invalid("state", "unknown-code", f"没有状态“{state}”。", f"There is no state {state}.")
    stored_from, stored_to = _period("stored", wanted["stored_from"], wanted["stored_to"])
    settled = {"": None, "true": True, "false": False}.get(wanted["settled"], "wrong")
    if settled == "wrong":
        raise _invalid(
            "settled", "unknown-code", "settled 只能为 true 或 false。", "settled must be true or false."
        )
    conditions = dict(wanted["conditions"])
    for condition, value in conditions.items():
        if _CONTROL.search(value):
            zh, en = "含有无法查询的控制字符，请删除。", "It contains a control character; delete it."
            raise _invalid(condition, "control-character", zh, en)
    batch_no = conditions.pop("batch_no", "")
    linked = _marked(doctype, conditions)
    of_customs = _of_customs(doctype, conditions)
    declared = {item.name: item.match for item in doctype.conditions}
    for condition in conditions:
        if condition not in declared:
            raise _invalid(
                condition,
                "unknown-field",
                f"没有查询条件“{condition}”。",
                f"There is no condition {condition}.",
            )
    return query.Filter(
        kind=doctype.kind,
        states=wanted["states"],
        settled=settled,  # type: ignore[arg-type]
        stored_from=stored_from,
        stored_to=stored_to,
        batch_no=batch_no,
        task_id=check_id(wanted["task_id"]) if wanted.get("task_id") else None,
        conditions=[(key, declared[key], value) for key, value in conditions.items() if value],
        linked=linked,
        sort=name,
        descending=sort.startswith("-"),
        after=_after(wanted["cursor"], name),
        limit=size + 1,
        **of_customs,
    )


def _of_customs(doctype: DocumentType, conditions: dict[str, str]) -> dict[str, Any]:
    """What is asked of customs' answers; taken out of the conditions. What customs issues itself has none."""
    if doctype.message.direction == "in":
        return {}
    found: dict[str, Any] = {
        name: _period(name, conditions.pop(f"{name}_from", ""), conditions.pop(f"{name}_to", ""))
        for name in PERIODS
    }
    overdue = conditions.pop("overdue", "")
    if overdue not in ("", "true"):
        raise _invalid("overdue", "unknown-code", "overdue 只能为 true。", "overdue must be true.")
    return found | {
        "refusal": conditions.pop("refusal", ""),
        "overdue": groups.limits(doctype) if overdue else None,
    }


def _period(name: str, first: str, last: str) -> query.Period:
    """Both ends of a range of times, at most one calendar month."""
    start, end = _moment(f"{name}_from", first), _moment(f"{name}_to", last)
    _one_month(name, start, end)
    return start.isoformat() if start else None, end.isoformat() if end else None


def _marked(doctype: DocumentType, conditions: dict[str, str]) -> list[query.Linked]:
    """What the marks among the conditions ask for; they are taken out of them. The highest value that holds counts."""
    found: list[query.Linked] = []
    for mark in doctype.marks:
        wanted = conditions.pop(mark.name, "")
        names = [mark.none[0], *(value for value, _, _, _ in mark.values)]
        if wanted and wanted not in names:
            known = ", ".join(names)
            raise _invalid(
                mark.name, "unknown-code", f"没有{mark.words.zh}“{wanted[:40]}”，可选：{known}。",
                f"There is no such value; use {known}.",
            )  # fmt: skip
        if wanted:
            rank = names.index(wanted)
            found += [
                query.Linked(mark.ref, kind, states, there=place == rank)
                for place, (_, _, kind, states) in enumerate(mark.values, 1)
                if place >= rank
            ]
    return found


def _moment(name: str, value: str) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if not _YEARS[0] <= moment.year < _YEARS[1]:
            raise ValueError(moment)
    except ValueError:
        raise _invalid(
            name, "not-a-time", f"“{value}”不是有效时间，例如 2026-11-01T00:00:00+08:00。",
            f"“{value}” is no time; write it like 2026-11-01T00:00:00+08:00."
        ) from None  # fmt: skip
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _one_month(name: str, start: datetime | None, end: datetime | None) -> None:
    """At most one calendar month: 2018-07-01 00:00:00 to 2018-07-31 00:00:00 is one (guide 002, 1.1)."""
    if start is None or end is None:
        return
    if start > end:
        raise _invalid(f"{name}_from", "range", "时间范围的起不能晚于止。", "The range begins after its end.")
    local = start.astimezone(SHANGHAI)
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    limit = local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))
    if end > limit:
        raise _invalid(
            f"{name}_to", "range-too-long", "时间范围最长为一个自然月，请缩短范围。",
            "A range of times may span at most one calendar month; shorten it."
        )  # fmt: skip


def _after(cursor: str, sort: str) -> tuple[str, ...] | None:
    if not cursor:
        return None
    try:
        name, *values, document_id = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if name != sort or not all(isinstance(value, str) for value in values):
            raise ValueError(name)
        checked = [_place(column, value) for column, value in zip(query.SORTS[sort], values, strict=True)]
        return *checked, check_id(document_id)
    except (ValueError, TypeError, binascii.Error, AttributeError, RecursionError, Problem):
        raise _invalid(
            "cursor", "cursor", "翻页标记无效，请重新查询。", "The cursor is not valid; query again."
        ) from None


def _place(column: str, value: str) -> str:
    if column == "stored_at":
        return datetime.fromisoformat(value).isoformat()
    if _CONTROL.search(value):
        raise ValueError(value)
    return value


def _cursor(sort: str, row: Any) -> str:
    values = [getattr(row, column) for column in query.SORTS[sort]]
    texts = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([sort, *texts, str(row.id)]).encode()).decode()


def read(filing: Filing, actor: Actor, kind: str, document_id: str) -> Any:
    """One document with its body."""
    filing.doctype(kind)
    actor.require("document.read", kind)
    with filing.database.transaction(actor.tenant_id) as connection:
        row = store.read(connection, kind, check_id(document_id))
    if row is None:
        raise not_found()
    return row


def receipts(filing: Filing, actor: Actor, kind: str, document_id: str) -> Sequence[Any]:
    """Every receipt of a document, newest last."""
    document_id = str(read(filing, actor, kind, document_id).id)
    with filing.database.transaction(actor.tenant_id) as connection:
        return receipt_store.of_document(connection, document_id)


def search(filing: Filing, actor: Actor, q: str) -> Sequence[Any]:
    """Documents of which any number begins with q, of the kinds the actor may read."""
    numbers = [
        (doctype.kind, name)
        for doctype in filing.registry.types
        if actor.may("document.read", doctype.kind)
        for name in (doctype.number, *doctype.numbers)
    ]
    wanted = q.strip()
    if not numbers or not wanted or _CONTROL.search(wanted):
        return []
    with filing.database.transaction(actor.tenant_id) as connection:
        return query.search(connection, numbers, wanted)


def counts(filing: Filing, actor: Actor, kind: str) -> dict[str, int]:
    """How many documents are in each state."""
    filing.doctype(kind)
    actor.require("document.read", kind)
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.counts(connection, kind)


def timeline(filing: Filing, actor: Actor, kind: str, document_id: str) -> list[Entry]:
    """Saved, submitted, signed (key, device), sent, each receipt: oldest first."""
    doctype = filing.doctype(kind)
    document_id = str(read(filing, actor, kind, document_id).id)
    with filing.database.transaction(actor.tenant_id) as connection:
        events = store.events_of(connection, document_id)
        message_ids = [event.detail["message_id"] for event in events if "message_id" in event.detail]
        sent_in = messages.read_many(connection, message_ids)
        answers = receipt_store.of_document(connection, document_id)
    entries = [_event(filing, event) for event in events]
    for message_id in message_ids:
        entries += _message(message_id, sent_in[message_id])
    entries += [_answer(doctype, answer) for answer in answers]
    order = {"signed": 1, "sent": 2, "receipt": 3}
    return sorted(entries, key=lambda entry: (entry.at, order.get(entry.what, 0)))


_EVENT_WORDS = {
    "saved": Words("暂存单据", "Saved"),
    "imported": Words("由文件导入", "Imported from a file"),
    "generated": Words("生成申报数据", "Made ready to be filed"),
    "edited": Words("修改单据", "Edited"),
    "submitted": Words("提交海关", "Submitted to customs"),
    "deleted": Words("删除单据", "Deleted"),
    "amending": Words("发起改单，生成新版本", "An amendment was begun: there is a new version"),
    "amendment": Words("由原单据生成的改单", "Made as an amendment of the document before"),
    "withdrawing": Words("向海关申请删除", "Customs was asked to delete it"),
    "amended": Words("海关已接受改单，此版本被替代", "Customs took the amendment: this version is replaced"),
    "completed": Words("随清单申报，补充了申报企业", "Filed along with a list, which says who files it"),
    "issued": Words("海关下发", "Issued by customs"),
}


def _event(filing: Filing, event: Any) -> Entry:
    words = _EVENT_WORDS.get(event.what)
    if words is None:  # followed: another document moved this one
        title = filing.doctype(event.detail["kind"]).title
        number = event.detail["number"]
        words = Words(f"随{title.zh} {number} 变更状态", f"Moved by {title.en.lower()} {number}")
    return Entry(event.at, event.what, words, event.actor, _texts(event.detail))


def _message(message_id: str, row: Any) -> list[Entry]:
    entries = []
    if row.signature:
        kind = Words("已由密码设备签名", "Signed in a device")
        if not row.signature["hardware"]:
            kind = Words(
                "已由软件密钥签名（非硬件密码设备）", "Signed by a software key (no hardware device)"
            )
        detail = {**_texts(row.signature), "message_id": message_id, "documents": str(row.documents)}
        entries.append(Entry(row.signed_at, "signed", kind, row.signature["device"], detail))
    if row.sent_at:
        detail = {"channel": row.channel, "message_id": message_id}
        entries.append(
            Entry(
                row.sent_at,
                "sent",
                Words("已发送至海关数据交换平台", "Sent to customs' exchange"),
                "",
                detail,
            )
        )
    if row.refusal:
        words = Words(row.refusal["zh"], row.refusal["en"])
        at = datetime.fromisoformat(row.refusal["at"])
        entries.append(
            Entry(at, "refused", words, "", {"code": row.refusal["code"], "stage": row.refusal["stage"]})
        )
    return entries


def _answer(doctype: DocumentType, row: Any) -> Entry:
    words = status_words(doctype, row.status)
    at = datetime.fromisoformat(return_time(row.return_time) or row.received_at.isoformat())
    detail = {"status": row.status, "info": row.info, "standing": row.standing, "times": str(row.times)}
    return Entry(
        at.astimezone(UTC), "receipt", Words(f"海关回执：{words.zh}", f"Receipt: {words.en}"), "海关", detail
    )


def _texts(detail: Mapping[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in detail.items()}


def _invalid(name: str, code: str, zh: str, en: str) -> Problem:
    return Problem("invalid", zh, en, [Detail(f"/{name}", code, zh, en)])
