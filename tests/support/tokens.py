"""Tokens for tests: SoftHSM folders with the same keys, the shim that makes them fail, devices of several members.

Counts of calls are those of the shim (tests/support/native/shim.c), not of the product.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import Attribute, KeyType, ObjectClass

from services.signer.domain import token_key
from services.signer.tokens import settings
from services.signer.tokens.base import SignRequest, TokenError
from services.signer.tokens.pool import Device, Pool
from services.signer.xmlsign import ALGORITHMS
from tests.support.eventually import eventually
from tools import devices, native
from tools.paths import ROOT
from tools.servers import softhsm

NATIVE = ROOT / "tests" / "support" / "native"
#: codes of the PKCS#11 standard that tell that something is gone
HOST_MEMORY, GENERAL_ERROR, FUNCTION_FAILED = 0x2, 0x5, 0x6
DEVICE_ERROR, DEVICE_MEMORY, DEVICE_REMOVED = 0x30, 0x31, 0x32
SESSION_CLOSED, SESSION_HANDLE_INVALID, USER_NOT_LOGGED_IN = 0xB0, 0xB3, 0x101


class Shim:
    """A module between a member and its real one: counts calls and fails by rules."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder

    def through(self, member: dict[str, Any]) -> dict[str, Any]:
        """The member's entry with the shim before its module."""
        environment = {"SHIM_MODULE": member["module"], "SHIM_DIR": str(self._folder)}
        module = native.build(NATIVE / "shim.c", shared=True)
        return member | {"module": str(module), "environment": member["environment"] | environment}

    def calls(self, name: str) -> int:
        """How often C_<name> was called, by whatever process."""
        file = self._folder / f"{name}.calls"
        return file.stat().st_size if file.exists() else 0

    def rule(self, name: str, action: str, *, skip: int = 0, times: int | None = None) -> None:
        """From now on: let `skip` calls pass, then `times` of them (None: all) do `action` (shim.c)."""
        begin = self.calls(name) + skip
        end = "-" if times is None else str(begin + times)
        with (self._folder / "rules").open("a") as file:
            file.write(f"{name} {begin} {end} {action}\n")

    def heal(self) -> None:
        """No rule holds any more."""
        (self._folder / "rules").unlink(missing_ok=True)


class Cluster:
    """A device `hsm` whose members are SoftHSM folders with the same RSA keys, each behind a shim of its own."""

    def __init__(
        self, folder: Path, members: int, *, keys: int = 3, workers: int = 1, **changes: Any
    ) -> None:
        self.folder = folder
        self.pin_file, so_pin = folder / "pin", folder / "so-pin"
        for file in (self.pin_file, so_pin):
            file.write_text(secrets.token_hex(4))
        first = softhsm.SoftHsm(folder / "token-0", self.pin_file, so_pin)
        first.create()
        self.keys = self._make_keys(first, keys)
        self.tokens = [first, *(first.copy(folder / f"token-{number}") for number in range(1, members))]
        self.shims = [Shim(folder / f"shim-{number}") for number in range(members)]
        entries = [
            shim.through(token.member(f"member-{number}", workers=workers, **changes))
            for number, (token, shim) in enumerate(zip(self.tokens, self.shims, strict=True))
        ]
        self.file = devices.write(folder / "devices.toml", folder / "memory", {"hsm": ("pkcs11", entries)})

    def _make_keys(self, token: softhsm.SoftHsm, count: int) -> list[str]:
        maker = devices.write(
            self.folder / "maker.toml",
            self.folder / "maker-memory",
            {"hsm": ("pkcs11", [token.member("maker", workers=1)])},
        )
        names = [token_key(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(count)]
        with pool_of(maker) as device:
            for name in names:
                device.generate(name, "rsa")
        return names

    def away(self, number: int) -> None:
        """The token's folder is moved away: its objects vanish under whoever uses it."""
        tokens = self.folder / f"token-{number}" / "tokens"
        tokens.rename(tokens.with_name("away"))

    def back(self, number: int) -> None:
        """The folder is there again."""
        away = self.folder / f"token-{number}" / "away"
        away.rename(away.with_name("tokens"))


class pool_of:  # noqa: N801 - used like a function
    """`with pool_of(file) as device`: the first device of a file, ready; closed at the end."""

    def __init__(self, file: Path, *, all_ready: bool = True) -> None:
        self._pool = Pool(settings.read(file))
        self._all_ready = all_ready

    def __enter__(self) -> Device:
        device = next(iter(self._pool.devices.values()))
        if self._all_ready:
            eventually(lambda: states(device) == ["healthy"] * len(device.members), "all members work", 60)
        return device

    def __exit__(self, *_: object) -> None:
        self._pool.close()


def states(device: Device) -> list[str]:
    """The state of each member, in their order."""
    return [state.state for state in device.states()]


def requests(keys: Sequence[str], count: int) -> list[SignRequest]:
    """Different digests to sign, spread over the keys."""
    prefix = ALGORITHMS["rsa-sha256"].digest_info
    return [
        SignRequest(keys[number % len(keys)], "digest-info", prefix + secrets.token_bytes(32))
        for number in range(count)
    ]


def sign(device: Device, keys: Sequence[str], count: int, batch: int = 16) -> list[bytes | TokenError]:
    """Sign `count` digests in batches that are under way at the same time."""
    with ThreadPoolExecutor(4) as threads:
        batches = [requests(keys, min(batch, count - at)) for at in range(0, count, batch)]
        return [answer for answers in threads.map(device.sign, batches) for answer in answers]


def good(answers: Sequence[bytes | TokenError]) -> int:
    """How many are signatures of RSA-2048."""
    return sum(isinstance(answer, bytes) and len(answer) == 256 for answer in answers)


def put_keys(entry: dict[str, Any], names: Sequence[str], private: rsa.RSAPrivateKey) -> None:
    """One key pair, from outside, into a token under each name. In a process without another PKCS#11 module."""
    numbers = private.private_numbers()
    number = lambda value: value.to_bytes((value.bit_length() + 7) // 8, "big")  # noqa: E731
    public = {
        Attribute.KEY_TYPE: KeyType.RSA,
        Attribute.TOKEN: True,
        Attribute.MODULUS: number(numbers.public_numbers.n),
        Attribute.PUBLIC_EXPONENT: number(numbers.public_numbers.e),
    }
    secret = {
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.SIGN: True,
        Attribute.PRIVATE_EXPONENT: number(numbers.d),
        Attribute.PRIME_1: number(numbers.p),
        Attribute.PRIME_2: number(numbers.q),
        Attribute.EXPONENT_1: number(numbers.dmp1),
        Attribute.EXPONENT_2: number(numbers.dmq1),
        Attribute.COEFFICIENT: number(numbers.iqmp),
    }
    token = pkcs11.lib(str(entry["module"])).get_token(token_label=entry["token_label"])
    with token.open(rw=True, user_pin=Path(entry["pin_file"]).read_text()) as session:
        for name in names:
            tenant, _, identifier = name.partition("/")
            called = {Attribute.LABEL: tenant, Attribute.ID: uuid.UUID(identifier).bytes}
            session.create_object(
                {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.VERIFY: True, **called, **public}
            )
            session.create_object({Attribute.CLASS: ObjectClass.PRIVATE_KEY, **called, **public, **secret})
