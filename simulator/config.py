"""Settings, read once from the environment into frozen values.

Must never hold a default password; facts about customs that are only assumed are settings here, with their source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

ALGORITHM_NAMES = ("rsa-sha1", "rsa-sha256", "sm2-sm3")
MISSING_INVT_NO = ("empty", "omit", "assign")
# Assumed: a limit of lines exists where the tables name none, its figure is unknown.
MOST_LINES = 50_000
_STATUS = re.compile(r"[0-9]{1,4}")


class ConfigError(Exception):
    """A setting is missing or wrong; the text names it and says what is expected."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the customs side insists on."""

    # Seen in public code only: two independent clients agree on this id for export.
    receiver_id: str = "DXPEDCCEB0000003"
    # Optional for some types in the published spec; the demo insists, so that signing is really exercised. Off: only the
    # types whose published table says so must be signed.
    require_signature: bool = True
    # Off: signatures are neither required nor looked at, for trying messages before there are keys.
    verify_signatures: bool = True
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
    # The same for lines where the XSD says unbounded: arrivals, departures, master-house lists, summary applications.
    max_lines: int = MOST_LINES
    # The shape of enterprise codes is published; whether the access point refuses others is assumed.
    check_codes: bool = True
    # Is a list held against its order, waybill and payment?
    compare: bool = True
    # How long a list waits for them, milliseconds: they are sent at nearly the same time as separate messages.
    compare_wait_ms: int = 5000
    # A payment is optional in the export; it is only compared where one was sent.
    require_payment: bool = False
    # Assumed: what was received equals the goods' value, with or without freight.
    compare_charge: bool = True
    # Assumed: the states of a list in which customs takes an amendment (published: there are states in which it does not).
    amend_states: frozenset[str] = frozenset({"120", "300", "399", "500"})
    # Assumed: the states in which a cancellation is possible; closed is the one seen in none of the guides.
    cancel_states: frozenset[str] = frozenset({"120", "300", "399", "500", "800"})
    # Assumed: departure closes released lists (guide 002 puts the departure before closing).
    close_on_departure: bool = True
    # Published: lists with statisticsFlag B are summed up; that others are refused is assumed.
    summary_only_b: bool = True
    # Declarations made from a summary application come in steps this far apart, milliseconds. The steps are published,
    # their times are not.
    result_step_ms: int = 1000
    # decState of the three steps: values are not published, the sample shows A.
    declaration_states: tuple[str, ...] = ("A", "A", "A")
    # invtNo in the receipt of a list that got no number: the XSD requires the element, the PDF does not. empty, omit, assign.
    missing_invt_no: str = "empty"


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


def _millis(env: Mapping[str, str], name: str, default: int) -> int:
    """Seconds with at most three decimals, as milliseconds."""
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        seconds = Decimal(text)
    except InvalidOperation as error:
        raise ConfigError(f"环境变量 {name} 应为秒数 / {name} must be a number of seconds") from error
    if not seconds.is_finite() or not 0 <= seconds <= 86_400:
        raise ConfigError(f"环境变量 {name} 应为 0 到 86400 秒 / {name} must be 0 to 86400 seconds")
    return int(seconds * 1000)


def _statuses(env: Mapping[str, str], name: str, default: frozenset[str]) -> frozenset[str]:
    found = env.get(name, "").replace(",", " ").split()
    if not all(_STATUS.fullmatch(status) for status in found):
        raise ConfigError(f"环境变量 {name} 应为状态码，如 120,300 / {name} must be statuses such as 120,300")
    return frozenset(found) or default


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    text = env.get(name, "").strip() or default
    if text not in choices:
        raise ConfigError(
            f"环境变量 {name} 应为 {'、'.join(choices)} 之一 / must be one of {', '.join(choices)}"
        )
    return text


def _declaration_states(env: Mapping[str, str], default: tuple[str, ...]) -> tuple[str, ...]:
    name = "SIMULATOR_DECLARATION_STATES"
    found = tuple(env.get(name, "").replace(",", " ").split())
    if found and (len(found) != 3 or not all(len(state) <= 3 for state in found)):
        raise ConfigError(f"{name} 应为三个状态，每个 1 到 3 字符 / takes three states of 1 to 3 characters")
    return found or default


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
        verify_signatures=_flag(env, "SIMULATOR_VERIFY_SIGNATURES", defaults.verify_signatures),
        algorithms=frozenset(names) or defaults.algorithms,
        accept_der=_flag(env, "SIMULATOR_ACCEPT_DER", defaults.accept_der),
        check_key_name=_flag(env, "SIMULATOR_CHECK_KEY_NAME", defaults.check_key_name),
        amount_scale=_number(env, "SIMULATOR_AMOUNT_SCALE", defaults.amount_scale, 0, 10),
        amount_tolerance=amount_tolerance,
        check_goods_value=_flag(env, "SIMULATOR_CHECK_GOODS_VALUE", defaults.check_goods_value),
        max_message_bytes=_number(
            env, "SIMULATOR_MAX_MESSAGE_BYTES", defaults.max_message_bytes, 1024, 64 * 1024 * 1024
        ),
        max_lines=_number(env, "SIMULATOR_MAX_LINES", defaults.max_lines, 1, 99_999),
        check_codes=_flag(env, "SIMULATOR_CHECK_CODES", defaults.check_codes),
        compare=_flag(env, "SIMULATOR_COMPARE", defaults.compare),
        compare_wait_ms=_millis(env, "SIMULATOR_COMPARE_WAIT_S", defaults.compare_wait_ms),
        require_payment=_flag(env, "SIMULATOR_REQUIRE_PAYMENT", defaults.require_payment),
        compare_charge=_flag(env, "SIMULATOR_COMPARE_CHARGE", defaults.compare_charge),
        amend_states=_statuses(env, "SIMULATOR_AMEND_STATES", defaults.amend_states),
        cancel_states=_statuses(env, "SIMULATOR_CANCEL_STATES", defaults.cancel_states),
        close_on_departure=_flag(env, "SIMULATOR_CLOSE_ON_DEPARTURE", defaults.close_on_departure),
        summary_only_b=_flag(env, "SIMULATOR_SUMMARY_ONLY_B", defaults.summary_only_b),
        result_step_ms=_millis(env, "SIMULATOR_RESULT_STEP_S", defaults.result_step_ms),
        declaration_states=_declaration_states(env, defaults.declaration_states),
        missing_invt_no=_choice(env, "SIMULATOR_MISSING_INVT_NO", MISSING_INVT_NO, defaults.missing_invt_no),
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
