"""The fault board: what shall go wrong on purpose, and how often still.

Counters are stored with the step that uses them up, so a fault ordered once happens once even across kill -9.
Must never touch what customs believes: faults spoil answers, not judgements.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from simulator.problems import BadRequest

_MAX_DELAY_MS = 30 * 24 * 3600 * 1000
_MAX_TIMES = 100
_MAX_COUNT = 1_000_000


@dataclass(frozen=True, slots=True)
class Board:
    """All faults. Numbers that end when used up: drop_next, lose_answer, lose_message, garbage,
    wrong_tenant, unknown_document."""

    delay_ms: int = 0  # every answer later by this
    drop_rate: float = 0.0  # share of receipt messages never sent
    drop_next: int = 0  # the next n receipt messages are never sent
    duplicate: int = 0  # every receipt message is sent so many times more
    reorder: bool = False  # the final receipt first, then the intermediate ones
    lose_answer: int = 0  # the next n messages are booked, but answered only when they arrive again
    lose_message: int = 0  # the next n messages vanish before they are booked
    garbage: int = 0  # n malformed receipts
    wrong_tenant: int = 0  # n receipts about one enterprise's document, addressed to another
    unknown_document: int = 0  # n receipts about a document nobody sent

    def to_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return asdict(self)

    def less(self, name: str, by: int = 1) -> Board:
        """The board after `by` uses of a counter."""
        return replace(self, **{name: max(0, getattr(self, name) - by)})


def from_json(data: object) -> Board:
    """A board from the control API: what is not named is off. Raises BadRequest naming the key."""
    if not isinstance(data, Mapping):
        raise BadRequest("故障设置应为 JSON 对象", "faults must be a JSON object")
    known = {item.name for item in fields(Board)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise BadRequest(
            f"不认识故障 {unknown[0]}，可用：{'、'.join(sorted(known))}",
            f"unknown fault {unknown[0]}; known are {', '.join(sorted(known))}",
        )
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name == "reorder":
            good = isinstance(value, bool)
            limit = "true 或 false / true or false"
        elif name == "drop_rate":
            good = not isinstance(value, bool) and isinstance(value, (int, float)) and 0 <= value <= 1
            limit = "0 到 1 / 0 to 1"
        else:
            high = {"delay_ms": _MAX_DELAY_MS, "duplicate": _MAX_TIMES}.get(name, _MAX_COUNT)
            good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= high
            limit = f"0 到 {high} 的整数 / an integer from 0 to {high}"
        if not good:
            raise BadRequest(f"{name} 应为 {limit}", f"{name} must be {limit}")
        values[name] = float(value) if name == "drop_rate" else value
    return Board(**values)


_RECEIPT_SHELL = (
    '<?xml version="1.0" encoding="UTF-8"?><CEB304Message xmlns="http://www.chinaport.gov.cn/ceb"'
    ' guid="{guid}" version="1.0">{inner}</CEB304Message>'
)

# What a receiver may get from a broken line or a hostile hand. The last two keep a good envelope round bad content.
GARBAGE_KINDS = ("not xml", "cut off", "entities", "bad base64", "wrong fields", "unknown root")


def garbage(kind: str, sealed: bytes) -> bytes:
    """A malformed receipt. `sealed` is a good, complete receipt message to be spoiled."""
    if kind == "not xml":
        return "这不是回执\x00\x01".encode()
    if kind == "cut off":
        return sealed[: len(sealed) * 2 // 3]
    if kind == "entities":
        # Row 44 of the quality list: an external entity in a receipt. The name resolves to nothing anywhere.
        return sealed.replace(
            b"?>\n", b'?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///nonexistent/tongguan-simulator">]>\n', 1
        )
    if kind == "bad base64":
        return sealed.replace(b"Data>", b"Data>*", 1)
    raise ValueError(f"{kind} is no kind of garbage made from a sealed message")


def garbage_business(kind: str) -> bytes | None:
    """Business XML for the kinds that spoil the content inside a good envelope, None for the others."""
    if kind == "wrong fields":
        inner = "<OrderReturn><orderNo>X</orderNo><returnStatus>abc</returnStatus></OrderReturn>"
        return _RECEIPT_SHELL.format(guid=str(uuid.uuid4()).upper(), inner=inner).encode()
    if kind == "unknown root":
        return b'<Unknown xmlns="http://www.chinaport.gov.cn/ceb"/>'
    return None
