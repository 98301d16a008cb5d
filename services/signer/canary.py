"""Signs and verifies a fresh challenge with the keys of every device on a timer: the answer to "can we sign?".

Must never block signing: it goes through the same queue, a few keys at a time.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable

from runtime import log
from runtime.errors import Problem
from services.signer import certificates, domain, xmlsign
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError
from services.signer.tokens.pool import Device, Pool

_LOG = log.get("canary")
#: keys of one device per round; the others follow in later rounds
KEYS_PER_ROUND = 16

#: (tenant, key id, works, reason)
Record = Callable[[str, str, bool, str], None]


class Canary:
    """One thread per device, so that a hanging one does not hide the state of the others."""

    def __init__(self, pool: Pool, record: Record, seconds: int) -> None:
        self._pool = pool
        self._record = record
        self._seconds = seconds
        self._good: dict[str, float] = {}
        self._trouble: dict[str, str] = dict.fromkeys(pool.devices, "not tried yet")
        self._known: dict[str, bool] = {}
        self._public: dict[str, bytes] = {}
        self._turn: dict[str, int] = {}

    def start(self, stop: threading.Event) -> None:
        """Begin; ends by itself when stopped."""
        for kind in self._pool.devices:
            threading.Thread(target=self._run, args=(kind, stop), name=f"canary-{kind}", daemon=True).start()

    def check(self, kind: str) -> None:
        """For readiness: raise unless the device signed, or was found empty, within three rounds."""
        good = self._good.get(kind)
        if self._trouble[kind] or good is None or time.monotonic() - good > 3 * self._seconds + 5:
            raise RuntimeError(self._trouble[kind] or "no signature for some time")

    def _run(self, kind: str, stop: threading.Event) -> None:
        device = self._pool.devices[kind]
        while not stop.is_set():
            self.round(kind, device)
            # while it does not work, messages wait for the first success
            stop.wait(min(1, self._seconds) if self._trouble[kind] else self._seconds)

    def round(self, kind: str, device: Device) -> None:
        """Probe some keys of a device and remember whether it works."""
        try:
            device.wait_ready(device.settings.patience)
            keys = device.key_names()
            begin = self._turn.get(kind, 0) % max(1, len(keys))
            chosen = (keys[begin:] + keys[:begin])[:KEYS_PER_ROUND]
            self._turn[kind] = begin + len(chosen)
            results = {key: self._probe(device, key) for key in chosen}
        except (Problem, TokenError) as exc:
            self._fail(kind, exc.en if isinstance(exc, Problem) else exc.reason)
            return
        if results and all(results.values()):
            # no key it holds can sign
            self._fail(kind, next(iter(results.values())))
        else:
            self._good[kind], self._trouble[kind] = time.monotonic(), ""
        for key, reason in results.items():
            self._note(key, reason)

    def _fail(self, kind: str, reason: str) -> None:
        if self._trouble[kind] != reason:
            _LOG.error("canary.failed", device=kind, reason=reason)
        self._trouble[kind] = reason

    def _probe(self, device: Device, key: str) -> str:
        """Empty if the key signed and its signature holds, else the reason."""
        try:
            public = self._public.get(key) or self._public.setdefault(key, device.public_key(key))
            algorithm = "rsa-sha256" if certificates.key_kind(public) == "rsa" else "sm2-sm3"
        except (TokenError, certificates.CertificateError) as exc:
            return str(exc)
        challenge = b"tongguan canary " + os.urandom(32)
        request = SignRequest(key, algorithm, challenge)
        assert device.info is not None
        if algorithm == "rsa-sha256" and DIGEST_INFO in device.info.mechanisms:
            prefix = xmlsign.ALGORITHMS[algorithm].digest_info
            request = SignRequest(key, DIGEST_INFO, prefix + hashlib.sha256(challenge).digest())
        (answer,) = device.sign([request])
        if isinstance(answer, TokenError):
            return str(answer)
        return (
            ""
            if certificates.verifier(public)(algorithm, challenge, answer)
            else "the signature does not hold"
        )

    def _note(self, key: str, reason: str) -> None:
        works = not reason
        if self._known.get(key) == works:
            return
        tenant_id, _, key_id = key.partition("/")
        if not (domain.is_uuid(tenant_id) and domain.is_uuid(key_id)):
            return  # somebody else's object in the token
        try:
            self._record(tenant_id, key_id, works, reason)
        except Problem as problem:
            _LOG.warning("canary.not_recorded", reason=problem.en)
            return
        self._known[key] = works
