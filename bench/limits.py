"""What the machine and the token can do at most, for ratios within a run: OpenSSL alone, and PKCS#11 in plain C."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from typing import Any

from tools import debs, native
from tools.errors import ToolError
from tools.paths import ROOT


def openssl_rsa(seconds: int, processes: int) -> float:
    """RSA-2048 signatures per second of `openssl speed` with so many processes. Raises ToolError."""
    program = debs.program("openssl")
    if program is None:
        raise ToolError("openssl is not there; run `make setup-tests`")
    command = [str(program), "speed", "-mr", "-seconds", str(seconds), "-multi", str(processes), "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # +F2:number:bits:seconds per signature:seconds per verification (some versions: rates), one line for all processes
    found = re.findall(r"^\+F2:\d+:2048:([0-9.]+):", done.stdout, re.MULTILINE)
    if not found:
        raise ToolError(f"openssl speed printed something else: {done.stdout[-300:]}")
    each = float(found[-1])
    return each if each > 1 else 1 / each


def c_loop(member: Mapping[str, Any], key_id: str, seconds: float, processes: int) -> float:
    """RSA-2048 signatures per second over a DigestInfo by C_SignInit and C_Sign in C, that many processes in sum.

    member: an entry of the file of devices (tools/devices.py). key_id: CKA_ID in hex. Raises ToolError."""
    program = native.build(ROOT / "bench" / "native" / "loop.c")
    words = [str(program), str(member["module"]), str(member["token_label"]), str(member["pin_file"])]
    environment = os.environ | dict(member["environment"])
    command = [*words, key_id, str(seconds)]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    total = 0.0
    for process in running:
        printed, error = process.communicate()
        if process.returncode:
            raise ToolError(f"the loop in C ended: {error}")
        total += float(printed)
    return total
