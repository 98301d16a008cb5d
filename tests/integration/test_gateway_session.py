"""Signing in and out over real HTTP: what is refused, how, and that nobody learns which names exist."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from sqlalchemy import text

from runtime.db import Database
from runtime.errors import Problem
from services.gateway.config import HttpConfig
from services.gateway.http import sessions
from tests.support.people import Visitor, a_number, new_user, same_refusal, signed_in, tenant_id
from tests.support.stack import Stack


def test_signing_in_tells_who_i_am_and_sets_a_careful_cookie(stack: Stack) -> None:
    visitor = signed_in(stack, "A", "declarant")
    me = visitor.me
    assert me["user"]["username"] == stack.user("A", "declarant")["username"]
    assert me["tenant"]["id"] == tenant_id(stack, "A")
    assert "document.declare" in me["permissions"]
    assert me["client"] is None
    (cookie,) = visitor.http.cookies
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Strict"
    assert cookie.value is not None
    assert cookie.value.startswith(me["tenant"]["id"] + ".")
    again = visitor.get("/session").json()
    assert again == me


def test_signing_out_ends_the_session_for_good(stack: Stack) -> None:
    visitor = signed_in(stack, "A", "declarant")
    cookie = visitor.http.cookies.get_dict()
    assert visitor.delete("/session").status_code == 204
    visitor.http.cookies.update(cookie)
    assert visitor.get("/session").status_code == 401


def test_signing_in_again_ends_the_session_before(stack: Stack) -> None:
    visitor = signed_in(stack, "A", "declarant")
    before = dict(visitor.http.cookies)
    user = stack.user("A", "enterprise_admin")
    assert visitor.sign_in(user["username"], user["password"]).status_code == 200
    old = Visitor(stack)
    old.http.cookies.update(before)
    assert old.get("/session").status_code == 401


def test_wrong_password_and_unknown_name_look_alike(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    times: dict[str, float] = {}
    answers = {}
    for name in (user["username"], "nobody-" + a_number()):
        started = time.perf_counter()
        answers[name] = Visitor(stack).sign_in(name, "wrong")
        times[name] = time.perf_counter() - started
    wrong, unknown = answers.values()
    assert wrong.status_code == 401
    assert same_refusal(wrong, unknown)
    # both pay for one password check; anything near zero would give the name away
    slow, fast = max(times.values()), min(times.values())
    assert fast > slow / 5


@pytest.mark.parametrize("known", [True, False])
def test_five_failures_lock_the_account_whether_it_exists_or_not(stack: Stack, known: bool) -> None:
    user = (
        new_user(stack, "A", "declarant") if known else {"username": "nobody-" + a_number(), "password": "x"}
    )
    answers = [Visitor(stack).sign_in(user["username"], "wrong") for _ in range(5)]
    assert [item.status_code for item in answers] == [401, 401, 401, 401, 429]
    right = Visitor(stack).sign_in(user["username"], user["password"])
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 15 * 60
    assert "分钟" in right.json()["detail"]


def test_many_attempts_at_once_do_not_get_past_the_limit(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    with ThreadPoolExecutor(12) as pool:
        codes = list(
            pool.map(lambda _: Visitor(stack).sign_in(user["username"], "wrong").status_code, range(24))
        )
    # two checks may be under way when the fifth failure is counted
    assert codes.count(401) <= 6
    assert set(codes) <= {401, 429}


def test_a_success_forgets_the_failures(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    for _ in range(2):
        for _ in range(4):
            assert Visitor(stack).sign_in(user["username"], "wrong").status_code == 401
        assert Visitor(stack).sign_in(user["username"], user["password"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"username": "x"}, "/password", "required"),
        ({"username": "x", "password": "y" * 10_000}, "/password", "too-long"),
        ({"username": "x" * 101, "password": "y"}, "/username", "too-long"),
        ({"username": "", "password": "y"}, "/username", "too-short"),
        ({"username": 1, "password": "y"}, "/username", "not-text"),
        ({"username": ["x"], "password": "y"}, "/username", "not-text"),
        ({"username": None, "password": "y"}, "/username", "null"),
        ({"username": "x", "password": "y", "role": "platform_admin"}, "/role", "unknown"),
        ({"username": "x", "password": "y", "tenant_id": "1"}, "/tenant_id", "unknown"),
    ],
)
def test_wrong_input_is_named_and_passwords_are_not_repeated(
    stack: Stack, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = Visitor(stack).post("/session", json=body)
    assert answer.status_code == 422
    assert [(item["pointer"], item["code"]) for item in answer.json()["errors"]] == [(pointer, code)]
    assert "yyy" not in answer.text


def test_a_password_is_the_same_however_it_is_typed(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant", "passé 密码 Ⅷ")
    assert Visitor(stack).sign_in(user["username"].upper() + " ", "passe\u0301 密码 Ⅷ").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
def test_writes_from_other_sites_are_refused(stack: Stack, origin: str) -> None:
    visitor = signed_in(stack, "A", "declarant")
    answer = visitor.post("/documents/order", json=visitor.order(), headers={"Origin": origin})
    assert answer.status_code == 403
    user = stack.user("A", "declarant")
    body = {"username": user["username"], "password": user["password"]}
    assert Visitor(stack).post("/session", json=body, headers={"Origin": origin}).status_code == 403
    same = visitor.post("/documents/order", json=visitor.order(), headers={"Origin": visitor.root})
    assert same.status_code == 201


def test_no_other_site_may_read_what_a_session_sees(stack: Stack) -> None:
    visitor = signed_in(stack, "A", "declarant")
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-CSRF-Token"}
    for origin in ("https://evil.example", "null"):
        for answer in (
            visitor.get("/devices", headers={"Origin": origin}),
            visitor.get("/session", headers={"Origin": origin}),
            visitor.call("OPTIONS", "/documents/order", headers={"Origin": origin, **asks}),
        ):
            assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []


@pytest.mark.parametrize("token", [None, "", "x", "中", "other"])
def test_writes_need_the_sessions_own_token(stack: Stack, token: str | None) -> None:
    visitor, other = signed_in(stack, "A", "declarant"), signed_in(stack, "A", "declarant")
    sent = other.me["csrf_token"] if token == "other" else token
    visitor.http.headers["X-CSRF-Token"] = sent.encode() if sent is not None else None  # type: ignore[assignment]
    answer = visitor.post("/documents/order", json=visitor.order())
    assert answer.status_code == 403
    assert "X-CSRF-Token" in answer.json()["detail"]
    assert visitor.get("/session").status_code == 200


def test_json_must_be_called_json(stack: Stack) -> None:
    visitor = signed_in(stack, "A", "declarant")
    for path in ("/session", "/documents/order"):
        answer = visitor.post(
            path, data='{"username": "a", "password": "b"}', headers={"Content-Type": "text/plain"}
        )
        assert answer.status_code == 415


@pytest.mark.parametrize("change", ["tenant", "secret", "empty", "long", "garbage"])
def test_a_made_up_cookie_is_nobody(stack: Stack, change: str) -> None:
    visitor = signed_in(stack, "A", "declarant")
    tenant, secret = str(visitor.http.cookies["tongguan_session"]).split(".")
    made = {
        "tenant": f"{tenant_id(stack, 'B')}.{secret}",
        "secret": f"{tenant}.{secret[::-1]}",
        "empty": "",
        "long": f"{tenant}.{'x' * 3000}",
        "garbage": "%00%ff.{}",
    }[change]
    thief = Visitor(stack)
    thief.http.headers["Cookie"] = f"tongguan_session={made}"
    assert thief.get("/session").status_code == 401


def test_a_wrong_belief_about_the_tenant_stops_the_call_and_is_recorded(stack: Stack) -> None:
    visitor, admin = signed_in(stack, "A", "declarant"), signed_in(stack, "A", "enterprise_admin")
    believed = {"X-Tenant-Id": tenant_id(stack, "B")}
    assert visitor.get("/documents/order", headers=believed).status_code == 403
    right = {"X-Tenant-Id": tenant_id(stack, "A")}
    assert visitor.get("/documents/order", headers=right).status_code == 200
    rows = admin.get("/audit?page_size=20").json()["items"]
    assert any(row["what"] == "refused" and row["detail"].get("right") == "tenant-header" for row in rows)


def test_a_disabled_user_is_out_at_the_next_request(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    assert visitor.sign_in(user["username"], user["password"]).status_code == 200
    database = Database(stack.environment("gateway.http")["DATABASE_URL"], pool_size=1)
    with database.transaction(tenant_id(stack, "A")) as connection:
        connection.execute(text("UPDATE users SET state = 'disabled' WHERE id = :id"), {"id": user["id"]})
    database.close()
    assert visitor.get("/session").status_code == 401
    assert Visitor(stack).sign_in(user["username"], user["password"]).status_code == 401


def test_sign_ins_and_lockouts_stand_in_the_trail(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    for _ in range(5):
        Visitor(stack).sign_in(user["username"], "wrong")
    admin = signed_in(stack, "A", "enterprise_admin")
    mine = [row for row in admin.get("/audit?page_size=50").json()["items"] if row["user_id"] == user["id"]]
    assert [(row["what"], row["outcome"]) for row in mine[:2]] == [
        ("lockout", "refused"),
        ("sign-in", "refused"),
    ]
    assert len([row for row in mine if row["what"] == "sign-in"]) == 5


def config(redis_url: str, **changes: int) -> HttpConfig:
    limits = {
        "session_idle": 100, "session_absolute": 1000, "lockout_failures": 3, "lockout_time": 60,
        "address_failures": 5, **changes,
    }  # fmt: skip
    fields: dict[str, Any] = dict.fromkeys(HttpConfig.__dataclass_fields__)
    return HttpConfig(**{**fields, "redis_url": redis_url, **limits})


TENANT = "01a1f9d3-2cb8-7000-8000-00eb7e545763"


def test_sessions_end_by_age_and_keep_only_hashes(servers: dict[str, Any]) -> None:
    now = [1_000_000.0]
    found = sessions.Sessions(config(servers["redis_url"]), lambda: now[0])
    ticket = found.open(TENANT, "user")
    raw = redis.Redis.from_url(servers["redis_url"], decode_responses=True)
    keys = [key for key in raw.scan_iter("*") if "session" in key]
    assert keys
    assert all(key.startswith("t:") for key in raw.scan_iter("*"))
    assert all(ticket.secret not in key and ticket.secret not in str(raw.get(key)) for key in keys)
    assert ticket.csrf not in str([raw.get(key) for key in keys])
    assert 0 < raw.ttl(sessions.key(TENANT, "session", keys[0].rsplit(":", 1)[1])) <= 100
    assert found.find(ticket.cookie) == ticket
    now[0] += 1001
    assert found.find(ticket.cookie) is None
    now[0] -= 1001
    assert found.find(ticket.cookie) is None


def test_only_somebody_at_work_keeps_a_session_alive(stack: Stack) -> None:
    visitor = signed_in(stack, "A", "declarant")
    life = visitor.me["session"]
    assert life["idle_left"] == life["idle_seconds"]
    assert datetime.fromisoformat(life["ends_at"]) > datetime.now(UTC)
    tenant, secret = str(visitor.http.cookies["tongguan_session"]).split(".")
    raw = redis.Redis.from_url(stack.environment("gateway.http")["REDIS_URL"])
    name = sessions.key(tenant, "session", hashlib.sha256(secret.encode()).hexdigest())

    raw.expire(name, 60)
    polling = {"X-Background": "1"}
    for path in ("/session", "/documents/order", "/preferences"):
        assert visitor.get(path, headers=polling).status_code == 200
    with visitor.get("/events", stream=True) as stream:
        next(stream.iter_lines())
    assert raw.ttl(name) <= 60
    told = visitor.get("/session", headers=polling).json()["session"]
    assert 0 < told["idle_left"] <= 60
    assert told["ends_at"] == life["ends_at"]
    visitor.get("/preferences")
    assert raw.ttl(name) > 60

    raw.delete(name)
    assert visitor.get("/session", headers=polling).status_code == 401


def test_stepping_renews_the_csrf_token_and_never_revives(servers: dict[str, Any]) -> None:
    found = sessions.Sessions(config(servers["redis_url"]))
    ticket = found.open(TENANT, "user")
    renewed = found.renew(ticket, "mandate")
    assert renewed.csrf != ticket.csrf
    assert found.find(ticket.cookie) == renewed
    found.close(ticket)
    with pytest.raises(Problem) as caught:
        found.renew(ticket, None)
    assert caught.value.status == 401
    assert found.find(ticket.cookie) is None


def test_failures_are_counted_per_name_and_per_address(servers: dict[str, Any]) -> None:
    found = sessions.Sessions(config(servers["redis_url"]))
    place = a_number("place")
    for number in range(5):
        found.guard(f"name{number}", place)
        found.failed(f"name{number}", place)
    with pytest.raises(Problem) as caught:
        found.guard("somebody else", place)
    assert caught.value.status == 429
    assert caught.value.retry_after
    found.guard("somebody else", a_number("place"))


def test_without_redis_nobody_is_signed_in() -> None:
    found = sessions.Sessions(config("redis://127.0.0.1:1/0"))
    for attempt in (
        lambda: found.find(f"{TENANT}.{'x' * 43}"),
        lambda: found.guard("name", "place"),
        lambda: found.open(TENANT, "user"),
    ):
        with pytest.raises(Problem) as caught:
            attempt()
        assert caught.value.status == 503
