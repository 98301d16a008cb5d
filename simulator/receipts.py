"""Building the answers: the receipt of each type, CEB792 for summary results, CEB900 for messages that cannot be read.

By string templates, since speed is wanted and the shape is fixed; a unit test holds them against the tables.
Must never invent a value: everything here comes from the books, so a rebuilt receipt is the same receipt.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from simulator import tables
from simulator.courses import PORT
from simulator.tables import Section, Table

CEB = "http://www.chinaport.gov.cn/ceb"
# China has had no summer time since 1991, so a fixed offset is the zone.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

# Between quoted values in the books. XML forbids it, so no value holds it.
SEPARATOR = "\x1f"
_LAST = ("returnStatus", "returnTime", "returnInfo")

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_SPECIAL = re.compile(r"[&<>\r]")
# What XML 1.0 cannot carry at all.
_UNCARRIABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Either of these in values joined by SEPARATOR: then each has to be looked at.
_CARE = re.compile("[&<>]|[^\t\n\x1f -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_QUOTED = 64 * 1024


def return_time(millis: int) -> str:
    """Milliseconds since the epoch as yyyyMMddHHmmssSSS in Shanghai."""
    moment = datetime.fromtimestamp(millis // 1000, SHANGHAI)
    return f"{moment:%Y%m%d%H%M%S}{millis % 1000:03d}"


def millis(time: str) -> int:
    """Back from `return_time`."""
    moment = datetime.strptime(time[:14], "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    return int(moment.timestamp()) * 1000 + int(time[14:])


def creation_time(millis: int) -> str:
    """Milliseconds since the epoch as the envelope's yyyy-MM-ddTHH:mm:ss in Shanghai."""
    return f"{datetime.fromtimestamp(millis // 1000, SHANGHAI):%Y-%m-%dT%H:%M:%S}"


