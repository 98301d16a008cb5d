"""Writes the file of devices that the signer reads (services/signer/README.md, "Devices")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.paths import private_dir, write_private

#: name of a device -> (kind, its members' entries)
Devices = Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]]


def write(file: Path, memory: Path, devices: Devices) -> Path:
    """Write it, whole or not at all, and make the folder where attempts with PINs are remembered."""
    private_dir(memory)
    lines = [f"memory = {_value(str(memory))}"]
    for name, (kind, members) in devices.items():
        lines += ["", f"[device.{name}]", f"kind = {_value(kind)}"]
        for member in members:
            lines += ["", f"[[device.{name}.member]]"]
            lines += [f"{key} = {_value(value)}" for key, value in member.items()]
    write_private(file, "\n".join(lines) + "\n")
    return file


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
    # strings and numbers are written alike in JSON and TOML
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
