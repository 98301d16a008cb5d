"""Logging in to a PKCS#11 token: one attempt per PIN, one process at a time.

Must never try a PIN a second time: cards lock for good after three.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import TokenFlag, exceptions

from services.signer.tokens.base import TokenError

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


@contextmanager
def translated() -> Iterator[None]:
    """PKCS#11's errors as TokenError: failed for what concerns one key or request, lost for all else."""
    try:
        yield
    except _OWN_ERRORS as exc:
        raise TokenError("failed", type(exc).__name__) from exc
    except exceptions.PKCS11Error as exc:
        raise TokenError("lost", type(exc).__name__) from exc


def open_token(*, again: bool = False) -> tuple[Any, Any]:
    """The token that the environment names and a session that is logged in to it.

    again: this process was logged in before; the library starts anew, which ends all it had open.
    """
    module, label = os.environ["PKCS11_MODULE"], os.environ["TOKEN_LABEL"]
    pin_file = Path(os.environ["TOKEN_PIN_FILE"])
    # SoftHSM failed 45 of 160 starts when four processes began at once; the lock also makes "one attempt" true
    with pin_file.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = _PinMark(pin_file)
        mark.check()
        token = _find_token(module, label, again=again)
        return token, _log_in(token, _pin(pin_file), mark)


def _find_token(module: str, label: str, *, again: bool) -> Any:
    try:
        library = pkcs11.lib(module)
        if again:
            library.reinitialize()
    except (exceptions.PKCS11Error, RuntimeError, OSError) as exc:
        raise TokenError("lost", f"{module} cannot be loaded: {exc or type(exc).__name__}") from exc
    for attempt in range(_START_TRIES):
        try:
            return library.get_token(token_label=label)
        except _START_ERRORS as exc:
            reason = f"token {label!r}: {type(exc).__name__}"
            time.sleep(0.05 * 2**attempt)
            with translated():
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
