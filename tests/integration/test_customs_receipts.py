"""In from customs with real servers and real processes: everything kept, told once, to the right tenant."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.actor import UNASSIGNED_TENANT
from services.gateway.customs import store
from tests.support.customs import CustomsSide, answer, collect, order_receipt, wrapped
from tests.support.eventually import eventually

STATES = "SELECT state, code FROM transmissions"
RAW = "SELECT state, code, reason_zh, times, raw, message_type, receiver FROM raw_receipts"


@pytest.fixture
def customs(servers: dict[str, Any], tmp_path: Path) -> Iterator[CustomsSide]:
    side = CustomsSide(servers, tmp_path)
    try:
        yield side
    finally:
        side.close()


@pytest.mark.parametrize("source", ["amqp", "spool"])
def test_receipts_are_kept_counted_and_told_once(customs: CustomsSide, source: str) -> None:
    tenant = customs.tenant("amqp")
    one = wrapped(tenant.dxp_id, order_receipt(("N-1", "120"), ("N-2", "-301010")))
    two = wrapped(tenant.dxp_id, order_receipt(("N-1", "399"), prefix="x"))
    deliver(customs, source, one, one, two)
    customs.start("receipts")
    told = collect(customs.told, 2, "two receipts are told")
    eventually(
        lambda: (
            sorted((row.times, row.state) for row in customs.rows(tenant.id, RAW))
            == [(1, "parsed"), (2, "parsed")]
        ),
        "the double is counted",
    )
    deliver(customs, source, two)
    eventually(lambda: [row.times for row in customs.rows(tenant.id, RAW)] == [2, 2], "and the later one")
    assert customs.told() == []
    assert {bytes(row.raw) for row in customs.rows(tenant.id, RAW)} == {one, two}
    assert {event.key for event in told} == {"receipt.arrived.CEB304Message"}
    items = [item for event in told for item in event.body.items]
    assert sorted((item.fields["orderNo"], item.status) for item in items) == [
        ("N-1", "120"),
        ("N-1", "399"),
        ("N-2", "-301010"),
    ]
    assert all(item.return_time == "20260102030405678" and item.fields["later"] == "新元素" for item in items)
    assert all(item.info == f"[{item.status}]收到" and item.guid for item in items)
    # the raw receipt can be found by what the event says, and only in its tenant
    with customs.database.transaction(tenant.id) as connection:
        found = store.raw_receipt(connection, tenant.id, told[0].body.raw_id)
    assert found is not None
    assert hashlib.sha256(found["raw"]).digest() == found["sha256"]
    customs.stop("receipts")
    assert customs.unacknowledged() == 0
    assert list((customs.spool / "from-customs").glob("*.xml")) == []


@pytest.mark.parametrize(
    ("source", "point"),
    [
        ("amqp", "receipts.stored.before-commit"),
        ("amqp", "receipts.committed"),
        ("spool", "receipts.stored.before-commit"),
        ("spool", "receipts.committed"),
        ("spool", "receipts.spool.before-delete"),
    ],
)
def test_dying_while_receiving_loses_and_doubles_nothing(
    customs: CustomsSide, source: str, point: str
) -> None:
    tenant = customs.tenant("amqp")
    customs.crash(point)
    deliver(customs, source, *(wrapped(tenant.dxp_id, order_receipt((f"N-{n}", "120"))) for n in range(5)))
    customs.start("receipts", wait=False)
    customs.died("receipts")
    customs.start("receipts")
    told = collect(customs.told, 5, "all are told")
    eventually(lambda: len(customs.rows(tenant.id, RAW)) == 5, "all are kept")
    customs.stop("receipts")
    assert len(told + customs.told()) == 5
    assert customs.unacknowledged() == 0


def test_a_receiver_nobody_has_is_parked_and_delivered_once_there_is_one(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp", dxp_id="DXPENT0000000001")
    late = customs.tenant("amqp", dxp_id="DXPENT0000000009")
    raw = wrapped("DXPENT0000000002", order_receipt(("N-1", "120")))
    customs.from_customs(raw, wrapped(tenant.dxp_id, order_receipt(("N-2", "120"))))
    customs.start("receipts")
    assert [one.tenant for one in collect(customs.told, 1, "the known one is told")] == [tenant.id]
    [parked] = eventually(lambda: customs.rows(UNASSIGNED_TENANT, RAW), "the unknown one is parked")
    assert (parked.state, parked.code, bytes(parked.raw)) == ("unassigned", "unknown-receiver", raw)
    assert "DXPENT0000000002" in parked.reason_zh
    customs.stop("receipts")
    with customs.database.transaction(late.id) as connection:
        connection.exec_driver_sql("UPDATE enterprises SET dxp_id = 'DXPENT0000000002'")
    customs.environment["CUSTOMS_LOOK_AGAIN_SECONDS"] = "1"
    customs.crash("receipts.handed-over")
    customs.start("receipts", wait=False)
    customs.died("receipts")
    customs.start("receipts")
    assert [one.tenant for one in collect(customs.told, 1, "it is delivered")] == [late.id]
    eventually(
        lambda: [row.state for row in customs.rows(UNASSIGNED_TENANT, RAW)] == ["assigned"], "and marked"
    )
    assert [bytes(row.raw) for row in customs.rows(late.id, RAW)] == [raw]
    assert customs.told() == []


def test_naming_a_receiver_shows_its_enterprise_and_nothing_else(customs: CustomsSide) -> None:
    a, b = customs.tenant("amqp"), customs.tenant("amqp")
    with customs.database.transaction(None) as connection:
        assert connection.exec_driver_sql("SELECT * FROM enterprises").all() == []
        assert store.receivers(connection, a.dxp_id) == [(a.id, a.code)]
        seen = connection.exec_driver_sql("SELECT code FROM enterprises").all()
        assert [row.code for row in seen] == [a.code]
        assert connection.exec_driver_sql("SELECT * FROM tenants").all() == []
        assert connection.exec_driver_sql("UPDATE enterprises SET name = 'x'").rowcount == 0
    # the setting ends with its transaction, also on a pooled connection
    with customs.database.transaction(b.id) as connection:
        seen = connection.exec_driver_sql("SELECT code FROM enterprises").all()
        assert [row.code for row in seen] == [b.code]


def test_hostile_and_broken_receipts_are_kept_with_a_reason(customs: CustomsSide, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("CANARY")
    tenant = customs.tenant("amqp")
    xxe = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><a>&x;</a>'
    cases = {
        wrapped(tenant.dxp_id, xxe): (tenant.id, "doctype"),
        xxe.encode(): (UNASSIGNED_TENANT, "doctype"),
        b"": (UNASSIGNED_TENANT, "not-xml"),
        b"\x00\xff\xfe": (UNASSIGNED_TENANT, "not-xml"),
        wrapped(tenant.dxp_id, order_receipt(("N", "1")))[:-20]: (UNASSIGNED_TENANT, "not-wellformed"),
        wrapped(tenant.dxp_id, "<CEB304Message/>"): (tenant.id, "not-a-receipt"),
        wrapped(tenant.dxp_id, b"\xff\xff"): (tenant.id, "not-xml"),
        b"<a/>": (UNASSIGNED_TENANT, "not-an-envelope"),
    }
    customs.from_customs(*cases)
    # a sender's headers must not make us decode, decompress or choke
    good = wrapped(tenant.dxp_id, order_receipt(("N-1", "120")))
    customs.from_customs(good, content_encoding="gbk", application_headers={"compression": "bzip2", "id": 3})
    customs.start("receipts")
    [event] = collect(customs.told, 1, "the good one is told")
    assert event.body.items[0].fields["orderNo"] == "N-1"

    def kept() -> bool:
        found = {
            bytes(row.raw): (owner, row.code)
            for owner in (tenant.id, UNASSIGNED_TENANT)
            for row in customs.rows(owner, RAW)
            if row.state == "unreadable" and row.reason_zh
        }
        return found == cases

    eventually(kept, "each is kept with its reason")
    assert b"CANARY" not in (customs.folder / "receipts.log").read_bytes()


def test_files_that_cannot_be_read_are_set_aside(customs: CustomsSide) -> None:
    tenant = customs.tenant("spool")
    folder = customs.spool / "from-customs"
    (folder / "a.xml").symlink_to("/etc/hostname")
    (folder / "b.xml").mkdir()
    with (folder / "c.xml").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    (folder / "d.xml").write_bytes(wrapped(tenant.dxp_id, order_receipt(("N-1", "120"))))
    (folder / ".hidden.xml").write_bytes(b"<a/>")
    customs.start("receipts")
    collect(customs.told, 1, "the good one is told")
    eventually(lambda: len(list((folder / "unreadable").iterdir())) == 3, "three are set aside")
    assert sorted(entry.name for entry in folder.iterdir()) == [".hidden.xml", "unreadable"]


def test_the_platform_refuses_a_message(customs: CustomsSide) -> None:
    tenant, other = customs.tenant("amqp"), customs.tenant("amqp")
    ready = customs.message(tenant)
    customs.start("transmit")
    customs.publish(tenant, ready)
    collect(customs.told, 1, "it is sent")
    customs.stop("transmit")
    customs.from_customs(
        # somebody else's answer about our message, one about a message nobody sent, then the real one, twice
        answer(other.dxp_id, ready.message_id, "1001", "冒名"),
        answer(tenant.dxp_id, str(uuid.uuid4()), "1001", "没有"),
        answer(tenant.dxp_id, ready.message_id, "1004", "验签失败"),
        answer(tenant.dxp_id, ready.message_id, "1004", "验签失败，再说一次"),
    )
    customs.start("receipts")
    [refused] = collect(customs.told, 1, "the refusal is told")
    eventually(lambda: len(customs.rows(tenant.id, RAW)) == 3, "all answers are kept")
    customs.stop("receipts")
    assert customs.told() == []
    assert (refused.key, refused.tenant) == ("message.refused.order", tenant.id)
    assert (refused.body.message_id, refused.body.stage) == (ready.message_id, "send")
    assert "验签失败" in refused.body.zh
    assert "签名与数据不符" in refused.body.zh
    assert [(row.state, row.code) for row in customs.rows(tenant.id, STATES)] == [
        ("refused", "platform-1004")
    ]
    assert sorted(row.state for row in customs.rows(tenant.id, RAW)) == ["parsed", "parsed", "unmatched"]
    assert [row.state for row in customs.rows(other.id, RAW)] == ["unmatched"]


def test_a_format_failure_of_a_whole_message_refuses_it(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp")
    ready = customs.message(tenant)
    customs.start("transmit")
    customs.publish(tenant, ready)
    collect(customs.told, 1, "it is sent")
    customs.stop("transmit")
    failure = (
        '<CEB900Message xmlns="http://www.chinaport.gov.cn/ceb" guid="g" version="1.0"><MessageReturn><guid>g</guid>'
        "<returnStatus>-10101</returnStatus><returnInfo>企业代码无效</returnInfo>"
        f"<returnTime>20260102030405678</returnTime><oriCopMsgId>{ready.message_id}</oriCopMsgId>"
        "<oriMessageType>CEB303Message</oriMessageType><oriBizMessage>&lt;signed/&gt;</oriBizMessage>"
        "</MessageReturn></CEB900Message>"
    )
    customs.from_customs(wrapped(tenant.dxp_id, failure, "CEB900Message"))
    customs.start("receipts")
    told = {one.key: one.body for one in collect(customs.told, 2, "it is told both ways")}
    assert told["message.refused.order"].message_id == ready.message_id
    assert "企业代码无效" in told["message.refused.order"].zh
    [item] = told["receipt.arrived.CEB900Message"].items
    assert item.fields["oriCopMsgId"] == ready.message_id
    assert [row.state for row in customs.rows(tenant.id, STATES)] == ["refused"]


def test_a_document_of_customs_own_travels_with_its_lines(customs: CustomsSide) -> None:
    """As the published sample: default namespace, no gseqno, declAgentCode under its other spelling."""
    tenant = customs.tenant("amqp")
    lines = "".join(
        f"<SummaryResultList><invtNo>I{n}</invtNo><gnum>{n}</gnum></SummaryResultList>" for n in range(3)
    )
    result = (
        '<CEB792Message xmlns="http://www.chinaport.gov.cn/ceb" guid="g" version="1.0"><SummaryResult>'
        "<SummaryResultHead><guid>A-1</guid><sumNo>S1</sumNo><declagAgentCode>9</declagAgentCode></SummaryResultHead>"
        f"{lines}</SummaryResult></CEB792Message>"
    )
    customs.from_customs(wrapped(tenant.dxp_id, result, "CEB792Message"))
    customs.start("receipts")
    [told] = collect(customs.told, 1, "it is told")
    [item] = told.body.items
    assert (told.key, item.guid, item.status) == ("receipt.arrived.CEB792Message", "A-1", "")
    assert dict(item.fields) == {"guid": "A-1", "sumNo": "S1", "declagAgentCode": "9"}
    assert [dict(line.fields) for line in item.lines] == [
        {"invtNo": f"I{n}", "gnum": str(n)} for n in range(3)
    ]


def test_a_root_that_the_published_sample_misspells_is_taken_with_a_note(customs: CustomsSide) -> None:
    tenant = customs.tenant("amqp")
    receipt = (
        '<CEB214 xmlns="http://www.chinaport.gov.cn/ceb"><RefundReturn><guid>g</guid><coElNo>R1</coElNo>'
        "<returnStatus>120</returnStatus></RefundReturn></CEB214>"
    )
    customs.from_customs(wrapped(tenant.dxp_id, receipt, "CEB214Message"))
    customs.start("receipts")
    [told] = collect(customs.told, 1, "it is told")
    assert told.key == "receipt.arrived.CEB214Message"
    [row] = customs.rows(tenant.id, RAW)
    assert (row.state, row.code, row.message_type) == ("parsed", "root-spelling", "CEB214Message")
    assert "CEB214" in row.reason_zh


def deliver(customs: CustomsSide, source: str, *bodies: bytes) -> None:
    if source == "amqp":
        customs.from_customs(*bodies)
        return
    for body in bodies:
        name = f"{uuid.uuid4()}.xml"
        part = customs.spool / "from-customs" / f".{name}"
        part.write_bytes(body)
        part.rename(part.with_name(name))
