"""The trial that a token process stands before its member gets work: one of its keys signs, other code judges.

A key that cannot be used says nothing about the member, so that some are tried; several that all fail do.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence

from services.signer import certificates, probe
from services.signer.tokens.base import FATAL, TokenError
from services.signer.tokens.board import packed
from services.signer.tokens.pace import Calls
from services.signer.tokens.worker import Worker

#: keys of which one must sign
KEYS = 5
_CHOICE = secrets.SystemRandom()
_WRONG = "the signature does not hold"


def run(calls: Calls, worker: Worker, keys: Sequence[str], blamed: Collection[str]) -> str:
    """The key that signed; empty if it is one of `blamed`, or if nothing speaks against a token where none did.

    blamed: keys of work that processes were lost with, tried last. Raises TokenError if the member is of no use."""
    chosen = _CHOICE.sample(keys, min(KEYS, len(keys)))
    troubles = []
    for key in sorted(chosen, key=lambda one: one in blamed):
        trouble = _signs(calls, worker, key)
        if not trouble:
            return "" if key in blamed else key
        troubles.append(trouble)
    if len(troubles) > 1 or _WRONG in troubles:
        raise TokenError("lost", f"trial: {troubles[0]}")
    return ""


def _signs(calls: Calls, worker: Worker, key: str) -> str:
    """Empty if the key signed and its signature holds, else why not. Raises TokenError if the worker is lost."""
    try:
        public = calls.make(worker, [b"public", key.encode()], 1)[0]
        asked = probe.challenge(key, public, worker.info.mechanisms)
        code, signature = calls.make(worker, [b"sign", *packed(asked.request)], 1)
    except certificates.CertificateError as exc:
        return str(exc)
    except TokenError as exc:
        if exc.code in FATAL:
            raise
        return exc.reason
    if code:
        return signature.decode(errors="replace")
    return "" if asked.holds(signature) else _WRONG
