"""What the agent knows of one token between two looks, and what state its cards are in. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent import algorithms, certificates
from agent.cards.base import PIN_PAD, SeenToken
from agent.cards.pins import Pin
from agent.config import Profile

#: a card's states, as the protocol names them
READY, PIN_NEEDED, PIN_LOW, PIN_LOCKED, FAILING = "ready", "pin-needed", "pin-low", "pin-locked", "failing"


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as others see it. left: what the token's flags say of its PIN. reason: technical, if failing or after a
    refused PIN."""

    certificate: certificates.Certificate
    module: str
    label: str
    serial: str
    model: str
    state: str
    reason: str
    left: str
    pin_pad: bool
    mechanisms: tuple[str, ...]
    sm2_user_id: str


@dataclass(slots=True)
class Token:
    """session: the module's process of now is logged in. pin: kept after a login that worked, so that a process that
    had to be replaced can be logged in again; wiped when the card goes, when it is refused, when a person asks for it."""

    seen: SeenToken
    session: bool = False
    pin: Pin | None = None
    #: the last PIN was refused and nobody has typed another since
    refused: str = ""
    failing: str = ""
    failing_since: float = 0.0
    certificates: tuple[certificates.Certificate, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.certificates = tuple(_signing(self.seen.certificates))

    @property
    def state(self) -> str:
        """See CardView."""
        if self.failing:
            return FAILING
        if self.session or self.pin is not None:
            return READY
        if self.seen.pin_left == "locked":
            return PIN_LOCKED
        return PIN_LOW if self.seen.pin_left else PIN_NEEDED

    def forget(self) -> None:
        """The PIN is of no use any more."""
        if self.pin is not None:
            self.pin.wipe()
            self.pin = None
        self.session = False

    def views(self, module: str, profile: Profile) -> list[CardView]:
        """One card per certificate that may sign."""
        seen = self.seen
        return [
            CardView(
                certificate=certificate,
                module=module,
                label=seen.label,
                serial=seen.serial,
                model=seen.model,
                state=self.state,
                reason=self.failing or self.refused,
                left=seen.pin_left,
                pin_pad=PIN_PAD in seen.flags,
                mechanisms=algorithms.able(certificate.kind, seen.mechanisms, profile),
                sm2_user_id=profile.sm2_user_id,
            )
            for certificate in self.certificates
        ]


def identity(seen: SeenToken) -> tuple[str, ...]:
    """What makes a token the same one: its certificates and its number, not the slot it is in."""
    return (seen.serial, *sorted(certificate.fingerprint for certificate in _signing(seen.certificates)))


def _signing(ders: tuple[bytes, ...]) -> list[certificates.Certificate]:
    found = []
    for der in ders:
        try:
            certificate = certificates.read(der)
        except ValueError:
            continue  # what a vendor stores beside its certificates is not a card
        if certificate.signs and certificate.kind != "other":
            found.append(certificate)
    return found
