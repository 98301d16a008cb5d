"""Every command reads what it needs, and names what is missing or wrong before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.config import ConfigError
from services.signer import config

DEVICES = """
memory = "."

[device.hsm]
kind = "pkcs11"

[[device.hsm.member]]
name = "slot-1"
module = "file"
pin_file = "file"
token_label = "tongguan"
workers = 3
environment = {SOFTHSM2_CONF = "conf"}

[[device.hsm.member]]
name = "slot-2"
module = "file"
pin_file = "file"
token_serial = "0042"
profile = "example-sm2-digest-outside"
seconds = 4.5

[device.files]
kind = "sealed"

[[device.files.member]]
name = "files"
folder = "."
key_file = "file"
"""


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
        "SIGNER_POOL_GRPC": "127.0.0.1:3",
    }
    files = (
        "TLS_CA_FILE",
        "TLS_CERT_FILE",
        "TLS_KEY_FILE",
        "ACTOR_PUBLIC_KEY_FILE",
    )
    for name in files:
        values[name] = str(file)
    values["SIGNER_DEVICES_FILE"] = str(tmp_path / "devices.toml")
    (tmp_path / "devices.toml").write_text(DEVICES)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


#: what signer.pool reads and signer.consume does not
POOL = ("SIGNER_DEVICES_FILE",)


@pytest.mark.parametrize("command", config.COMMANDS)
def test_complete_settings_are_read_and_hold_no_more_than_needed(
    command: str, settings: pytest.MonkeyPatch
) -> None:
    read = config.read(command)
    assert "secret" not in repr(read)
    assert bool(read.relay_database_url) == (command == "relay")
    assert bool(read.owner_database_url) == (command == "migrate")
    assert bool(read.devices) == (command in ("pool", "provision", "bench-device"))


def test_devices_and_their_members_are_read(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hsm, files = config.read("pool").devices
    assert (hsm.name, files.name) == ("hsm", "files")
    one, other = hsm.members
    assert (one.name, one.workers, one.seconds, one.makes) == ("slot-1", 3, 8, ("rsa", "ec"))
    assert (other.name, other.workers, other.seconds, other.makes) == ("slot-2", 2, 4.5, ("sm2",))
    assert one.environment["SOFTHSM2_CONF"] == "conf"
    assert one.environment["TOKEN_LABEL"] == "tongguan"
    assert other.environment["TOKEN_SERIAL"] == "0042"
    assert one.environment["TOKEN_PIN_FILE"] == str(tmp_path / "file")
    assert one.environment["TOKEN_IDENTITY"] != other.environment["TOKEN_IDENTITY"]
    assert [hsm.makes(kind) for kind in ("rsa", "sm2", "dsa")] == [True, True, False]
    assert [device.members[0].workers for device in config.read("provision").devices] == [1, 1]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('memory = "."', "", "memory is missing: a writable folder"),
        ('memory = "."', 'memory = "nowhere"', "memory names .*nowhere, which does not exist"),
        ('memory = "."', 'memory = "."\nextra = 1', "unknown entry extra"),
        ('kind = "sealed"', 'kind = "cloud"', "device.files.kind must be one of pkcs11, sealed"),
        ('name = "slot-2"', 'name = "slot-1"', "device.hsm.member has two of one name"),
        ('token_label = "tongguan"', "", r"member\[0\].token_label or token_serial must be given"),
        ("workers = 3", "workers = 0", r"device.hsm.member\[0\].workers must be a number from 1 to 64"),
        ("workers = 3", "workres = 3", r"member\[0\].workres is unknown; known are"),
        ("workers = 3", 'profile = "nobody"', "no profile 'nobody': give a path"),
        ('key_file = "file"', 'key_file = "gone"', r"device.files.member\[0\].key_file names .*gone"),
        ("[device.files]", "[device.files", "SIGNER_DEVICES_FILE .*devices.toml"),
        ('{SOFTHSM2_CONF = "conf"}', "{SOFTHSM2_CONF = 1}", r"environment must hold text only"),
    ],
)
def test_a_wrong_file_of_devices_is_told_by_entry(
    old: str, new: str, reason: str, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert old in DEVICES
    (tmp_path / "devices.toml").write_text(DEVICES.replace(old, new))
    with pytest.raises(ConfigError, match=reason):
        config.read("pool")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DATABASE_URL", "", "DATABASE_URL is missing"),
        ("ACTOR_PUBLIC_KEY_FILE", "nowhere", "does not exist"),
        ("SIGNER_BATCH", "0", "SIGNER_BATCH"),
        ("SIGNER_BATCH", "１", "SIGNER_BATCH"),
        ("SIGNER_BATCH", "many", "SIGNER_BATCH"),
        ("SM2_SIGNATURE_ENCODING", "xml", "SM2_SIGNATURE_ENCODING"),
        ("SIGNER_DEVICES_FILE", "nowhere", "SIGNER_DEVICES_FILE"),
        ("SIGNER_POOL_GRPC", "", "SIGNER_POOL_GRPC is missing"),
        ("SIGNER_WEIGHTS", "me=2", "SIGNER_WEIGHTS"),
        ("SIGNER_WEIGHTS", "11111111-1111-1111-1111-111111111111=0", "SIGNER_WEIGHTS"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, reason: str, settings: pytest.MonkeyPatch) -> None:
    settings.setenv(name, value)
    with pytest.raises(ConfigError, match=reason):
        config.read("pool" if name in POOL else "consume")


def test_a_signer_without_a_device_does_not_start(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "devices.toml").write_text('memory = "."\n')
    with pytest.raises(ConfigError, match="without a device"):
        config.read("pool")
