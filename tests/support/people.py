"""People at the front door: signed-in sessions over HTTP, as browsers and programs have them."""

from __future__ import annotations

import functools
import itertools
import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from runtime.db import Database
from services.gateway.tenants import store
from services.gateway.tenants.usecases import Passwords
from tests.support.stack import Stack

_numbers = itertools.count(1)
TIMEOUT = 30


def a_number(prefix: str = "T") -> str:
    """A document number nobody used before, also not an earlier test run."""
    return f"{prefix}{os.getpid()}-{uuid.uuid4().hex[:8]}-{next(_numbers)}"


class Visitor:
    """A browser that is not signed in, or not yet."""

    def __init__(self, stack: Stack, language: str = "zh-CN") -> None:
        self.url = f"{stack['url']}/api/v1"
        self.root = str(stack["url"])
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Accept-Language"] = language
        self.me: dict[str, Any] = {}

    def sign_in(self, username: str, password: str) -> requests.Response:
        answer = self.post("/session", json={"username": username, "password": password})
        if answer.ok:
            self.know(answer)
        return answer

    def know(self, answer: requests.Response) -> None:
        """Take over what the session's addresses answer: who I am and the CSRF token."""
        self.me = answer.json()
        self.http.headers["X-CSRF-Token"] = self.me["csrf_token"]

    def step_into(self, client_id: str | None) -> requests.Response:
        answer = self.post("/session/client", json={"client_id": client_id})
        if answer.ok:
            self.know(answer)
        return answer

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}{path}"
        return self.http.request(method, url, timeout=TIMEOUT, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.call("POST", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        return self.call("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.call("DELETE", path, **options)

    def order(self, number: str | None = None, **head: str) -> dict[str, Any]:
        """The body of a right 9710 order of this person's enterprise."""
        enterprise = (self.me["client"] or self.me)["enterprise"]
        line = {"itemNo": "8711100010", "itemName": "绿茶", "unit": "035", "currency": "502"}
        return {
            "head": {
                "orderType": "B",
                "orderNo": number or a_number(),
                "ebpCode": "无",
                "ebpName": "海外平台",
                "ebcCode": enterprise["code"],
                "ebcName": enterprise["name"],
                "freight": "0",
                "currency": "502",
                **head,
            },
            "lines": [{**line, "qty": "2", "price": "1.5", "totalPrice": "3.00"}],
        }

    def save_order(self, number: str | None = None, **head: str) -> dict[str, Any]:
        """Save a right order and answer it as the API does."""
        answer = self.post("/documents/order", json=self.order(number, **head))
        assert answer.status_code == 201, answer.text
        saved: dict[str, Any] = answer.json()
        return saved


def signed_in(stack: Stack, tenant: str, role: str, language: str = "zh-CN") -> Visitor:
    """A demo user, signed in."""
    user = stack.user(tenant, role)
    visitor = Visitor(stack, language)
    answer = visitor.sign_in(user["username"], user["password"])
    assert answer.status_code == 200, answer.text
    return visitor


def same_refusal(one: requests.Response, other: requests.Response) -> bool:
    """Whether two refusals tell the caller the same, apart from their trace ids."""
    return (one.status_code, _without_trace(one)) == (other.status_code, _without_trace(other))


def _without_trace(answer: requests.Response) -> Any:
    if "json" not in answer.headers.get("Content-Type", ""):
        return answer.content

    def strip(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: strip(item) for name, item in found.items() if name != "instance"}
        return [strip(item) for item in found] if isinstance(found, list) else found

    return strip(json.loads(answer.content))


def new_user(stack: Stack, tenant: str, role: str, password: str = "a good long password") -> dict[str, str]:
    """One more user of a demo tenant, for tests that spoil an account: {"username", "password", "id"}."""
    database = Database(stack.environment("gateway.http")["DATABASE_URL"], pool_size=1)
    row: dict[str, Any] = {
        "tenant_id": tenant_id(stack, tenant),
        "id": str(uuid.uuid4()),
        "username": f"u-{uuid.uuid4().hex[:12]}",
        "name": "测试员",
        "password_hash": _hash(password),
        "roles": [role],
    }
    try:
        with database.transaction(row["tenant_id"]) as connection:
            store.upsert(connection, "users", ("tenant_id", "id"), row)
    finally:
        database.close()
    return {"username": row["username"], "password": password, "id": row["id"]}


def new_mandate(stack: Stack, **changes: Any) -> str:
    """A further mandate, from B to the broker, for bookings only; its id."""
    now = datetime.now(UTC)
    row = {
        "tenant_id": tenant_id(stack, "B"), "id": str(uuid.uuid4()), "client_name": "B",
        "broker_id": tenant_id(stack, "C"), "broker_name": "C", "kinds": ["booking"], "actions": ["read", "write"],
        "valid_from": now - timedelta(days=1), "valid_to": now + timedelta(days=1), **changes,
    }  # fmt: skip
    database = Database(stack.environment("gateway.http")["DATABASE_URL"], pool_size=1)
    try:
        with database.transaction(row["tenant_id"]) as connection:
            store.upsert(connection, "mandates", ("tenant_id", "id"), row)
    finally:
        database.close()
    return str(row["id"])


@functools.cache
def _hash(password: str) -> str:
    """Hashing is slow on purpose; test users have one password."""
    return Passwords().hash(password)


def tenant_id(stack: Stack, tenant: str) -> str:
    """The id of a demo tenant."""
    return next(user["tenant_id"] for user in stack["users"] if user["tenant"] == tenant)


def strategy(stack: Stack, tenant: str, trade_mode: str = "9710") -> str:
    """The id of a demo tenant's strategy."""
    found: str = next(
        item["id"]
        for item in stack["strategies"]
        if item["tenant"] == tenant and item["trade_mode"] == trade_mode
    )
    return found
