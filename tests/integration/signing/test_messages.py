"""The signer end to end, the bus in and out: what is signed, what is refused, and once only."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from documents import registry, xml
from proto.events.v1 import events_pb2
from services.signer import certificates, check, xmlsign
from simulator import config as customs_config
from simulator import signature as customs_signature
from simulator import verify as customs_verify
from tests.support.eventually import eventually
from tests.support.seen import Seen, ledger, verdict
from tests.support.signing import SignerSide, Tenant, message
from tests.support.verdicts import DS, judge


def test_messages_are_signed_recorded_and_told(side: SignerSide, tenant: Tenant) -> None:
    sent = [side.submission(tenant, documents=documents) for documents in (1, 3, 100)]
    side.publish(tenant.actor(), *sent)
    seen = Seen(side)
    ready = {body.message_id: body for body in seen.ready(3)}
    for one in sent:
        body = ready[one.message_id]
        assert (body.kind, body.message_type) == ("order", "CEB303Message")
        assert (body.enterprise_code, body.dxp_id) == (tenant.code, tenant.dxp_id)
        assert body.documents == len(one.document_ids)
        judge(body.xml, one.xml)
        (small,) = seen.of(events_pb2.MessageSigned, one.message_id)
        assert small.signature.algorithm == "rsa-sha1"
        assert "SoftHSM" in small.signature.device
        assert not small.signature.hardware
    assert {told.tenant for told in seen.all} == {tenant.id}
    assert {told.key for told in seen.all} == {"message.signed.order", "message.ready.order"}
    what = [entry[0] for entry in ledger(side, tenant)]
    assert sorted(what) == ["intent"] * 3 + ["signed"] * 3
    assert verdict(side, tenant)["valid"]


def test_an_sm2_key_signs_when_it_is_the_active_one(side: SignerSide, tenant: Tenant) -> None:
    key = side.provision(tenant, "sm2-sm3")
    assert "软件密钥" in key["device"]
    one = side.submission(tenant)
    side.publish(tenant.actor(), one)
    seen = Seen(side)
    (body,) = seen.ready(1)
    assert seen.of(events_pb2.MessageSigned)[0].signature.algorithm == "sm2-sm3"
    root = etree.fromstring(body.xml)
    held = certificates.read(base64.b64decode(root.findtext(f".//{DS}X509Certificate") or ""))
    assert held.serial == key["certificate_serial"]
    algorithm = xmlsign.ALGORITHMS["sm2-sm3"]
    check.verify(body.xml, algorithm.digest(one.xml), algorithm, held, "raw")


@pytest.mark.parametrize("algorithm", ["rsa-sha1", "sm2-sm3"])
def test_the_customs_side_accepts_what_our_templates_and_keys_make(side: SignerSide, algorithm: str) -> None:
    sender = Tenant()
    side.provision(sender, algorithm, authority=side.authority)
    doctype = registry.by_kind("order")
    assert doctype is not None
    writer = xml.writer(doctype)
    body = {
        "head": {field.name: sender.code if field.name == "ebcCode" else "甲&<>" for field in doctype.head},
        "lines": [{field.name: "1" for field in doctype.lines}],
    }
    nodes = [writer.document(body, {}) for _ in range(2)]
    content = writer.message(
        nodes, str(uuid.uuid4()).upper(), xml.Transfer(sender.code, "测试企业", sender.dxp_id)
    )
    side.publish(sender.actor(), side.submission(sender, content, documents=2))
    (ready,) = Seen(side).ready(1)
    detached = customs_signature.detach(etree.fromstring(ready.xml))
    assert detached.canonical == content
    assert detached.parts is not None
    trust = customs_verify.Trust(side.folder / "authority")
    now = datetime.now(UTC)
    holder = customs_verify.check(detached.canonical, detached.parts, trust, customs_config.Rules(), now)
    assert sender.code in str(holder)


def test_two_tenants_in_one_batch_each_with_their_own_key(side: SignerSide, tenant: Tenant) -> None:
    other = Tenant()
    side.equip(other)
    for number in range(4):
        whose = (tenant, other)[number % 2]
        side.publish(whose.actor(), side.submission(whose))
    seen = Seen(side)
    seen.ready(4)
    for whose in (tenant, other):
        serials = {
            told.body.signature.certificate_serial
            for told in seen.all
            if told.tenant == whose.id and isinstance(told.body, events_pb2.MessageSigned)
        }
        assert serials == {row.serial for row in side.rows(whose, "SELECT serial FROM key")}
        assert len(side.rows(whose, "SELECT 1 FROM signature")) == 2


# ---- refusals ------------------------------------------------------------------------------------------------------


def test_refusals_are_told_and_recorded_and_never_signed(side: SignerSide, tenant: Tenant) -> None:
    other = Tenant()
    side.equip(other)
    cases = {
        "sign.wrong-sender": side.submission(tenant, message(tenant.code, transfer_code=other.code)),
        "sign.foreign-document": side.submission(
            tenant,
            message(tenant.code).replace(
                f"<ceb:ebcCode>{tenant.code}<".encode(), f"<ceb:ebcCode>{other.code}<".encode()
            ),
        ),
        "sign.wrong-enterprise": side.submission(tenant, message(other.code), enterprise_code=other.code),
        "sign.wrong-dxp": side.submission(tenant, message(tenant.code, "DXPENT9999999999")),
        "sign.wrong-type": side.submission(tenant, message_type="CEB603Message"),
        "sign.not-canonical": side.submission(tenant, message(tenant.code) + b"\n"),
        "sign.malformed": side.submission(tenant, b"<a>"),
        "sign.document-count": side.submission(tenant, message(tenant.code, documents=2)),
    }
    side.publish(tenant.actor(), *cases.values())
    unpermitted = side.submission(tenant)
    side.publish(tenant.actor(permissions=("document.read",)), unpermitted)
    cases["sign.not-permitted"] = unpermitted
    seen = Seen(side)
    refused = {body.message_id: body for body in seen.refused(len(cases))}
    for code, one in cases.items():
        body = refused[one.message_id]
        assert (body.code, body.stage) == (code, "sign")
        assert body.zh
        assert body.en
    assert not seen.of(events_pb2.MessageReady)
    assert sorted(ledger(side, tenant)) == sorted(("refused", code) for code in cases)
    assert side.rows(tenant, "SELECT 1 FROM signature") == []
    assert verdict(side, tenant)["valid"]


def test_an_enterprise_without_a_key_is_refused(side: SignerSide) -> None:
    keyless = Tenant()
    side.publish(keyless.actor(), side.submission(keyless))
    assert Seen(side).refused()[0].code == "sign.no-key"


def test_a_key_of_another_tenant_for_the_same_enterprise_code_is_not_used(
    side: SignerSide, tenant: Tenant
) -> None:
    twin = replace(Tenant(), code=tenant.code)
    side.publish(twin.actor(), side.submission(twin))
    assert Seen(side).refused()[0].code == "sign.no-key"


@pytest.mark.parametrize(
    ("days", "code"), [(-1, "sign.certificate-expired"), (None, "sign.certificate-not-yet-valid")]
)
def test_certificates_outside_their_time_are_refused(
    side: SignerSide, tenant: Tenant, days: int | None, code: str
) -> None:
    if days is None:
        side.rows(tenant, "UPDATE key SET not_before = now() + interval '1 day'")
    else:
        side.expire(tenant, datetime.now(UTC) + timedelta(days=days))
    side.publish(tenant.actor(), side.submission(tenant))
    assert Seen(side).refused()[0].code == code


def test_untrusted_deliveries_are_parked_and_leave_no_trace(side: SignerSide, tenant: Tenant) -> None:
    other = Tenant()
    bad = [side.submission(tenant) for _ in range(3)]
    side.publish(tenant.actor(), bad[0], tenant=other.id)
    side.publish(tenant.actor(), bad[1], token="forged")
    side.publish(tenant.actor(), bad[2], ids=["not-a-uuid"])
    good = side.submission(tenant)
    side.publish(tenant.actor(), good)
    seen = Seen(side)
    assert [body.message_id for body in seen.ready(1)] == [good.message_id]
    parked: list[bytes] = []
    eventually(lambda: len(parked.extend(side.parked()) or parked) == 3, "three parked deliveries")
    assert sorted(parked) == sorted(one.SerializeToString() for one in bad)
    assert len(ledger(side, tenant)) == 2
    assert ledger(side, other) == []


# ---- once and only once --------------------------------------------------------------------------------------------


def test_a_repeated_delivery_makes_no_second_signature(side: SignerSide, tenant: Tenant) -> None:
    one = side.submission(tenant)
    (number,) = side.publish(tenant.actor(), one)
    seen = Seen(side)
    seen.ready(1)
    side.publish(tenant.actor(), one, one, ids=[number, str(uuid.uuid4())])
    # a later message: everything before it has been handled
    last = side.submission(tenant)
    side.publish(tenant.actor(), last)
    seen.wait("the last", lambda: seen.of(events_pb2.MessageReady, last.message_id))
    assert len(seen.of(events_pb2.MessageReady, one.message_id)) == 1
    assert len(seen.of(events_pb2.MessageSigned, one.message_id)) == 1
    assert [entry[0] for entry in ledger(side, tenant)] == ["intent", "signed"] * 2


def test_the_same_event_twice_in_one_batch(whole: SignerSide, tenant: Tenant) -> None:
    whole.stop_all()
    one = whole.submission(tenant)
    number = str(uuid.uuid4())
    whole.publish(tenant.actor(), one, one, one, ids=[number, number, str(uuid.uuid4())])
    whole.start("consume")
    whole.start("relay")
    seen = Seen(whole)
    seen.ready(1)
    eventually(lambda: len(whole.rows(tenant, "SELECT 1 FROM inbox")) == 2, "both events handled")
    assert len(whole.rows(tenant, "SELECT 1 FROM signature")) == 1
    seen.wait("an empty outbox", lambda: not whole.rows(tenant, "SELECT 1 FROM outbox"))
    assert len(seen.of(events_pb2.MessageReady)) == 1


def test_other_bytes_under_a_signed_message_id_are_recorded_not_signed(
    side: SignerSide, tenant: Tenant
) -> None:
    one = side.submission(tenant)
    side.publish(tenant.actor(), one)
    seen = Seen(side)
    seen.ready(1)
    changed = side.submission(tenant, message_id=one.message_id)
    side.publish(tenant.actor(), changed)
    expected = [("intent", ""), ("signed", ""), ("refused", "sign.message-changed")]
    eventually(lambda: ledger(side, tenant) == expected, "the refusal in the ledger")
    # it has a good signature: nobody is told to stop
    seen.wait("an empty outbox", lambda: not side.rows(tenant, "SELECT 1 FROM outbox"))
    assert not seen.of(events_pb2.MessageRefused)


@pytest.mark.parametrize(
    "point",
    [
        "signer.taken-in.before-commit",
        "signer.taken-in",
        "signer.intent.before-commit",
        "signer.intent.committed",
        "signer.signed",
        "signer.verified",
        "signer.outcome.before-commit",
        "signer.outcome.committed",
    ],
)
def test_a_crash_at_any_step_leaves_exactly_one_signature(
    whole: SignerSide, tenant: Tenant, point: str
) -> None:
    whole.start("consume")
    whole.start("relay")
    whole.crash(point)
    sent = [whole.submission(tenant) for _ in range(5)]
    whole.publish(tenant.actor(), *sent)
    whole.died("consume")
    whole.start("consume")
    seen = Seen(whole)
    seen.ready(5)
    eventually(lambda: len(whole.rows(tenant, "SELECT 1 FROM inbox")) == 5, "all events handled")
    seen.wait("an empty outbox", lambda: not whole.rows(tenant, "SELECT 1 FROM outbox"))
    assert sorted(body.message_id for body in seen.of(events_pb2.MessageReady)) == sorted(
        o.message_id for o in sent
    )
    what = [entry[0] for entry in ledger(whole, tenant)]
    assert what.count("signed") == 5
    assert what.count("intent") >= 5
    assert len(whole.rows(tenant, "SELECT 1 FROM signature")) == 5
    assert verdict(whole, tenant)["valid"]
