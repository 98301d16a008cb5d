"""Who may do what, as the business sees it: the expected answers stand here, not in the table under test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.tenants import domain
from services.gateway.tenants.domain import Enterprise, Mandate, Person, Standing

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORK = {
    "document.read",
    "document.write",
    "document.delete",
    "document.declare",
    "document.import",
    "document.export",
    "message.read",
    "key.read",
}


def person(*roles: str) -> Person:
    enterprise = Enterprise("91610131MA6TTTTT01", "6101960AAA", "测试", "TST", "DXPENT0000000001", "amqp")
    return Person("user", "name", "张三", roles, "home", "测试", "enterprise", enterprise)


def mandate(*actions: str, kinds: tuple[str, ...] = ("order",), **changes: datetime | None) -> Mandate:
    dates = {"valid_from": NOW - timedelta(days=1), "valid_to": NOW + timedelta(days=1), "revoked_at": None}
    return Mandate("m", "client", "客户", "home", "代理", kinds, actions, **{**dates, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("declarant", WORK),
        (
            "enterprise_admin",
            WORK
            | {"key.activate", "agent.read", "agent.manage", "user.card"}
            | {"user.read", "mandate.read", "mandate.revoke", "audit.read", "tenant.read"},
        ),
        ("broker", set()),
        ("provider_admin", {"tenant.read"}),
        ("platform_admin", {"tenant.read"}),
        ("root", set()),
        ("", set()),
    ],
)
def test_a_role_has_exactly_these_permissions(role: str, expected: set[str]) -> None:
    assert set(Standing(person(role)).permissions) == expected


def test_no_admin_of_ours_reads_documents() -> None:
    for role in ("provider_admin", "platform_admin"):
        actor = Standing(person(role)).actor("r")
        assert not any(item.startswith(("document.", "key.", "message.")) for item in actor.permissions)


def test_inside_a_client_the_mandate_alone_decides() -> None:
    standing = Standing(person("broker", "enterprise_admin"), mandate("read", "declare"))
    assert set(standing.permissions) == {"document.read", "document.declare"}
    actor = standing.actor("r")
    assert actor.tenant_id == "client"
    assert actor.home_tenant_id == "home"
    assert actor.may("document.read", "order")
    assert not actor.may("document.read", "booking")
    assert "代理" in actor.label


@pytest.mark.parametrize("action", ["user.read", "key.activate", "document.read", "*", "", "mandate.revoke"])
def test_a_mandate_cannot_name_more_than_a_declarants_work(action: str) -> None:
    assert Standing(person("broker"), mandate(action)).permissions == ()


def test_an_actor_carries_what_the_enterprise_is() -> None:
    seller = Enterprise(
        "91610131MA6TTTTT00", "6101960AAA", "测试", "TST", "DXPENT0000000001", "amqp", ("ecommerce",)
    )
    employee = replace(person("declarant"), enterprise=seller)
    assert Standing(employee).actor("r").enterprise_kinds == ("ecommerce",)
    assert Standing(replace(employee, enterprise=None)).actor("r").enterprise_kinds == ()


def test_a_broker_acts_as_the_client_is_and_as_its_agent() -> None:
    client = Enterprise(
        "91610131MA6TTTTT18", "6101960BBB", "客户", "KHU", "DXPENT0000000002", "amqp", ("logistics",)
    )
    inside = Standing(person("broker"), mandate("declare"), client)
    assert inside.actor("r").enterprise_kinds == ("logistics", "agent")
    twice = Standing(person("broker"), mandate("declare"), replace(client, kinds=("agent", "ecommerce")))
    assert twice.actor("r").enterprise_kinds == ("agent", "ecommerce")


def test_an_ended_mandate_leaves_nothing() -> None:
    standing = Standing(person("declarant"), mandate_ended=True)
    assert standing.permissions == ()


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        ({}, True),
        ({"valid_from": NOW}, True),
        ({"valid_from": NOW + timedelta(seconds=1)}, False),
        ({"valid_to": NOW}, False),
        ({"valid_to": NOW + timedelta(microseconds=1)}, True),
        ({"revoked_at": NOW}, False),
    ],
)
def test_a_mandate_lives_between_its_dates_until_revoked(changes: dict[str, datetime], live: bool) -> None:
    assert mandate("read", **changes).live(NOW) is live


def test_names_and_passwords_have_one_spelling() -> None:
    assert domain.username("  Zoe\u0301 ") == domain.username("ZOÉ")
    assert domain.password("e\u0301") == domain.password("é")
    assert domain.password(" x ") == " x "
