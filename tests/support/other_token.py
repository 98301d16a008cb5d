"""What is done where opencryptoki's token is at work (tools/servers/opencryptoki.py); prints JSON for the test.

python -m tests.support.other_token VERB FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import pkcs11
import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.signer.domain import token_key
from tests.support.eventually import eventually
from tests.support.tokens import Shim, good, pool_of, put_keys, requests, sign, states
from tools import devices
from tools.servers import opencryptoki, softhsm

PIN, SO_PIN = "24681357", "13572468"


def member(folder: Path, name: str = "opencryptoki", **changes: Any) -> dict[str, Any]:
    """The token as an entry of the file of devices."""
    (folder / "pin").write_text(PIN)
    return {
        "name": name,
        "module": opencryptoki.inside(),
        "token_label": opencryptoki.LABEL,
        "pin_file": folder / "pin",
        "environment": {},
    } | changes


def single(folder: Path) -> dict[str, Any]:
    """One token of this kind: makes a key, signs, is well after its process was killed."""
    file = devices.write(
        folder / "devices.toml", folder / "memory", {"hsm": ("pkcs11", [member(folder, workers=2)])}
    )
    key = token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    with pool_of(file) as device:
        public = device.generate(key, "rsa")
        signed = good(sign(device, [key], 200))
        os.kill(device.pids[0], signal.SIGKILL)
        signed += good(sign(device, [key], 200))
        assert device.info is not None
        return {
            "signed": signed,
            "public": public.hex(),
            "name": device.info.name,
            "mechanisms": sorted(device.info.mechanisms),
        }


def mixed(folder: Path) -> dict[str, Any]:
    """SoftHSM and this one hold the same key: signatures are the same bytes, and either does alone."""
    (folder / "soft-pin").write_text("98765432")
    (folder / "so-pin").write_text("98765432")
    soft = softhsm.SoftHsm(folder / "soft", folder / "soft-pin", folder / "so-pin")
    soft.create()
    key = token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    entries = [soft.member("softhsm", workers=1), member(folder, workers=1)]
    os.environ["SOFTHSM2_CONF"] = str(soft.configuration)
    for entry in entries:
        put_keys(entry, [key], private)
    file = devices.write(folder / "devices.toml", folder / "memory", {"hsm": ("pkcs11", entries)})
    with pool_of(file) as device:
        (request,) = requests([key], 1)
        fields = [request.key.encode(), request.mechanism.encode(), request.data]
        apart = [device._of(one, [b"sign", *fields])[1].hex() for one in device.members]
        whole = good(sign(device, [key], 400))
        shares = []
        for lost in device.members:
            for pid in lost.pids:
                os.kill(pid, signal.SIGKILL)
            shares.append(good(sign(device, [key], 60)))
            eventually(lambda: states(device) == ["healthy"] * 2, "both work again", 30)
        assert device.info is not None
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "apart": apart,
            "whole": whole,
            "shares": shares,
            "same_key": [device._of(one, [b"public", key.encode()])[0] == public for one in device.members],
            "mechanisms": sorted(device.info.mechanisms),
        }


def wrong_pin(folder: Path) -> dict[str, Any]:
    """F27: the count of attempts is the shim's, the flags are the token's own."""
    shim = Shim(folder / "shim")
    entry = shim.through(member(folder, workers=10))
    (folder / "pin").write_text("00000000")
    file = devices.write(folder / "devices.toml", folder / "memory", {"hsm": ("pkcs11", [entry])})
    for _ in range(10):
        with pool_of(file, all_ready=False) as device:
            eventually(lambda: states(device) == ["locked"], "locked", 60)
    token = pkcs11.lib(opencryptoki.inside()).get_token(token_label=opencryptoki.LABEL)
    return {"attempts": shim.calls("Login"), "flags": [flag.name for flag in token.flags]}


if __name__ == "__main__":
    # standard output is the answer
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    verb = {"single": single, "mixed": mixed, "wrong-pin": wrong_pin}[sys.argv[1]]
    sys.stdout.write(json.dumps(verb(Path(sys.argv[2]))) + "\n")
