"""What the signer answers to those who call it."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from proto.signer.v1 import signer_pb2, signer_pb2_grpc
from runtime.actor import Actor
from runtime.errors import Problem
from runtime.grpc_client import Client
from runtime.tls import TlsFiles
from tests.support.eventually import eventually
from tests.support.seen import Seen
from tests.support.signing import SignerSide, Tenant, free_address


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
