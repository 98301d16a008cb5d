"""The signer end to end: real PostgreSQL, RabbitMQ and SoftHSM, its own processes, the bus in and out."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from lxml import etree
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from documents import registry, xml
from proto.events.v1 import events_pb2
from proto.signer.v1 import signer_pb2, signer_pb2_grpc
from runtime.actor import Actor
from runtime.errors import Problem
from runtime.grpc_client import Client
from runtime.tls import TlsFiles
from services.signer import certificates, check, xmlsign
from services.signer.domain import token_key
from services.signer.tokens.base import SignRequest
from simulator import config as customs_config
from simulator import signature as customs_signature
from simulator import verify as customs_verify
from tests.support.eventually import eventually
from tests.support.signing import SignerSide, Tenant, Told, free_address, message
from tests.support.verdicts import DS, judge
from tools.paths import ROOT


@pytest.fixture(scope="module")
def whole(servers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignerSide]:
    made = SignerSide(servers, tmp_path_factory.mktemp("signer"))
    yield made
    made.close()


@pytest.fixture
def side(whole: SignerSide) -> SignerSide:
    """A signer that consumes and relays, with nothing left over from the test before."""
    whole.start("consume")
    whole.start("relay")
    whole.told()
    whole.parked()
    return whole


@pytest.fixture
def tenant(whole: SignerSide) -> Tenant:
    """A tenant whose RSA key is active."""
    made = Tenant()
    whole.equip(made)
    return made


class Seen:
    """Collects what is told until enough is there."""

    def __init__(self, side: SignerSide) -> None:
        self._side = side
        self.all: list[Told] = []

    def of(self, kind: type[Any], message_id: str | None = None) -> list[Any]:
        return [
            told.body
            for told in self.all
            if isinstance(told.body, kind) and message_id in (None, told.body.message_id)
        ]

    def wait(self, what: str, enough: Callable[[], Any], timeout: float = 30) -> None:
        def look() -> Any:
            self.all += self._side.told()
            return enough()

        eventually(look, what, timeout)

    def ready(self, count: int, timeout: float = 30) -> list[Any]:
        self.wait(
            f"{count} finished messages", lambda: len(self.of(events_pb2.MessageReady)) >= count, timeout
        )
        return self.of(events_pb2.MessageReady)

    def refused(self, count: int = 1) -> list[Any]:
        self.wait(f"{count} refusals", lambda: len(self.of(events_pb2.MessageRefused)) >= count)
        return self.of(events_pb2.MessageRefused)


def ledger(side: SignerSide, tenant: Tenant) -> list[tuple[str, str]]:
    rows = side.rows(tenant, "SELECT what, code FROM ledger ORDER BY seq")
    return [(row.what, row.code) for row in rows if row.what != "activated"]


def verdict(side: SignerSide, tenant: Tenant) -> Any:
    return json.loads(side.command("verify-ledger", "--tenant", tenant.id))


# ---- the way of a message ------------------------------------------------------------------------------------------


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


# ---- devices -------------------------------------------------------------------------------------------------------


def test_a_token_that_hashes_itself_gives_the_same_signature(side: SignerSide, tenant: Tenant) -> None:
    """The way for tokens without CKM_RSA_PKCS; PKCS#1 signatures are the same every time."""
    (row,) = side.rows(tenant, "SELECT id, certificate FROM key")
    key = token_key(tenant.id, str(row.id))
    for algorithm in ("rsa-sha1", "rsa-sha256"):
        method = xmlsign.ALGORITHMS[algorithm]
        prepared = xmlsign.prepare(method, (("ceb", xmlsign.CEB),), message(tenant.code))
        ours, tokens = side.pool.devices["pkcs11"].sign(
            [
                SignRequest(key, "digest-info", prepared.digest_info),
                SignRequest(key, algorithm, prepared.signed_info),
            ]
        )
        assert ours == tokens
        assert isinstance(ours, bytes)
        check_signature = certificates.verifier(certificates.read(bytes(row.certificate)).public_key)
        assert check_signature(algorithm, prepared.signed_info, ours)


