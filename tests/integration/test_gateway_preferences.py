"""A person's own settings: kept for them and nobody else, wherever they act; bad ones are refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway.tenants import preferences
from tests.support.people import Visitor, new_user, signed_in, tenant_id
from tests.support.stack import Stack


@pytest.fixture
def person(stack: Stack) -> Iterator[Visitor]:
    """Somebody of tenant A without any settings yet."""
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    assert visitor.sign_in(user["username"], user["password"]).ok
    yield visitor
    visitor.delete("/session")


def test_what_is_set_up_is_found_again_after_signing_in_again(stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    visitor.sign_in(user["username"], user["password"])
    assert visitor.get("/preferences").json() == {"items": {}}
    columns = [{"name": "orderNo", "width": 180, "pinned": True}, {"name": "note", "width": None}]
    answer = visitor.put("/preferences/columns.a5-query", json={"value": columns})
    assert (answer.status_code, answer.json()) == (200, {"name": "columns.a5-query", "value": columns})
    for name, value in (("density", "dense"), ("menu.folded", True), ("page-size", 50), ("nothing", None)):
        assert visitor.put(f"/preferences/{name}", json={"value": value}).ok
    visitor.put("/preferences/density", json={"value": "舒适"})
    visitor.delete("/session")

    again = Visitor(stack)
    again.sign_in(user["username"], user["password"])
    assert again.get("/preferences").json()["items"] == {
        "columns.a5-query": columns,
        "density": "舒适",
        "menu.folded": True,
        "page-size": 50,
        "nothing": None,
    }
    assert again.delete("/preferences/density").status_code == 204
    assert again.delete("/preferences/density").status_code == 204
    assert "density" not in again.get("/preferences").json()["items"]


def test_nobody_else_finds_or_loses_them(stack: Stack, person: Visitor) -> None:
    person.put("/preferences/theme", json={"value": "mine alone"})
    for tenant, role in (("A", "declarant"), ("B", "enterprise_admin")):
        other = signed_in(stack, tenant, role)
        assert "mine alone" not in other.get("/preferences").text
        other.put("/preferences/theme", json={"value": "theirs"})
        other.delete("/preferences/theme")
    assert person.get("/preferences").json()["items"] == {"theme": "mine alone"}


def test_a_broker_has_the_same_ones_at_home_and_inside_a_client(stack: Stack) -> None:
    broker = signed_in(stack, "C", "broker")
    broker.put("/preferences/density", json={"value": "dense"})
    assert broker.step_into(tenant_id(stack, "A")).ok
    assert broker.get("/preferences").json()["items"]["density"] == "dense"
    broker.put("/preferences/keys", json={"value": {"save": "Alt+X"}})
    assert broker.step_into(None).ok
    found = broker.get("/preferences").json()["items"]
    assert found["keys"] == {"save": "Alt+X"}
    for name in found:
        broker.delete(f"/preferences/{name}")


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "body", "pointer", "code"),
    [
        ("Theme", {"value": 1}, "/name", "preference-name"),
        ("列", {"value": 1}, "/name", "preference-name"),
        ("a" * 81, {"value": 1}, "/name", "preference-name"),
        ("theme", {}, "/value", "required"),
        ("theme", {"value": 1, "user": "x"}, "/user", "unknown"),
        ("theme", {"value": "格" * 5_500}, "/value", "value-large"),
        ("theme", {"value": nested(17)}, "/value", "value-deep"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(
    person: Visitor, name: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    answers = [
        person.put(f"/preferences/{name}", json=body, headers={"Accept-Language": language})
        for language in ("zh-CN", "en")
    ]
    for answer in answers:
        assert answer.status_code == 422
        (wrong,) = answer.json()["errors"]
        assert (wrong["pointer"], wrong["code"]) == (pointer, code)
    zh, en = (answer.json()["errors"][0]["message"] for answer in answers)
    assert en.isascii()
    assert not zh.isascii()
    assert person.get("/preferences").json() == {"items": {}}


def test_numbers_without_end_are_refused(person: Visitor) -> None:
    answer = person.put(
        "/preferences/width", data='{"value": 1e999}', headers={"Content-Type": "application/json"}
    )
    assert answer.json()["errors"][0]["code"] == "value-endless"


def test_the_largest_value_is_kept_exactly(person: Visitor) -> None:
    value = {"z": "格" * 5_400, "a": nested(15), "n": 10**30, "f": 0.1}
    assert len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) <= 16 * 1024
    assert person.put("/preferences/big", json={"value": value}).ok
    found = person.get("/preferences").json()["items"]["big"]
    assert found == value
    assert list(found) == list(value)


def test_a_person_has_so_many_and_no_more(stack: Stack, person: Visitor) -> None:
    for number in range(preferences.LIMIT):
        assert person.put(f"/preferences/n.{number}", json={"value": number}).ok
    full = person.put("/preferences/one-more", json={"value": 1})
    assert full.status_code == 422
    assert full.json()["errors"][0]["code"] == "preferences-full"
    assert person.put("/preferences/n.7", json={"value": "changed"}).ok
    person.delete("/preferences/n.0")
    assert person.put("/preferences/one-more", json={"value": 1}).ok
    assert len(person.get("/preferences").json()["items"]) == preferences.LIMIT
