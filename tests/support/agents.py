"""An agent as its own process, with a state folder of its own, and what a person at its PC does."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from agent.page.server import COOKIE, FILE, HEADER
from tests.support.agent_service import Service
from tests.support.cards import Card, Reader
from tests.support.eventually import eventually
from tools.paths import ROOT

#: quick, so that tests are
SETTINGS = """
[page]
port = 0
[cards]
poll_seconds = 0.2
look_seconds = 10.0
login_seconds = 10.0
sign_seconds = 5.0
[link]
retry_seconds = 1.0
connect_seconds = 2.0
refused_seconds = 0.5
"""


#: what a busy machine may take for anything that is not about time, in seconds
PATIENCE = 60.0
T = TypeVar("T")


def soon(condition: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
    """`eventually`, with an agent's patience."""
    return eventually(condition, what, timeout)


@dataclass
class Agent:
    """settings: more of agent.toml. base: its beginning."""

    state: Path
    settings: str = ""
    base: str = SETTINGS
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.state.mkdir(parents=True)
        self.configure(self.settings)

    @property
    def output(self) -> Path:
        return self.state.with_name(f"{self.state.name}.out")

    @property
    def crash_file(self) -> Path:
        return self.state.with_name(f"{self.state.name}.crash")

    @property
    def agent_id(self) -> str:
        identity: dict[str, str] = json.loads((self.state / "identity.json").read_text())
        return identity["agent_id"]

    def configure(self, settings: str) -> None:
        (self.state / "agent.toml").write_text(self.base + settings)

    def command(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """`tongguan-agent …` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "agent", "--state", str(self.state), *words],
            input=stdin, capture_output=True, check=False, cwd=ROOT, timeout=60,
        )  # fmt: skip

    def enrol(self, invitation: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        file = self.state.with_name(f"{self.state.name}-enrolment.json")
        file.write_text(json.dumps(invitation))
        return self.command("enrol", "--file", str(file))

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "dev", "-m", "agent", "--state", str(self.state), "run"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT,
                env=os.environ | {"TONGGUAN_AGENT_CRASH_FILE": str(self.crash_file)} | self.environment,
            )  # fmt: skip
        return self.process

    def start(self) -> Agent:
        """Spawned, and its page can be asked."""
        self.spawn()
        soon(lambda: (self.state / FILE).exists() or self.ended, "the agent's page")
        return self

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """As the power does; what it left of its page's address is no use."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        (self.state / FILE).unlink(missing_ok=True)

    def stop(self) -> int:
        """As the system does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            # says where its threads are (-X dev), and is no more
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(10)
            raise

    def died(self, timeout: float = PATIENCE) -> int:
        """Waits for an end of its own (a crash point)."""
        assert self.process is not None
        code = self.process.wait(timeout)
        (self.state / FILE).unlink(missing_ok=True)
        return code

    # the page

    def page(self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b"") -> Any:
        """(status, JSON) of the page's own calls."""
        where = json.loads((self.state / FILE).read_text())
        connection = http.client.HTTPConnection("127.0.0.1", where["port"], timeout=30)
        with contextlib.closing(connection):
            headers = {HEADER: "1", "Cookie": f"{COOKIE}={where['token']}"}
            connection.request(method, f"{path}?{urlencode(query or {})}", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    @property
    def shown(self) -> Any:
        """All that the page shows."""
        return self.page("GET", "/api/state")[1]

    def card(self, fingerprint: str) -> dict[str, Any]:
        """Empty if it is not shown."""
        return next((card for card in self.shown["cards"] if card["fingerprint"] == fingerprint), {})

    def pin(self, fingerprint: str, pin: str, *, low: bool = False) -> Any:
        """(status, JSON) of typing a PIN."""
        return self.page("POST", "/api/pin", {"card": fingerprint, "low": "1" if low else "0"}, pin.encode())

    def logged_in(self, fingerprint: str, pin: str) -> None:
        """The card is there and its PIN right."""
        soon(lambda: self.card(fingerprint), "the card is seen")
        status, answer = self.pin(fingerprint, pin)
        assert status == 200, answer

    def modules(self) -> list[int]:
        """Process ids of its modules' processes, oldest first."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, IndexError):
                if folder.name.isdigit() and b"agent.cards.child" in (folder / "cmdline").read_bytes():
                    facts = (folder / "stat").read_text().rpartition(") ")[2].split()
                    if int(facts[1]) == self.pid and facts[0] != "Z":
                        found.append((int(facts[19]), int(folder.name)))
        return [pid for _, pid in sorted(found)]

    def uses(self, request_id: str) -> int:
        """How often the card was used for a request, as the journal has it."""
        with contextlib.closing(sqlite3.connect(self.state / "journal.sqlite")) as connection:
            rows = connection.execute("SELECT uses FROM entry WHERE request_id = ?", (request_id,)).fetchall()
        return sum(count for (count,) in rows)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.state / "agent.log").read_text().splitlines()]


def enrolled(
    folder: Path, service: Service, *readers: Reader, address: str = "", settings: str = ""
) -> Agent:
    """An agent with an identity, not started."""
    modules = "".join(reader.settings(reader.folder.name) for reader in readers)
    agent = Agent(folder, settings + modules)
    done = agent.enrol(service.invite(address))
    assert done.returncode == 0, done.stderr.decode()
    return agent


def ready(agent: Agent, service: Service, reader: Reader, card: Card) -> Agent:
    """The agent started, the card in and logged in, and the service told."""
    reader.insert(card)
    agent.start()
    agent.logged_in(card.fingerprint, card.pin)
    soon(lambda: service.card_state(card.fingerprint) == "ready", "the card is announced as ready")
    return agent
