"""How quick a device is: the command bench-device."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from services.signer import certificates, xmlsign
from services.signer.provision import ProvisionError
from services.signer.store.rates import Rate
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError
from services.signer.tokens.pool import MICRO_BATCH, Device

#: batches under way at a time, for each worker: one in work, one that waits for it
_AHEAD = 2


def measure(device: Device, seconds: float, now: datetime) -> Rate:
    """Sign fresh challenges with the device's own keys as hard as the signer does, for so long.

    Raises ProvisionError for a device without a key or with one that does not sign, Problem while it is away."""
    info = device.wait_ready(device.settings.patience)
    keys = device.key_names()
    if not keys:
        raise ProvisionError("设备中没有密钥，无法测速 / the device has no key to measure with")
    kind = certificates.key_kind(device.public_key(keys[0]))
    algorithm = "sm2-sm3" if kind == "sm2" else "rsa-sha256"
    prefix = xmlsign.ALGORITHMS[algorithm].digest_info if DIGEST_INFO in info.mechanisms else b""

    def batch(number: int) -> int:
        requests = [
            SignRequest(
                keys[(number + at) % len(keys)],
                DIGEST_INFO if prefix else algorithm,
                prefix + os.urandom(32) if prefix else b"tongguan bench " + os.urandom(32),
            )
            for at in range(MICRO_BATCH)
        ]
        wrong = next((one for one in device.sign(requests) if isinstance(one, TokenError)), None)
        if wrong is not None:
            raise ProvisionError(f"设备签名失败 / the device did not sign: {wrong}")
        return len(requests)

    callers = _AHEAD * sum(member.workers for member in device.settings.members)
    batch(0)
    begun, done = time.monotonic(), 0
    with ThreadPoolExecutor(callers) as threads:
        while time.monotonic() - begun < seconds:
            done += sum(threads.map(batch, range(done, done + callers)))
    return Rate(device.settings.name, done / (time.monotonic() - begun), done, now)
