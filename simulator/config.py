"""Settings, read once from the environment into frozen values.

Must never hold a default password; facts about customs that are only assumed are settings here, with their source.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

ALGORITHM_NAMES = ("rsa-sha1", "rsa-sha256", "sm2-sm3")


class ConfigError(Exception):
    """A setting is missing or wrong; the text names it and says what is expected."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the customs side insists on."""

    # Seen in public code only: two independent clients agree on this id for export.
    receiver_id: str = "DXPEDCCEB0000003"
    # Optional for CEB303 in the published spec; the demo insists, so that signing is really exercised.
    require_signature: bool = True
    # The two pairs of the published spec. rsa-sha256 is not published and must be allowed explicitly.
    algorithms: frozenset[str] = frozenset({"rsa-sha1", "sm2-sm3"})
    # Raw r||s was seen from a USB key client; whether cipher machines send DER is unknown, so both are taken.
    accept_der: bool = True
    # Seen in public code: KeyName is the certificate's serial in hex.
    check_key_name: bool = True
    # Assumed: quantity x price is rounded half up to the five decimals of the type before it is compared.
    amount_scale: int = 5
    amount_tolerance: Decimal = Decimal("0.01")
    # Assumed: goodsValue is the sum of the lines' totals (it may officially include non-cash offsets).
    check_goods_value: bool = True
    # A limit exists (error -301015, -621030) but its figure is unknown.
    max_message_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """Everything `serve` needs."""

    amqp_url: str | None
    in_queue: str
    out_queue: str
    spool_dir: Path | None
    listen: tuple[str, int]
    data_dir: Path
    authority_dir: Path
    prefetch: int
    log_level: str
    rules: Rules


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name, "").strip().lower()
    if text == "":
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ConfigError(f"环境变量 {name} 应为 true 或 false / {name} must be true or false, not {text!r}")


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(
            f"环境变量 {name} 应为 {low} 到 {high} 的整数 / {name} must be an integer from {low} to {high}"
        )
    return int(text)


def _required(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "").strip()
    if not text:
        raise ConfigError(f"缺少环境变量 {name} / environment variable {name} is missing")
    return text


def parse_listen(text: str) -> tuple[str, int]:
    """'host:port' to a pair. Raises ConfigError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"监听地址应为 主机:端口 / a listen address is host:port, not {text!r}")
    return host, int(port)


def _rules(env: Mapping[str, str]) -> Rules:
    defaults = Rules()
    names = env.get("SIMULATOR_ALGORITHMS", "").replace(",", " ").split()
    unknown = sorted(set(names) - set(ALGORITHM_NAMES))
    if unknown:
        raise ConfigError(
            f"SIMULATOR_ALGORITHMS 只能取 {', '.join(ALGORITHM_NAMES)} / unknown algorithm {', '.join(unknown)}"
        )
    tolerance = env.get("SIMULATOR_AMOUNT_TOLERANCE", "").strip()
    try:
        amount_tolerance = Decimal(tolerance) if tolerance else defaults.amount_tolerance
    except InvalidOperation as error:
        raise ConfigError("SIMULATOR_AMOUNT_TOLERANCE 应为小数 / must be a decimal number") from error
    if not amount_tolerance.is_finite() or amount_tolerance < 0:
        raise ConfigError("SIMULATOR_AMOUNT_TOLERANCE 不得为负 / must not be negative")
    return Rules(
        receiver_id=env.get("SIMULATOR_RECEIVER_ID", "").strip() or defaults.receiver_id,
        require_signature=_flag(env, "SIMULATOR_REQUIRE_SIGNATURE", defaults.require_signature),
        algorithms=frozenset(names) or defaults.algorithms,
        accept_der=_flag(env, "SIMULATOR_ACCEPT_DER", defaults.accept_der),
        check_key_name=_flag(env, "SIMULATOR_CHECK_KEY_NAME", defaults.check_key_name),
        amount_scale=_number(env, "SIMULATOR_AMOUNT_SCALE", defaults.amount_scale, 0, 10),
        amount_tolerance=amount_tolerance,
        check_goods_value=_flag(env, "SIMULATOR_CHECK_GOODS_VALUE", defaults.check_goods_value),
        max_message_bytes=_number(
            env, "SIMULATOR_MAX_MESSAGE_BYTES", defaults.max_message_bytes, 1024, 64 * 1024 * 1024
        ),
    )


def load(env: Mapping[str, str] | None = None) -> Config:
    """Read the environment. Raises ConfigError naming the variable."""
    env = os.environ if env is None else env
    amqp_url = env.get("CUSTOMS_AMQP_URL", "").strip() or None
    spool = env.get("SPOOL_DIR", "").strip()
    if amqp_url is None and not spool:
        raise ConfigError(
            "CUSTOMS_AMQP_URL 与 SPOOL_DIR 至少设一个 / set CUSTOMS_AMQP_URL or SPOOL_DIR, or both"
        )
    return Config(
        amqp_url=amqp_url,
        in_queue=env.get("CUSTOMS_IN_QUEUE", "").strip() or "customs.in",
        out_queue=env.get("CUSTOMS_OUT_QUEUE", "").strip() or "customs.out",
        spool_dir=Path(spool) if spool else None,
        listen=parse_listen(_required(env, "SIMULATOR_LISTEN")),
        data_dir=Path(_required(env, "SIMULATOR_DATA_DIR")),
        authority_dir=Path(_required(env, "AUTHORITY_DIR")),
        prefetch=_number(env, "SIMULATOR_PREFETCH", 50, 1, 1000),
        log_level=env.get("LOG_LEVEL", "").strip().upper() or "INFO",
        rules=_rules(env),
    )
