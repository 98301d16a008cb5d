"""Generates the Python code of proto/**/*.proto in place; it is not kept in git.

Generated code checks at import that grpcio is as new as its generator, so both are pinned to one version.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

from tools import stamps
from tools.errors import ToolError
from tools.paths import ROOT


def generate() -> bool:
    """Generate if a .proto file or the generator changed or an output is missing. True if it did something.

    Raises ToolError with protoc's message."""
    sources = sorted((ROOT / "proto").rglob("*.proto"))
    version = importlib.metadata.version("grpcio-tools")
    wanted = stamps.fingerprint(sources, version)
    outputs = [
        path.with_name(path.stem + ending)
        for path in sources
        for ending in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")
    ]
    if stamps.is_fresh("proto", wanted) and all(path.exists() for path in outputs):
        return False
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        "-I.",
        "--python_out=.",
        "--pyi_out=.",
        "--grpc_python_out=.",
        *(str(path.relative_to(ROOT)) for path in sources),
    ]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise ToolError(f"protoc: {finished.stderr.strip()}")
    stamps.done("proto", wanted)
    return True