def test_killed_token_processes_in_the_middle_of_work_cost_nothing(side: SignerSide, tenant: Tenant) -> None:
    sent = [side.submission(tenant) for _ in range(400)]
    side.publish(tenant.actor(), *sent)
    killed: set[int] = set()
    seen = Seen(side)

    def kill_some() -> bool:
        for pid in side.token_processes():
            if len(killed) < 4 and pid not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        seen.all += side.told()
        return len(seen.of(events_pb2.MessageReady)) >= len(sent)

    eventually(kill_some, "all messages signed", 60)
    assert len(killed) >= 2
    assert len(seen.of(events_pb2.MessageReady)) == len(sent)
    assert not seen.of(events_pb2.MessageRefused)
    for body in seen.of(events_pb2.MessageReady)[:20]:
        judge(body.xml, next(one.xml for one in sent if one.message_id == body.message_id))
    assert len(side.rows(tenant, "SELECT 1 FROM signature")) == len(sent)


def test_a_hanging_token_process_is_replaced(side: SignerSide, tenant: Tenant) -> None:
    stopped = side.token_processes()[0]
    os.kill(stopped, signal.SIGSTOP)
    sent = [side.submission(tenant) for _ in range(20)]
    side.publish(tenant.actor(), *sent)
    assert len(Seen(side).ready(20, 40)) == 20
    eventually(lambda: stopped not in side.token_processes(), "the hanging process is gone", 40)


def test_messages_wait_while_the_token_is_away(side: SignerSide, tenant: Tenant) -> None:
    tokens = side.folder / "softhsm" / "tokens"
    away = tokens.with_name("away")
    tokens.rename(away)
    try:
        side.publish(tenant.actor(), *(side.submission(tenant) for _ in range(3)))
        eventually(lambda: side.ready("consume")[0] == 503, "not ready", 30)
        assert "pkcs11" in side.ready("consume")[1]
        seen = Seen(side)
        seen.wait("nothing", lambda: True)
        assert seen.all == []
    finally:
        away.rename(tokens)
    assert len(seen.ready(3, 40)) == 3
    assert not seen.of(events_pb2.MessageRefused)
    eventually(lambda: side.ready("consume")[0] == 200, "ready again", 30)


def test_a_device_that_is_down_holds_up_nobody_else(side: SignerSide, tenant: Tenant) -> None:
    other = Tenant()
    side.equip(other)
    side.provision(tenant, "sm2-sm3")
    folder = side.folder / "sealed"
    away = folder.with_name("sealed-away")
    folder.rename(away)
    try:
        late = [side.submission(tenant) for _ in range(3)]
        side.publish(tenant.actor(), *late)
        eventually(lambda: side.waiting(tenant) == 3 and "sealed" in side.ready("consume")[1], "down", 30)
        now = [side.submission(other) for _ in range(20)]
        for index in range(0, 20, 5):
            side.publish(other.actor(), *now[index : index + 5])
            late.append(side.submission(tenant))
            side.publish(tenant.actor(), late[-1])
        seen = Seen(side)
        assert {body.message_id for body in seen.ready(20)} == {one.message_id for one in now}
    finally:
        away.rename(folder)
    seen.ready(20 + len(late), 40)
    assert not seen.of(events_pb2.MessageRefused)
    signed = [body.message_id for body in seen.of(events_pb2.MessageReady)]
    assert sorted(signed) == sorted(one.message_id for one in [*now, *late])
    # waiting wrote no line per try
    assert [entry[0] for entry in ledger(side, tenant)].count("intent") <= 2 * len(late)


def test_a_key_that_left_its_token_is_refused_by_name(side: SignerSide, tenant: Tenant) -> None:
    side.provision(tenant, "sm2-sm3")
    (row,) = side.rows(tenant, "SELECT id FROM key WHERE active")
    (side.folder / "sealed" / tenant.id / f"{row.id}.json").unlink()
    side.publish(tenant.actor(), side.submission(tenant))
    assert Seen(side).refused()[0].code == "sign.key-missing"


