"""`python -m services.signer COMMAND`: one process per command; see README.md."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import structlog

from runtime.config import ConfigError
from runtime.errors import Problem
from services.signer import app
from services.signer.certificates import CertificateError
from services.signer.config import COMMANDS, read
from services.signer.domain import is_uuid
from services.signer.emit import rfc3339
from services.signer.provision import Order, ProvisionError
from services.signer.tokens.base import TokenError
from services.signer.xmlsign import ALGORITHMS


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 refused or failed, 2 wrong settings."""
    parsed = _parser().parse_args(arguments)
    try:
        return _run(parsed)
    except ConfigError as exc:
        print(f"配置错误 / wrong settings: {exc}", file=sys.stderr)
        return 2
    except Problem as exc:
        print(f"{exc.zh} / {exc.en}", file=sys.stderr)
        return 1
    except (ProvisionError, CertificateError, TokenError) as exc:
        print(exc, file=sys.stderr)
        return 1


def _run(parsed: argparse.Namespace) -> int:
    match parsed.command:
        case "serve":
            app.serve(read("serve"))
        case "consume":
            app.consume(read("consume"))
        case "pool":
            app.pool(read("pool"))
        case "cards":
            app.cards(read("cards"))
        case "relay":
            app.relay(read("relay"))
        case "migrate":
            app.upgrade(read("migrate"))
        case "provision":
            return _provision(parsed)
        case "bench-device":
            return _bench_device(parsed)
        case "verify-ledger":
            return _verify(parsed)
        case "check-config":
            for command in parsed.of or COMMANDS:
                read(command)
                print(f"{command}: ok")
    return 0


def _provision(parsed: argparse.Namespace) -> int:
    # standard output is the answer, for programs
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    order = Order(
        parsed.tenant,
        parsed.enterprise_code,
        parsed.name,
        parsed.algorithm,
        parsed.authority_command,
        parsed.active,
        parsed.csr,
        parsed.certificate,
        parsed.renew,
    )
    key = app.give_key(read("provision"), order)
    if key is None:
        print(json.dumps({"waiting_for_certificate": True, "request": str(parsed.csr)}))
        return 0
    answer = {
        "id": key.id,
        "label": key.label,
        "enterprise_code": key.enterprise_code,
        "algorithm": key.algorithm,
        "device": key.device,
        "hardware": key.hardware,
        "certificate_serial": key.serial,
        "not_after": rfc3339(key.not_after),
        "active": key.active,
    }
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _bench_device(parsed: argparse.Namespace) -> int:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if not 0.5 <= parsed.seconds <= 600:
        raise ConfigError("--seconds must be from 0.5 to 600")
    rate = app.measure_device(read("bench-device"), parsed.device, parsed.seconds)
    answer = {
        "device": rate.device,
        "per_second": round(rate.per_second, 2),
        "per_minute": round(rate.per_second * 60, 1),
        "signatures": rate.signatures,
        "at": rfc3339(rate.at),
    }
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _verify(parsed: argparse.Namespace) -> int:
    if not is_uuid(parsed.tenant):
        raise ConfigError("--tenant must be a UUID in lower case")
    verdict = app.verify(read("verify-ledger"), parsed.tenant)
    answer = {
        "tenant": parsed.tenant,
        "rows": verdict.rows,
        "valid": verdict.valid,
        "broken_at": verdict.broken_at,
        "unrecorded_signatures": verdict.unrecorded,
        "head": verdict.head,
    }
    print(json.dumps(answer))
    return 0 if verdict.valid else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.signer", description="签名服务 / the signing service"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("serve", "consume", "pool", "cards", "relay", "migrate"):
        commands.add_parser(name)
    check = commands.add_parser("check-config", help="检查配置后退出 / look at the settings and end")
    check.add_argument(
        "of", nargs="*", choices=[*COMMANDS, []], help="只检查这些命令 / of these commands only"
    )
    give = commands.add_parser("provision", help="为企业开通密钥 / give an enterprise a key")
    give.add_argument("--tenant", required=True)
    give.add_argument("--enterprise-code", required=True)
    give.add_argument("--name", required=True)
    give.add_argument("--algorithm", required=True, choices=sorted(ALGORITHMS))
    source = give.add_mutually_exclusive_group(required=True)
    source.add_argument("--authority-command", default="", help="签发命令 / takes --issue CSR --out CERT")
    source.add_argument("--csr", type=Path, help="只生成密钥和证书请求 / make key and request, and stop")
    source.add_argument("--certificate", type=Path, help="安装签发的证书 / install what was issued")
    give.add_argument("--renew", action="store_true", help="现有证书有效时另建一把 / although one is valid")
    give.add_argument("--active", action="store_true")
    bench = commands.add_parser(
        "bench-device", help="测量设备速度并保存 / measure a device and keep its rate"
    )
    bench.add_argument("device")
    bench.add_argument("--seconds", type=float, default=5.0)
    verify = commands.add_parser("verify-ledger", help="核对签名台账 / verify a tenant's ledger")
    verify.add_argument("--tenant", required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())
