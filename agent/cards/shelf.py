"""All cards of all modules: which there are, and whom to ask for one."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent import algorithms
from agent.algorithms import Mechanism
from agent.cards.base import CardError, SeenToken
from agent.cards.owner import Owner
from agent.cards.pins import Pin
from agent.cards.token import READY, CardView
from agent.config import Config


class Shelf:
    """Any thread may call it."""

    def __init__(self, config: Config) -> None:
        self._listeners: list[Callable[[], None]] = []
        self.owners = tuple(Owner(module, config, self._changed) for module in config.modules)

    def start(self) -> None:
        """Begin to look for cards."""
        for owner in self.owners:
            owner.start()

    def wait_looked(self, seconds: float) -> None:
        """Until every module was looked at once, or failed to be; no longer than so many seconds."""
        limit = time.monotonic() + seconds
        for owner in self.owners:
            owner.looked.wait(max(0.0, limit - time.monotonic()))

    def close(self) -> None:
        """Log out of all cards and end all module processes."""
        for owner in self.owners:
            owner.close()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Called from any thread whenever `cards` answers something else."""
        self._listeners.append(listener)

    def cards(self) -> list[CardView]:
        """Each card once, even if two modules see it; the one that is ready counts."""
        found: dict[str, CardView] = {}
        for owner in self.owners:
            for card in owner.cards:
                known = found.get(card.certificate.fingerprint)
                if known is None or (card.state == READY and known.state != READY):
                    found[card.certificate.fingerprint] = card
        return [found[name] for name in sorted(found)]

    def find(self, fingerprint: str) -> CardView | None:
        """The card with this certificate."""
        return next((card for card in self.cards() if card.certificate.fingerprint == fingerprint), None)

    def login(self, fingerprint: str, pin: Pin, *, although_low: bool) -> None:
        """One attempt with a person's PIN. Raises AgentError or CardError; the PIN is wiped unless it was right."""
        try:
            card = self._need(fingerprint)
            if not card.pin_pad:
                pin.check()
            owner = self._owner(card)
        except BaseException:
            pin.wipe()
            raise
        owner.login(fingerprint, pin, although_low=although_low)

    def logout(self, fingerprint: str) -> None:
        """Forget the card's PIN. Raises CardError if the card is not here."""
        self._owner(self._need(fingerprint)).logout(fingerprint)

    def sign(self, fingerprint: str, mechanism: Mechanism, data: bytes) -> tuple[bytes, float]:
        """The signature as the protocol has it, and how many seconds the card worked. Raises CardError with a code of the protocol's."""
        card = self._need(fingerprint)
        owner = self._owner(card)
        profile = owner.module.profile

        def prepare(seen: SeenToken) -> tuple[int, bytes]:
            try:
                order = algorithms.order(
                    mechanism, data, card.certificate.public_key, seen.mechanisms, profile
                )
            except KeyError as exc:
                raise CardError("mechanism", f"the card cannot do {mechanism.name}") from exc
            return order.number, order.payload

        answer, seconds = owner.sign(fingerprint, prepare)
        try:
            return algorithms.wire_signature(mechanism, answer, profile), seconds
        except ValueError as exc:
            raise CardError("failed", "the card's signature is not what its profile says") from exc

    def _need(self, fingerprint: str) -> CardView:
        card = self.find(fingerprint)
        if card is None:
            raise CardError("card-out", "the card is not here")
        return card

    def _owner(self, card: CardView) -> Owner:
        return next(owner for owner in self.owners if owner.module.name == card.module)

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()