def test_a_wrong_pin_is_tried_once_and_never_again(whole: SignerSide, tenant: Tenant) -> None:
    whole.stop_all()
    good = whole.pin_file.read_text()
    whole.pin_file.write_text("00000000")
    try:
        whole.launch("pool")
        eventually(
            lambda: "PinIncorrect" in whole.ready("pool")[1].get("pkcs11", ""), "the reason is shown", 20
        )
        assert whole.ready("pool")[0] == 503
        assert "00000000" not in whole.log("pool")
        whole.stop_all()
        # a restart does not try either
        before = whole.log("pool").count("PinIncorrect")
        whole.launch("pool")
        eventually(lambda: "refused before" in whole.ready("pool")[1].get("pkcs11", ""), "remembered", 20)
        assert whole.log("pool").count("PinIncorrect") == before
    finally:
        whole.stop_all()
        whole.pin_file.write_text(good)
    _log_in_by_hand(whole)
    whole.start("pool")


def _log_in_by_hand(side: SignerSide) -> None:
    """The person that the count-low flag asks for."""

    program = (
        "import sys, pkcs11\n"
        "token = pkcs11.lib(sys.argv[1]).get_token(token_label=sys.argv[2])\n"
        "token.open(user_pin=open(sys.argv[3]).read())\n"
    )
    member = side.token.member("by hand")
    subprocess.run(
        [sys.executable, "-c", program, member["module"], member["token_label"], member["pin_file"]],
        env=side.environment | member["environment"],
        check=True,
    )


def test_token_processes_die_with_the_pool(whole: SignerSide) -> None:
    process = whole.start("pool")
    running = lambda: whole.token_processes() + whole.token_processes("sealed")  # noqa: E731
    eventually(lambda: len(running()) == 3, "all token processes run")
    children = running()
    process.kill()
    process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "the children are gone")


def test_children_hold_none_of_our_addresses(side: SignerSide) -> None:
    for pid in side.token_processes():
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"DATABASE_URL" not in environment
        assert b"BUS_URL" not in environment
        assert b"SEALED_TOKEN" not in environment


# ---- the ledger ----------------------------------------------------------------------------------------------------


def test_the_service_cannot_change_the_ledger(side: SignerSide, tenant: Tenant) -> None:
    for statement in (
        "UPDATE ledger SET actor = 'x'",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "UPDATE signature SET value = ''",
        "DELETE FROM signature",
    ):
        with pytest.raises(DBAPIError) as caught:
            side.rows(tenant, statement)
        assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE ledger SET actor = '李四' WHERE seq = 3", 3),
        ("UPDATE ledger SET at = at + interval '1 microsecond' WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)", None),
    ],
)
def test_tampering_is_found(side: SignerSide, tenant: Tenant, statement: str, broken_at: int | None) -> None:
    side.publish(tenant.actor(), *(side.submission(tenant) for _ in range(2)))
    Seen(side).ready(2)
    assert verdict(side, tenant)["valid"]
    with pytest.raises(DBAPIError), side.as_owner(tenant) as connection:
        connection.execute(text(statement))
    with side.as_owner(tenant) as connection:
        connection.execute(text("ALTER TABLE ledger DISABLE TRIGGER ledger_append_only"))
        assert connection.execute(text(statement)).rowcount == 1
        connection.execute(text("ALTER TABLE ledger ENABLE TRIGGER ledger_append_only"))
    found = json.loads(side.command("verify-ledger", "--tenant", tenant.id, code=1))
    assert not found["valid"]
    assert found["broken_at"] == broken_at
    assert bool(found["unrecorded_signatures"]) == (broken_at is None)


def test_nothing_is_signed_while_the_ledger_refuses_rows(side: SignerSide, tenant: Tenant) -> None:
    with side.as_owner(tenant) as connection:
        connection.execute(text("REVOKE INSERT ON ledger FROM signer_app"))
    one = side.submission(tenant)
    try:
        side.publish(tenant.actor(), one)
        eventually(lambda: "dispatch.waiting" in side.log("consume"), "the dispatcher waits")
        assert side.rows(tenant, "SELECT 1 FROM signature") == []
    finally:
        with side.as_owner(tenant) as connection:
            connection.execute(text("GRANT INSERT ON ledger TO signer_app"))
    assert [body.message_id for body in Seen(side).ready(1)] == [one.message_id]


# ---- provisioning --------------------------------------------------------------------------------------------------


