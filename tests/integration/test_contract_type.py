"""A kind of document that is declared in the test alone goes its whole way through the service's real code.

From workbook to customs' last word: real PostgreSQL, real bus, the real relay and consumers; first with the test in
the place of signer and gateway, then with their own processes and the test in the place of customs only.
"""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from kombu import Connection, Queue, binding
from lxml import etree

from documents.describe import describe
from documents.sheet.write import template
from documents.spec import DocumentType
from documents.xml import Transfer, from_xml
from filing.sheet_process import SheetReader
from filing.usecases import content, imports, look, submit
from proto.events.v1 import events_pb2
from runtime.bus import EXCHANGE
from runtime.errors import Problem
from tests.contract.driving import TYPES, Bystander, Service
from tests.contract.made_up import PARCEL, REGISTRY, WIDGET
from tests.support.customs import CustomsSide, opened, wrapped
from tests.support.eventually import eventually
from tests.support.filing import TRANSFER, Office, clerk, office
from tests.support.signing import SignerSide
from tests.support.signing import Tenant as SignerTenant

STRATEGY = imports.Strategy(str(uuid.uuid4()), "试验", "SF", "JIA", {})
W = f"{{{WIDGET.message.namespace}}}"


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = replace(office(servers, REGISTRY, TYPES), strategy=STRATEGY)
    service = Service(servers, made)
    yield made
    service.close()
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    return replace(base, actor=clerk())


@pytest.fixture
def bus(servers: Mapping[str, Any]) -> Iterator[Bystander]:
    url = servers["bus_url"]
    queue = Queue(f"test.made-up.{uuid.uuid4().hex}", bindings=[binding(EXCHANGE, routing_key="message.submitted.#")],
                  durable=True, queue_arguments={"x-queue-type": "quorum"})  # fmt: skip
    with Connection(url) as connection:
        queue(connection.channel()).declare()
    yield Bystander(url, queue)
    with Connection(url) as connection:
        queue(connection.channel()).delete()


def filled(doctype: DocumentType, rows: Sequence[Sequence[str]]) -> bytes:
    """The template as a person fills it in."""
    book = openpyxl.load_workbook(io.BytesIO(template(doctype)))
    for row in rows:
        book[doctype.sheet.title].append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WIDGETS = [
    ("ACME", "W-1", "轴承", "1.5", "2", "20260131093000", "易碎 & <贵重>"),
    ("", "W-1", "弹簧", "0.25", "10", "", ""),
    ("ACME", "W-2", "轴承", "7", "1", "", ""),
    ("BETA", "W-3", "外壳😀", "100.125", "999", "", ""),
    ("BETA", "W-4", "外壳", "1", "1", "", ""),
]


def brought_in(desk: Office, kind: str, file: bytes) -> Any:
    """Uploaded, and read by the imports consumer in its child process."""
    import_id = desk.upload(file, kind)

    def over() -> Any:
        task = imports.read(desk.filing, desk.actor, import_id)
        return task if task.state in ("done", "checked", "failed") else None

    return eventually(over, "the import is read", 60)


def query(desk: Office, kind: str, **wanted: Any) -> dict[str, Any]:
    asked = {"kind": kind, "states": [], "settled": "", "stored_from": "", "stored_to": "", "conditions": {},
             "sort": "number", "page_size": 50, "cursor": ""}  # fmt: skip
    return {row.number: row for row in look.page(desk.filing, desk.actor, {**asked, **wanted}).rows}


def becomes(desk: Office, kind: str, document_id: str, state: str) -> Any:
    def there() -> Any:
        row = look.read(desk.filing, desk.actor, kind, document_id)
        assert row.state == state, row.state
        return row

    return eventually(there, f"{kind} becomes {state}", 30)


def declare(
    desk: Office, kind: str, ids: Iterable[str], transfer: Transfer = TRANSFER
) -> list[content.Result]:
    return submit.declare(desk.filing, desk.actor, desk.token, kind, list(ids), transfer, 2)


