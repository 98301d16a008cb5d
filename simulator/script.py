"""The script: how documents are judged that broke no rule, by prefix of their number.

Must never excuse a broken rule: a script chooses between answers customs could give, it does not switch checks off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.problems import BadRequest

OUTCOMES = ("accept", "reject", "error", "inspect", "silent")
NAMESPACES = ("default", "prefix")

# Final status per outcome. 120 is final for orders as far as the published lists go. 500 is not in the list
# published for CEB304: useful to see that an unknown status is kept and shown, not guessed at.
_FINAL = {"accept": "120", "reject": "100", "error": "-301009", "inspect": "500", "silent": ""}
_INFO = {
    "accept": "新增申报成功，海关入库",
    "reject": "海关退单：申报内容与监管要求不符，请核对后重新申报",
    "error": "处理异常：订单数据校验未通过",
    "inspect": "海关查验",
    "silent": "",
}
_STATUS = re.compile(r"-?[0-9]{1,9}")
_MAX_DELAY_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to a document. `steps` are statuses sent before the final one; "" final = never answered."""

    outcome: str
    code: str
    info: str
    delay_ms: int
    prefixed: bool

    @property
    def steps(self) -> tuple[str, ...]:
        """Statuses before the final one: a processing exception comes alone, silence is silence."""
        return () if self.outcome in ("error", "silent") else ("2", "3")


@dataclass(frozen=True, slots=True)
class Rule:
    """Documents whose number begins with `prefix` get `outcome`."""

    prefix: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Script:
    """Rules in order, the first that fits decides; then the built-in prefixes; then the default."""

    rules: tuple[Rule, ...] = ()
    default: Outcome = field(default_factory=lambda: make("accept"))
    builtin: bool = True

    def outcome_for(self, number: str) -> Outcome:
        """The outcome for a document number."""
        for rule in self.rules:
            if number.startswith(rule.prefix):
                return rule.outcome
        if self.builtin:
            for rule in BUILTIN:
                if number.startswith(rule.prefix):
                    return rule.outcome
        return self.default


def make(
    outcome: str, code: str | None = None, reason: str | None = None, delay_ms: int = 0, prefixed: bool = True
) -> Outcome:
    """An outcome with its usual code and words unless others are given."""
    return Outcome(
        outcome,
        _FINAL[outcome] if code is None else code,
        _INFO[outcome] if reason is None else reason,
        delay_ms,
        prefixed,
    )


# Order numbers that begin so are judged so without any script; documented in README.md.
BUILTIN = (
    Rule("REJ", make("reject")),
    Rule("ERR", make("error")),
    Rule("INS", make("inspect")),
    Rule("SIL", make("silent")),
    Rule("SLOW", make("accept", delay_ms=10_000)),
)


def from_json(data: object) -> Script:
    """Read what the control API was given. Raises BadRequest naming the key."""
    if not isinstance(data, Mapping):
        raise BadRequest("脚本应为 JSON 对象", "the script must be a JSON object")
    known = {"rules", "default", "default_delay_s", "namespace", "builtin"}
    _only(data, known, "")
    delay = _delay(data.get("default_delay_s", 0), "default_delay_s")
    namespace = _choice(data.get("namespace", "prefix"), NAMESPACES, "namespace")
    builtin = data.get("builtin", True)
    rules = data.get("rules", [])
    if not isinstance(rules, list) or not isinstance(builtin, bool):
        raise BadRequest(
            "rules 应为数组，builtin 应为 true 或 false", "rules must be an array and builtin true or false"
        )
    return Script(
        rules=tuple(_rule(rule, index, delay, namespace) for index, rule in enumerate(rules)),
        default=_outcome(data.get("default", "accept"), "default", delay, namespace),
        builtin=builtin,
    )


def _rule(data: object, index: int, delay_ms: int, namespace: str) -> Rule:
    where = f"rules[{index}]"
    if not isinstance(data, Mapping):
        raise BadRequest(f"{where} 应为对象", f"{where} must be an object")
    prefix = data.get("prefix")
    if not isinstance(prefix, str):
        raise BadRequest(f"{where}.prefix 应为文字", f"{where}.prefix must be text")
    rest = {key: value for key, value in data.items() if key != "prefix"}
    return Rule(prefix, _outcome(rest, where, delay_ms, namespace))


def _outcome(data: object, where: str, delay_ms: int, namespace: str) -> Outcome:
    """Either just the outcome's name, or an object with outcome, code, reason, delay_s, namespace."""
    if isinstance(data, str):
        data = {"outcome": data}
    if not isinstance(data, Mapping):
        raise BadRequest(f"{where} 应为文字或对象", f"{where} must be text or an object")
    _only(data, {"outcome", "code", "reason", "delay_s", "namespace"}, where + ".")
    outcome = _choice(data.get("outcome", "accept"), OUTCOMES, f"{where}.outcome")
    code, reason = data.get("code"), data.get("reason")
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    if code is not None and (not isinstance(code, str) or not _STATUS.fullmatch(code)):
        raise BadRequest(f"{where}.code 应为整数状态码", f"{where}.code must be an integer status")
    if reason is not None and (not isinstance(reason, str) or not 1 <= len(reason) <= 1000):
        raise BadRequest(
            f"{where}.reason 应为 1 到 1000 个字符", f"{where}.reason must have 1 to 1000 characters"
        )
    if "delay_s" in data:
        delay_ms = _delay(data["delay_s"], f"{where}.delay_s")
    namespace = _choice(data.get("namespace", namespace), NAMESPACES, f"{where}.namespace")
    return make(outcome, code, reason, delay_ms, namespace == "prefix")


def _only(data: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise BadRequest(
            f"不认识 {where}{unknown[0]}，可用：{'、'.join(sorted(known))}",
            f"unknown key {where}{unknown[0]}; known are {', '.join(sorted(known))}",
        )


def _choice(value: object, choices: tuple[str, ...], where: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise BadRequest(
            f"{where} 应为 {'、'.join(choices)} 之一", f"{where} must be one of {', '.join(choices)}"
        )
    return value


def _delay(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MAX_DELAY_S:
        raise BadRequest(
            f"{where} 应为 0 到 {_MAX_DELAY_S} 秒", f"{where} must be 0 to {_MAX_DELAY_S} seconds"
        )
    return int(value * 1000)
