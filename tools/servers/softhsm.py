"""The software HSM for a machine without one: SoftHSM from Debian's packages and one initialised token.

Never keeps a PIN anywhere but in a 0600 file, and never initialises a token that exists.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import debs
from tools.errors import ToolError
from tools.paths import ROOT, private_dir, write_private

LABEL = "tongguan"

# Numbers of the PKCS#11 standard (v2.40, pkcs11t.h)
CKF_RW_SESSION, CKF_SERIAL_SESSION = 0x2, 0x4
CKU_SO = 0
CKF_TOKEN_INITIALIZED = 0x400


def module() -> Path:
    """The PKCS#11 library. Raises ToolError where there is none."""
    found = next(debs.find("usr/lib/softhsm/libsofthsm2.so", "usr/lib/*/softhsm/libsofthsm2.so"), None)
    if found:
        return found
    raise ToolError(
        "SoftHSM: not unpacked and not installed; run `make setup` (needs apt-get and dpkg), "
        "or name a file of your own devices with TONGGUAN_DEVICES_FILE"
    )


def environment() -> dict[str, str]:
    """LD_LIBRARY_PATH for processes that load the library, only if it needs libraries the machine lacks."""
    needs = subprocess.run(["ldd", str(module())], capture_output=True, text=True, check=False).stdout
    if "not found" not in needs:
        return {}
    return debs.library_path("softhsm2")


class SoftHsm:
    """One token folder."""

    def __init__(self, data: Path, pin_file: Path, so_pin_file: Path) -> None:
        self._data = data
        self.configuration = data / "softhsm2.conf"
        self.pin_file = pin_file
        self._so_pin_file = so_pin_file

    def member(self, name: str, **changes: Any) -> dict[str, Any]:
        """This token as an entry of the file of devices (tools/devices.py)."""
        entry: dict[str, Any] = {
            "name": name,
            "module": str(module()),
            "token_label": LABEL,
            "pin_file": str(self.pin_file),
            "environment": {"SOFTHSM2_CONF": str(self.configuration), **environment()},
        }
        return entry | changes

    def copy(self, data: Path) -> SoftHsm:
        """A second token that holds the same keys, under the same PIN; this one must be at rest meanwhile."""
        made = SoftHsm(data, self.pin_file, self._so_pin_file)
        private_dir(data)
        shutil.copytree(self._data / "tokens", data / "tokens")
        write_private(data / ".complete", "")
        made.create()
        return made

    def create(self) -> None:
        """Initialise the token once. Dying in between leaves no stamp, and the folder is made again."""
        private_dir(self._data)
        tokens = self._data / "tokens"
        stamp = self._data / ".complete"
        if not stamp.exists():
            # without the stamp no key was ever made in it
            shutil.rmtree(tokens, ignore_errors=True)
        private_dir(tokens)
        self.configuration.write_text(
            f"directories.tokendir = {tokens}\nobjectstore.backend = file\n"
            "log.level = ERROR\nslots.removable = false\n"
        )
        if stamp.exists():
            return
        # in a process of its own: the library reads the environment and stays loaded
        order = {
            "module": str(module()),
            "so_pin": self._so_pin_file.read_text(),
            "pin": self.pin_file.read_text(),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tools.servers.softhsm"],
            input=json.dumps(order),
            text=True,
            capture_output=True,
            check=False,
            cwd=ROOT,
            env=os.environ | environment() | {"SOFTHSM2_CONF": str(self.configuration)},
        )
        if done.returncode:
            raise ToolError(f"SoftHSM: the token could not be initialised:\n{done.stderr}")
        write_private(stamp, "")


def initialise(path: str, so_pin: bytes, pin: bytes) -> None:
    """Initialise the first free slot of a PKCS#11 library as token LABEL (python-pkcs11 has no call for it).

    Raises ToolError with the number of the failing call's result."""
    library = ctypes.CDLL(path)
    number = ctypes.c_ulong

    def call(name: str, *arguments: object) -> None:
        function = getattr(library, name)
        function.restype = number
        result = function(*arguments)
        if result:
            raise ToolError(f"{name}: PKCS#11 result 0x{result:08x}")

    call("C_Initialize", None)
    count = number()
    call("C_GetSlotList", ctypes.c_ubyte(1), None, ctypes.byref(count))
    slots = (number * count.value)()
    call("C_GetSlotList", ctypes.c_ubyte(1), slots, ctypes.byref(count))
    slot = number(slots[count.value - 1])  # SoftHSM keeps its free slot last
    call("C_InitToken", slot, so_pin, number(len(so_pin)), LABEL.encode().ljust(32))
    session = number()
    flags = number(CKF_RW_SESSION | CKF_SERIAL_SESSION)
    call("C_OpenSession", slot, flags, None, None, ctypes.byref(session))
    call("C_Login", session, number(CKU_SO), so_pin, number(len(so_pin)))
    call("C_InitPIN", session, pin, number(len(pin)))
    call("C_Logout", session)
    call("C_CloseSession", session)
    call("C_Finalize", None)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    initialise(given["module"], given["so_pin"].encode(), given["pin"].encode())
