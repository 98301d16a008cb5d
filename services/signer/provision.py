"""Gives an enterprise a key: pair made in the token, request signed there, certificate fetched, checked, installed.

Every step may be repeated after a crash: the row that waits for a certificate names the key pair to go on with.
Must never bring a private key out of its token.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runtime import crash
from runtime.db import Database
from runtime.errors import Problem
from services.signer import asking, certificates, chain, domain
from services.signer.domain import Key
from services.signer.store import jobs, keys, ledger
from services.signer.tokens.base import TokenError
from services.signer.tokens.pool import Device, Pool
from services.signer.tokens.settings import DeviceSettings
from services.signer.xmlsign import ALGORITHMS

#: pairs that are made at most: SoftHSM loses one at times while another process logs in (seen: once in some thousands)
_PAIRS = 2


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. Where the certificate comes from is one of: authority_command, that takes --issue CSR.pem
    --out CERT.pem; csr_file, where the request is written for an authority that takes its time; certificate_file,
    what that authority sent. renew: another key beside one that is still valid."""

    tenant_id: str
    enterprise_code: str
    name: str
    algorithm: str
    authority_command: str = ""
    active: bool = False
    csr_file: Path | None = None
    certificate_file: Path | None = None
    renew: bool = False


class ProvisionError(Exception):
    """What went wrong, for the operator, in both languages."""


def device_of(devices: Sequence[DeviceSettings], algorithm: str) -> DeviceSettings:
    """The first device that makes keys for this algorithm. Raises ProvisionError."""
    if algorithm not in ALGORITHMS:
        raise ProvisionError(f"不支持的算法 {algorithm} / unknown algorithm {algorithm}")
    kind = ALGORITHMS[algorithm].key_kind
    for device in devices:
        if device.makes(kind):
            return device
    raise ProvisionError(f"没有配置能生成 {kind} 密钥的设备 / no device that makes {kind} keys is configured")


def provision(database: Database, pool: Pool, order: Order, clock: Callable[[], datetime]) -> Key | None:
    """The enterprise's key of that algorithm, made unless a valid one is there; None while it waits for its certificate.

    Raises ProvisionError, Problem."""
    if not domain.is_uuid(order.tenant_id):
        raise ProvisionError("租户应为小写的 UUID / the tenant must be a UUID in lower case")
    chosen = device_of([device.settings for device in pool.devices.values()], order.algorithm)
    key_id, key = _find_or_request(database, order, chosen.name, clock())
    if key is None:
        crash.point("signer.provision.requested")
        device = pool.devices[chosen.name]
        info = device.wait_ready(device.settings.patience)
        certificate = certify(device, order, key_id, clock)
        if certificate is None:
            return None
        crash.point("signer.provision.certified")
        values = {
            "certificate": certificate.der,
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "not_before": certificate.not_before,
            "not_after": certificate.not_after,
            "device": info.name,
            "hardware": info.hardware,
        }
        with database.transaction(order.tenant_id) as connection:
            keys.install(connection, key_id, values)
    return _finish(database, order, key_id, clock())


def _find_or_request(database: Database, order: Order, device: str, now: datetime) -> tuple[str, Key | None]:
    with database.transaction(order.tenant_id) as connection:
        keys.lock(connection, order.tenant_id)
        found = keys.newest(connection, order.enterprise_code, order.algorithm)
        if found is not None and (found[1] is None or (found[1].not_after > now and not order.renew)):
            return found
        key_id = str(uuid.uuid4())
        keys.request(
            connection,
            {
                "tenant_id": order.tenant_id,
                "id": key_id,
                "enterprise_code": order.enterprise_code,
                "label": f"{order.name} · {order.algorithm}",
                "algorithm": order.algorithm,
                "device_kind": device,
            },
        )
    return key_id, None


