"""The raw messages of a document: exactly what customs got and what it answered, for those who may and nobody else."""

from __future__ import annotations

import pytest
import requests

from services.gateway.http import document_schemas
from tests.support.control import Customs
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, same_refusal, signed_in
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


@pytest.fixture(scope="module")
def filed(clerk: Visitor) -> str:
    """An order that customs has answered: its id."""
    order = clerk.save_order(a_number("RAW"))
    done = clerk.post("/documents/order/actions/declare", json={"ids": [order["id"]]})
    assert done.json()["results"][0]["ok"], done.text
    eventually(
        lambda: clerk.get(f"/documents/order/{order['id']}/receipts").json()["items"] != [],
        "customs answers",
        timeout=60,
    )
    return str(order["id"])


def messages(visitor: Visitor, order: str) -> requests.Response:
    return visitor.get(f"/documents/order/{order}/messages")


def test_the_signed_message_is_what_customs_got_and_the_receipt_what_it_sent(
    stack: Stack, clerk: Visitor, filed: str
) -> None:
    items = messages(clerk, filed).json()
    document_schemas.MessagesAnswer().load(items)
    [sent] = [item for item in items["items"] if item["direction"] == "out"]
    came = [item for item in items["items"] if item["direction"] == "in"]
    assert sent["message_type"] == "CEB303Message"
    assert sent["documents"] >= 1
    number = clerk.get(f"/documents/order/{filed}").json()["number"]
    answer = clerk.get(f"/documents/order/{filed}/messages/{sent['id']}.xml")
    assert answer.content == Customs(stack).message_about(number)
    assert b"Signature" in answer.content
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    receipt = clerk.get(f"/documents/order/{filed}/messages/{came[0]['id']}.xml")
    assert receipt.status_code == 200
    assert b"CEB304Message" in receipt.content


def test_reading_leaves_a_line_in_the_trail(stack: Stack, clerk: Visitor, filed: str) -> None:
    admin = signed_in(stack, "A", "enterprise_admin")
    sent = messages(admin, filed).json()["items"][0]["id"]
    assert admin.get(f"/documents/order/{filed}/messages/{sent}.xml").status_code == 200
    lines = admin.get("/audit").json()["items"]
    assert any(line["what"] == "message.read" and sent in str(line["detail"]) for line in lines)


def test_a_message_is_found_under_its_own_document_only(stack: Stack, clerk: Visitor, filed: str) -> None:
    other = clerk.save_order(a_number("RAW"))["id"]
    foreigner = signed_in(stack, "B", "enterprise_admin")
    for item in messages(clerk, filed).json()["items"]:
        missing = clerk.get(f"/documents/order/{other}/messages/{other}.xml")
        assert missing.status_code == 404
        assert same_refusal(clerk.get(f"/documents/order/{other}/messages/{item['id']}.xml"), missing)
        # not under an id of their own either
        theirs = foreigner.save_order(a_number("RAW"))["id"]
        for document in (filed, theirs):
            answer = foreigner.get(f"/documents/order/{document}/messages/{item['id']}.xml")
            assert answer.status_code == 404
    assert messages(foreigner, filed).status_code == 404


def test_a_broker_reads_them_under_its_mandate(stack: Stack, clerk: Visitor, filed: str) -> None:
    broker = signed_in(stack, "C", "broker")
    assert messages(broker, filed).status_code == 403
    assert broker.step_into(clerk.me["tenant"]["id"]).status_code == 200
    items = messages(broker, filed).json()["items"]
    assert {item["direction"] for item in items} == {"out", "in"}
