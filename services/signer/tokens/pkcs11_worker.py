"""Child process: one load of a PKCS#11 library, one login for life, one thread.

python-pkcs11 initialises libraries for a single thread, and a lost token poisons its whole process: hence a process
of its own, started by spawning. Must never try a PIN a second time: cards lock for good after three.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, exceptions
from pkcs11.constants import SlotFlag

from services.signer.tokens import child
from services.signer.tokens.base import DIGEST_INFO, FATAL, SignRequest, TokenError, TokenInfo
from services.signer.tokens.pkcs11_login import open_token, translated

RSA_BITS = 2048
_MECHANISMS = {
    DIGEST_INFO: Mechanism.RSA_PKCS,
    "rsa-sha1": Mechanism.SHA1_RSA_PKCS,
    "rsa-sha256": Mechanism.SHA256_RSA_PKCS,
}
_HANDLE_ERRORS = (exceptions.ObjectHandleInvalid, exceptions.KeyHandleInvalid)
#: pauses before looking for objects: SoftHSM hides some for a moment while another process adds one (measured)
_LOOKS = (0.0, 0.02, 0.05, 0.1, 0.2)
_MISSING_SECONDS = 30.0
_GENERATE_TRIES = 3


class Pkcs11Token:
    """A logged-in token. Handles are found once: looking up costs 1 ms in a token of 100 keys."""

    def __init__(self) -> None:
        # the session that logged in stays open for life: closing it would log the whole process out
        self._token, self._session = open_token()
        with translated():
            slot = self._token.slot
            offered = set(slot.get_mechanisms())
            mechanisms = frozenset(name for name, mechanism in _MECHANISMS.items() if mechanism in offered)
            name = f"{self._token.model.strip()} · {self._token.label.strip()}"
        self._info = TokenInfo(name, bool(slot.flags & SlotFlag.HW_SLOT), mechanisms)
        self._handles: dict[str, Any] = {}
        #: keys that were not found, and until when nobody looks again
        self._missing: dict[str, float] = {}
        self._find_all()

    def info(self) -> TokenInfo:
        return self._info

    def key_names(self) -> list[str]:
        before = len(self._handles)
        self._find_all()
        if before and not self._handles:
            # a token directory that was moved away looks like an empty token
            raise TokenError("lost", "all keys vanished")
        return sorted(self._handles)

    def public_key(self, key: str) -> bytes:
        with translated():
            handle = self._handle(key)
            modulus = int.from_bytes(handle[Attribute.MODULUS], "big")
            exponent = int.from_bytes(handle[Attribute.PUBLIC_EXPONENT], "big")
        public = RSAPublicKey({"modulus": modulus, "public_exponent": exponent})
        return bytes(PublicKeyInfo.wrap(public, "rsa").dump())

    def generate(self, key: str) -> bytes:
        with translated():
            if self._look(key) is not None:
                return self.public_key(key)
            self._missing.pop(key, None)
            for _ in range(_GENERATE_TRIES):
                if self._generate(key):
                    return self.public_key(key)
        raise TokenError("lost", "the token makes keys but does not keep their names")

    def _generate(self, key: str) -> bool:
        """Make the pair and look whether the token really has it.

        SoftHSM sometimes loses attributes of a new object while another process logs in (seen: a private key without
        its id): such a pair is destroyed again.
        """
        tenant, _, name = key.partition("/")
        with self._token.open(rw=True) as session:
            public, private = session.generate_keypair(
                KeyType.RSA,
                RSA_BITS,
                id=uuid.UUID(name).bytes,
                label=tenant,
                store=True,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
            found = self._look(key)
            if found is not None:
                self._handles[key] = found
                return True
            for made in (private, public):
                with suppress(*_HANDLE_ERRORS):
                    made.destroy()
        return False

    def sign_batch(self, requests: Sequence[SignRequest]) -> list[bytes | TokenError]:
        results: list[bytes | TokenError] = []
        for request in requests:
            try:
                results.append(self._sign(request))
            except TokenError as exc:
                if exc.code in FATAL:
                    raise
                results.append(exc)
        return results

    def _sign(self, request: SignRequest) -> bytes:
        mechanism = _MECHANISMS.get(request.mechanism)
        if mechanism is None:
            raise TokenError("failed", f"unknown mechanism {request.mechanism}")
        with translated():
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
        handle = self._look(key)
        if handle is None:
            # a library's picture of its token may be stale, and a token that went away answers "no such object"
            # too: only a library that starts anew knows
            self._handles = {}
            self._token, self._session = open_token(again=True)
            handle = self._look(key)
        if handle is None:
            self._missing[key] = time.monotonic() + _MISSING_SECONDS
            raise TokenError("key-missing", f"{key} is not in the token")
        self._handles[key] = handle
        return handle

    def _look(self, key: str) -> Any | None:
        for pause in _LOOKS:
            time.sleep(pause)
            handle = self._find(key)
            if handle is not None:
                return handle
        return None

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
                with translated():
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


if __name__ == "__main__":
    child.run(Pkcs11Token)
