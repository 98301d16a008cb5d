"""The second half of `make setup`, inside .venv: generated code, browser application, unpacked packages.

Every step is skipped when nothing changed; never asks a question and never needs root.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from tools import browser, debs, fonts, native, proto, web
from tools.errors import ToolError
from tools.paths import ROOT, cache_dir, private_dir
from tools.servers import opencryptoki, redis, softhsm
from tools.servers.rabbitmq import installation


def main() -> int:
    """Do all steps; those that wait for the network side by side. Exit code 1 with every step's reason."""
    parser = argparse.ArgumentParser(prog="python -m tools.setup", description=__doc__)
    parser.add_argument(
        "--tests", action="store_true", help="also what tests need: browser, font, outside judges"
    )
    arguments = parser.parse_args()
    private_dir(ROOT / ".run")
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "setup.lock").open("w") as lock:
        # a shared cache may be in use by another checkout's set-up
        fcntl.flock(lock, fcntl.LOCK_EX)
        steps: list[Callable[[], None]] = [_proto, _web, _packages]
        with ThreadPoolExecutor() as pool:
            faults = [error for error in pool.map(_guarded, steps) if error]
        if arguments.tests and not faults:
            faults = [error for error in (_guarded(_judges), _guarded(_browser)) if error]
    for fault in faults:
        print(f"setup: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _guarded(step: Callable[[], None]) -> str | None:
    try:
        step()
    except ToolError as error:
        return str(error)
    return None


def _proto() -> None:
    with _Timed("generated code of proto/") as timed:
        timed.did = proto.generate()


def _web() -> None:
    if not web.scripts():
        print("setup: services/gateway/web has no package.json yet, browser application skipped")
        return
    with _Timed("npm packages") as timed:
        timed.did = web.install()
    with _Timed("browser application") as timed:
        timed.did = web.build()


def _packages() -> None:
    """Servers that no wheel brings, unless the machine has them or a variable names others."""
    wanted = []
    if not os.environ.get("TONGGUAN_AMQP_URL") and _missing(installation):
        wanted.append("rabbitmq-server")
    if not os.environ.get("TONGGUAN_DEVICES_FILE") and _missing(softhsm.module):
        wanted.append("softhsm2")
    if not os.environ.get("TONGGUAN_REDIS_URL") and _missing(redis.binary):
        wanted.append("redis-server")
    _unpack(wanted)
    if fonts.find() is None:
        _font()


def _font() -> None:
    """The font of printed documents. Everything else works without it, so that its lack stops nothing."""
    try:
        _unpack([fonts.PACKAGE])
    except ToolError as error:
        print(
            f"setup: 没有中文字体,打印功能不可用,可用 TONGGUAN_FONT_FILE 指定 / no font with Chinese, so documents "
            f"cannot be printed; name a TrueType font with TONGGUAN_FONT_FILE: {error}"
        )


def _judges() -> None:
    """Programs that tests ask for a second opinion on signatures, a second kind of token, and a compiler."""
    wanted = [name for name in ("xmlsec1", "openssl") if debs.program(name) is None]
    if _missing(opencryptoki.module):
        wanted.append(opencryptoki.PACKAGE)
    if _missing(native.compiler):
        wanted.append(native.PACKAGE)
    _unpack(wanted)


def _browser() -> None:
    _unpack(browser.packages())
    browser.chromium_path()


def _unpack(names: Sequence[str]) -> None:
    with _Timed(f"packages {', '.join(names)}") as timed:
        timed.did = bool(debs.unpack(names))


def _missing(find: Callable[[], object]) -> bool:
    try:
        find()
    except ToolError:
        return True
    return False


class _Timed:
    """Prints one line for a step that did something."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.did = True

    def __enter__(self) -> Self:
        self._begin = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.did and kind is None:
            print(f"setup: {self._what} ready in {time.monotonic() - self._begin:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
