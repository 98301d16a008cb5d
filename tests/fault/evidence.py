"""What is true after the faults: asked of the pages, of customs' own books, of the databases and of the broker.

Reads only. The databases are read as administrator, past row-level security, because nothing may be left anywhere.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import requests

from runtime.db import Database
from services.signer import usecases
from tests.fault.filing_work import Lot
from tests.support.filer import Filer
from tests.support.people import tenant_id
from tests.support.stack import Stack
from tests.support.verdicts import Books
from tools.servers import rabbitmq

SERVICES = ("order", "signer", "gateway")


class Evidence:
    """Of one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._http = requests.Session()
        self._http.trust_env = False

    # --- customs' side

    def counts(self) -> dict[str, int]:
        """Customs' counters since its books were opened."""
        found: dict[str, int] = self._simulator("counts")
        return found

    def copies(self, lots: list[Lot]) -> Counter[int]:
        """How many orders customs has once, twice, not at all: {copies: orders}."""
        return Counter(
            len(self._simulator("documents", number=number))
            for lot in lots
            for number in lot.numbers.values()
        )

    def _simulator(self, what: str, **query: str) -> Any:
        answer = self._http.get(f"{self._stack['simulator_url']}/control/{what}", params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def faults(self, **board: object) -> None:
        """What customs does wrong from now on; nothing named: nothing."""
        answer = self._http.post(f"{self._stack['simulator_url']}/control/faults", json=board, timeout=30)
        answer.raise_for_status()

    # --- our pages

    def states(self, filer: Filer, lot: Lot) -> Counter[str]:
        """Orders of a lot by state, as the query page shows them."""
        return Counter(item["state"] for item in filer.documents(orderNo=lot.begin))

    # --- what must be empty

    def outboxes(self) -> dict[str, int]:
        """Rows in the outbox of every service."""
        return {name: self._one(name, "SELECT count(*) FROM outbox") for name in SERVICES}

    def backlog(self) -> dict[str, int]:
        """Queues that are not empty."""
        return {name: count for name, count in self.queues().items() if count}

    def queues(self) -> dict[str, int]:
        """Messages in every queue of both virtual hosts, also delivered ones that nobody acknowledged."""
        pid = self._stack.processes()["rabbitmq"]["pid"]
        pairs = (item.partition("=") for item in Path(f"/proc/{pid}/environ").read_text().split("\0"))
        environment = {name: value for name, _, value in pairs if name}
        # the broker's own surroundings, with our start script of Erlang before Debian's
        environment["PATH"] = f"{self._stack.run_dir}/data/rabbitmq/bin:{environment['PATH']}"
        program = str(rabbitmq.installation().rabbit / "sbin/rabbitmqctl")
        found: dict[str, int] = {}
        for host in rabbitmq.VHOSTS:
            command = ["/bin/sh", program, "--quiet", "--formatter", "json", "list_queues", "-p", host]
            done = subprocess.run(
                [*command, "name", "messages"], env=environment, capture_output=True, text=True, check=True
            )
            found |= {f"{host}/{queue['name']}": int(queue["messages"]) for queue in json.loads(done.stdout)}
        return found

    # --- signatures

    def ledger(self, tenant: str) -> usecases.Verdict:
        """The tenant's signing ledger, recomputed."""
        database = Database(self._stack.servers()["databases"]["signer"]["app"], pool_size=1)
        try:
            return usecases.verify_ledger(database, tenant_id(self._stack, tenant))
        finally:
            database.close()

    def messages(self) -> int:
        """Customs messages that the order service made, of all tenants."""
        return self._one("order", "SELECT count(*) FROM message")

    def outcomes(self) -> Counter[tuple[int, int, bool]]:
        """{(signed rows, refused rows, an intent came first): messages} of the ledger."""
        servers = self._stack.servers()
        return Books(servers, servers["databases"]["signer"]["name"]).outcomes()

    def transmissions(self) -> dict[str, int]:
        """Envelopes to customs by state."""
        return dict(self._rows("gateway", "SELECT state, count(*) FROM transmissions GROUP BY state"))

    def _one(self, service: str, query: str) -> int:
        return int(self._rows(service, query)[0][0])

    def _rows(self, service: str, query: str) -> list[Any]:
        servers = self._stack.servers()
        name = servers["databases"][service]["name"]
        with psycopg.connect(servers["postgres_url"], dbname=name, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()
