"""Out to customs with real servers and real processes: nothing lost, the same bytes however often, nobody held up."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proto.events.v1 import events_pb2
from services.gateway.customs import store
from services.gateway.customs.channels.base import Parcel
from services.gateway.customs.channels.spool import SpoolChannel
from tests.support.customs import CustomsSide, collect, opened
from tests.support.eventually import eventually
from tests.support.stack import BASE

STATES = "SELECT CAST(message_id AS text) AS id, state, attempts, channel, code, reason_zh FROM transmissions"
SIGNED = '<ceb:CEB303Message xmlns:ceb="…">签名\r\n</ceb:CEB303Message>'.encode()


@pytest.fixture
def customs(servers: dict[str, Any], tmp_path: Path) -> Iterator[CustomsSide]:
    side = CustomsSide(servers, tmp_path)
    try:
        yield side
    finally:
        side.close()


def test_both_channels_get_the_exact_signed_bytes(customs: CustomsSide) -> None:
    a, b = customs.tenant("amqp"), customs.tenant("spool")
    customs.start("transmit")
    first, second = customs.message(a, SIGNED), customs.message(b, SIGNED)
    customs.publish(a, first)
    customs.publish(b, second)

    told = collect(customs.told, 2, "both are told as sent")
    by_tenant = {one.tenant: one for one in told}
    assert by_tenant[a.id].key == "message.sent.order"
    assert (by_tenant[a.id].body.message_id, by_tenant[a.id].body.channel) == (first.message_id, "amqp")
    assert (by_tenant[b.id].body.message_id, by_tenant[b.id].body.channel) == (second.message_id, "spool")

    [arrived] = customs.at_customs()
    assert arrived.properties["message_id"] == first.message_id
    assert arrived.properties["content_type"] == "text/xml"
    assert arrived.properties["delivery_mode"] == 2
    file = customs.spool / "to-customs" / f"{second.message_id}.xml"
    for tenant, ready, raw in ((a, first, bytes(arrived.body)), (b, second, file.read_bytes())):
        message = opened(raw)
        assert message.data == SIGNED
        assert message.head.sender == tenant.dxp_id
        assert message.head.receivers == ("DXPEDCCEB0000003",)
        assert message.head.cop_msg_id == ready.message_id
        assert message.file_name == f"CEB303Message_{ready.message_id.upper()}.xml"
        with customs.database.transaction(tenant.id) as connection:
            assert store.signed_bytes(connection, tenant.id, ready.message_id) == SIGNED
    assert [row.state for row in customs.rows(a.id, STATES)] == ["sent"]
    with customs.database.transaction(a.id) as connection:
        assert store.transmission(connection, b.id, second.message_id) is None
    customs.stop("transmit")


@pytest.mark.parametrize(
    "point",
    [
        "transmit.intent.before-commit",
        "transmit.intent.committed",
        "transmit.send.before",
        "spool.written",
        "transmit.sent",
        "transmit.outcome.before-commit",
        "transmit.outcome.committed",
    ],
)
def test_dying_anywhere_repeats_the_same_bytes(customs: CustomsSide, point: str) -> None:
    tenant = customs.tenant("spool" if point == "spool.written" else "amqp")
    messages = [customs.message(tenant, SIGNED + bytes([number])) for number in range(5)]
    customs.start("transmit")
    customs.crash(point)
    customs.publish(tenant, *messages)
    customs.died("transmit")
    before = customs.rows(tenant.id, "SELECT message_id, envelope FROM transmissions ORDER BY 1")
    customs.start("transmit")

    told = collect(customs.told, 5, "all are told as sent")
    eventually(
        lambda: {row.state for row in customs.rows(tenant.id, STATES)} == {"sent"}, "all recorded as sent"
    )
    customs.stop("transmit")
    assert sorted(one.body.message_id for one in told + customs.told()) == sorted(
        one.message_id for one in messages
    )
    after = customs.rows(tenant.id, "SELECT message_id, envelope FROM transmissions ORDER BY 1")
    assert not before or before == after
    if point == "spool.written":
        seen = {file.stem: {file.read_bytes()} for file in (customs.spool / "to-customs").glob("*.xml")}
    else:
        seen = {}
        for one in customs.at_customs():
            seen.setdefault(one.properties["message_id"], set()).add(bytes(one.body))
    # however often it was sent: one id, one content
    assert {key: len(bodies) for key, bodies in seen.items()} == {one.message_id: 1 for one in messages}


def test_a_repeated_event_is_sent_once_and_other_bytes_under_its_id_never(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp")
    ready = customs.message(tenant, SIGNED)
    customs.start("transmit")
    customs.publish(tenant, ready, ready)
    collect(customs.told, 1, "it is sent")
    customs.publish(tenant, ready)
    other = events_pb2.MessageReady()
    other.CopyFrom(ready)
    other.xml = SIGNED + b"!"
    customs.publish(tenant, other)
    assert collect(customs.parked, 1, "the other bytes are parked") == [other.SerializeToString()]
    assert [bytes(one.body) for one in customs.at_customs()]
    assert customs.told() == []
    assert len(customs.rows(tenant.id, STATES)) == 1


def test_what_cannot_be_sent_is_refused_by_name(customs: CustomsSide) -> None:
    tenant, other = customs.tenant("amqp"), customs.tenant("amqp")
    messages = [
        customs.message(tenant, enterprise_code="9100"),
        customs.message(tenant, dxp_id="DXPENT0000000000"),
    ]
    cases = dict(
        zip((one.message_id for one in messages), ("enterprise-missing", "dxp-id-changed"), strict=True)
    )
    customs.start("transmit")
    customs.publish(tenant, *messages)
    # another tenant's enterprise is as missing as one that does not exist
    foreign = customs.message(tenant, enterprise_code=other.code, dxp_id=other.dxp_id)
    customs.publish(tenant, foreign)
    cases[foreign.message_id] = "enterprise-missing"
    told = collect(customs.told, 3, "three refusals")
    assert {one.key for one in told} == {"message.refused.order"}
    assert {one.body.message_id: one.body.code for one in told} == cases
    assert all(one.body.stage == "send" and one.body.zh and one.body.en for one in told)
    assert {row.state for row in customs.rows(tenant.id, STATES)} == {"refused"}
    assert customs.at_customs() == []


def test_an_event_whose_actor_is_of_another_tenant_is_parked(customs: CustomsSide) -> None:
    a, b = customs.tenant("amqp"), customs.tenant("amqp")
    customs.start("transmit")
    good = customs.message(b)
    customs.publish(b, customs.message(b), acting=a)
    customs.publish(b, customs.message(b, message_id="../../etc/x"))
    customs.publish(b, good)
    assert len(collect(customs.parked, 2, "both are parked")) == 2
    assert [one.body.message_id for one in collect(customs.told, 1, "the good one is sent")] == [
        good.message_id
    ]
    assert customs.rows(a.id, STATES) == []


def test_a_spool_that_is_away_does_not_hold_up_amqp_and_is_made_up_for(customs: CustomsSide) -> None:
    a, b = customs.tenant("amqp"), customs.tenant("spool")
    customs.start("transmit")
    folder, away = customs.spool / "to-customs", customs.spool / "away"
    folder.rename(away)
    late = [customs.message(b) for _ in range(150)]
    customs.publish(b, *late)
    eventually(
        lambda: any(row.state == "waiting" for row in customs.rows(b.id, STATES)), "the spool is missed"
    )
    assert "海关通道" in next(row.reason_zh for row in customs.rows(b.id, STATES) if row.state == "waiting")
    customs.publish(a, *[customs.message(a) for _ in range(20)])
    told = collect(customs.told, 20, "amqp goes on")
    assert {one.tenant for one in told} == {a.id}
    eventually(lambda: customs.ready() == 503, "readiness tells of it")
    away.rename(folder)
    told = collect(customs.told, 150, "the spool is made up for", 30)
    assert {one.body.message_id for one in told} == {one.message_id for one in late}
    assert len(list(folder.glob("*.xml"))) == 150
    assert not list(folder.glob(".*"))
    customs.stop("transmit")


def test_stopping_while_a_channel_is_away_parks_nothing(customs: CustomsSide) -> None:
    tenant = customs.tenant("spool")
    customs.start("transmit")
    folder, away = customs.spool / "to-customs", customs.spool / "away"
    folder.rename(away)
    customs.publish(tenant, customs.message(tenant))
    eventually(lambda: [row.state for row in customs.rows(tenant.id, STATES)] == ["waiting"], "it waits")
    customs.stop("transmit")
    away.rename(folder)
    customs.start("transmit")
    collect(customs.told, 1, "it is sent after the restart")
    assert customs.parked() == []


def test_the_broker_dies_while_sending(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp")
    messages = [customs.message(tenant, SIGNED * 20) for _ in range(600)]
    customs.start("transmit")
    customs.publish(tenant, *messages)
    eventually(
        lambda: any(row.state == "sent" for row in customs.rows(tenant.id, STATES)), "sending has begun"
    )
    kill_broker()
    eventually(
        lambda: (
            {row.state for row in customs.rows(tenant.id, STATES)} == {"sent"}
            and len(customs.rows(tenant.id, STATES)) == 600
        ),
        "all are sent after the broker came back",
        90,
    )
    seen: dict[str, set[bytes]] = {}
    for one in customs.at_customs():
        seen.setdefault(one.properties["message_id"], set()).add(bytes(one.body))
    assert {key: len(bodies) for key, bodies in seen.items()} == {one.message_id: 1 for one in messages}
    told = {one.body.message_id for one in collect(customs.told, 600, "all are told", 30)}
    assert told == {one.message_id for one in messages}


def test_a_deleted_customs_queue_is_made_again_and_nothing_is_lost(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp")
    customs.start("transmit")
    customs.publish(tenant, customs.message(tenant))
    collect(customs.told, 1, "it is sent")
    customs.delete_customs_queue()
    ready = customs.message(tenant)
    customs.publish(tenant, ready)
    collect(customs.told, 1, "the next one is sent too")
    assert [one.properties["message_id"] for one in customs.at_customs()] == [ready.message_id]


def test_lost_database_connections_are_waited_out(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp")
    customs.start("transmit")
    messages = [customs.message(tenant) for _ in range(300)]
    customs.publish(tenant, *messages)
    for _ in range(3):
        customs.cut_database_connections()
    told = collect(customs.told, 300, "all are sent", 30)
    assert {one.body.message_id for one in told} == {one.message_id for one in messages}
    assert customs.parked() == []


def test_the_spool_shows_a_file_whole_or_not_at_all_and_repeating_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "to-customs"
    folder.mkdir()
    channel = SpoolChannel(tmp_path)
    parcels = [Parcel(str(uuid.uuid4()), bytes([number]) * 100_000) for number in range(50)]
    channel.send(parcels)
    channel.send(parcels)
    channel.close()
    assert {file.stem: file.read_bytes() for file in folder.iterdir()} == {
        one.cop_msg_id: one.body for one in parcels
    }


def kill_broker() -> None:
    """SIGKILL; the supervisor of the test's servers starts it again."""
    known = json.loads((BASE / "servers" / "processes.json").read_text())
    os.kill(known["rabbitmq"]["pid"], signal.SIGKILL)
