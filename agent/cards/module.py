"""Inside a module's process: looks at tokens, logs in once when told to, signs. One thread, one library.

Must never log in without being told, never twice for one order, and never to a card that is not the one meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pkcs11
from pkcs11 import Attribute, ObjectClass, TokenFlag, exceptions

from agent.cards.base import FINAL, LOCKED, LOW, PIN_PAD, CardError, SeenToken
from agent.cards.raw import Library

_FLAGS = {
    TokenFlag.USER_PIN_COUNT_LOW: LOW,
    TokenFlag.USER_PIN_FINAL_TRY: FINAL,
    TokenFlag.USER_PIN_LOCKED: LOCKED,
    TokenFlag.PROTECTED_AUTHENTICATION_PATH: PIN_PAD,
}
#: the token went while it was looked at
_GONE = (
    exceptions.TokenNotPresent,
    exceptions.TokenNotRecognised,
    exceptions.DeviceRemoved,
    exceptions.SlotIDInvalid,
)
#: looks at a reader that answers with an error before it counts as empty: one may be another program's doing
_LOOKS = 2


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exceptions.PKCS11Error as exc:
        raise CardError("lost", str(exc) or type(exc).__name__) from exc
    except (RuntimeError, OSError, AttributeError) as exc:
        # no such file, not a library, or one without PKCS#11's functions
        raise CardError("lost", f"the library cannot be used: {exc}") from exc


@dataclass(slots=True)
class _Session:
    """A login that lasts: closing its session would log the whole process out."""

    session: Any
    keys: dict[str, int]


class Module:
    """One library."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._library: Any = None
        self._raw: Library | None = None
        self._sessions: dict[str, _Session] = {}

    def look(self) -> list[SeenToken]:
        """All tokens that are there now. The library starts anew for it: many notice neither removal nor new readers."""
        if self._sessions:
            raise CardError("failed", "this process is logged in and does not look")
        for left in reversed(range(_LOOKS)):
            with _translated():
                seen, troubled = self._look_once()
            if not troubled or not left:
                break
        return seen

    def _look_once(self) -> tuple[list[SeenToken], bool]:
        """Tokens, and whether a reader answered with an error: its neighbours are not to suffer from it."""
        seen, troubled = [], False
        for slot in self._loaded(fresh=True).get_slots(token_present=True):
            try:
                token = slot.get_token()
                if token.flags & TokenFlag.TOKEN_INITIALIZED:
                    seen.append(_seen(slot, token))
            except _GONE:
                continue
            except exceptions.PKCS11Error:
                troubled = True
        return seen, troubled

    def login(self, fingerprint: str, pin: bytearray, *, although_low: bool) -> None:
        """One attempt at the token that holds this certificate. although_low: a person said so, knowing the flags."""
        with _translated():
            slot, token = self._find(fingerprint)
            left = _seen_flags(token)
            if LOCKED in left:
                raise CardError("pin-locked", "the token says that its PIN is locked", LOCKED)
            if not although_low and (LOW in left or FINAL in left):
                raise CardError(
                    "pin-low", "the token says that few attempts are left", FINAL if FINAL in left else LOW
                )
            session = token.open()
            assert self._raw is not None
            try:
                self._raw.login(session.handle, pin)
            except CardError as exc:
                session.close()
                with suppress(exceptions.PKCS11Error):
                    after = _seen_flags(slot.get_token())
                    exc.left = next((flag for flag in (LOCKED, FINAL, LOW) if flag in after), "")
                raise
            self._sessions[fingerprint] = _Session(session, {})

    def sign(self, fingerprint: str, mechanism: int, payload: bytes) -> bytes:
        """The token's answer. Raises CardError pin-needed without a login."""
        with _translated():
            one = self._session_of(fingerprint)
            assert self._raw is not None
            if fingerprint not in one.keys:
                identifier = _certificate_id(one.session, fingerprint)
                one.keys[fingerprint] = self._raw.private_key(one.session.handle, identifier)
            return self._raw.sign(one.session.handle, one.keys[fingerprint], mechanism, payload)

    def _session_of(self, fingerprint: str) -> _Session:
        one = self._sessions.get(fingerprint)
        if one is not None:
            return one
        # a card with two certificates has one login
        for other in self._sessions.values():
            with suppress(CardError):
                _certificate_id(other.session, fingerprint)
                self._sessions[fingerprint] = other
                return other
        raise CardError("pin-needed", "not logged in")

    def _find(self, fingerprint: str) -> tuple[Any, Any]:
        for slot in self._loaded(fresh=False).get_slots(token_present=True):
            with suppress(CardError, exceptions.PKCS11Error):
                token = slot.get_token()
                if token.flags & TokenFlag.TOKEN_INITIALIZED:
                    with token.open() as session:
                        _certificate_id(session, fingerprint)
                    return slot, token
        raise CardError("card-out", "no token holds this certificate")

    def _loaded(self, *, fresh: bool) -> Any:
        if self._library is None:
            self._library = pkcs11.lib(self._path)
            self._raw = Library(self._path)
        elif fresh:
            self._library.reinitialize()
        return self._library


def _seen(slot: Any, token: Any) -> SeenToken:
    with token.open() as session:
        certificates = tuple(der for _, der in _certificates(session))
    return SeenToken(
        slot.slot_id,
        token.label.strip(),
        _text(token.serial).strip(),
        token.model.strip(),
        tuple(sorted(_seen_flags(token))),
        tuple(sorted(int(number) for number in slot.get_mechanisms())),
        certificates,
    )


def _seen_flags(token: Any) -> set[str]:
    return {word for flag, word in _FLAGS.items() if token.flags & flag}


def _certificates(session: Any) -> list[tuple[bytes, bytes]]:
    found = []
    for one in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
        # a vendor's own kind of certificate may lack what one of X.509 has
        with suppress(exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive):
            found.append((bytes(one[Attribute.ID]), bytes(one[Attribute.VALUE])))
    return found


def _certificate_id(session: Any, fingerprint: str) -> bytes:
    for identifier, der in _certificates(session):
        if hashlib.sha256(der).hexdigest() == fingerprint:
            return identifier
    raise CardError("card-out", "the token does not hold this certificate")


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
