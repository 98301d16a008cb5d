"""Logging in to a PKCS#11 token: flags first, one attempt per PIN (attempts.py), one process at a time.

Must never try a PIN a second time: cards lock for good after three.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import TokenFlag, exceptions

from services.signer.tokens import vendor
from services.signer.tokens.attempts import Attempts
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


class _Translated:
    """A class, as a generator would cost a microsecond for each signature."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        if isinstance(exc, exceptions.PKCS11Error):
            code = "failed" if isinstance(exc, _OWN_ERRORS) else "lost"
            raise TokenError(code, type(exc).__name__) from exc


#: `with TRANSLATED:` PKCS#11's errors as TokenError: failed for what concerns one key or request, lost for all else
TRANSLATED = _Translated()


def open_token(*, again: bool = False) -> tuple[Any, Any]:
    """The token that the environment names (settings.py, _pkcs11) and a session that is logged in to it.

    again: this process was logged in before; the library starts anew, which ends all it had open.
    """
    module = os.environ["TOKEN_MODULE"]
    label, serial = os.environ.get("TOKEN_LABEL"), os.environ.get("TOKEN_SERIAL")
    attempts = Attempts(Path(os.environ["TOKEN_MEMORY"]), os.environ["TOKEN_IDENTITY"])
    with attempts.alone():
        pin = _pin(Path(os.environ["TOKEN_PIN_FILE"]))
        attempts.check(pin)
        wanted = {"token_label": label} if label else {"token_serial": (serial or "").encode()}
        token = _find_token(module, wanted, again=again)
        return token, _log_in(token, pin, attempts)


def _find_token(module: str, wanted: dict[str, Any], *, again: bool) -> Any:
    called = f"token {next(iter(wanted.values()))!r}"
    try:
        library = pkcs11.lib(module)
        if again:
            library.reinitialize()
    except (exceptions.PKCS11Error, RuntimeError, OSError) as exc:
        raise TokenError("lost", f"{module} cannot be loaded: {exc or type(exc).__name__}") from exc
    for attempt in range(_START_TRIES):
        try:
            return library.get_token(**wanted)
        except _START_ERRORS as exc:
            reason = f"{called}: {type(exc).__name__}"
            time.sleep(0.05 * 2**attempt)
            with TRANSLATED:
                library.reinitialize()
        except exceptions.MultipleTokensReturned as exc:
            raise TokenError("settings", f"{called}: several tokens are called so; name its serial") from exc
        except exceptions.PKCS11Error as exc:
            raise TokenError("lost", f"{called}: {type(exc).__name__}") from exc
    raise TokenError("lost", reason)


def _pin(file: Path) -> str:
    try:
        pin = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as exc:
        raise TokenError("settings", f"the PIN file cannot be read: {type(exc).__name__}") from exc
    # looked at before any card sees it
    if not 4 <= len(pin) <= 64 or not pin.isascii() or not pin.isprintable():
        raise TokenError(
            "pin", "the PIN file must hold 4 to 64 printable ASCII characters; the token was not asked"
        )
    return pin


def _log_in(token: Any, pin: str, attempts: Attempts) -> Any:
    warnings = [str(flag.name) for flag in _PIN_WARNINGS if token.flags & flag]
    if warnings:
        raise TokenError("pin", f"the token reports {', '.join(warnings)}: a person must log in to it first")
    attempts.begin(pin)
    try:
        session = token.open(user_pin=pin, attribute_mapper=vendor.mapper())
    except _PIN_ERRORS as exc:
        attempts.refused(pin)
        raise TokenError(
            "pin", f"{type(exc).__name__}; replace the PIN file, nothing tries this PIN again"
        ) from exc
    except exceptions.PKCS11Error as exc:
        attempts.undecided(pin)
        # UserAlreadyLoggedIn too: going on with it would accept any PIN
        raise TokenError("lost", type(exc).__name__) from exc
    attempts.accepted(pin)
    return session
