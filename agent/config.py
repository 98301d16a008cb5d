"""The agent's settings: agent.toml in the state folder, read once. Must never hold a PIN: there is no setting for one."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from agent.errors import AgentError

T = TypeVar("T")

FILE = "agent.toml"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
#: the signer id of SM2 if nobody agreed on another one (GM/T 0009)
SM2_USER_ID = "1234567812345678"
#: the word for every purpose of a challenge that has no line of its own
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Profile:
    """How one vendor's module does SM2, which PKCS#11 has no numbers for.

    sm2_mechanism: the number for C_SignInit, 0 = the module has none. sm2_hashes: the module computes Z and SM3 itself;
    otherwise it is given the digest. sm2_der: it answers ASN.1 instead of r||s. sm2_user_id: the signer id in Z.
    """

    name: str = ""
    sm2_mechanism: int = 0
    sm2_hashes: bool = True
    sm2_der: bool = False
    sm2_user_id: str = SM2_USER_ID


@dataclass(frozen=True, slots=True)
class Module:
    """One PKCS#11 library. environment: for its processes alone."""

    name: str
    path: str
    profile: Profile = Profile()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """Seconds and days where the name does not say so."""

    state: Path
    modules: tuple[Module, ...] = ()
    language: str = "zh"
    log_level: str = "INFO"
    page_enabled: bool = True
    page_port: int = 17652
    #: purpose -> must a person confirm; OTHER for all that are not named, "document" for documents
    confirm: Mapping[str, bool] = field(default_factory=lambda: {OTHER: True, "document": False})
    poll_seconds: float = 2.0
    look_seconds: float = 20.0
    login_seconds: float = 30.0
    sign_seconds: float = 30.0
    keep_days: int = 365
    #: the longest pause between attempts to connect, and how long one may take
    retry_seconds: float = 4.0
    connect_seconds: float = 4.0
    #: the pause after "another agent attends with this identity" and after "not known here"
    refused_seconds: float = 30.0
    renew_days: int = 30


def read(state: Path, file: Path | None = None) -> Config:
    """The settings; without a file all defaults and no module. Raises AgentError that names the line."""
    path = file or state / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        if file is None:
            return Config(state)
        raise _wrong(path, "", "文件不存在", "there is no such file") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as exc:
        raise _wrong(path, "", f"不是可读的 TOML（{exc}）", f"is not readable TOML ({exc})") from exc
    return _Reader(path, raw).config(state)


def _wrong(path: Path, name: str, zh: str, en: str) -> AgentError:
    at = f"{path.name}: {name}" if name else str(path)
    return AgentError("settings", f"设置 {at}：{zh}。", f"Setting {at}: {en}.")


