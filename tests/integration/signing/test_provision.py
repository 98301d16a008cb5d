"""How an enterprise gets its key, and what is left where that ends half-way."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from services.signer import certificates
from tests.support.signing import SignerSide, Tenant
from tools.paths import ROOT


def test_provisioning_is_idempotent(whole: SignerSide) -> None:
    tenant = Tenant()
    first = whole.provision(tenant, active=False, authority=whole.authority)
    assert not first["active"]
    second = whole.provision(tenant, authority="false")
    assert second == {**first, "active": True}
    assert len(whole.rows(tenant, "SELECT 1 FROM key")) == 1
    other = whole.provision(tenant, "sm2-sm3")
    assert other["active"]
    active = whole.rows(tenant, "SELECT id FROM key WHERE active")
    assert [str(row.id) for row in active] == [other["id"]]


@pytest.mark.parametrize(
    "point", ["signer.provision.requested", "signer.provision.generated", "signer.provision.certified"]
)
def test_provisioning_goes_on_after_a_crash(whole: SignerSide, point: str) -> None:
    tenant = Tenant()
    whole.crash(point)
    whole.provision(tenant, code=137)
    (waiting,) = whole.rows(tenant, "SELECT id, certificate FROM key")
    assert waiting.certificate is None
    assert whole.provision(tenant)["id"] == str(waiting.id)


def test_a_pair_that_its_token_loses_at_once_is_made_anew(
    whole: SignerSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SoftHSM does so at times while another process logs in."""
    tenant, device = Tenant(), whole.pool.devices["pkcs11"]
    objects = lambda: set((whole.folder / "softhsm").glob("tokens/*/*.object"))  # noqa: E731
    device.wait_ready(30)
    there, made = objects(), []
    generate = device.generate

    def generate_and_lose(key: str, kind: str) -> bytes:
        made.append(generate(key, kind))
        if len(made) == 1:
            for file in objects() - there:
                file.unlink()
            for pid in device.pids:
                os.kill(pid, signal.SIGKILL)
        return made[-1]

    monkeypatch.setattr(device, "generate", generate_and_lose)
    whole.equip(tenant)
    assert len(set(made)) == 2
    (key,) = whole.rows(tenant, "SELECT certificate FROM key")
    assert certificates.read(bytes(key.certificate)).public_key == made[1]


def test_a_key_may_wait_for_its_certificate_for_days(whole: SignerSide, tmp_path: Path) -> None:
    """The ceremony: pair in the token, request to the authority, certificate back; another tool reads the request."""
    tenant, request, issued = Tenant(), tmp_path / "request.pem", tmp_path / "certificate.pem"
    order = ("provision", "--tenant", tenant.id, "--enterprise-code", tenant.code, "--name", "测试企业")
    order = (*order, "--algorithm", "rsa-sha256")
    for _ in range(2):  # asked again, it is the same key
        told = json.loads(whole.command(*order, "--csr", str(request)))
        assert told["waiting_for_certificate"]
    read = subprocess.run(
        ["openssl", "req", "-in", str(request), "-verify", "-noout", "-subject", "-nameopt", "utf8"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"OU={tenant.code}" in read.stdout.replace(" ", "")
    assert whole.rows(tenant, "SELECT 1 FROM key WHERE certificate IS NOT NULL") == []
    subprocess.run(
        [*shlex.split(whole.authority), "--issue", str(request), "--out", str(issued)], cwd=ROOT, check=True
    )
    key = json.loads(whole.command(*order, "--certificate", str(issued), "--active"))
    assert (key["algorithm"], key["active"]) == ("rsa-sha256", True)
    # a valid one is there: another one is made only if it is asked for
    same = json.loads(whole.command(*order, "--certificate", str(issued)))
    assert same["id"] == key["id"]
    other = json.loads(whole.command(*order, "--renew", "--authority-command", whole.authority))
    assert other["id"] != key["id"]


def test_a_device_is_measured_and_its_rate_kept(whole: SignerSide) -> None:
    whole.equip(Tenant())
    told = json.loads(whole.command("bench-device", "pkcs11", "--seconds", "0.5"))
    assert told["signatures"] >= 64
    assert told["per_minute"] == pytest.approx(60 * told["per_second"], rel=0.01)
    nobody = Tenant(id="00000000-0000-0000-0000-000000000000")
    [row] = whole.rows(nobody, "SELECT device, per_second FROM device_rate")
    assert (row.device, round(row.per_second, 2)) == ("pkcs11", told["per_second"])
    assert whole.rows(Tenant(), "SELECT 1 FROM device_rate") == []
    assert "没有设备" in whole.command("bench-device", "nothing", code=1)


def test_a_failing_authority_leaves_no_usable_key(whole: SignerSide) -> None:
    tenant = Tenant()
    assert "证书签发失败" in whole.provision(tenant, authority="false", code=1)
    assert whole.rows(tenant, "SELECT 1 FROM key WHERE certificate IS NOT NULL") == []


def test_a_certificate_for_another_key_is_not_installed(whole: SignerSide, tmp_path: Path) -> None:
    whole.provision(Tenant(), authority=whole.authority)
    issued = next((whole.folder / "authority" / "issued").glob("*.pem"))
    script = tmp_path / "authority.sh"
    script.write_text(f'#!/bin/sh\ncp "{issued}" "$4"\n')
    script.chmod(0o700)
    assert "another key" in whole.provision(Tenant(), authority=str(script), code=1)
