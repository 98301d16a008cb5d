"""Why a message is not signed, in words for people. Pure.

A refusal is an answer to a person, in two languages with a way out; it must never be an exception that escapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.signer.domain import Key


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not signed. `code` is stable, for programs."""

    code: str
    zh: str
    en: str


class Refused(Exception):
    """Carries a Refusal out of a check; caught where the message's fate is decided."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


def refuse(code: str, zh: str, en: str) -> Refused:
    """A Refused, ready to raise."""
    return Refused(Refusal(f"sign.{code}", zh, en))


def key_missing(key: Key) -> Refusal:
    """The device works, but the key is not in it."""
    return Refusal(
        "sign.key-missing",
        f"设备“{key.device}”中找不到密钥“{key.label}”，请联系管理员检查设备或启用其他密钥，然后重新提交。",
        f"Key {key.label} is not in {key.device}; check the device or activate another key, then submit again.",
    )


def key_unusable(key: Key, reason: str) -> Refusal:
    """The device works and has the key, but refuses to use it. reason: from the device, technical."""
    return Refusal(
        "sign.key-unusable",
        f"设备“{key.device}”无法使用密钥“{key.label}”（{reason}），请联系管理员或启用其他密钥，然后重新提交。",
        f"{key.device} cannot use key {key.label} ({reason}); ask the administrator or activate another key.",
    )


def refused_by_person(key: Key) -> Refusal:
    """Whoever sits at the card said no."""
    return Refusal(
        "sign.refused-at-card",
        f"持卡人在签名代理上拒绝了用“{key.label}”签名，请核对后重新提交。",
        f"Whoever holds the card of {key.label} refused to sign; check with them and submit again.",
    )


def withdrawn() -> Refusal:
    """Somebody took it out of the queue."""
    return Refusal(
        "sign.withdrawn",
        "已从签名队列撤回，可修改后重新提交。",
        "It was taken out of the signing queue; change it if need be and submit again.",
    )


def verification_failed(key: Key) -> Refusal:
    """The device answered twice with something that does not verify against the bound certificate."""
    return Refusal(
        "sign.verification-failed",
        f"密钥“{key.label}”产生的签名与其证书不符，未发送，请联系管理员检查设备。",
        f"Signatures by {key.label} do not verify against its certificate; nothing was sent. Check the device.",
    )


def message_changed() -> Refusal:
    """The same message id came with other bytes."""
    return Refusal(
        "sign.message-changed",
        "同一报文编号的内容与先前提交的不一致，不予签名，请重新提交。",
        "The content differs from what was submitted earlier under the same message id; submit again.",
    )
