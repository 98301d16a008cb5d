"""What a test tells the simulated customs to do, and asks of it."""

from __future__ import annotations

import base64
from typing import Any

import requests

from tests.support.stack import Stack


class Customs:
    """The simulated customs' control address."""

    def __init__(self, stack: Stack) -> None:
        self.url = f"{stack['simulator_url']}/control"
        self.http = requests.Session()
        self.http.trust_env = False

    def tell(self, what: str, **how: Any) -> None:
        answer = self.http.post(f"{self.url}/{what}", json=how, timeout=30)
        assert answer.ok, answer.text

    def slowly(self, seconds: float) -> None:
        """Every answer this much later, so that a person can watch the states change."""
        self.tell("faults", delay_ms=int(seconds * 1000))

    def reject(self, prefix: str, reason: str, code: str = "100") -> None:
        """Refuse documents whose number begins like this."""
        self.tell("script", rules=[{"prefix": prefix, "outcome": "reject", "code": code, "reason": reason}])

    def decides(self, prefix: str, code: str) -> None:
        """Documents whose number begins like this end in this status."""
        self.tell("script", rules=[{"prefix": prefix, "outcome": "accept", "code": code}])

    def as_usual(self) -> None:
        self.tell("faults")
        self.tell("script", rules=[])

    def knows(self, number: str) -> list[dict[str, Any]]:
        """Every version of a document that customs has, with its verdict."""
        answer = self.http.get(f"{self.url}/documents", params={"number": number}, timeout=30)
        found: list[dict[str, Any]] = answer.json()
        return found

    def message_about(self, number: str) -> bytes:
        """The last message with this document, exactly as it arrived."""
        messages = self.http.get(f"{self.url}/messages", params={"raw": "true"}, timeout=30).json()
        bodies = [base64.b64decode(message["raw"]) for message in messages]
        return next(body for body in reversed(bodies) if number.encode() in body)
