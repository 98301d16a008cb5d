"""A customer's own program at the HTTP API: imports, declares, asks for states, and does not give up.

Repeats what got no answer, 503 or "still working on it" with the same Idempotency-Key, and signs in again when its
session is gone; so a fault in between must not show in the result. Must never look into a database.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.eventually import eventually
from tests.support.people import Visitor, strategy
from tests.support.stack import Stack

PAGE = 200
#: ids one action may name
BATCH = 1000


class Refused(Exception):
    """The API said no, for good. `problem`: its reason."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem}")
        self.status = status
        self.problem = problem


@dataclass(slots=True)
class Troubles:
    """What a program met and overcame, by kind; several threads may count."""

    seen: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, kind: str) -> None:
        with self._lock:
            self.seen[kind] = self.seen.get(kind, 0) + 1


class Filer:
    """One program of one tenant, for one thread. `patience`: seconds until a request that fails again and again
    is given up."""

    def __init__(
        self, stack: Stack, tenant: str, patience: float = 30.0, troubles: Troubles | None = None
    ) -> None:
        self._stack = stack
        self._user = stack.user(tenant, "declarant")
        self._patience = patience
        self.strategy = strategy(stack, tenant)
        self.troubles = troubles or Troubles()
        self.visitor = Visitor(stack)
        self._sign_in()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON. Raises Refused for a refusal, AssertionError when patience ends."""
        if method != "GET":
            options["headers"] = {"Idempotency-Key": str(uuid.uuid4())}
        pause = threading.Event()
        limit = time.monotonic() + self._patience
        while True:
            trouble, wait = "no answer", 0.2
            try:
                answer = self.visitor.call(method, path, **options)
                if answer.ok:
                    return answer.json()
                trouble = f"{answer.status_code}"
                if answer.status_code == 401:
                    self._sign_in()
                elif answer.status_code == 503 or (
                    answer.status_code == 409 and "Retry-After" in answer.headers
                ):
                    wait = float(answer.headers.get("Retry-After", "1"))
                else:
                    raise Refused(answer.status_code, answer.json())
            except requests.RequestException as exc:
                trouble = type(exc).__name__
            self.troubles.count(trouble)
            if time.monotonic() > limit:
                raise AssertionError(f"{method} {path}: given up after {self._patience} s; last: {trouble}")
            pause.wait(wait)

    def import_orders(self, workbook: bytes, timeout: float = 120.0) -> dict[str, Any]:
        """Import a workbook; answers the import when it has ended, whatever came of it."""
        form = {"kind": "order", "strategy": self.strategy}
        file = ("orders.xlsx", workbook, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        started = self.call("POST", "/imports", data=form, files={"file": file})

        def finished() -> Any:
            found = self.call("GET", f"/imports/{started['id']}")
            return found if found["state"] in ("done", "checked", "failed") else None

        found: dict[str, Any] = eventually(finished, "the import ends", timeout, 0.2)
        return found

    def documents(self, **wanted: str) -> Iterator[dict[str, Any]]:
        """All orders that a query finds, page by page."""
        cursor = ""
        while True:
            query = {**wanted, "page_size": str(PAGE), **({"cursor": cursor} if cursor else {})}
            page = self.call("GET", "/documents/order", params=query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def declare(self, ids: Sequence[str], per_message: int) -> list[dict[str, Any]]:
        """File up to BATCH orders; an answer for each."""
        body = {"ids": list(ids), "documents_per_message": per_message}
        results: list[dict[str, Any]] = self.call("POST", "/documents/order/actions/declare", json=body)[
            "results"
        ]
        return results

    def _sign_in(self) -> None:
        """Also after a fault took the session; whoever cannot sign in now tries again with the next call."""
        self.visitor.http.cookies.clear()
        try:
            answer = self.visitor.sign_in(self._user["username"], self._user["password"])
        except requests.RequestException:
            # half an answer may have brought the new cookie without the token that belongs to it
            self.visitor.http.cookies.clear()
            return
        if answer.status_code not in (200, 503):
            raise Refused(answer.status_code, answer.json())
