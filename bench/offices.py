"""Offices of enterprises for bench.agents: each a tenant of its own, a card, an agent as its own process, and a line.

gateway.agents is the real process before a database of its own. Two things are shortened to the rows that they leave:
the tenant and its enterprise, and the confirmation of the card by its holder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runtime.db import Database
from services.gateway.agents import authority, store
from services.gateway.tenants import store as tenants
from services.signer import card_usecases, usecases
from services.signer.store import keys
from tests.support import cards
from tests.support.agents import Agent, soon
from tests.support.cards import Card, Reader
from tests.support.eventually import eventually
from tests.support.line import Line
from tests.support.signing import SignerSide, Tenant
from tests.support.stack import read_environment
from tests.support.tokens import Shim
from tools.paths import ROOT
from tools.stack.running import answers

PIN = "2468-card-pin"
#: the agent as its settings are without a word from anybody, but for the page's port
SETTINGS = "[page]\nport = 0\n"
#: seconds within which an idle line notices that it is cut: fifty of them look about all the time
TICK = 0.2


class Edge:
    """gateway.agents with signer.cards behind it."""

    def __init__(self, side: SignerSide, run_dir: Path) -> None:
        self._environment = os.environ | read_environment(run_dir, "gateway.agents")
        migrate = os.environ | read_environment(run_dir, "gateway.migrate")
        subprocess.run(
            [sys.executable, "-m", "services.gateway", "migrate"], cwd=ROOT, env=migrate, check=True
        )
        side.start("cards", GRPC_LISTEN=self._environment["SIGNER_CARDS_GRPC"])
        self.database = Database(self._environment["DATABASE_URL"], pool_size=2)
        with (side.folder / "agents.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.gateway", "agents"],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip
        eventually(lambda: answers(_port(self._environment["OPS_LISTEN"]), "/readyz"), "gateway.agents", 60)

    @property
    def port(self) -> int:
        """Where agents that are enrolled come in."""
        return _port(self._environment["EDGE_LISTEN"])

    def invite(self, tenant: Tenant, agent_id: str, address: str) -> dict[str, str]:
        """The tenant's rows, and what its administrator downloads for a new agent."""
        code, expires = authority.new_code(), datetime.now(UTC) + timedelta(hours=1)
        row = {"tenant_id": tenant.id, "name": f"企业 {tenant.code}", "kind": "enterprise", "users": 1}
        enterprise = {
            "tenant_id": tenant.id,
            "id": str(uuid.uuid4()),
            "name": row["name"],
            "code": tenant.code,
            "customs_code": "4401960A01",
            "short_code": "BENCH",
            "dxp_id": tenant.dxp_id,
            "channel": "spool",
            "kinds": ["ecommerce"],
        }
        with self.database.transaction(tenant.id) as connection:
            tenants.upsert(connection, "tenants", ("tenant_id",), row)
            tenants.upsert(connection, "enterprises", ("tenant_id", "id"), enterprise)
            hashed = authority.code_hash(code)
            store.add(connection, tenant.id, agent_id, "报关室", hashed, expires, "bench")
        return {
            "address": address,
            "enrol_address": self._environment["ENROL_LISTEN"],
            "authority": Path(self._environment["EDGE_AUTHORITY_FILE"]).read_text(),
            "code": code,
            "expires_at": expires.isoformat(),
        }

    def revoke(self, tenant: Tenant, agent_id: str) -> None:
        """As the page does it."""
        with self.database.transaction(tenant.id) as connection:
            store.revoke(connection, agent_id, "bench", datetime.now(UTC))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        self.database.close()


@dataclass
class Office:
    """One enterprise's desk. agent_id: as the service knows the agent."""

    tenant: Tenant
    card: Card
    shim: Shim
    agent: Agent
    line: Line
    agent_id: str

    def close(self) -> None:
        if not self.agent.ended:
            self.agent.kill()
        self.line.close()


def open_office(side: SignerSide, edge: Edge, folder: Path, milliseconds: int, closing: ExitStack) -> Office:
    """The agent attends, its card is logged in and the active key. milliseconds: that the card takes longer."""
    folder.mkdir()
    tenant, agent_id = Tenant(), str(uuid.uuid4())
    card = cards.make(
        folder / "made", "card", PIN,
        certify=lambda key: cards.certificate_for(key, "card", unit=tenant.code),
    )  # fmt: skip
    reader, shim, line = Reader(folder / "reader"), Shim(folder / "shim"), Line(edge.port, TICK)
    agent = Agent(folder / "agent", reader.settings("reader", shim=shim), SETTINGS)
    office = Office(tenant, card, shim, agent, line, agent_id)
    closing.callback(office.close)
    done = agent.enrol(edge.invite(tenant, agent_id, f"127.0.0.1:{line.port}"))
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    shim.rule("Sign", f"wait {milliseconds}")
    reader.insert(card)
    agent.start()
    agent.logged_in(card.fingerprint, card.pin)
    soon(lambda: _state(side, office) == "ready", "the card is announced as ready")
    _activate(side, office)
    return office


def _state(side: SignerSide, office: Office) -> str:
    rows = side.rows(office.tenant, "SELECT state FROM card")
    return str(rows[0].state) if rows else ""


def _activate(side: SignerSide, office: Office) -> None:
    actor, now = office.tenant.actor(), datetime.now(UTC)
    key_id = card_usecases.register_card(side.database, actor, office.card.fingerprint, "卡", "", now)
    with side.database.transaction(office.tenant.id) as connection:
        # the row of a challenge that the card's holder agreed to
        keys.confirm(connection, key_id, actor.label, now)
    usecases.activate_key(side.database, actor, key_id, now)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
