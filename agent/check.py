"""`tongguan-agent check`: what the modules see, without any login. For setting up, and for telling others about it."""

from __future__ import annotations

from agent import algorithms, certificates, times
from agent.cards.base import CardError, SeenToken, load
from agent.cards.process import Process
from agent.config import Config, Module


def run(config: Config) -> int:
    """Prints; returns 0 if every module could be used and there is one."""
    print(f"state: {config.state}")
    if not config.modules:
        print("没有配置 PKCS#11 库，见 agent.toml / no PKCS#11 module is set, see agent.toml")
        return 1
    return max([_module(module, config) for module in config.modules])


def _module(module: Module, config: Config) -> int:
    print(f"\nmodule {module.name}: {module.path}")
    try:
        process = Process(module.path, module.environment)
        try:
            tokens = load(bytes(process.call([b"look"], config.look_seconds)[0]))
        finally:
            process.close()
    except CardError as exc:
        print(f"  无法使用 / cannot be used: {exc.reason}")
        return 1
    for token in tokens:
        _token(token, module)
    if not tokens:
        print("  没有令牌 / no token")
    return 0


def _token(token: SeenToken, module: Module) -> None:
    print(f"  slot {token.slot}: {token.label} · {token.model} · {token.serial}")
    print(f"    PIN flags: {', '.join(token.flags) or 'none'}")
    print(f"    mechanisms: {', '.join(f'0x{number:x}' for number in token.mechanisms)}")
    for der in token.certificates:
        try:
            one = certificates.read(der)
        except ValueError as exc:
            print(f"    certificate: {exc}")
            continue
        able = algorithms.able(one.kind, token.mechanisms, module.profile) if one.signs else ()
        print(f"    certificate {one.fingerprint}")
        print(f"      {one.subject} {one.units} · {one.kind} · {one.serial}")
        print(f"      {times.text(one.not_before)} – {times.text(one.not_after)}")
        print(
            f"      {'签名 / signs with: ' + (', '.join(able) or 'none') if one.signs else '不用于签名 / not for signing'}"
        )