def test_provisioning_is_idempotent(whole: SignerSide) -> None:
    tenant = Tenant()
    first = whole.provision(tenant, active=False, authority=whole.authority)
    assert not first["active"]
    second = whole.provision(tenant, authority="false")
    assert second == {**first, "active": True}
    assert len(whole.rows(tenant, "SELECT 1 FROM key")) == 1
    other = whole.provision(tenant, "sm2-sm3")
    assert other["active"]
    active = whole.rows(tenant, "SELECT id FROM key WHERE active")
    assert [str(row.id) for row in active] == [other["id"]]


@pytest.mark.parametrize(
    "point", ["signer.provision.requested", "signer.provision.generated", "signer.provision.certified"]
)
def test_provisioning_goes_on_after_a_crash(whole: SignerSide, point: str) -> None:
    tenant = Tenant()
    whole.crash(point)
    whole.provision(tenant, code=137)
    (waiting,) = whole.rows(tenant, "SELECT id, certificate FROM key")
    assert waiting.certificate is None
    assert whole.provision(tenant)["id"] == str(waiting.id)


def test_a_pair_that_its_token_loses_at_once_is_made_anew(
    whole: SignerSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SoftHSM does so at times while another process logs in."""
    tenant, device = Tenant(), whole.pool.devices["pkcs11"]
    objects = lambda: set((whole.folder / "softhsm").glob("tokens/*/*.object"))  # noqa: E731
    device.wait_ready(30)
    there, made = objects(), []
    generate = device.generate

    def generate_and_lose(key: str, kind: str) -> bytes:
        made.append(generate(key, kind))
        if len(made) == 1:
            for file in objects() - there:
                file.unlink()
            for pid in device.pids:
                os.kill(pid, signal.SIGKILL)
        return made[-1]

    monkeypatch.setattr(device, "generate", generate_and_lose)
    whole.equip(tenant)
    assert len(set(made)) == 2
    (key,) = whole.rows(tenant, "SELECT certificate FROM key")
    assert certificates.read(bytes(key.certificate)).public_key == made[1]


def test_a_key_may_wait_for_its_certificate_for_days(whole: SignerSide, tmp_path: Path) -> None:
    """The ceremony: pair in the token, request to the authority, certificate back; another tool reads the request."""
    tenant, request, issued = Tenant(), tmp_path / "request.pem", tmp_path / "certificate.pem"
    order = ("provision", "--tenant", tenant.id, "--enterprise-code", tenant.code, "--name", "测试企业")
    order = (*order, "--algorithm", "rsa-sha256")
    for _ in range(2):  # asked again, it is the same key
        told = json.loads(whole.command(*order, "--csr", str(request)))
        assert told["waiting_for_certificate"]
    read = subprocess.run(
        ["openssl", "req", "-in", str(request), "-verify", "-noout", "-subject", "-nameopt", "utf8"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"OU={tenant.code}" in read.stdout.replace(" ", "")
    assert whole.rows(tenant, "SELECT 1 FROM key WHERE certificate IS NOT NULL") == []
    subprocess.run(
        [*shlex.split(whole.authority), "--issue", str(request), "--out", str(issued)], cwd=ROOT, check=True
    )
    key = json.loads(whole.command(*order, "--certificate", str(issued), "--active"))
    assert (key["algorithm"], key["active"]) == ("rsa-sha256", True)
    # a valid one is there: another one is made only if it is asked for
    same = json.loads(whole.command(*order, "--certificate", str(issued)))
    assert same["id"] == key["id"]
    other = json.loads(whole.command(*order, "--renew", "--authority-command", whole.authority))
    assert other["id"] != key["id"]


def test_a_device_is_measured_and_its_rate_kept(whole: SignerSide) -> None:
    whole.equip(Tenant())
    told = json.loads(whole.command("bench-device", "pkcs11", "--seconds", "0.5"))
    assert told["signatures"] >= 64
    assert told["per_minute"] == pytest.approx(60 * told["per_second"], rel=0.01)
    nobody = Tenant(id="00000000-0000-0000-0000-000000000000")
    [row] = whole.rows(nobody, "SELECT device, per_second FROM device_rate")
    assert (row.device, round(row.per_second, 2)) == ("pkcs11", told["per_second"])
    assert whole.rows(Tenant(), "SELECT 1 FROM device_rate") == []
    assert "没有设备" in whole.command("bench-device", "nothing", code=1)


def test_a_failing_authority_leaves_no_usable_key(whole: SignerSide) -> None:
    tenant = Tenant()
    assert "证书签发失败" in whole.provision(tenant, authority="false", code=1)
    assert whole.rows(tenant, "SELECT 1 FROM key WHERE certificate IS NOT NULL") == []


def test_a_certificate_for_another_key_is_not_installed(whole: SignerSide, tmp_path: Path) -> None:
    whole.provision(Tenant(), authority=whole.authority)
    issued = next((whole.folder / "authority" / "issued").glob("*.pem"))
    script = tmp_path / "authority.sh"
    script.write_text(f'#!/bin/sh\ncp "{issued}" "$4"\n')
    script.chmod(0o700)
    assert "another key" in whole.provision(Tenant(), authority=str(script), code=1)


# ---- calls ---------------------------------------------------------------------------------------------------------


class Calls:
    """gRPC calls as gateway.http makes them."""

    def __init__(self, side: SignerSide) -> None:
        tls = Path(side.servers["tls_dir"])
        self._side = side
        self._listen = free_address()
        side.start(
            "serve",
            GRPC_LISTEN=self._listen,
        )
        self._tls = tls

    def __call__(self, method: str, request: Any, actor: Actor, caller: str = "gateway.http") -> Any:
        files = TlsFiles(self._tls / "ca.pem", self._tls / f"{caller}.pem", self._tls / f"{caller}.key")
        client = Client(self._listen, files, "签名服务", "The signer")
        try:
            return client.call(signer_pb2_grpc.SignerStub, method, request, self._side.token_of(actor))
        finally:
            client.channel.close()


@pytest.fixture(scope="module")
def call(whole: SignerSide) -> Calls:
    return Calls(whole)


def test_keys_are_listed_and_activated(side: SignerSide, call: Calls, tenant: Tenant) -> None:
    second = side.provision(tenant, "sm2-sm3", active=False)
    actor = tenant.actor()
    items = {key.algorithm: key for key in call("ListKeys", signer_pb2.ListKeysRequest(), actor).items}
    assert set(items) == {"rsa-sha1", "sm2-sm3"}
    assert items["rsa-sha1"].active
    assert items["sm2-sm3"].id == second["id"]
    assert items["sm2-sm3"].state == "usable"
    assert not items["sm2-sm3"].hardware
    assert len(items["rsa-sha1"].fingerprint) == 64
    activated = call("ActivateKey", signer_pb2.KeyRef(id=second["id"]), actor)
    assert activated.active
    call("ActivateKey", signer_pb2.KeyRef(id=second["id"]), actor)
    after = {key.algorithm: key.active for key in call("ListKeys", signer_pb2.ListKeysRequest(), actor).items}
    assert after == {"rsa-sha1": False, "sm2-sm3": True}
    what = [(row.what, row.actor) for row in side.rows(tenant, "SELECT what, actor FROM ledger ORDER BY seq")]
    assert what == [("activated", "系统开通"), ("activated", "张三")]


def test_the_speed_of_a_key_is_measured_and_what_it_has_in_hand_counted(
    whole: SignerSide, call: Calls, tenant: Tenant
) -> None:
    ask = lambda actor: call("Throughput", signer_pb2.ThroughputRequest(), actor).items  # noqa: E731
    (fresh,) = ask(tenant.actor())
    assert (fresh.taken, fresh.signatures, fresh.busy_seconds, fresh.last_at) == (0, 0, 0, "")
    whole.start("relay")
    whole.told()
    whole.start("consume")
    whole.crash("signer.intent.committed")
    whole.publish(tenant.actor(), *(whole.submission(tenant) for _ in range(4)))
    whole.died("consume")
    (broken,) = ask(tenant.actor())
    assert (broken.taken, broken.signatures) == (4, 0)
    whole.start("consume")
    Seen(whole).ready(4)
    whole.publish(tenant.actor(), *(whole.submission(tenant) for _ in range(3)))
    Seen(whole).ready(3)
    (item,) = ask(tenant.actor())
    assert (item.taken, item.signatures) == (0, 7)
    rows = whole.rows(
        tenant,
        "SELECT i.at AS begun, s.signed_at AS ended FROM signature s JOIN ledger i"
        " ON i.message_id = s.message_id::text AND i.what = 'intent'",
    )
    assert len(rows) == 7
    busy, so_far = 0.0, datetime.min.replace(tzinfo=UTC)
    for begun, ended in sorted((row.begun, row.ended) for row in rows):
        busy += max(0.0, (ended - max(begun, so_far)).total_seconds())
        so_far = max(so_far, ended)
    assert item.busy_seconds == pytest.approx(busy, abs=0.001)
    assert list(ask(Tenant().actor())) == []


def test_two_activations_at_once_leave_one_active_key(side: SignerSide, call: Calls, tenant: Tenant) -> None:
    second = side.provision(tenant, "sm2-sm3", active=False)
    first = side.provision(tenant)
    wanted = [first["id"], second["id"]] * 4
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda one: call("ActivateKey", signer_pb2.KeyRef(id=one), tenant.actor()), wanted))
    assert len(side.rows(tenant, "SELECT 1 FROM key WHERE active")) == 1


def test_what_a_lost_card_had_in_hand_moves_to_the_key_that_is_activated(
    side: SignerSide, call: Calls, tenant: Tenant
) -> None:
    """The process that held the card's connection was killed, and neither it nor the agent came back."""
    [pool_key] = side.rows(tenant, "SELECT id FROM key")
    card, agent = "ab" * 32, str(uuid.uuid4())
    side.rows(tenant, "UPDATE key SET active = false")
    side.rows(
        tenant,
        "INSERT INTO key (tenant_id, id, enterprise_code, label, algorithm, device_kind, certificate, serial,"
        " fingerprint, not_before, not_after, active, agent_id) SELECT tenant_id, :id, enterprise_code, 'a card',"
        " algorithm, 'card', certificate, serial, :card, not_before, not_after, true, :agent FROM key",
        id=str(uuid.uuid4()), card=card, agent=agent,
    )  # fmt: skip
    side.rows(
        tenant,
        "INSERT INTO card (tenant_id, fingerprint, agent_id, enterprise_code, certificate, serial, subject, not_before,"
        " not_after, token, state, mechanisms, at) SELECT tenant_id, :card, :agent, enterprise_code, certificate,"
        " serial, 'x', not_before, not_after, 'x', 'ready', '{}', now() FROM key WHERE active",
        card=card, agent=agent,
    )  # fmt: skip
    one = side.submission(tenant)
    side.publish(tenant.actor(), one)
    eventually(lambda: side.waiting(tenant) == 1, "it waits for the card", 30)
    side.rows(tenant, "UPDATE job SET taken = true")
    call("ActivateKey", signer_pb2.KeyRef(id=str(pool_key.id)), tenant.actor())
    assert [body.message_id for body in Seen(side).ready(1)] == [one.message_id]


def test_foreign_and_unknown_keys_are_not_found(side: SignerSide, call: Calls, tenant: Tenant) -> None:
    other = Tenant()
    (own,) = side.rows(tenant, "SELECT id FROM key")
    answers = set()
    for wanted in (str(own.id), str(uuid.uuid4()), "x", ""):
        with pytest.raises(Problem) as caught:
            call("ActivateKey", signer_pb2.KeyRef(id=wanted), other.actor())
        answers.add((caught.value.kind, caught.value.zh))
    assert len(answers) == 1
    assert answers.pop()[0] == "not_found"
    assert list(call("ListKeys", signer_pb2.ListKeysRequest(), other.actor()).items) == []
    assert list(call("Ledger", signer_pb2.LedgerRequest(), other.actor()).items) == []


@pytest.mark.parametrize(
    ("method", "request_", "permission"),
    [
        ("ListKeys", signer_pb2.ListKeysRequest(), "key.read"),
        ("ActivateKey", signer_pb2.KeyRef(id="x"), "key.activate"),
        ("Ledger", signer_pb2.LedgerRequest(), "audit.read"),
        ("Throughput", signer_pb2.ThroughputRequest(), "key.read"),
    ],
)
def test_calls_need_their_permission_and_their_caller(
    side: SignerSide, call: Calls, tenant: Tenant, method: str, request_: Any, permission: str
) -> None:
    others = tuple(one for one in tenant.actor().permissions if one != permission)
    with pytest.raises(Problem) as caught:
        call(method, request_, tenant.actor(permissions=others))
    assert caught.value.kind == "forbidden"
    with pytest.raises(Problem) as caught:
        call(method, request_, tenant.actor(), caller="order.serve")
    assert caught.value.kind == "forbidden"


def test_an_expired_certificate_is_shown_and_cannot_be_activated(
    side: SignerSide, call: Calls, tenant: Tenant
) -> None:
    side.expire(tenant, datetime.now(UTC) - timedelta(days=1))
    (key,) = call("ListKeys", signer_pb2.ListKeysRequest(), tenant.actor()).items
    assert key.state == "expired"
    with pytest.raises(Problem) as caught:
        call("ActivateKey", signer_pb2.KeyRef(id=key.id), tenant.actor())
    assert caught.value.kind == "invalid"


@pytest.mark.parametrize(
    ("days", "left", "warning"), [(61, 60, 0), (59, 58, 60), (29, 28, 30), (6, 5, 7), (-1, -2, 7)]
)
def test_the_end_of_a_certificate_is_told_weeks_before(
    side: SignerSide, call: Calls, tenant: Tenant, days: int, left: int, warning: int
) -> None:
    # an hour short of so many days: it stays as it is for the length of a test
    side.expire(tenant, datetime.now(UTC) + timedelta(days=days, hours=-1))
    (key,) = call("ListKeys", signer_pb2.ListKeysRequest(), tenant.actor()).items
    assert (key.expires_in_days, key.warning) == (left, warning)
    assert (key.state == "expired") == (days < 0)


def test_a_key_that_stopped_working_is_shown_as_unavailable(
    side: SignerSide, call: Calls, tenant: Tenant
) -> None:
    key = side.provision(tenant, "sm2-sm3", active=False)
    file = side.folder / "sealed" / tenant.id / f"{key['id']}.json"
    states = lambda: {  # noqa: E731
        one.id: one.state for one in call("ListKeys", signer_pb2.ListKeysRequest(), tenant.actor()).items
    }
    damaged = json.loads(file.read_text())
    file.write_text(json.dumps(damaged | {"nonce": base64.b64encode(bytes(12)).decode()}))
    eventually(lambda: states()[key["id"]] == "unavailable", "shown as unavailable", 60)
    file.write_text(json.dumps(damaged))
    eventually(lambda: states()[key["id"]] == "usable", "usable again", 60)


def test_the_ledger_is_paged_newest_first_and_checked(side: SignerSide, call: Calls, tenant: Tenant) -> None:
    sent = [side.submission(tenant) for _ in range(3)]
    side.publish(tenant.actor(), *sent)
    Seen(side).ready(3)
    rows: list[Any] = []
    cursor = ""
    while True:
        page = call("Ledger", signer_pb2.LedgerRequest(page_size=2, cursor=cursor), tenant.actor())
        assert page.chain_valid
        rows += page.items
        cursor = page.next_cursor
        if not cursor:
            break
    assert [int(row.seq) for row in rows] == [7, 6, 5, 4, 3, 2, 1]
    of_one = call("Ledger", signer_pb2.LedgerRequest(message_id=sent[0].message_id), tenant.actor())
    assert [row.what for row in of_one.items] == ["signed", "intent"]
    assert of_one.items[0].digest == hashlib.sha256(sent[0].xml).hexdigest()
    assert of_one.items[0].actor == "张三"
    with pytest.raises(Problem) as caught:
        call("Ledger", signer_pb2.LedgerRequest(cursor="1; DROP TABLE"), tenant.actor())
    assert caught.value.kind == "invalid"
    with side.as_owner(tenant) as connection:
        connection.execute(text("ALTER TABLE ledger DISABLE TRIGGER ledger_append_only"))
        connection.execute(text("UPDATE ledger SET kind = 'booking' WHERE seq = 4"))
        connection.execute(text("ALTER TABLE ledger ENABLE TRIGGER ledger_append_only"))
    assert not call("Ledger", signer_pb2.LedgerRequest(), tenant.actor()).chain_valid
