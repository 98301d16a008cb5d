"""What the page and the text screen show, as JSON, and what a person can do there. Must never answer a PIN."""

from __future__ import annotations

import contextlib
from typing import Any

from agent import VERSION, times
from agent.cards.base import CardError
from agent.cards.pins import Pin
from agent.cards.shelf import Shelf
from agent.cards.token import CardView
from agent.config import Config
from agent.desk import Desk, Open
from agent.errors import AgentError
from agent.journal import Entry, Journal
from agent.link import Link
from agent.page import words
from agent.wish import Wish

#: days before a certificate's end at which the page warns, each more loudly
WARN_DAYS = (60, 30, 7)
_LATEST = 50
#: a clock that is off by more lets requests expire before they are seen
_CLOCK_SECONDS = 60


class View:
    """Any thread may call it."""

    def __init__(self, config: Config, shelf: Shelf, desk: Desk, journal: Journal, link: Link) -> None:
        self._config = config
        self._shelf = shelf
        self._desk = desk
        self._journal = journal
        self._link = link

    def state(self) -> dict[str, Any]:
        """Everything on the page."""
        who, state = self._link.identity, self._link.state
        opened = self._desk.opened()
        off = self._link.clock_off
        return {
            "version": VERSION,
            "language": self._config.language,
            "agent_id": who.agent_id,
            "enterprise": who.enterprise_name,
            "address": who.address,
            "not_after": times.text(who.not_after),
            "now": times.text(times.now()),
            "link": {
                "code": state.code,
                "zh": state.zh,
                "en": state.en,
                "since": times.text(state.since),
                "detail": state.detail,
            },
            "clock_off": round(off) if abs(off) > _CLOCK_SECONDS else 0,
            "modules": [
                {"name": owner.module.name, "path": owner.module.path, "trouble": owner.trouble}
                for owner in self._shelf.owners
            ],
            "cards": [self._card(card, opened) for card in self._shelf.cards()],
            "asking": [_open(one) for one in opened if one.stage == "asking"],
            "working": [_open(one) for one in opened if one.stage != "asking"],
            "withdrawn": [{**_wish(one.wish), "at": times.text(one.at)} for one in self._desk.withdrawn()],
            "journal": [_entry(entry) for entry in self._journal.latest(_LATEST)],
        }

    def confirm(self, request_id: str, *, yes: bool) -> None:
        """Raises AgentError if the request is not waiting (any more)."""
        if not self._desk.confirm(request_id, yes=yes):
            raise AgentError(
                "gone",
                "该请求已撤回、过期或已处理。",
                "The request was withdrawn, has expired or was dealt with.",
            )

    def login(self, fingerprint: str, pin: Pin, *, although_low: bool) -> None:
        """One attempt at the card. Raises AgentError with what the card said."""
        try:
            self._shelf.login(fingerprint, pin, although_low=although_low)
        except CardError as exc:
            zh, en = words.login(exc)
            raise AgentError(exc.code, zh, en) from exc

    def logout(self, fingerprint: str) -> None:
        """Forget the card's PIN."""
        with contextlib.suppress(CardError):
            self._shelf.logout(fingerprint)

    def _card(self, card: CardView, opened: list[Open]) -> dict[str, Any]:
        certificate = card.certificate
        left = (certificate.not_after - times.now()).total_seconds() / 86400
        return {
            "fingerprint": certificate.fingerprint,
            "subject": certificate.subject,
            "units": certificate.units,
            "serial": certificate.serial,
            "kind": certificate.kind,
            "not_before": times.text(certificate.not_before),
            "not_after": times.text(certificate.not_after),
            "days_left": int(left) if left > 0 else -1,
            "warning": next((days for days in reversed(WARN_DAYS) if left <= days), 0),
            "module": card.module,
            "label": card.label,
            "token_serial": card.serial,
            "model": card.model,
            "state": card.state,
            "reason": card.reason,
            "left": card.left,
            "pin_pad": card.pin_pad,
            "mechanisms": list(card.mechanisms),
            "waiting": sum(1 for one in opened if one.wish.fingerprint == certificate.fingerprint),
        }


def _wish(wish: Wish) -> dict[str, Any]:
    about, challenge = wish.summary, wish.challenge
    return {
        "request_id": wish.request_id,
        "fingerprint": wish.fingerprint,
        "purpose": wish.purpose,
        "mechanism": wish.mechanism,
        "title_zh": about.title_zh,
        "title_en": about.title_en,
        "message_type": about.message_type,
        "documents": about.documents,
        "actor": about.actor,
        "expires_at": times.text(wish.expires_at),
        "challenge": None
        if challenge is None
        else {"origin": challenge.origin, "purpose": challenge.purpose, "user": challenge.user},
    }


def _open(one: Open) -> dict[str, Any]:
    return {**_wish(one.wish), "stage": one.stage, "since": times.text(one.since)}


def _entry(entry: Entry) -> dict[str, Any]:
    about = entry.summary
    zh, en = words.reason(entry.code, entry.reason)
    return {
        "request_id": entry.request_id,
        "fingerprint": entry.fingerprint,
        "purpose": entry.purpose,
        "mechanism": entry.mechanism,
        "title_zh": about.title_zh,
        "title_en": about.title_en,
        "message_type": about.message_type,
        "documents": about.documents,
        "actor": about.actor,
        "state": entry.state,
        "code": entry.code,
        "zh": zh,
        "en": en,
        "reason": entry.reason,
        "seconds": round(entry.seconds, 3),
        "at": entry.last_at,
    }
