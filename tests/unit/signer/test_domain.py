"""Which key may sign what for whom."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runtime.actor import Actor
from services.signer import domain
from tests.unit.signer.conftest import NOW

TENANT = str(uuid.uuid4())
CODE = "91440300MA5EXAMPLA"
ACTOR = Actor(TENANT, CODE, "u", "张三", permissions=("document.declare",))
FACTS = domain.Facts("CEB303Message", (), CODE, "DXP1", (frozenset({CODE, "无"}), frozenset({CODE})))
SUBMISSION = domain.Submission("e", ACTOR, "token", "m", "order", "CEB303Message", CODE, "DXP1", 2, b"")
KEY = domain.Key(
    tenant_id=TENANT,
    id=str(uuid.uuid4()),
    enterprise_code=CODE,
    label="一号密钥",
    algorithm="rsa-sha1",
    device_kind="pkcs11",
    device="d",
    hardware=True,
    certificate=b"",
    serial="1",
    fingerprint="f",
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=1),
    active=True,
)


def judged(
    key: domain.Key | None = KEY, facts: domain.Facts = FACTS, actor: Actor = ACTOR, **changes: Any
) -> str | None:
    submission = replace(SUBMISSION, actor=actor, **changes)
    refusal = domain.judge(submission, facts, key, NOW)
    if refusal is None:
        return None
    assert refusal.zh != refusal.en
    assert any("\u4e00" <= sign <= "\u9fff" for sign in refusal.zh)
    return refusal.code


def test_a_right_message_is_signed() -> None:
    assert judged() is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"actor": replace(ACTOR, permissions=("document.read",))}, "not-permitted"),
        ({"actor": replace(ACTOR, kinds=("booking",))}, "not-permitted"),
        ({"actor": replace(ACTOR, enterprise_code="other")}, "wrong-enterprise"),
        ({"facts": replace(FACTS, message_type="CEB603Message")}, "wrong-type"),
        ({"facts": replace(FACTS, cop_code="4400000001")}, "wrong-sender"),
        ({"facts": replace(FACTS, dxp_id="DXP2")}, "wrong-dxp"),
        ({"documents": 3}, "document-count"),
        ({"documents": 0, "facts": replace(FACTS, parties=())}, "document-count"),
        ({"documents": 101, "facts": replace(FACTS, parties=FACTS.parties[:1] * 101)}, "document-count"),
        ({"facts": replace(FACTS, parties=(frozenset({CODE}), frozenset({"无", "x"})))}, "foreign-document"),
        ({"facts": replace(FACTS, parties=(frozenset(), frozenset({CODE})))}, "foreign-document"),
        ({"key": None}, "no-key"),
        ({"key": replace(KEY, enterprise_code="other")}, "wrong-key"),
        ({"key": replace(KEY, tenant_id=str(uuid.uuid4()))}, "wrong-key"),
        ({"key": replace(KEY, algorithm="hmac-sha1")}, "algorithm-unknown"),
        ({"key": replace(KEY, not_before=NOW + timedelta(seconds=1))}, "certificate-not-yet-valid"),
        ({"key": replace(KEY, not_after=NOW - timedelta(seconds=1))}, "certificate-expired"),
    ],
)
def test_refusals(arguments: dict[str, Any], code: str) -> None:
    assert judged(**arguments) == f"sign.{code}"


@pytest.mark.parametrize("value", ["", "x", "../a", TENANT.upper(), TENANT.replace("-", ""), f"{{{TENANT}}}"])
def test_only_plain_uuids_are_uuids(value: str) -> None:
    assert not domain.is_uuid(value)
    assert domain.is_uuid(TENANT)


@pytest.mark.parametrize("value", ["", "Order", "a.b", "a#", "*", "order\n", "x" * 60])
def test_only_plain_words_are_kinds(value: str) -> None:
    assert not domain.is_kind(value)
    assert domain.is_kind("order_9710")
