"""Command line: `serve` runs the simulated customs, `authority` runs the demo certificate authority.

Must never print keys or passwords.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulator import app, config
from simulator.authority import Authority, AuthorityError
from simulator.files import write_atomically
from simulator.store import StoreBusy


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="模拟海关（仅供演示和测试）/ simulated customs, demo and tests only",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="运行，设置取自环境变量 / run; settings come from the environment")
    authority = commands.add_parser("authority", help="演示用证书颁发机构 / demo certificate authority")
    authority.add_argument(
        "--dir", type=Path, required=True, help="目录，没有则建立 / directory, made if missing"
    )
    authority.add_argument(
        "--issue", type=Path, metavar="CSR", help="PKCS#10 请求（PEM）/ PKCS#10 request (PEM)"
    )
    authority.add_argument(
        "--out", type=Path, metavar="CERT", help="证书写到这里（PEM）/ where the certificate goes"
    )
    authority.add_argument("--revoke", metavar="SERIAL", help="吊销（十六进制序列号）/ revoke a serial (hex)")
    return parser


def _authority(arguments: argparse.Namespace) -> int:
    if (arguments.issue is None) != (arguments.out is None):
        raise AuthorityError("--issue 与 --out 须同时给出 / --issue and --out go together")
    authority = Authority.open(arguments.dir)
    if arguments.issue is not None:
        issued = authority.issue(arguments.issue.read_bytes())
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(arguments.out, issued, 0o644)
    if arguments.revoke is not None:
        try:
            serial = int(arguments.revoke, 16)
        except ValueError as error:
            raise AuthorityError("--revoke 应为十六进制序列号 / --revoke takes a serial in hex") from error
        authority.revoke(serial)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code. 2 = wrong settings or arguments, said on standard error."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "authority":
            return _authority(arguments)
        return app.serve(config.load())
    except (AuthorityError, config.ConfigError, StoreBusy, OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
