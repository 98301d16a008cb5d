"""Messages while their device fails: nothing is lost, nobody else is held up, no PIN is tried twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from proto.events.v1 import events_pb2
from services.signer import certificates, xmlsign
from services.signer.domain import token_key
from services.signer.tokens.base import SignRequest
from tests.support.eventually import eventually
from tests.support.seen import Seen, ledger
from tests.support.signing import SignerSide, Tenant, message
from tests.support.verdicts import judge


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
