"""The protocol's and the card's codes as sentences."""

from __future__ import annotations

from agent.cards.base import FINAL, LOCKED, LOW, CardError

_LEFT = {
    LOW: ("卡提示剩余次数已不多。", "The card says that few attempts are left."),
    FINAL: (
        "卡提示只剩最后一次，再错将锁定！",
        "The card says that one attempt is left: a wrong one locks it!",
    ),
    LOCKED: (
        "卡已锁定，须到发卡机构解锁。",
        "The card is locked: whoever issued it can unlock it.",
    ),
}

_REASONS = {
    "card-out": (
        "卡不在。插入后服务会重新发来。",
        "The card was not there. Once it is, the service asks again.",
    ),
    "pin-needed": ("卡等待输入 PIN。", "The card waits for its PIN."),
    "pin-low": ("PIN 剩余次数不多，须由人决定是否再试。", "Few PIN attempts are left: a person must decide."),
    "pin-locked": _LEFT[LOCKED],
    "refused": ("已在本机拒绝。", "Refused at this PC."),
    "expired": ("请求已过期，没有动用卡。", "The request had expired; the card was not used."),
    "mechanism": ("此卡不支持所要求的算法。", "The card cannot do the mechanism asked for."),
    "other-data": (
        "同一请求号带来了不同的数据，已拒绝。",
        "The same request id came with other data: refused.",
    ),
}
_DATA = (
    "要签的内容不是报文的签名信息，也不是登录质询，已拒绝。",
    "What was to be signed is neither a message's SignedInfo nor a challenge: refused.",
)
_ENDED = ("证书已过期。", "The certificate has ended.")
_FAILED = ("卡或其驱动没有完成签名。", "The card or its driver did not sign.")


def reason(code: str, technical: str) -> tuple[str, str]:
    """zh and en for why there is no signature; empty texts for no code."""
    if not code:
        return "", ""
    if code in _REASONS:
        return _REASONS[code]
    if technical.startswith("data:"):
        return _DATA
    return _ENDED if technical.startswith("certificate:") else _FAILED


def login(exc: CardError) -> tuple[str, str]:
    """zh and en for a login that did not work."""
    left_zh, left_en = _LEFT.get(exc.left, ("", ""))
    match exc.code:
        case "pin-needed":
            zh = f"PIN 不正确（{exc.reason}）。{left_zh}在您再次输入之前，代理不会再试。"
            en = f"The PIN is wrong ({exc.reason}). {left_en} It is not tried again until you type it again."
        case "pin-low":
            zh = f"没有向卡提交 PIN：{left_zh}请确认后再试。"
            en = f"The PIN was not given to the card: {left_en} Confirm before you try."
        case "pin-locked":
            zh, en = _LEFT[LOCKED]
        case "card-out":
            zh, en = "卡已拔出，PIN 没有提交。", "The card is out; the PIN was not given to it."
        case _:
            zh = f"卡或其驱动没有完成登录：{exc.reason}"
            en = f"The card or its driver did not finish the login: {exc.reason}"
    return zh, en
