"""Child process: one load of a PKCS#11 library, one login for life, one thread.

python-pkcs11 initialises libraries for a single thread, and a lost token poisons its whole process: hence a process
of its own, started by spawning. Must never try a PIN a second time: cards lock for good after three.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag, exceptions
from pkcs11.constants import SlotFlag

from services.signer.tokens import child
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError, TokenInfo

RSA_BITS = 2048
_MECHANISMS = {
    DIGEST_INFO: Mechanism.RSA_PKCS,
    "rsa-sha1": Mechanism.SHA1_RSA_PKCS,
    "rsa-sha256": Mechanism.SHA256_RSA_PKCS,
}
_PIN_ERRORS = (
    exceptions.PinIncorrect,
    exceptions.PinExpired,
    exceptions.PinInvalid,
    exceptions.PinLenRange,
    exceptions.PinLocked,
    exceptions.UserPinNotInitialized,
)
#: an attempt went wrong before: the next one is a person's
_PIN_WARNINGS = (TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED)
#: another process may still be initialising the same library files
_START_ERRORS = (
    exceptions.NoSuchToken,
    exceptions.GeneralError,
    exceptions.TokenNotRecognised,
    exceptions.TokenNotPresent,
    exceptions.DeviceError,
    exceptions.FunctionFailed,
)
_HANDLE_ERRORS = (exceptions.ObjectHandleInvalid, exceptions.KeyHandleInvalid)
#: about the one key or request; everything else says that the token is gone
_OWN_ERRORS = (
    exceptions.MechanismInvalid,
    exceptions.MechanismParamInvalid,
    exceptions.KeyTypeInconsistent,
    exceptions.KeySizeRange,
    exceptions.DataLenRange,
    exceptions.DataInvalid,
)
_START_TRIES = 6
#: pauses before looking for objects: SoftHSM hides some for a moment while another process adds one (measured)
_LOOKS = (0.0, 0.02, 0.05, 0.1, 0.2)
_MISSING_SECONDS = 10.0


class Pkcs11Token:
    """A logged-in token. Handles are found once: looking up costs 1 ms in a token of 100 keys."""

    def __init__(self, token: Any, session: Any, name: str) -> None:
        self._token = token
        # the session that logged in stays open for life: closing it would log the whole process out
        self._session = session
        slot = token.slot
        offered = set(slot.get_mechanisms())
        mechanisms = frozenset(name for name, mechanism in _MECHANISMS.items() if mechanism in offered)
        self._info = TokenInfo(name, bool(slot.flags & SlotFlag.HW_SLOT), mechanisms)
        self._handles: dict[str, Any] = {}
        #: keys that were not found, and until when nobody looks again
        self._missing: dict[str, float] = {}
        self._find_all()

    def info(self) -> TokenInfo:
        return self._info

    def key_names(self) -> list[str]:
        self._find_all()
        return sorted(self._handles)

    def public_key(self, key: str) -> bytes:
        with _translated():
            handle = self._handle(key)
            modulus = int.from_bytes(handle[Attribute.MODULUS], "big")
            exponent = int.from_bytes(handle[Attribute.PUBLIC_EXPONENT], "big")
        public = RSAPublicKey({"modulus": modulus, "public_exponent": exponent})
        return bytes(PublicKeyInfo.wrap(public, "rsa").dump())

    def generate(self, key: str) -> bytes:
        tenant, _, name = key.partition("/")
        try:
            return self.public_key(key)
        except TokenError as exc:
            if exc.code != "key-missing":
                raise
        self._missing.pop(key)
        with _translated(), self._token.open(rw=True) as session:
            session.generate_keypair(
                KeyType.RSA,
                RSA_BITS,
                id=uuid.UUID(name).bytes,
                label=tenant,
                store=True,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
        return self.public_key(key)

    def sign_batch(self, requests: Sequence[SignRequest]) -> list[bytes | TokenError]:
        results: list[bytes | TokenError] = []
        for request in requests:
            try:
                results.append(self._sign(request))
            except TokenError as exc:
                if exc.code == "lost":
                    raise
                results.append(exc)
        return results

    def _sign(self, request: SignRequest) -> bytes:
        mechanism = _MECHANISMS.get(request.mechanism)
        if mechanism is None:
            raise TokenError("failed", f"unknown mechanism {request.mechanism}")
        with _translated():
            try:
                return bytes(self._handle(request.key).sign(request.data, mechanism=mechanism))
            except _HANDLE_ERRORS:
                # the key was made anew, or handles were renumbered: look once more
                self._handles.pop(request.key, None)
                try:
                    return bytes(self._handle(request.key).sign(request.data, mechanism=mechanism))
                except TokenError as exc:
                    # a key that was there a moment ago: the token is gone, not the key (moved token directory)
                    raise TokenError("lost", "a known key vanished") from exc

    def _handle(self, key: str) -> Any:
        handle = self._handles.get(key)
        if handle is not None:
            return handle
        if self._missing.get(key, 0) > time.monotonic():
            raise TokenError("key-missing", f"{key} is not in the token")
        for pause in _LOOKS:
            time.sleep(pause)
            handle = self._find(key)
            if handle is not None:
                self._handles[key] = handle
                return handle
        # a token that went away answers "no such object" too: a key known before must still be readable
        for known in self._handles.values():
            known[Attribute.ID]
            break
        self._missing[key] = time.monotonic() + _MISSING_SECONDS
        raise TokenError("key-missing", f"{key} is not in the token")

    def _find(self, key: str) -> Any | None:
        tenant, _, name = key.partition("/")
        wanted = {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.ID: uuid.UUID(name).bytes,
            Attribute.LABEL: tenant,
        }
        try:
            return next(iter(list(self._session.get_objects(wanted))), None)
        except _HANDLE_ERRORS:
            return None

    def _find_all(self) -> None:
        for pause in _LOOKS:
            time.sleep(pause)
            try:
                with _translated():
                    self._handles = self._names()
                return
            except TokenError as exc:
                error = exc
        raise error

    def _names(self) -> dict[str, Any]:
        found = {}
        for handle in list(self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})):
            identifier = handle[Attribute.ID]
            if len(identifier) == 16:  # others are not ours
                found[f"{handle[Attribute.LABEL]}/{uuid.UUID(bytes=bytes(identifier))}"] = handle
        return found


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _OWN_ERRORS as exc:
        raise TokenError("failed", type(exc).__name__) from exc
    except exceptions.PKCS11Error as exc:
        raise TokenError("lost", type(exc).__name__) from exc


def open_token() -> Pkcs11Token:
    """Load the library named by the environment and log in, with no other process doing so meanwhile."""
    module, label = os.environ["PKCS11_MODULE"], os.environ["TOKEN_LABEL"]
    pin_file = Path(os.environ["TOKEN_PIN_FILE"])
    # SoftHSM failed 45 of 160 starts when four processes began at once; the lock also makes "one attempt" true
    with pin_file.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = _PinMark(pin_file)
        mark.check()
        token = _find_token(module, label)
        session = _log_in(token, _pin(pin_file), mark)
        with _translated():
            name = f"{token.model.strip()} · {label}"
            return Pkcs11Token(token, session, name)


def _find_token(module: str, label: str) -> Any:
    try:
        library = pkcs11.lib(module)
    except (exceptions.PKCS11Error, RuntimeError, OSError) as exc:
        raise TokenError("lost", f"{module} cannot be loaded: {exc or type(exc).__name__}") from exc
    for attempt in range(_START_TRIES):
        try:
            return library.get_token(token_label=label)
        except _START_ERRORS as exc:
            reason = f"token {label!r}: {type(exc).__name__}"
            time.sleep(0.05 * 2**attempt)
            with _translated():
                library.reinitialize()
        except exceptions.PKCS11Error as exc:
            raise TokenError("settings", f"token {label!r}: {type(exc).__name__}") from exc
    raise TokenError("lost", reason)


def _pin(file: Path) -> str:
    pin = file.read_text(encoding="utf-8").rstrip("\r\n")
    # looked at before any card sees it
    if not 4 <= len(pin) <= 64 or not pin.isascii() or not pin.isprintable():
        raise TokenError(
            "pin", "the PIN file must hold 4 to 64 printable ASCII characters; the token was not asked"
        )
    return pin


def _log_in(token: Any, pin: str, mark: _PinMark) -> Any:
    warnings = [str(flag.name) for flag in _PIN_WARNINGS if token.flags & flag]
    if warnings:
        raise TokenError("pin", f"the token reports {', '.join(warnings)}: a person must log in to it first")
    try:
        return token.open(user_pin=pin)
    except _PIN_ERRORS as exc:
        mark.set()
        raise TokenError(
            "pin", f"{type(exc).__name__}; replace the PIN file, nothing tries this PIN again"
        ) from exc
    except exceptions.PKCS11Error as exc:
        # UserAlreadyLoggedIn too: going on with it would accept any PIN
        raise TokenError("lost", type(exc).__name__) from exc


class _PinMark:
    """A file beside the PIN file that says: this version of it was refused. Survives restarts, so that a supervisor
    cannot use up a card's attempts. Where the folder is read-only the mark is lost with the signer process."""

    def __init__(self, pin_file: Path) -> None:
        status = pin_file.stat()
        self._version = f"{status.st_ino}:{status.st_mtime_ns}"
        self._file = pin_file.with_name(pin_file.name + ".refused")

    def check(self) -> None:
        """Raise TokenError if this PIN was refused before."""
        try:
            refused = self._file.read_text(encoding="ascii")
        except FileNotFoundError:
            return
        if refused == self._version:
            raise TokenError("pin", "this PIN was refused before; replace the PIN file")

    def set(self) -> None:
        """Remember the refusal."""
        try:
            self._file.write_text(self._version, encoding="ascii")
        except OSError:
            return  # read-only folder; the parent remembers for as long as it lives


if __name__ == "__main__":
    child.run(open_token)
