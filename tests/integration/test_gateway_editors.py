"""Two people with one form open know of each other; nobody of another tenant does."""

from __future__ import annotations

import pytest

from services.gateway.config import http_config
from services.gateway.http import document_schemas
from services.gateway.http.editors import LASTING, Editors
from tests.support.people import Visitor, a_number, new_user, signed_in
from tests.support.stack import Stack


def _colleague(stack: Stack) -> Visitor:
    visitor = Visitor(stack)
    user = new_user(stack, "A", "declarant")
    assert visitor.sign_in(user["username"], user["password"]).ok
    return visitor


def test_who_has_the_form_open_is_told_until_they_leave(stack: Stack) -> None:
    clerk, colleague = signed_in(stack, "A", "declarant"), _colleague(stack)
    place = f"/documents/order/{clerk.save_order(a_number('ED'))['id']}/editors"
    alone = clerk.put(place).json()
    document_schemas.EditorsAnswer().load(alone)
    assert [item["me"] for item in alone["items"]] == [True]
    both = colleague.put(place).json()["items"]
    assert [item["me"] for item in both] == [False, True]
    assert both[0]["name"] == clerk.me["user"]["name"]
    assert both[0]["since"] == alone["items"][0]["since"]
    # who leaves is gone at once
    assert clerk.delete(place).status_code == 204
    assert [item["me"] for item in colleague.put(place).json()["items"]] == [True]


def test_another_tenant_sees_nobody_and_shows_itself_to_nobody(stack: Stack) -> None:
    clerk, foreigner = signed_in(stack, "A", "declarant"), signed_in(stack, "B", "declarant")
    place = f"/documents/order/{clerk.save_order(a_number('ED'))['id']}/editors"
    clerk.put(place)
    assert foreigner.put(place).status_code == 404
    # leaving takes nobody else away
    foreigner.delete(place)
    assert [item["me"] for item in clerk.put(place).json()["items"]] == [True]
    # a broker inside the client is named as what it is
    broker = signed_in(stack, "C", "broker")
    assert broker.put(place).status_code == 403
    assert broker.step_into(clerk.me["tenant"]["id"]).status_code == 200
    assert any("代理" in item["name"] and item["me"] for item in broker.put(place).json()["items"])


def test_reports_end_by_themselves_and_are_bounded(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.environment("gateway.http").items():
        monkeypatch.setenv(name, value)
    now = [1_000_000.0]
    editors = Editors(http_config(), clock=lambda: now[0])
    document = ("order", a_number("ED"))
    for number in range(3):
        editors.report("t", document, f"u{number}", f"名{number}")
    assert editors.knows("t", document, "u0")
    assert not editors.knows("other", document, "u0")
    now[0] += LASTING
    assert [one.user_id for one in editors.report("t", document, "late", "晚")] == ["late"]
    assert not editors.knows("t", document, "u0")
