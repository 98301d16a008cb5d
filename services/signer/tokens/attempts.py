"""What is remembered of attempts with a PIN: one small file per token, and the lock under which a token is opened.

Must never let the same PIN be tried a second time after a refusal, whatever restarts, and however often the PIN file
is written anew with the same PIN: cards lock for good after three. So the attempt is written down before it is made.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from services.signer.tokens.base import TokenError

#: what is known of a PIN: an attempt without an end yet, one that was let in, one that was not
_TRYING, _ACCEPTED, _REFUSED = "trying", "accepted", "refused"
#: seconds to wait for another process that opens the same token
_LOCK_SECONDS = 8.0


class Attempts:
    """The attempts at one token. identity: whatever tells it from other tokens (module, slot, files of its own)."""

    def __init__(self, memory: Path, identity: str) -> None:
        name = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self.file = memory / f"{name}.pin"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process of this machine opens the token at a time: soft tokens fail when several do (45 of 160 starts
        with four SoftHSM processes at once). Raises TokenError lost if another one takes too long."""
        limit = time.monotonic() + _LOCK_SECONDS
        try:
            lock = self.file.with_suffix(".lock").open("ab")
        except OSError as exc:
            raise _unwritable(self.file, exc) from exc
        with lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as exc:
                    if time.monotonic() > limit:
                        raise TokenError(
                            "lost", "another process has been opening this token for too long"
                        ) from exc
                    time.sleep(0.02)
            yield

    def check(self, pin: str) -> None:
        """Raise TokenError pin if this PIN must not be tried (again) by a program."""
        known, salt = self._known(), self._salt()
        if known.get("pin") != _digest(pin, salt):
            return
        if known["outcome"] == _REFUSED:
            raise TokenError(
                "pin",
                f"this PIN was refused before; replace the PIN file, or mend the token and remove {self.file}",
            )
        if known["outcome"] == _TRYING:
            raise TokenError(
                "pin",
                "the first attempt with this PIN was broken off and nobody knows how it ended; "
                f"look at the token, then remove {self.file}",
            )

    def begin(self, pin: str) -> None:
        """Write down that the PIN is about to be tried, unless it was let in before."""
        known = self._known()
        if (known.get("pin"), known.get("outcome")) != (_digest(pin, self._salt()), _ACCEPTED):
            self._write(pin, _TRYING)

    def accepted(self, pin: str) -> None:
        """The token let the PIN in."""
        if self._known().get("outcome") != _ACCEPTED:
            self._write(pin, _ACCEPTED)

    def refused(self, pin: str) -> None:
        """The token did not let the PIN in."""
        self._write(pin, _REFUSED)

    def undecided(self, pin: str) -> None:
        """The token failed before it looked at the PIN: the attempt does not count."""
        if self._known().get("outcome") == _TRYING:
            self.file.unlink(missing_ok=True)

    def _salt(self) -> str:
        return self._known().get("salt") or os.urandom(16).hex()

    def _known(self) -> dict[str, str]:
        try:
            known: dict[str, str] = json.loads(self.file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as exc:
            raise TokenError(
                "pin",
                f"{self.file}, which remembers attempts with PINs, cannot be read; the token was not asked",
            ) from exc
        return known

    def _write(self, pin: str, outcome: str) -> None:
        salt = self._salt()
        content = json.dumps({"outcome": outcome, "salt": salt, "pin": _digest(pin, salt)})
        temporary = self.file.with_suffix(".new")
        try:
            with open(temporary, "w", encoding="ascii", opener=_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.file)
        except OSError as exc:
            raise _unwritable(self.file, exc) from exc


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unwritable(file: Path, exc: OSError) -> TokenError:
    return TokenError(
        "settings",
        f"attempts cannot be remembered in {file.parent} ({exc.strerror}); the token was not asked",
    )


@cache
def _digest(pin: str, salt: str) -> str:
    """Costs 30 ms to compute, so that a short PIN does not follow from a stolen file at once."""
    return hashlib.scrypt(pin.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex()