def test_a_widget_goes_from_workbook_to_its_last_state(desk: Office, bus: Bystander) -> None:
    task = brought_in(desk, "widget", filled(WIDGET, WIDGETS))
    assert (task.state, task.rows, task.accepted, task.errors) == ("done", 5, 4, [])
    rows = query(desk, "widget")
    assert list(rows) == ["W-1", "W-2", "W-3", "W-4"]
    assert rows["W-1"].head == {
        "maker": "ACME",
        "serial": "W-1",
        "finish": "matt",
        "grams": "1.75",
        "remark": "易碎 & <贵重>",
    }
    assert set(query(desk, "widget", conditions={"maker": "BETA"})) == {"W-3", "W-4"}
    assert set(query(desk, "widget", conditions={"serial": "W-"}, states=["checked"])) == set(rows)

    ids = {number: str(row.id) for number, row in rows.items()}
    results = declare(desk, "widget", ids.values())
    assert [(result.problem, result.state) for result in results] == [(None, "signing")] * 4
    submitted = eventually(
        lambda: bus.heard("MessageSubmitted", events_pb2.MessageSubmitted), "submitted messages"
    )
    assert [len(event.document_ids) for event in submitted] == [2, 2]
    for event in submitted:
        assert (event.kind, event.message_type, event.enterprise_code) == (
            "widget",
            "CEB999Message",
            TRANSFER.cop_code,
        )
        check_message(event.xml)

    for event in submitted:
        signature = events_pb2.Signature(
            key_id="k", key_label="章", device="试验设备", signed_at="2026-11-20T07:00:00+00:00"
        )
        signed = events_pb2.MessageSigned(message_id=event.message_id, kind="widget", signature=signature)
        bus.tell(desk, "message.signed.widget", signed, times=3)
    for document_id in ids.values():
        becomes(desk, "widget", document_id, "signed")
    for event in submitted:
        sent = events_pb2.MessageSent(message_id=event.message_id, kind="widget", channel="amqp",
                                      sent_at="2026-11-20T07:00:01+00:00")  # fmt: skip
        bus.tell(desk, "message.sent.widget", sent)
    becomes(desk, "widget", ids["W-4"], "sent")

    answers = [
        ("W-1", "W9"),
        ("W-1", "W1"),
        ("W-2", "W1"),
        ("W-2", "W7"),
        ("W-3", "-5"),
        ("W-4", "??"),
        ("W-9", "W9"),
    ]
    for place, (number, status) in enumerate(answers):
        bus.tell(desk, "receipt.arrived.CEB998Message", receipt(number, status, place, rows), times=2)
    assert becomes(desk, "widget", ids["W-1"], "polished").settled
    becomes(desk, "widget", ids["W-2"], "melted")
    becomes(desk, "widget", ids["W-3"], "broken")
    kept = eventually(
        lambda: look.receipts(desk.filing, desk.actor, "widget", ids["W-4"]), "the unknown status is kept"
    )
    assert [(row.status, row.standing, row.times) for row in kept] == [("??", "unknown_status", 1)]
    becomes(desk, "widget", ids["W-4"], "sent")
    told = [entry.what for entry in look.timeline(desk.filing, desk.actor, "widget", ids["W-1"])]
    assert sorted(told) == sorted(["imported", "submitted", "signed", "sent", "receipt", "receipt"])

    again = declare(desk, "widget", ids.values())
    assert [result.problem is None for result in again] == [False, True, True, False]
    assert again[0].problem is not None
    assert "已抛光" in again[0].problem.zh