def rfc3339(millis: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in Shanghai."""
    return datetime.fromtimestamp(millis / 1000, UTC).astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def new_id() -> str:
    """A new message id."""
    return str(uuid.uuid4()).upper()


def text(value: str) -> str:
    """Escaped for an element; characters XML cannot carry become question marks."""
    if _UNCARRIABLE.search(value):
        value = _UNCARRIABLE.sub("?", value)
    return value.translate(_ESCAPED) if _SPECIAL.search(value) else value


class Answered(NamedTuple):
    """One document in a receipt. `quoted`: its values by `quoted_names`, joined by SEPARATOR."""

    quoted: str
    pre_no: str
    customs_no: str
    status: str
    info: str


@lru_cache(maxsize=64)
def quoted_names(kind: int) -> tuple[str, ...]:
    """Head fields that the receipt of a type repeats, in its order."""
    table = tables.by_kind()[kind]
    assigned = {"preNo", table.books.customs_no, *_LAST}
    return tuple(name for name in table.receipt.names if name not in assigned)


def quote(table: Table, head: Mapping[str, str]) -> str:
    """What is kept of a document for its receipts."""
    return SEPARATOR.join([head[name] for name in quoted_names(table.kind)])


@dataclass(frozen=True, slots=True)
class _Form:
    """How one receipt type is written: for each field its template, and whether it goes when empty."""

    whole: str
    fields: tuple[tuple[str, str, bool], ...]
    plain: bool


@lru_cache(maxsize=128)
def _form(kind: int, prefixed: bool, omit: bool) -> _Form:
    table = tables.by_kind()[kind]
    p = "ceb:" if prefixed else ""
    names = table.receipt.names[: -len(_LAST)]
    required = {field.name for field in table.receipt.fields if field.required}
    if omit:
        required.discard(table.books.customs_no)
    element = table.receipt.element
    last = "".join(f"<{p}{name}>%s</{p}{name}>" for name in _LAST)
    fields = tuple((name, f"<{p}{name}>%s</{p}{name}>", name not in required) for name in names)
    plain = quoted_names(kind) == names and not any(optional for _, _, optional in fields)
    inner = "".join(template for _, template, _ in fields) if plain else "%s"
    return _Form(f"<{p}{element}>{inner}{last}</{p}{element}>", fields, plain)


def receipt(
    kind: int, documents: Iterable[Answered], time: str, guid: str, prefixed: bool, *, omit: bool = False
) -> bytes:
    """The receipt message for documents of one type, at most 100 of them.

    `omit`: leave out a number of customs that a document never got, instead of an empty element.
    """
    table = tables.by_kind()[kind]
    p, declaration = ("ceb:", "xmlns:ceb") if prefixed else ("", "xmlns")
    form = _form(kind, prefixed, omit)
    root = f'{p}{table.receipt_message} {declaration}="{CEB}" guid="{guid}" version="1.0"'
    parts = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>']
    for one in documents:
        end = (one.status, time, _info(one.info or one.status))
        if form.plain:
            quoted = _plain(one.quoted) if _CARE.search(one.quoted) else one.quoted
            parts.append(form.whole % (*quoted.split(SEPARATOR), *end))
        else:
            parts.append(form.whole % (_fields(table, form, one), *end))
    parts.append(f"</{p}{table.receipt_message}>")
    return "".join(parts).encode()


def _plain(quoted: str) -> str:
    return SEPARATOR.join([text(value) for value in quoted.split(SEPARATOR)])


@lru_cache(maxsize=1024)
def _info(value: str) -> str:
    """Many documents are told the same."""
    return text(value)


def _fields(table: Table, form: _Form, one: Answered) -> str:
    found = dict(zip(quoted_names(table.kind), one.quoted.split(SEPARATOR), strict=True))
    found["preNo"] = one.pre_no
    if table.books.customs_no:
        # The electronic port speaks before customs gave its number.
        found[table.books.customs_no] = "" if one.status in PORT else one.customs_no
    return "".join(
        template % text(found[name])
        for name, template, optional in form.fields
        if found[name] or not optional
    )


@dataclass(frozen=True, slots=True)
class Result:
    """One declaration in a summary result: values by field name, and the lists' lines it is made of."""

    head: Mapping[str, str]
    lines: Sequence[Mapping[str, str]]


def summary_result(results: Iterable[Result], guid: str, prefixed: bool) -> bytes:
    """CEB792Message; at most 100 results."""
    p, declaration = ("ceb:", "xmlns:ceb") if prefixed else ("", "xmlns")
    head, line = tables.result()
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}CEB792Message {declaration}="{CEB}" guid="{guid}" version="1.0">'
    ]
    for result in results:
        parts.append(f"<{p}SummaryResult>{_section(p, head, result.head)}")
        parts += [_section(p, line, values) for values in result.lines]
        parts.append(f"</{p}SummaryResult>")
    parts.append(f"</{p}CEB792Message>")
    return "".join(parts).encode()


def _section(p: str, section: Section, values: Mapping[str, str]) -> str:
    inner = "".join(
        f"<{p}{name}>{text(value)}</{p}{name}>" for name in section.names if (value := values.get(name, ""))
    )
    return f"<{p}{section.element}>{inner}</{p}{section.element}>"


def format_failure(
    *,
    guid: str,
    status: str,
    info: str,
    time: str,
    cop_msg_id: str,
    message_type: str,
    original: bytes,
    prefixed: bool,
) -> bytes:
    """CEB900Message: the whole message could not be read. That it is sent for exports too is assumed."""
    p, declaration = ("ceb:", "xmlns:ceb") if prefixed else ("", "xmlns")
    quoted = original[:_MAX_QUOTED].decode("utf-8", "replace")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}CEB900Message {declaration}="{CEB}" guid="{guid}" version="1.0">'
        f"<{p}MessageReturn><{p}guid>{guid}</{p}guid><{p}returnStatus>{status}</{p}returnStatus>"
        f"<{p}returnInfo>{text(info[:5000])}</{p}returnInfo><{p}returnTime>{time}</{p}returnTime>"
        f"<{p}oriCopMsgId>{text(cop_msg_id)}</{p}oriCopMsgId>"
        f"<{p}oriMessageType>{text(message_type[:15] or 'Unknown')}</{p}oriMessageType>"
        f"<{p}oriBizMessage>{text(quoted)}</{p}oriBizMessage></{p}MessageReturn></{p}CEB900Message>"
    ).encode()