class _Reader:
    """Takes values out of the file and complains about what is left."""

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self._path = path
        self._raw = raw

    def config(self, state: Path) -> Config:
        """All of it."""
        raw = self._raw
        known = {"language", "log_level", "page", "cards", "journal", "link", "confirm", "module", "profile"}
        self._only("", raw, known)
        base = Config(state)
        page, cards = self._table("page"), self._table("cards")
        journal, link = self._table("journal"), self._table("link")
        self._only("page.", page, {"enabled", "port"})
        self._only("cards.", cards, {"poll_seconds", "look_seconds", "login_seconds", "sign_seconds"})
        self._only("journal.", journal, {"keep_days"})
        self._only("link.", link, {"retry_seconds", "connect_seconds", "refused_seconds", "renew_days"})
        confirm = dict(base.confirm)
        for purpose, value in self._table("confirm").items():
            if not isinstance(value, bool):
                raise _wrong(self._path, f"confirm.{purpose}", "须为 true 或 false", "must be true or false")
            confirm[purpose] = value
        return Config(
            state=state,
            modules=self._modules(),
            language=self._among(raw, "language", base.language, ("zh", "en")),
            log_level=self._among(raw, "log_level", base.log_level, _LEVELS),
            page_enabled=self._value(page, "page.enabled", base.page_enabled),
            page_port=self._number(page, "page.port", base.page_port, 0, 65535),
            confirm=confirm,
            poll_seconds=self._number(cards, "cards.poll_seconds", base.poll_seconds, 0.05, 60),
            look_seconds=self._number(cards, "cards.look_seconds", base.look_seconds, 0.5, 300),
            login_seconds=self._number(cards, "cards.login_seconds", base.login_seconds, 0.5, 300),
            sign_seconds=self._number(cards, "cards.sign_seconds", base.sign_seconds, 0.5, 300),
            keep_days=self._number(journal, "journal.keep_days", base.keep_days, 1, 36500),
            retry_seconds=self._number(link, "link.retry_seconds", base.retry_seconds, 0.1, 600),
            connect_seconds=self._number(link, "link.connect_seconds", base.connect_seconds, 0.1, 60),
            refused_seconds=self._number(link, "link.refused_seconds", base.refused_seconds, 0.1, 3600),
            renew_days=self._number(link, "link.renew_days", base.renew_days, 1, 3650),
        )

    def _modules(self) -> tuple[Module, ...]:
        profiles = {"": Profile()}
        for name, raw in self._table("profile").items():
            profiles[name] = self._profile(name, raw)
        entries = self._raw.get("module", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _wrong(self._path, "module", "须写作 [[module]]", "must be written as [[module]]")
        modules = []
        for place, entry in enumerate(entries, start=1):
            at = f"module {place}: "
            self._only(at, entry, {"name", "path", "profile", "environment"})
            path = self._value(entry, f"{at}path", "")
            if not path:
                raise _wrong(
                    self._path, f"{at}path", "须写明 PKCS#11 库的路径", "must name the PKCS#11 library"
                )
            profile = self._value(entry, f"{at}profile", "")
            if profile not in profiles:
                raise _wrong(
                    self._path, f"{at}profile", f"没有 [profile.{profile}]", f"no [profile.{profile}]"
                )
            environment = entry.get("environment", {})
            if not isinstance(environment, dict) or not all(isinstance(v, str) for v in environment.values()):
                raise _wrong(self._path, f"{at}environment", "须为文本表", "must be a table of texts")
            name = self._value(entry, f"{at}name", Path(path).stem)
            modules.append(Module(name, path, profiles[profile], environment))
        names = [module.name for module in modules]
        if len(set(names)) != len(names):
            raise _wrong(self._path, "module", "name 重复", "two modules have one name")
        return tuple(modules)

    def _profile(self, name: str, raw: Any) -> Profile:
        at = f"profile.{name}."
        if not isinstance(raw, dict):
            raise _wrong(self._path, at[:-1], "须为表", "must be a table")
        self._only(at, raw, {"sm2_mechanism", "sm2_hashes", "sm2_der", "sm2_user_id"})
        base = Profile(name)
        return Profile(
            name,
            self._number(raw, f"{at}sm2_mechanism", base.sm2_mechanism, 0, 2**32 - 1),
            self._value(raw, f"{at}sm2_hashes", base.sm2_hashes),
            self._value(raw, f"{at}sm2_der", base.sm2_der),
            self._value(raw, f"{at}sm2_user_id", base.sm2_user_id),
        )

    def _table(self, name: str) -> dict[str, Any]:
        value = self._raw.get(name, {})
        if not isinstance(value, dict):
            raise _wrong(self._path, name, "须为表", "must be a table")
        return value

    def _only(self, at: str, raw: Mapping[str, Any], known: set[str]) -> None:
        for name in raw:
            if name not in known:
                raise _wrong(
                    self._path, f"{at}{name}", f"不认识；可用：{'、'.join(sorted(known))}",
                    f"is not known; there are: {', '.join(sorted(known))}",
                )  # fmt: skip

    def _value(self, raw: Mapping[str, Any], name: str, default: T) -> T:
        value = raw.get(_last(name), default)
        if type(value) is not type(default):
            kind = type(default).__name__
            raise _wrong(self._path, name, f"须为 {kind}", f"must be a {kind}")
        return value

    def _number(self, raw: Mapping[str, Any], name: str, default: T, low: float, high: float) -> T:
        value = raw.get(_last(name), default)
        allowed = (int, float) if isinstance(default, float) else (int,)
        if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
            raise _wrong(
                self._path, name, f"须为 {low} 至 {high} 的数", f"must be a number from {low} to {high}"
            )
        return type(default)(value)  # type: ignore[call-arg]

    def _among(self, raw: Mapping[str, Any], name: str, default: str, choice: tuple[str, ...]) -> str:
        value = raw.get(name, default)
        if value not in choice:
            raise _wrong(
                self._path, name, f"须为 {'、'.join(choice)} 之一", f"must be one of {', '.join(choice)}"
            )
        return str(value)


def _last(name: str) -> str:
    return name.rpartition(".")[2].rpartition(" ")[2]


def example() -> str:
    """The commented settings that enrolment puts into a new state folder."""
    part = "windows" if sys.platform == "win32" else "linux"
    return (Path(__file__).parent / f"example-{part}.toml").read_text(encoding="utf-8")
