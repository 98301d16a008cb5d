"""The script: how documents are judged that broke no rule, by type and prefix of their number.

Must never excuse a broken rule: a script chooses between answers customs could give, it does not switch checks off -
but for the comparison of lists with their orders and waybills and what customs does on its own, which it may.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from simulator import tables
from simulator.problems import BadRequest

# What each leads to for a type of documents is in courses.py.
OUTCOMES = (
    *("accept", "reject", "error", "inspect", "silent"),
    *("hold", "review", "settle", "release", "close"),
)
NAMESPACES = ("default", "prefix")

_STATUS = re.compile(r"-?[0-9]{1,9}")
_MAX_DELAY_S = 30 * 24 * 3600
_MAX_STATUSES = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to a document. `code` and `info` replace the usual final status and words; `statuses`, if given, is
    the whole course instead of the outcome's."""

    outcome: str
    code: str | None = None
    info: str | None = None
    delay_ms: int = 0
    prefixed: bool = True
    statuses: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """For the books: a list that waits is judged by the script that held when it came."""
        return asdict(self)

    @staticmethod
    def from_books(data: Mapping[str, Any]) -> Outcome:
        """Back from `to_json`."""
        statuses = data["statuses"]
        return Outcome(**{**data, "statuses": None if statuses is None else tuple(statuses)})


@dataclass(frozen=True, slots=True)
class Rule:
    """Documents whose number begins with `prefix` get `outcome`; `message` limits it to one type."""

    prefix: str
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """Rules in order, the first that fits decides; then the built-in prefixes; then the default. `prefixed`: the built-in
    ones answer with a namespace prefix.

    `compare`, `close`, `results`: whether customs compares lists, closes them on departure, sends results of summary
    applications; `result_step_ms`: time between these. None = as the settings say.
    """

    rules: tuple[Rule, ...] = ()
    default: Outcome = field(default_factory=lambda: Outcome("accept"))
    builtin: bool = True
    prefixed: bool = True
    compare: bool | None = None
    close: bool | None = None
    results: bool = True
    result_step_ms: int | None = None

    def outcome_for(self, *numbers: str, message: str = "") -> Outcome:
        """The outcome for a document with these numbers."""
        for rule in self.rules:
            if rule.message in ("", message):
                for number in numbers:
                    if number.startswith(rule.prefix):
                        return rule.outcome
        if self.builtin:
            for number in numbers:
                if number.startswith(_BUILTIN_PREFIXES):
                    found = next(outcome for prefix, outcome in BUILTIN if number.startswith(prefix))
                    return found if self.prefixed else replace(found, prefixed=False)
        return self.default


# Numbers that begin so are judged so without any script, in every type; documented in README.md.
BUILTIN = (
    ("REJ", Outcome("reject")),
    ("ERR", Outcome("error")),
    ("INS", Outcome("inspect")),
    ("SIL", Outcome("silent")),
    ("SLOW", Outcome("accept", delay_ms=10_000)),
)

_BUILTIN_PREFIXES = tuple(prefix for prefix, _ in BUILTIN)


def from_json(data: object) -> Script:
    """Read what the control API was given. Raises BadRequest naming the key."""
    if not isinstance(data, Mapping):
        raise BadRequest("脚本应为 JSON 对象", "the script must be a JSON object")
    switches = {name: data.get(name) for name in ("compare", "close", "results")}
    known = {"rules", "default", "default_delay_s", "namespace", "builtin", "result_step_s", *switches}
    _only(data, known, "")
    delay = _delay(data.get("default_delay_s", 0), "default_delay_s")
    namespace = _choice(data.get("namespace", "prefix"), NAMESPACES, "namespace")
    builtin = data.get("builtin", True)
    rules = data.get("rules", [])
    if not isinstance(rules, list) or not isinstance(builtin, bool):
        raise BadRequest(
            "rules 应为数组，builtin 应为 true 或 false", "rules must be an array and builtin true or false"
        )
    for name, value in switches.items():
        if value is not None and not isinstance(value, bool):
            raise BadRequest(f"{name} 应为 true 或 false", f"{name} must be true or false")
    results = switches["results"]
    return Script(
        rules=tuple(_rule(rule, index, delay, namespace) for index, rule in enumerate(rules)),
        default=_outcome(data.get("default", "accept"), "default", delay, namespace),
        builtin=builtin,
        prefixed=namespace == "prefix",
        compare=switches["compare"],
        close=switches["close"],
        results=results is None or results,
        result_step_ms=_delay(data["result_step_s"], "result_step_s") if "result_step_s" in data else None,
    )


def _rule(data: object, index: int, delay_ms: int, namespace: str) -> Rule:
    where = f"rules[{index}]"
    if not isinstance(data, Mapping):
        raise BadRequest(f"{where} 应为对象", f"{where} must be an object")
    prefix, message = data.get("prefix"), data.get("type", "")
    if not isinstance(prefix, str):
        raise BadRequest(f"{where}.prefix 应为文字", f"{where}.prefix must be text")
    if message != "":
        message = _choice(message, tuple(tables.known()), f"{where}.type")
    rest = {key: value for key, value in data.items() if key not in ("prefix", "type")}
    return Rule(prefix, _outcome(rest, where, delay_ms, namespace), message)


def _outcome(data: object, where: str, delay_ms: int, namespace: str) -> Outcome:
    """Either just the outcome's name, or an object with outcome or statuses, code, reason, delay_s, namespace."""
    if isinstance(data, str):
        data = {"outcome": data}
    if not isinstance(data, Mapping):
        raise BadRequest(f"{where} 应为文字或对象", f"{where} must be text or an object")
    _only(data, {"outcome", "statuses", "code", "reason", "delay_s", "namespace"}, where + ".")
    outcome = _choice(data.get("outcome", "accept"), OUTCOMES, f"{where}.outcome")
    code = status(data["code"], f"{where}.code") if data.get("code") is not None else None
    statuses = _statuses(data["statuses"], f"{where}.statuses") if "statuses" in data else None
    if statuses is not None and ("outcome" in data or code is not None):
        raise BadRequest(
            f"{where}.statuses 不能与 outcome、code 同时给出",
            f"{where}.statuses cannot go with outcome or code",
        )
    reason = data.get("reason")
    if reason is not None and (not isinstance(reason, str) or not 1 <= len(reason) <= 1000):
        raise BadRequest(
            f"{where}.reason 应为 1 到 1000 个字符", f"{where}.reason must have 1 to 1000 characters"
        )
    if "delay_s" in data:
        delay_ms = _delay(data["delay_s"], f"{where}.delay_s")
    namespace = _choice(data.get("namespace", namespace), NAMESPACES, f"{where}.namespace")
    return Outcome(outcome, code, reason, delay_ms, namespace == "prefix", statuses)


def status(value: object, where: str) -> str:
    """A status given as number or text. Raises BadRequest."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _STATUS.fullmatch(value):
        raise BadRequest(f"{where} 应为整数状态码", f"{where} must be an integer status")
    return value


def _statuses(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_STATUSES:
        raise BadRequest(
            f"{where} 应为最多 {_MAX_STATUSES} 个状态码的数组",
            f"{where} must be an array of at most {_MAX_STATUSES} statuses",
        )
    return tuple(status(item, f"{where}[{at}]") for at, item in enumerate(value))


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
