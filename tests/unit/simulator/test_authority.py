"""The demo authority: certificates others accept, only for requests that prove their key, safe to repeat."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.authority import Authority, AuthorityError
from tests.unit.simulator import material


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", "authority", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", ["rsa", "p256", "sm2"])
def test_openssl_accepts_what_the_authority_issues(kind: str, authority: Authority, tmp_path: Path) -> None:
    make = {"rsa": material.rsa_signer, "p256": material.p256_signer, "sm2": material.sm2_signer}[kind]
    (tmp_path / "cert.pem").write_bytes(make(authority).certificate)
    answer = subprocess.run(
        [
            "openssl",
            "verify",
            "-x509_strict",
            "-CAfile",
            authority.directory / "ca.pem",
            tmp_path / "cert.pem",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    certificate = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    subject = {item.rfc4514_attribute_name: item.value for item in certificate.subject}
    assert (subject["O"], subject["OU"]) == (material.NAME, material.CODE)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_encipherment


def test_a_request_made_by_openssl_for_an_sm2_key_is_accepted(authority: Authority, tmp_path: Path) -> None:
    key, request = tmp_path / "key.pem", tmp_path / "request.pem"
    subject = f"/O=Example/OU={material.CODE}"
    made = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", key],
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    options = ["-sm3", "-sigopt", "distid:1234567812345678", "-subj", subject, "-out", str(request)]
    made = subprocess.run(["openssl", "req", "-new", "-key", key, *options], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    assert b"BEGIN CERTIFICATE" in authority.issue(request.read_bytes())


def test_asking_again_gives_the_same_certificate(authority: Authority) -> None:
    request = material.rsa_request(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert authority.issue(request) == authority.issue(request)


def test_after_revocation_a_new_certificate_is_issued(authority: Authority) -> None:
    request = material.rsa_request(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    first = authority.issue(request)
    serial = x509.load_pem_x509_certificate(first).serial_number
    authority.revoke(serial)
    authority.revoke(serial)
    assert authority.issue(request) != first
    lines = (authority.directory / "revoked.txt").read_text().split()
    assert lines.count(f"{serial:x}") == 1


@pytest.mark.parametrize("code", ["", "123", "91330100MA2K0TXT1O", "9133010 MA"])
def test_a_subject_without_an_enterprise_code_is_refused(authority: Authority, code: str) -> None:
    request = material.rsa_request(
        rsa.generate_private_key(public_exponent=65537, key_size=2048), code or "-"
    )
    with pytest.raises(AuthorityError, match="OU"):
        authority.issue(request)


def test_requests_that_do_not_prove_their_key_are_refused(authority: Authority) -> None:
    key = material.sm_ec.generate_private_key(material.sm_ec.SM2())
    with pytest.raises(AuthorityError, match="signature"):
        authority.issue(material.sm2_request(key, break_signature=True))
    request = material.rsa_request(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    der = bytearray(material.pem.unarmor(request)[2])
    der[-1] ^= 1
    with pytest.raises(AuthorityError, match="signature"):
        authority.issue(material.pem.armor("CERTIFICATE REQUEST", bytes(der)))


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"rubbish", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"],
)
def test_rubbish_is_no_request(authority: Authority, rubbish: bytes) -> None:
    with pytest.raises(AuthorityError, match="PKCS#10"):
        authority.issue(rubbish)


def test_small_rsa_keys_are_refused(authority: Authority) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - meant
    with pytest.raises(AuthorityError, match="2048"):
        authority.issue(material.rsa_request(key))


def test_two_processes_at_once_make_one_authority(tmp_path: Path) -> None:
    directory = tmp_path / "ca"
    running = [
        subprocess.Popen([sys.executable, "-m", "simulator", "authority", "--dir", str(directory)])
        for _ in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert stat.S_IMODE((directory / "ca.key").stat().st_mode) == 0o600
    before = (directory / "ca.pem").read_bytes()
    assert command("--dir", str(directory)).returncode == 0
    assert (directory / "ca.pem").read_bytes() == before


def test_the_key_survives_a_death_before_the_certificate(tmp_path: Path) -> None:
    opened = Authority.open(tmp_path / "ca")
    (tmp_path / "ca" / "ca.pem").unlink()
    again = Authority.open(tmp_path / "ca")
    assert again.certificate.public_key() == opened.certificate.public_key()


def test_the_command_line_issues_and_explains(tmp_path: Path) -> None:
    directory, request, out = tmp_path / "ca", tmp_path / "request.pem", tmp_path / "deep" / "cert.pem"
    request.write_bytes(material.rsa_request(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    answer = command("--dir", str(directory), "--issue", str(request), "--out", str(out))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert x509.load_pem_x509_certificate(out.read_bytes())
    assert command("--dir", str(directory), "--issue", str(request)).returncode == 2
    missing = command("--dir", str(directory), "--issue", str(tmp_path / "none.pem"), "--out", str(out))
    assert missing.returncode == 2
    assert "none.pem" in missing.stderr
