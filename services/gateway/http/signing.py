"""What waits for a signature, and until when: from what the services count and the signer measured. Pure.

Never guesses: where something cannot be known, there is a reason instead of a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.gateway.http import wire, words
from services.gateway.http.answers import shown

#: signatures below which no speed is told
ENOUGH = 5
#: why there is no estimate -> in words
REASONS = {
    "inactive": ("此密钥未启用，不参与签名。", "This key is not the one that signs."),
    "idle": ("没有等待签名的报文。", "Nothing waits for a signature."),
    "expired": ("证书已过期，无法签名。", "Its certificate has expired, so it cannot sign."),
    "unavailable": (
        "签名设备不可用，恢复后自动继续。",
        "The device is not available; it goes on by itself once that is mended.",
    ),
    "partial": (
        "委托只含部分单证，无法得知全部队列。",
        "The mandate names some kinds only, so the whole queue is not known.",
    ),
    "not-measured": (
        f"最近 24 小时签名少于 {ENOUGH} 次，无法测得速度。",
        f"Fewer than {ENOUGH} signatures in the last 24 hours: the rate cannot be measured.",
    ),
}


def device(
    key: Any, throughput: Any, queue: Sequence[Any] | None, now: datetime, *, partial: bool
) -> dict[str, Any]:
    """One key. queue: what was filed and waits for it; None where another key signs. partial: not all kinds are known."""
    taken = throughput.taken if throughput else 0
    messages = sum(item.messages for item in queue) if queue is not None else taken
    rate = _rate(throughput)
    reason = _reason(key, queue, messages, rate, partial=partial)
    ends = now + timedelta(minutes=messages / rate["per_minute"]) if rate and not reason else None
    return {
        "key": wire.key(key),
        "messages": messages,
        "taken": taken,
        "rate": rate,
        "ends_at": shown(ends) if ends else None,
        "reason": {"code": reason, "text": words.pick(*REASONS[reason])} if reason else None,
    }


def _rate(throughput: Any) -> dict[str, Any] | None:
    """Messages a minute while it signs, from its own last signatures."""
    if throughput is None or throughput.signatures < ENOUGH or throughput.busy_seconds <= 0:
        return None
    return {
        "per_minute": round(throughput.signatures / throughput.busy_seconds * 60, 1),
        "signatures": throughput.signatures,
        "last_at": wire.moment(throughput.last_at),
    }


def _reason(
    key: Any, queue: Sequence[Any] | None, messages: int, rate: dict[str, Any] | None, *, partial: bool
) -> str:
    if key.state != "usable":
        return str(key.state)
    if queue is None:
        return "inactive"
    if partial:
        return "partial"
    if not messages:
        return "idle"
    return "" if rate else "not-measured"
