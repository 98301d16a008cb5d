"""The text screen: what the page shows, for machines without a browser. Speaks with the running agent over its page.

The PIN is read from the terminal (or, piped, from standard input) and never from an argument or the environment.
"""

from __future__ import annotations

import getpass
import http.client
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from agent.errors import AgentError
from agent.page.server import COOKIE, FILE, HEADER, HOST, address

_SECONDS = 120.0


class Screen:
    """Raises AgentError if no agent runs in this state folder."""

    def __init__(self, state: Path, language: str) -> None:
        try:
            where = json.loads((state / FILE).read_text(encoding="utf-8"))
            self._port, self._token = int(where["port"]), str(where["token"])
        except (OSError, ValueError, KeyError) as exc:
            raise _not_running() from exc
        self._en = language == "en"

    @property
    def url(self) -> str:
        """The page's address with its token."""
        return address(self._port, self._token)

    def status(self) -> int:
        """Connection, modules, requests in work."""
        state = self._state()
        self._line("企业", "enterprise", state["enterprise"])
        self._line("代理编号", "agent", state["agent_id"])
        self._line("服务", "service", state["address"])
        self._line("连接", "connection", f"{state['link']['code']}: {self._of(state['link'])}")
        self._line("证书到期", "certificate ends", state["not_after"])
        if state["clock_off"]:
            self._line("时钟相差", "clock off by", f"{state['clock_off']} s")
        for module in state["modules"]:
            self._line("PKCS#11 库", "module", f"{module['name']}: {module['trouble'] or 'ok'}")
        for name, zh, en in (("asking", "等待确认", "to confirm"), ("working", "处理中", "in work")):
            for wish in state[name]:
                about = wish["challenge"] or {}
                words = self._title(wish) + " ".join(f" {key}={value}" for key, value in about.items())
                self._line(zh, en, f"{wish['request_id']} {words}")
        return 0

    def cards(self) -> int:
        """All cards and how they are."""
        state = self._state()
        for card in state["cards"]:
            print(f"{card['fingerprint']}  {card['state']}")
            self._line("  持有者", "  holder", f"{card['subject']} {card['units']}")
            self._line("  有效期至", "  valid until", f"{card['not_after']} ({max(0, card['days_left'])} d)")
            self._line("  令牌", "  token", f"{card['label']} {card['model']} {card['token_serial']}")
            self._line("  算法", "  mechanisms", ", ".join(card["mechanisms"]))
            if card["reason"] or card["left"]:
                self._line("  说明", "  remark", " ".join((card["left"], card["reason"])).strip())
        if not state["cards"]:
            print(self._say("没有插入卡。", "No card is in."))
        return 0

    def journal(self) -> int:
        """The latest requests."""
        for entry in self._state()["journal"]:
            print(
                f"{entry['at']}  {entry['state']:9} {entry['documents'] or '':>4}  {self._title(entry)}  {self._of(entry)}"
            )
        return 0

    def pin(self, card: str) -> int:
        """Log in to a card (the beginning of its fingerprint; needed if there are several), with one attempt."""
        one = self._choose(card)
        low = one["state"] == "pin-low"
        if low and not self._sure(one):
            return 1
        if one["pin_pad"]:
            pin = b""
        elif sys.stdin.isatty():
            pin = getpass.getpass(self._say("PIN（不显示）：", "PIN (not shown): ")).encode()
        else:
            pin = sys.stdin.buffer.readline().rstrip(b"\r\n")
        self._ask("POST", "/api/pin", {"card": one["fingerprint"], "low": "1" if low else "0"}, pin)
        print(self._say("卡已登录。", "Logged in."))
        return 0

    def confirm(self, request: str, *, yes: bool) -> int:
        """Say yes or no to a request that asks for it."""
        self._ask("POST", "/api/confirm", {"request": request, "yes": "1" if yes else "0"})
        return 0

    def _choose(self, begin: str) -> dict[str, Any]:
        found = [one for one in self._state()["cards"] if one["fingerprint"].startswith(begin.lower())]
        if len(found) != 1:
            raise AgentError(
                "which-card",
                f"有 {len(found)} 张卡符合，请用 --card 指纹 指明（见 tongguan-agent cards）。",
                f"{len(found)} cards fit: name one with --card FINGERPRINT (see tongguan-agent cards).",
            )
        return dict(found[0])

    def _sure(self, card: dict[str, Any]) -> bool:
        question = self._say(
            "卡提示 PIN 剩余次数不多，再错可能锁卡。确定再试请输入 yes：",
            "The card says that few PIN attempts are left; a wrong one may lock it. Type yes to try: ",
        )
        if not sys.stdin.isatty():
            print(question, file=sys.stderr)
            return sys.stdin.buffer.readline().strip() == b"yes"
        return input(question).strip() == "yes"

    def _state(self) -> dict[str, Any]:
        return self._ask("GET", "/api/state", {})

    def _ask(self, method: str, path: str, query: dict[str, str], body: bytes = b"") -> dict[str, Any]:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=_SECONDS)
        try:
            headers = {HEADER: "1", "Cookie": f"{COOKIE}={self._token}"}
            connection.request(method, f"{path}?{urlencode(query)}", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as exc:
            raise _not_running() from exc
        finally:
            connection.close()
        if answer.status not in {200, 409}:
            raise _not_running()
        value: dict[str, Any] = json.loads(content)
        if answer.status == 409:
            raise AgentError(value["code"], value["zh"], value["en"])
        return value

    def _title(self, one: dict[str, Any]) -> str:
        return str(one["title_en" if self._en else "title_zh"] or one["message_type"] or one["purpose"])

    def _of(self, one: dict[str, Any]) -> str:
        return str(one["en" if self._en else "zh"])

    def _say(self, zh: str, en: str) -> str:
        return en if self._en else zh

    def _line(self, zh: str, en: str, value: str) -> None:
        print(f"{self._say(zh, en)}: {value}")


def _not_running() -> AgentError:
    return AgentError(
        "not-running",
        "代理没有在运行（或本页已停用），请先 tongguan-agent run。",
        "No agent runs here (or its page is off): start it with tongguan-agent run.",
    )