def check_message(xml: bytes) -> None:
    """The message is canonical, in the declared namespace and order, numbered and summed."""
    root = etree.fromstring(xml)
    assert etree.tostring(root, method="c14n") == xml
    assert root.tag == f"{W}CEB999Message"
    assert root.nsmap == {"w": "urn:made-up:widgets"}
    for node in root.findall(f"{W}Widget"):
        card, *parts = node
        names = [etree.QName(item).localname for item in card]
        declared = [field.name for field in WIDGET.head]
        assert names == [name for name in declared if name in names]
        assert set(declared) - set(names) <= {"remark"}
        assert [part.findtext(f"{W}no") for part in parts] == [str(n) for n in range(1, len(parts) + 1)]
    assert root.findtext(f"{W}BaseTransfer/{W}dxpId") == TRANSFER.dxp_id
    read = from_xml(WIDGET, xml)
    assert read.unknown == ()
    assert all(len(body["head"]["sentAt"]) == 14 for body in read.bodies)


def receipt(number: str, status: str, place: int, rows: Mapping[str, Any]) -> events_pb2.ReceiptArrived:
    event = events_pb2.ReceiptArrived(
        raw_id=str(uuid.uuid4()), message_type="CEB998Message", received_at="2026-11-20T08:00:00+00:00"
    )
    maker = rows[number].head["maker"] if number in rows else "ACME"
    event.items.add(guid=str(uuid.uuid4()), status=status, return_time=f"2099112015040{place}000", info="说明",
                    fields={"maker": maker, "serial": number})  # fmt: skip
    return event


def test_wrong_widgets_are_named_cell_by_cell_and_marked(desk: Office) -> None:
    file = filled(WIDGET, [
        ("ACME", "V-1", "轴承", "1", "1", "20260230093000", ""),
        ("acme", "V-2", "轴承", "0", "1000", "", ""),
        ("ACME", "V-3", "轴承", "1", "1", "", "甲"),
        ("BETA", "V-3", "弹簧", "1", "1", "", "乙"),
        *(("ACME", "V-4", f"件{n}", "1", "1", "", "") for n in range(5)),
        ("ACME", "V-5", "件", "1", "1", "", ""),
    ])  # fmt: skip
    task = brought_in(desk, "widget", file)
    assert [(cell["row"], cell["column"], cell["code"]) for cell in task.errors] == [
        (2, "制造时间", "not-a-time"),
        (3, "厂商", "code-shape"),
        (3, "克", "not-positive"),
        (3, "个数", "out-of-range"),
        (5, "厂商", "mismatch"),
        (5, "说明", "mismatch"),
        (10, "编号", "too-many-lines"),
    ]
    assert (task.state, task.accepted, task.rejected) == ("checked", 1, 4)
    made = imports.marked(desk.filing, desk.actor, SheetReader(TYPES), str(task.id), english=False)
    page = openpyxl.load_workbook(io.BytesIO(made.content))["小部件"]
    assert page["H1"].value == "错误原因"
    imports.resolve(desk.filing, desk.actor, desk.token, str(task.id), "keep-valid")
    eventually(
        lambda: imports.read(desk.filing, desk.actor, str(task.id)).state == "done", "the rest is stored", 60
    )
    assert list(query(desk, "widget")) == ["V-5"]


def test_a_file_with_the_same_maker_and_serial_as_a_stored_one_stores_nothing_twice(desk: Office) -> None:
    file = filled(WIDGET, WIDGETS)
    brought_in(desk, "widget", file)
    task = brought_in(desk, "widget", file)
    assert (task.state, task.accepted, task.rejected) == ("checked", 0, 4)
    assert {(cell["letter"], cell["code"]) for cell in task.errors} == {("B", "exists")}


def test_people_edit_and_delete_widgets_by_their_own_rules(desk: Office) -> None:
    body = {"head": {"maker": "ACME", "serial": "E-1"}, "lines": [{"part": "轴", "grams": "1", "count": "1"}]}
    saved = content.save(desk.filing, desk.actor, "widget", body)
    assert saved.warnings == []
    body["lines"] = []
    with pytest.raises(Problem) as caught:
        content.replace(desk.filing, desk.actor, desk.token, "widget", saved.id, 1, body)
    assert caught.value.kind == "invalid"
    assert (
        submit.delete(desk.filing, desk.actor, desk.token, "widget", [saved.id], TRANSFER)[0].problem is None
    )
    assert describe(WIDGET)["states"][-1]["label"] == {"zh": "已抛光", "en": "Polished"}


