"""Every command reads what it needs, and names what is missing or wrong before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.config import ConfigError
from services.signer import config


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    file = tmp_path / "file"
    file.write_text("x")
    values = {
        "DATABASE_URL": "postgresql://signer_app:secret@localhost/x",
        "RELAY_DATABASE_URL": "postgresql://signer_relay:secret@localhost/x",
        "OWNER_DATABASE_URL": "postgresql://signer_owner:secret@localhost/x",
        "BUS_URL": "amqp://u:secret@localhost/tongguan",
        "OPS_LISTEN": "127.0.0.1:1",
        "GRPC_LISTEN": "127.0.0.1:2",
        "TOKEN_LABEL": "tongguan",
        "SIGNER_POOL_GRPC": "127.0.0.1:3",
        "SEALED_TOKEN_DIR": str(tmp_path),
    }
    files = (
        "TLS_CA_FILE",
        "TLS_CERT_FILE",
        "TLS_KEY_FILE",
        "ACTOR_PUBLIC_KEY_FILE",
        "PKCS11_MODULE",
        "TOKEN_PIN_FILE",
    )
    for name in (*files, "SEALED_TOKEN_KEY_FILE"):
        values[name] = str(file)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


#: what signer.pool reads and signer.consume does not
POOL = ("SIGNER_WORKERS", "TOKEN_PIN_FILE")


@pytest.mark.parametrize("command", config.COMMANDS)
def test_complete_settings_are_read_and_hold_no_more_than_needed(
    command: str, settings: pytest.MonkeyPatch
) -> None:
    read = config.read(command)
    assert "secret" not in repr(read)
    assert bool(read.relay_database_url) == (command == "relay")
    assert bool(read.owner_database_url) == (command == "migrate")
    assert bool(read.devices) == (command in ("pool", "provision"))


def test_both_devices_with_their_workers(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("SIGNER_WORKERS", "3")
    assert [(device.kind, device.workers) for device in config.read("pool").devices] == [
        ("pkcs11", 3),
        ("sealed", 1),
    ]
    settings.delenv("PKCS11_MODULE")
    assert [device.kind for device in config.read("pool").devices] == ["sealed"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DATABASE_URL", "", "DATABASE_URL is missing"),
        ("ACTOR_PUBLIC_KEY_FILE", "nowhere", "does not exist"),
        ("SIGNER_WORKERS", "0", "SIGNER_WORKERS"),
        ("SIGNER_WORKERS", "１", "SIGNER_WORKERS"),
        ("SIGNER_BATCH", "many", "SIGNER_BATCH"),
        ("SM2_SIGNATURE_ENCODING", "xml", "SM2_SIGNATURE_ENCODING"),
        ("TOKEN_PIN_FILE", "nowhere", "TOKEN_PIN_FILE"),
        ("SIGNER_POOL_GRPC", "", "SIGNER_POOL_GRPC is missing"),
        ("SIGNER_WEIGHTS", "me=2", "SIGNER_WEIGHTS"),
        ("SIGNER_WEIGHTS", "11111111-1111-1111-1111-111111111111=0", "SIGNER_WEIGHTS"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, reason: str, settings: pytest.MonkeyPatch) -> None:
    settings.setenv(name, value)
    with pytest.raises(ConfigError, match=reason):
        config.read("pool" if name in POOL else "consume")


def test_a_signer_without_a_device_does_not_start(settings: pytest.MonkeyPatch) -> None:
    settings.delenv("PKCS11_MODULE")
    settings.delenv("SEALED_TOKEN_DIR")
    with pytest.raises(ConfigError, match="without a device"):
        config.read("pool")
