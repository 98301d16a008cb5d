"""Compiles the small C programs that tests and benchmarks need: with the machine's compiler, else with Debian's tcc."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tools import debs
from tools.errors import ToolError
from tools.paths import ROOT, private_dir

#: unpacked where the machine has no compiler
PACKAGE = "tcc"


def compiler() -> tuple[list[str], dict[str, str]]:
    """The command and its environment. Raises ToolError where there is none."""
    own = shutil.which("cc")
    if own:
        return [own], {}
    path = debs.program(PACKAGE)
    if path is None:
        raise ToolError("no C compiler: run `make setup-tests`, which unpacks Debian's tcc")
    own_files = next(debs.find("usr/lib/*/tcc"), None)
    return [str(path), *([f"-B{own_files}"] if own_files else [])], debs.library_path(PACKAGE)


def crypto() -> str:
    """OpenSSL 3's library, to link with: no headers are needed. Raises ToolError where there is none."""
    found = next(debs.find("usr/lib/*/libcrypto.so.3", "usr/lib64/libcrypto.so.3"), None)
    if found is None:
        raise ToolError("libcrypto.so.3 (OpenSSL 3) is not there")
    return str(found)


def build(source: Path, *libraries: str, shared: bool = False) -> Path:
    """The program, or shared object, of one C file; made anew when it or a file beside it changed.

    libraries: paths, or -lNAME; libdl is always there."""
    command, environment = compiler()
    inputs = sorted({*source.parent.glob("*.[ch]"), *ROOT.glob("tests/support/native/*.h")})
    digest = hashlib.sha256(
        b"".join(path.read_bytes() for path in inputs) + str(command).encode()
    ).hexdigest()
    made = private_dir(ROOT / ".run" / "native") / f"{source.stem}-{digest[:12]}{'.so' if shared else ''}"
    if made.exists():
        return made
    temporary = made.with_name(f".{os.getpid()}-{made.name}")
    words = [*command, *(("-shared", "-fPIC") if shared else ()), "-O2", "-o", str(temporary), str(source)]
    done = subprocess.run(
        [*words, *libraries, "-ldl"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"{source.name} does not compile:\n{done.stderr[-2000:]}")
    temporary.replace(made)
    return made