# -- with the processes of signer and gateway ------------------------------------------------------------------


@pytest.fixture
def outside(servers: Mapping[str, Any], tmp_path: Path) -> Iterator[tuple[SignerSide, CustomsSide]]:
    for name in ("signer", "customs"):
        (tmp_path / name).mkdir()
    closers: list[Callable[[], None]] = []
    try:
        signer = SignerSide(servers, tmp_path / "signer")
        closers.append(signer.close)
        customs = CustomsSide(servers, tmp_path / "customs")
        closers.append(customs.close)
        for name in ("consume", "relay"):
            signer.start(name)
        for name in ("transmit", "receipts"):
            customs.start(name)
        yield signer, customs
    finally:
        for close in closers:
            close()


def test_a_parcel_is_signed_and_sent_and_answered_by_the_real_processes(
    base: Office, outside: tuple[SignerSide, CustomsSide]
) -> None:
    signer, customs = outside
    tenant = customs.tenant("amqp")
    signer.equip(SignerTenant(tenant.id, tenant.code, tenant.dxp_id))
    actor = replace(clerk(), tenant_id=tenant.id, enterprise_code=tenant.code)
    strategy = imports.Strategy(str(uuid.uuid4()), "试验", "SF", "JIA", {"operatorCode": tenant.code})
    desk = replace(base, actor=actor, strategy=strategy)
    task = brought_in(desk, "parcel", filled(PARCEL, [("P-1", "YD001"), ("P-1", "YD002"), ("P-2", "YD003")]))
    assert (task.state, task.accepted, task.errors) == ("done", 2, [])
    rows = query(desk, "parcel")

    declare(
        desk,
        "parcel",
        [str(row.id) for row in rows.values()],
        Transfer(tenant.code, "测试企业", tenant.dxp_id),
    )
    for row in rows.values():
        becomes(desk, "parcel", str(row.id), "sent")
    (raw,) = eventually(customs.at_customs, "the message is at customs", 30)
    envelope = opened(bytes(raw.body))
    assert envelope.head.message_type == "CEB507Message"
    read = from_xml(PARCEL, envelope.data)
    assert [(body["head"]["copNo"], len(body["lines"])) for body in read.bodies] == [("P-1", 2), ("P-2", 1)]
    assert b"<ds:SignatureValue>" in envelope.data
    assert base64.b64decode(etree.fromstring(envelope.data).findtext(".//{*}DigestValue") or "")

    guids = {body["head"]["copNo"]: body["head"]["guid"] for body in read.bodies}
    customs.from_customs(*(wrapped(tenant.dxp_id, parcel_receipt(number, guid, status), "CEB508Message", f"r{status}{number}")
                           for number, guid in guids.items()
                           for status in ("120", "2")))  # fmt: skip
    for row in rows.values():
        assert becomes(desk, "parcel", str(row.id), "accepted").settled
    whats = [entry.what for entry in look.timeline(desk.filing, desk.actor, "parcel", str(rows["P-1"].id))]
    assert whats == ["imported", "submitted", "signed", "sent", "receipt", "receipt"]


def parcel_receipt(number: str, guid: str, status: str) -> str:
    moment = "20991120150405000" if status == "120" else "20991120150404000"
    return (
        f'<CEB508Message xmlns="http://www.chinaport.gov.cn/ceb" guid="{uuid.uuid4()}" version="1.0"><ArrivalReturn>'
        f"<guid>{guid}</guid><copNo>{number}</copNo><returnStatus>{status}</returnStatus><returnTime>{moment}</returnTime>"
        f"<returnInfo>[{status}]</returnInfo></ArrivalReturn></CEB508Message>"
    )
