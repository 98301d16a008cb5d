"""What the signer does with much at once: nobody starves, counting is free, and libraries stay in processes of their own.

Where an order is asserted it is that of the commits in the database, never a time.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from proto.signer.v1 import devices_pb2, devices_pb2_grpc
from runtime.actor import Actor
from runtime.errors import Problem
from runtime.grpc_client import Client
from runtime.tls import TlsFiles
from services.signer.domain import token_key
from tests.support.eventually import eventually
from tests.support.line import Line
from tests.support.signing import SignerSide, Tenant, free_address

FLOOD = 1000
LIBRARY = "libsofthsm2"


@pytest.fixture(scope="module")
def whole(servers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignerSide]:
    made = SignerSide(servers, tmp_path_factory.mktemp("load"))
    yield made
    made.close()


def equipped(side: SignerSide) -> Tenant:
    made = Tenant()
    side.equip(made)
    return made


def all_wait(side: SignerSide, tenant: Tenant, count: int) -> None:
    """Until so many of the tenant's messages are in the queue of the device, of which nothing was heard yet."""
    eventually(lambda: side.waiting(tenant) == count, f"{count} messages wait", 60)


def signed(side: SignerSide, tenant: Tenant) -> list[Any]:
    """(message_id, signed_at, transaction) in the order in which they were signed."""
    return side.rows(
        tenant,
        "SELECT message_id, signed_at, xmin::text AS wave FROM signature ORDER BY signed_at, message_id",
    )


def metric(side: SignerSide, name: str, line: str) -> float:
    """A figure as Prometheus reads it."""
    with urllib.request.urlopen(f"http://{side.address(name)}/metrics", timeout=5) as answer:
        found = re.search(rf"^{re.escape(line)} (\S+)$", answer.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_one_message_does_not_wait_behind_a_thousand_of_another_tenant(whole: SignerSide) -> None:
    whole.stop_all()
    flooding, quiet = equipped(whole), equipped(whole)
    whole.launch("consume")
    flood = [whole.submission(flooding, bulk=True) for _ in range(FLOOD)]
    whole.publish(flooding.actor(), *flood)
    all_wait(whole, flooding, FLOOD)
    # mass work like the other's: nothing but its turn brings it forward
    one, clerks = whole.submission(quiet, bulk=True), whole.submission(flooding)
    whole.publish(quiet.actor(), one)
    all_wait(whole, quiet, 1)
    # what somebody waits for at a page goes before its own tenant's mass work
    whole.publish(flooding.actor(), clerks)
    all_wait(whole, flooding, FLOOD + 1)
    whole.start("pool")
    eventually(lambda: not whole.waiting(flooding) and not whole.waiting(quiet), "all are signed", 120)
    [only], others = signed(whole, quiet), signed(whole, flooding)
    assert len(others) == FLOOD + 1
    before = [row for row in others if row.signed_at < only.signed_at]
    assert len(before) <= FLOOD // 10, f"{len(before)} of the flood were signed before it"
    place = [str(row.message_id) for row in others].index(clerks.message_id)
    assert place <= FLOOD // 10, f"{place} of its tenant's mass work were signed before it"


def test_signatures_are_counted_in_memory_and_committed_many_at_once(whole: SignerSide) -> None:
    whole.stop_all()
    tenant, count = equipped(whole), 400
    whole.launch("consume")
    whole.publish(tenant.actor(), *(whole.submission(tenant, bulk=True) for _ in range(count)))
    all_wait(whole, tenant, count)
    assert metric(whole, "consume", 'signer_outcomes_total{outcome="signed"}') == 0
    whole.start("pool")
    eventually(lambda: not whole.waiting(tenant), "all are signed", 60)
    # every one is counted …
    eventually(
        lambda: metric(whole, "consume", 'signer_outcomes_total{outcome="signed"}') == count,
        "all are counted",
    )
    # … and in the ledger, and it took a few commits: a signature has none of its own
    waves = {row.wave for row in signed(whole, tenant)}
    links = whole.rows(tenant, "SELECT xmin::text AS wave FROM ledger WHERE what = 'signed'")
    assert len(links) == count
    assert {row.wave for row in links} == waves
    # a round is a moment's work (dispatch.py): on a machine that is busy otherwise that is a handful of messages
    assert len(waves) <= count // 5


def test_libraries_of_tokens_live_in_processes_of_one_thread_that_were_not_forked(whole: SignerSide) -> None:
    """Libraries are initialised for one thread, and what is initialised does not survive a fork."""
    whole.start("consume")
    whole.start("serve", GRPC_LISTEN=free_address())
    workers = eventually(lambda: len(found := whole.token_processes()) == 2 and found, "both work")
    for name in ("serve", "consume", "pool"):
        # nothing that has other threads, or forks, has ever loaded one
        assert LIBRARY not in Path(f"/proc/{whole.pid(name)}/maps").read_text(), name
    for pid in workers:
        assert LIBRARY in Path(f"/proc/{pid}/maps").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Threads:\s+1$", status, re.MULTILINE), status
        # begun as a program of its own (token_processes looks at the command line), and with no child
        assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""


def test_the_pool_uses_a_key_for_its_own_tenant_and_its_own_callers_only(whole: SignerSide) -> None:
    owner, other = equipped(whole), Tenant()
    [row] = whole.rows(owner, "SELECT id FROM key")
    whole.start("pool")

    def ask(actor: Actor, caller: str) -> Any:
        tls = Path(whole.servers["tls_dir"])
        files = TlsFiles(tls / "ca.pem", tls / f"{caller}.pem", tls / f"{caller}.key")
        client = Client(whole.environment["SIGNER_POOL_GRPC"], files, "签名设备", "The devices")
        key = token_key(owner.id, str(row.id))
        group = devices_pb2.Group(actor=whole.token_of(actor), key=key, mechanism="rsa-sha256", data=[b"x"])
        try:
            batch = devices_pb2.SignBatch(device="pkcs11", groups=[group])
            return client.call(devices_pb2_grpc.DevicesStub, "Sign", batch, "")
        finally:
            client.channel.close()

    assert len(ask(owner.actor(), "signer.consume").signatures[0]) == 256
    for actor, caller in ((other.actor(), "signer.consume"), (owner.actor(), "gateway.http")):
        with pytest.raises(Problem) as caught:
            ask(actor, caller)
        assert caught.value.kind == "forbidden"


def test_a_broker_that_is_away_at_the_start_is_waited_for(whole: SignerSide) -> None:
    whole.stop_all()
    tenant = equipped(whole)
    where = urlsplit(whole.servers["bus_url"])
    line = Line(where.port or 5672)
    line.cut()
    try:
        away = where._replace(netloc=f"{where.username}:{where.password}@127.0.0.1:{line.port}").geturl()
        whole.start("pool")
        process = whole.launch("consume", BUS_URL=away)
        eventually(lambda: whole.ready("consume")[1].get("bus") == "not connected", "the reason is told", 30)
        eventually(lambda: '"bus.reconnect"' in whole.log("consume"), "it says that it waits", 30)
        line.heal()
        eventually(lambda: whole.ready("consume")[0] == 200, "ready by itself", 30)
        whole.publish(tenant.actor(), whole.submission(tenant))
        eventually(lambda: len(signed(whole, tenant)) == 1, "signed", 30)
        assert process.poll() is None
        whole.stop("consume")
    finally:
        line.close()
