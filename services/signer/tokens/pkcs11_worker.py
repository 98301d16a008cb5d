"""Child process: one load of a PKCS#11 library, one login for life, one thread.

python-pkcs11 initialises libraries for a single thread, and a lost token poisons its whole process: hence a process
of its own, started by spawning. Must never try a PIN a second time: cards lock for good after three.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from pkcs11 import Attribute, MechanismFlag, ObjectClass, exceptions
from pkcs11.constants import SlotFlag
from pkcs11.util.ec import encode_ec_public_key

from services.signer.tokens import child, profile, sm2, vendor
from services.signer.tokens.base import FATAL, SignRequest, TokenError, TokenInfo
from services.signer.tokens.pkcs11_login import TRANSLATED, open_token
from services.signer.tokens.profile import Profile, SignProfile

_HALF = 32  # bytes of r and of s, for curves of 256 bits
_HANDLE_ERRORS = (exceptions.ObjectHandleInvalid, exceptions.KeyHandleInvalid)
#: pauses before looking for objects: SoftHSM hides some for a moment while another process adds one (measured)
_LOOKS = (0.0, 0.02, 0.05, 0.1, 0.2)
#: seconds in which nobody looks again for a key that was not found twice: the pool asks once more (pool.py)
_MISSING_SECONDS = 30.0
_GENERATE_TRIES = 3
#: what SoftHSM answers at times to one process that makes a key while another does or logs in (measured: 2 of 150)
_BUSY_ERRORS = (
    exceptions.FunctionFailed,
    exceptions.GeneralError,
    exceptions.TemplateInconsistent,
    *_HANDLE_ERRORS,
)


class Pkcs11Token:
    """A logged-in token. Handles are found once: looking up costs 1 ms in a token of 100 keys."""

    def __init__(self, numbers: Profile) -> None:
        self._profile = numbers
        # the session that logged in stays open for life: closing it would log the whole process out
        self._token, self._session = open_token()
        with TRANSLATED:
            slot = self._token.slot
            offered = {int(one) for one in slot.get_mechanisms()}
            name = f"{self._token.model.strip()} · {self._token.label.strip()}"
        mechanisms = frozenset(name for name, way in numbers.signing.items() if way.mechanism in offered)
        self._info = TokenInfo(name, bool(slot.flags & SlotFlag.HW_SLOT), mechanisms)
        self._handles: dict[str, Any] = {}
        #: public keys in DER, for digests that bind them
        self._public: dict[str, bytes] = {}
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
        with TRANSLATED:
            handle = self._handle(key)
            # from the public object: private ones of curves do not hold their point
            public = self._find(key, ObjectClass.PUBLIC_KEY) or handle
            if self._profile.kind_of(int(handle[Attribute.KEY_TYPE])) == "rsa":
                modulus = int.from_bytes(public[Attribute.MODULUS], "big")
                exponent = int.from_bytes(public[Attribute.PUBLIC_EXPONENT], "big")
                numbers = RSAPublicKey({"modulus": modulus, "public_exponent": exponent})
                return bytes(PublicKeyInfo.wrap(numbers, "rsa").dump())
            return bytes(encode_ec_public_key(public))

    def generate(self, key: str, kind: str) -> bytes:
        reason = "the token makes keys but does not keep their names"
        found = self._look(key)
        for _ in range(_GENERATE_TRIES):
            try:
                with TRANSLATED:
                    if found is not None or self._generate(key, kind):
                        self._missing.pop(key, None)
                        return self.public_key(key)
            except TokenError as exc:
                if not isinstance(exc.__cause__, _BUSY_ERRORS):
                    raise
                reason = exc.reason
            # the pair may be there all the same: a second one of its name would never agree with it
            found = self._sought(key)
        raise TokenError("lost", reason)

    def _generate(self, key: str, kind: str) -> bool:
        """Make the pair and look whether the token really has it.

        SoftHSM sometimes loses attributes of a new object while another process logs in (seen: a private key without
        its id): such a pair is destroyed again.
        """
        numbers = self._profile.keys.get(kind)
        if numbers is None:
            raise TokenError(
                "settings", f"profile {self._profile.name!r} does not say how to make {kind} keys"
            )
        tenant, _, name = key.partition("/")
        curve = {Attribute.EC_PARAMS: numbers.parameters} if numbers.parameters else {}
        with self._token.open(rw=True, attribute_mapper=vendor.mapper()) as session:
            public, private = session.generate_keypair(
                vendor.key_type(numbers.type),
                numbers.bits or None,
                mechanism=vendor.mechanism(numbers.generate),
                id=uuid.UUID(name).bytes,
                label=tenant,
                store=True,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                public_template=curve,
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
        way = self._profile.signing.get(request.mechanism)
        if way is None:
            raise TokenError("failed", f"unknown mechanism {request.mechanism}")
        data = self._digest(way, request)
        mechanism = vendor.mechanism(way.mechanism)
        with TRANSLATED:
            try:
                made = bytes(self._handle(request.key).sign(data, mechanism=mechanism))
            except _HANDLE_ERRORS:
                # the key was made anew, or handles were renumbered: look once more
                self._forget(request.key)
                try:
                    made = bytes(self._handle(request.key).sign(data, mechanism=mechanism))
                except TokenError as exc:
                    # a key that was there a moment ago: the token is gone, not the key (moved token directory)
                    raise TokenError("lost", "a known key vanished") from exc
        return made if way.signature == "raw" else _raw(made)

    def _digest(self, way: SignProfile, request: SignRequest) -> bytes:
        match way.digest:
            case "sha256":
                return hashlib.sha256(request.data).digest()
            case "sm3-z":
                public = self._public.get(request.key)
                if public is None:
                    public = self._public[request.key] = self.public_key(request.key)
                return sm2.digest(public, request.data)
        return request.data

    def _forget(self, key: str) -> None:
        self._handles.pop(key, None)
        self._public.pop(key, None)

    def _handle(self, key: str) -> Any:
        handle = self._handles.get(key)
        if handle is not None:
            return handle
        if self._missing.get(key, 0) > time.monotonic():
            raise TokenError("key-missing", f"{key} is not in the token")
        handle = self._sought(key)
        if handle is None:
            self._missing[key] = time.monotonic() + (_MISSING_SECONDS if key in self._missing else 0.0)
            raise TokenError("key-missing", f"{key} is not in the token")
        self._missing.pop(key, None)
        self._handles[key] = handle
        return handle

    def _sought(self, key: str) -> Any | None:
        """A key's handle. A library's picture of its token may be stale, and a token that went away answers "no such
        object" too: only a library that starts anew knows."""
        handle = self._look(key)
        if handle is None:
            self._handles, self._public = {}, {}
            self._token, self._session = open_token(again=True)
            handle = self._look(key)
        return handle

    def _look(self, key: str) -> Any | None:
        for pause in _LOOKS:
            time.sleep(pause)
            with TRANSLATED:
                handle = self._find(key)
            if handle is not None:
                return handle
        return None

    def _find(self, key: str, what: ObjectClass = ObjectClass.PRIVATE_KEY) -> Any | None:
        tenant, _, name = key.partition("/")
        try:
            identifier = uuid.UUID(name).bytes
        except ValueError as exc:
            raise TokenError("key-missing", "not the name of a key") from exc
        wanted = {
            Attribute.CLASS: what,
            Attribute.ID: identifier,
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
                with TRANSLATED:
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


def _raw(der: bytes) -> bytes:
    try:
        r, s = decode_dss_signature(der)
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    except (ValueError, OverflowError) as exc:
        raise TokenError("failed", "the token's signature is not the DER that its profile says") from exc


def _open() -> Pkcs11Token:
    try:
        return Pkcs11Token(profile.read(Path(os.environ["TOKEN_PROFILE"])))
    except profile.ProfileError as exc:
        raise TokenError("settings", str(exc)) from exc


if __name__ == "__main__":
    child.run(_open)
