"""What passes between the agent and the processes of a module. Must stay free of heavy imports: children load it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

#: what a token says about its PIN
LOW, FINAL, LOCKED, PIN_PAD = "low", "final", "locked", "pin-pad"


class CardError(Exception):
    """code: one of the protocol's (card-out, pin-needed, pin-low, pin-locked, failed), or lost: the process is of no
    more use. left: what the token's flags say of its PIN after it was refused. reason: technical."""

    def __init__(self, code: str, reason: str, left: str = "") -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.left = left


@dataclass(frozen=True, slots=True)
class SeenToken:
    """A token as a look without login finds it. certificates: DER; mechanisms: numbers; flags: of the words above."""

    slot: int
    label: str
    serial: str
    model: str
    flags: tuple[str, ...]
    mechanisms: tuple[int, ...]
    certificates: tuple[bytes, ...]

    @property
    def pin_left(self) -> str:
        """locked, final, low, or nothing if no flag is up."""
        return next((flag for flag in (LOCKED, FINAL, LOW) if flag in self.flags), "")


def dump(tokens: list[SeenToken]) -> bytes:
    """For the frame that answers a look."""
    return json.dumps(
        [
            {
                "slot": token.slot,
                "label": token.label,
                "serial": token.serial,
                "model": token.model,
                "flags": token.flags,
                "mechanisms": token.mechanisms,
                "certificates": [base64.b64encode(der).decode() for der in token.certificates],
            }
            for token in tokens
        ]
    ).encode()


def load(frame: bytes) -> list[SeenToken]:
    """Inverse of `dump`; raises CardError lost if a library wrote into our pipe."""
    try:
        return [
            SeenToken(
                int(one["slot"]),
                str(one["label"]),
                str(one["serial"]),
                str(one["model"]),
                tuple(one["flags"]),
                tuple(int(number) for number in one["mechanisms"]),
                tuple(base64.b64decode(der) for der in one["certificates"]),
            )
            for one in json.loads(frame)
        ]
    except (ValueError, KeyError, TypeError) as exc:
        raise CardError("lost", f"the module's process answered something else: {exc}") from exc