def certify(
    device: Device, order: Order, key_id: str, clock: Callable[[], datetime]
) -> certificates.Certificate | None:
    """Make the pair unless it is there, and a certificate for this very key and enterprise, valid now; None while that is
    being waited for. Raises ProvisionError, Problem."""
    key = domain.token_key(order.tenant_id, key_id)

    def sign(algorithm: str, data: bytes) -> bytes:
        answer = _asked(device, key, algorithm, data)
        if isinstance(answer, TokenError):
            raise _unsigned(answer)
        return answer

    public = _pair(device, key, order.algorithm)
    crash.point("signer.provision.generated")
    csr = certificates.request(public, order.name, order.enterprise_code, sign)
    issued = _issue(order, csr)
    if issued is None:
        return None
    certificate = certificates.read(issued)
    if certificate.public_key != public:
        raise ProvisionError("证书不是为该密钥签发的 / the certificate is for another key")
    if certificate.units != (order.enterprise_code,):
        raise ProvisionError(
            f"证书主体的 OU 应为企业代码 {order.enterprise_code}，实际为 {certificate.units} / "
            f"the certificate's OU must be the enterprise code"
        )
    if not certificate.not_before <= clock() <= certificate.not_after:
        raise ProvisionError("证书当前不在有效期内 / the certificate is not valid now")
    return certificate


def _pair(device: Device, key: str, algorithm: str) -> bytes:
    """The public key of a pair that signs, before anybody certifies it. Raises ProvisionError."""
    for _ in range(_PAIRS):
        public = device.generate(key, ALGORITHMS[algorithm].key_kind)
        made = _asked(device, key, algorithm, b"tongguan")
        if not isinstance(made, TokenError) or made.code != "key-missing":
            break
    if isinstance(made, TokenError):
        raise _unsigned(made)
    if not certificates.verifier(public)(algorithm, b"tongguan", made):
        raise ProvisionError(
            "设备中的密钥不能正常签名，请检查设备 / the new key does not sign properly; check the device"
        )
    return public


def _asked(device: Device, key: str, algorithm: str, data: bytes) -> bytes | TokenError:
    assert device.info is not None
    (answer,) = device.sign([asking.request(key, algorithm, data, device.info.mechanisms)])
    return answer


def _unsigned(error: TokenError) -> ProvisionError:
    return ProvisionError(f"设备未能签署证书请求 / the device did not sign the request: {error}")


def _issue(order: Order, csr: bytes) -> bytes | None:
    if order.csr_file is not None:
        order.csr_file.write_bytes(csr)
        return None
    if order.certificate_file is not None:
        return order.certificate_file.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        request, issued = Path(folder, "request.pem"), Path(folder, "certificate.pem")
        request.write_bytes(csr)
        arguments = [*shlex.split(order.authority_command), "--issue", str(request), "--out", str(issued)]
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise ProvisionError(f"证书签发命令无法执行 / the authority's command failed: {exc}") from exc
        if done.returncode != 0 or not issued.exists():
            raise ProvisionError(f"证书签发失败 / no certificate was issued: {done.stderr.strip()[-500:]}")
        return issued.read_bytes()


def _finish(database: Database, order: Order, key_id: str, now: datetime) -> Key:
    with database.transaction(order.tenant_id) as connection:
        keys.lock(connection, order.tenant_id)
        key = keys.one(connection, key_id)
        if key is None:
            raise Problem("conflict", "密钥已被其他操作更改。", "Somebody else changed the key meanwhile.")
        if order.active and not key.active:
            keys.activate(connection, key.enterprise_code, key.purpose, key.id)
            jobs.move(connection, order.tenant_id, key.enterprise_code, key.id, key.queue)
            ledger.append(connection, order.tenant_id, [_activation(key, now)])
            key = keys.one(connection, key_id)
            assert key is not None
    return key


def _activation(key: Key, now: datetime) -> chain.Entry:
    return chain.Entry(
        at=now,
        what="activated",
        actor_id="provision",
        actor="系统开通",
        enterprise_code=key.enterprise_code,
        key_id=key.id,
        algorithm=key.algorithm,
        certificate_serial=key.serial,
    )
