"""Command line: `serve` runs the simulated customs, `receipts` judges files once, `authority` makes certificates.

Must never print keys or passwords.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from simulator import app, config, offline
from simulator.authority import Authority, AuthorityError
from simulator.files import write_atomically
from simulator.problems import BadRequest
from simulator.store import StoreBusy
from simulator.verify import Trust


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
    receipts = commands.add_parser(
        "receipts", help="对目录中的业务报文出具回执 / judge the business messages of a folder once"
    )
    receipts.add_argument("--in", dest="source", type=Path, required=True, help="*.xml，无信封 / no envelope")
    receipts.add_argument(
        "--out", type=Path, required=True, help="每种回执一个文件 / one file per receipt type"
    )
    receipts.add_argument(
        "--authority", type=Path, help="验签所用证书颁发机构的目录 / the authority's folder"
    )
    receipts.add_argument("--no-signature", action="store_true", help="不验签 / do not look at signatures")
    receipts.add_argument("--no-compare", action="store_true", help="不作四单比对 / do not compare lists")
    receipts.add_argument("--script", type=Path, help="判定脚本（JSON）/ a script as for the control API")
    receipts.add_argument(
        "--broken", action="store_true", help="另加一份残缺报文 / add a message that is cut off, for CEB900"
    )
    return parser


def _receipts(arguments: argparse.Namespace) -> int:
    if (arguments.authority is None) != arguments.no_signature:
        raise ValueError("--authority 与 --no-signature 须给出其一 / give --authority or --no-signature")
    messages = [path.read_bytes() for path in sorted(arguments.source.glob("*.xml"))]
    if not messages:
        raise ValueError(f"{arguments.source} 中没有 *.xml / holds no *.xml")
    if arguments.broken:
        messages.append(messages[0][: len(messages[0]) // 2])
    rules = replace(
        config.Rules(), verify_signatures=not arguments.no_signature, compare=not arguments.no_compare
    )
    trust = None if arguments.authority is None else Trust(arguments.authority)
    script = "" if arguments.script is None else arguments.script.read_text(encoding="utf-8")
    for path in offline.write(offline.receipts(messages, rules, trust, script), arguments.out):
        print(path)
    return 0


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
        if arguments.command == "receipts":
            return _receipts(arguments)
        return app.serve(config.load())
    except (AuthorityError, BadRequest, config.ConfigError, StoreBusy, OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
