"""The desk with its books: what is counted, judged and answered, and what faults do to the answers."""

from __future__ import annotations

import base64
import json
from collections import Counter

import pytest

from simulator import booking, tables
from simulator.config import Rules
from simulator.examine import Examined
from simulator.problems import BadRequest
from simulator.turn import Turn
from simulator.xmlsafe import local
from tests.unit.simulator import material
from tests.unit.simulator.conftest import Office
from tests.unit.simulator.material import DXP_ID, Order, envelope, returns

OTHER_CODE = "91330100MA2K0TXT2B"
OTHER_ID = "DXPENT0000000002"


def test_an_accepted_order_gets_2_3_120_with_rising_times(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("A-1"), Order("A-2"))))
    receipts = office.send()
    assert [info["MsgType"] for info, _ in receipts] == ["CEB304Message"] * 3
    assert {info["SenderId"] for info, _ in receipts} == {"DXPEDCCEB0000003"}
    assert {info["ReceiverId"] for info, _ in receipts} == {DXP_ID}
    assert len({info["CopMsgId"] for info, _ in receipts}) == 3
    rows = [returns(root) for _, root in receipts]
    assert [[row["returnStatus"] for row in message] for message in rows] == [
        ["2"] * 2,
        ["3"] * 2,
        ["120"] * 2,
    ]
    times = [message[0]["returnTime"] for message in rows]
    assert times == sorted(set(times))
    assert office.counts() | {"accepted": 2, "documents": 2, "messages": 1, "rejected": 0} == office.counts()


def test_receipts_fit_the_published_table(office: Office) -> None:
    script = {"rules": [{"prefix": "D", "outcome": "reject", "namespace": "default", "reason": "退单 <&>"}]}
    office.control.write_script(script)
    office.arrive(envelope(office.signed(Order("A<1>"), Order("D-1"), Order("ERR-&"), Order("INS\r1"))))
    table = tables.known()["CEB303Message"].receipt
    seen = set()
    for _, root in office.send():
        assert local(root) == "CEB304Message"
        assert set(root.attrib) == {"guid", "version"}
        for node in root:
            assert [local(field) for field in node] == [field.name for field in table.fields]
            for field, element in zip(table.fields, node, strict=True):
                assert field.wrong(element.text or "") is None
            seen.add((node.findtext("{*}orderNo"), node.findtext("{*}returnStatus"), root.prefix))
    finals = {(number, status) for number, status, _ in seen if status not in ("2", "3")}
    assert finals == {("A<1>", "120"), ("D-1", "100"), ("ERR-&", "-301009"), ("INS\n1", "500")}
    assert {prefix for number, _, prefix in seen if number == "D-1"} == {None}
    assert {prefix for number, _, prefix in seen if number != "D-1"} == {"ceb"}


def test_the_raw_message_is_kept_byte_for_byte(office: Office) -> None:
    business = office.signed(Order("A-1"))
    office.arrive(envelope(business, cop_msg_id="M-1"))
    (found,) = office.control.messages({"type": "CEB303Message"})
    assert base64.b64decode(found["raw"]) == business
    assert (found["sender"], found["verdict"], found["documents"]) == (DXP_ID, "accepted", 1)
    assert office.control.messages({"since": str(found["id"])}) == []
    assert len(office.control.messages({"since": found["received_at"]})) == 1
    assert "raw" not in office.control.messages({"raw": "0"})[0]
    with pytest.raises(BadRequest):
        office.control.messages({"since": "yesterday"})
    with pytest.raises(BadRequest):
        office.control.messages({"limit": "0"})


def test_the_same_message_again_is_counted_but_not_judged_or_answered(office: Office) -> None:
    sealed = envelope(office.signed(Order("A-1")))
    office.arrive(sealed, sealed)
    office.send()
    office.arrive(sealed)
    assert office.send() == []
    assert office.statuses("A-1") == ["2", "3", "120"]
    counts = office.counts()
    assert (counts["messages"], counts["documents"], counts["accepted"], counts["duplicates_received"]) == (
        1,
        1,
        1,
        2,
    )


def test_a_redelivery_by_the_broker_is_no_second_sending(office: Office) -> None:
    sealed = envelope(office.signed(Order("A-1")))
    office.arrive(sealed)
    office.arrive(sealed, redelivered=True)
    assert office.counts()["duplicates_received"] == 0


def test_the_same_id_with_other_content_is_a_conflict(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("A-1")), cop_msg_id="M"))
    office.arrive(envelope(office.signed(Order("A-2")), cop_msg_id="M"))
    office.arrive(envelope(office.signed(Order("A-3")), cop_msg_id="M", sender=DXP_ID))
    assert office.counts()["conflicts"] == 2
    assert [row["verdict"] for row in office.control.messages({})] == ["accepted", "conflict", "conflict"]
    assert office.control.documents({"number": "A-2"}) == []


def test_a_number_declared_twice_is_judged_on_the_books(office: Office) -> None:
    first = Order("A-1")
    office.arrive(envelope(office.signed(first)))
    office.send()  # answers of two messages that arrive within the same millisecond may mix
    office.arrive(envelope(office.signed(first, Order("A-2"))))
    office.send()
    assert office.statuses("A-1") == ["2", "3", "120", "-301010"]
    assert office.statuses("A-2") == ["2", "3", "120"]
    counts = office.counts()
    assert (counts["documents"], counts["accepted"], counts["rejected"]) == (3, 2, 1)
    assert [row["verdict"] for row in office.control.messages({})] == ["accepted", "mixed"]


def test_a_number_twice_in_one_message_is_taken_once(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("A-1"), Order("A-1"))))
    assert [row["verdict"] for row in office.control.documents({"number": "A-1"})] == ["accepted", "error"]


def test_the_same_version_in_another_message_is_not_a_new_document(office: Office) -> None:
    order = Order("A-1", head={"guid": material.new_guid()})
    office.arrive(envelope(office.signed(order)), envelope(office.signed(order)))
    counts = office.counts()
    assert (counts["documents"], counts["repeated_documents"], counts["accepted"]) == (1, 1, 1)
    assert [row["repeated"] for row in office.control.documents({"number": "A-1"})] == [False, True]


def test_a_rejected_order_may_be_corrected_and_declared_again(office: Office) -> None:
    office.control.write_script({"default": "reject"})
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.control.write_script({})
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.send()
    assert Counter(office.statuses("A-1")) == Counter({"2": 2, "3": 2, "100": 1, "120": 1})


def test_another_enterprises_same_number_is_another_order(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("A-1"), Order("A-1", head={"ebpCode": OTHER_CODE}))))
    assert office.counts()["accepted"] == 2


def test_structure_faults_refuse_the_whole_message_and_name_the_place(office: Office) -> None:
    good, bad = Order("A-1"), Order("A-2", line={"qty": "zwei"})
    office.arrive(envelope(office.signed(good, bad)))
    rows = {row["orderNo"]: row for _, root in office.send() for row in returns(root)}
    assert rows["A-2"]["returnStatus"] == rows["A-1"]["returnStatus"] == "-301001"
    assert "第 1 项 数量 qty" in rows["A-2"]["returnInfo"]
    assert "第 2 份单证" in rows["A-1"]["returnInfo"]
    assert office.counts()["accepted"] == 0
    assert office.control.messages({})[0]["verdict"] == "refused"
    office.arrive(envelope(office.signed(good)))
    assert office.counts()["accepted"] == 1


@pytest.mark.parametrize(
    ("message", "wrapping", "status"),
    [
        ({"code": OTHER_CODE}, {}, "-10102"),
        ({"dxp_id": OTHER_ID}, {}, "-10102"),
        ({}, {"sender": OTHER_ID}, "-10102"),
        ({}, {"msg_type": "CEB603Message"}, "-301005"),
    ],
)
def test_parties_that_do_not_agree_are_refused(
    office: Office, message: dict[str, str], wrapping: dict[str, str], status: str
) -> None:
    office.arrive(envelope(office.signed(Order("A-1"), **message), **wrapping))
    office.send()
    assert office.statuses("A-1") == [status]


def test_unsigned_messages_are_refused_while_signatures_are_required(office: Office) -> None:
    office.arrive(envelope(material.message([Order("A-1")])))
    office.send()
    assert office.statuses("A-1") == ["-301017"]


class TestWithoutRequiredSignature:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(require_signature=False)

    def test_unsigned_is_taken_but_a_wrong_signature_is_not(self, office: Office) -> None:
        office.arrive(envelope(material.message([Order("A-1")])))
        forged = office.signed(Order("A-2")).replace("纯棉".encode(), "丝绸".encode())
        office.arrive(envelope(forged))
        office.send()
        assert office.statuses("A-1") == ["2", "3", "120"]
        assert office.statuses("A-2") == ["-301017"]


@pytest.mark.parametrize(
    "business",
    [
        b"no xml",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///nonexistent">]><x>&e;</x>',
        b'<CEB999Message xmlns="http://www.chinaport.gov.cn/ceb"/>',
        b'<ceb:CEB303Message xmlns:ceb="http://www.chinaport.gov.cn/ceb"/>',
        "\u0001甲".encode("gb18030"),
    ],
)
def test_unreadable_business_xml_is_answered_by_ceb900(office: Office, business: bytes) -> None:
    office.arrive(envelope(business, cop_msg_id="QUOTE-ME"))
    ((info, root),) = office.send()
    assert (info["MsgType"], info["ReceiverId"], local(root)) == ("CEB900Message", DXP_ID, "CEB900Message")
    (row,) = returns(root)
    assert row["oriCopMsgId"] == "QUOTE-ME"
    assert row["returnStatus"].startswith("-")
    names = [
        "guid",
        "returnStatus",
        "returnInfo",
        "returnTime",
        "oriCopMsgId",
        "oriMessageType",
        "oriBizMessage",
    ]
    assert list(row) == names
    assert office.counts()["unreadable"] == 1


def test_an_envelope_fault_is_answered_when_the_sender_is_known(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("A-1")), cop_msg_id="M", created="never"))
    office.arrive(b"rubbish", b"rubbish")
    ((_, root),) = office.send()
    assert returns(root)[0]["oriCopMsgId"] == "M"
    office.arrive(envelope(office.signed(Order("A-1")), cop_msg_id="M"))
    office.send()
    assert office.statuses("A-1") == ["2", "3", "120"]  # the corrected envelope under the same id
    counts = office.counts()
    assert (counts["unreadable"], counts["duplicates_received"], counts["conflicts"]) == (2, 1, 0)


def test_a_full_message_is_answered_in_one_receipt_per_status(office: Office) -> None:
    office.arrive(envelope(office.signed(*[Order(f"A-{at}", 1) for at in range(100)])))
    assert [len(returns(root)) for _, root in office.send()] == [100, 100, 100]
    assert office.counts()["answers_sent"] == 300


def test_too_many_documents_are_answered_in_parts(office: Office) -> None:
    office.arrive(envelope(office.signed(*[Order(f"A-{at}", 1) for at in range(130)])))
    receipts = [returns(root) for _, root in office.send()]
    assert sorted(len(rows) for rows in receipts) == [30, 100]
    assert {row["returnStatus"] for rows in receipts for row in rows} == {"-301015"}


def test_silence_is_silence(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("SIL-1"))))
    assert office.send() == []
    assert office.counts()["accepted"] == 1


def test_a_delay_holds_only_the_final_receipt(office: Office) -> None:
    office.control.write_script({"default_delay_s": 60})
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.send(ahead_s=1)
    assert office.statuses("A-1") == ["2", "3"]
    office.send(ahead_s=61)
    assert office.statuses("A-1") == ["2", "3", "120"]


def test_a_message_that_breaks_the_desk_does_not_stop_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    enter = booking.enter

    def fail_on_one(
        turn: Turn, one: Examined, message_id: int, judged: list[booking.Judged], lost: bool
    ) -> None:
        enter(turn, one, message_id, judged, lost)
        if one.cop_msg_id == "ODD":
            raise LookupError("odd")

    monkeypatch.setattr(booking, "enter", fail_on_one)
    sealed = [
        envelope(office.signed(Order(f"A-{at}")), cop_msg_id="ODD" if at == 1 else None) for at in range(3)
    ]
    office.arrive(*sealed)
    office.send()
    assert [len(office.statuses(f"A-{at}")) for at in range(3)] == [3, 0, 3]
    assert [row["verdict"] for row in office.control.messages({})] == ["accepted", "unreadable", "accepted"]
    counts = office.counts()
    assert (counts["messages"], counts["documents"], counts["accepted"], counts["unreadable"]) == (3, 2, 2, 1)
    assert "broke the desk" in caplog.text


# ---- faults ------------------------------------------------------------------------------------------------------


def test_delay_holds_everything(office: Office) -> None:
    office.control.write_faults({"delay_ms": 30_000})
    office.arrive(envelope(office.signed(Order("A-1"))))
    assert office.send(ahead_s=20) == []
    assert len(office.send(ahead_s=20)) == 3


def test_duplicate_sends_the_same_bytes(office: Office) -> None:
    office.control.write_faults({"duplicate": 2})
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.send()
    bodies = Counter(item.body for item in office.tray.sent)
    assert sorted(bodies.values()) == [3, 3, 3]
    assert office.counts()["receipts_sent"] == 3


def test_reorder_sends_the_final_one_first_with_true_times(office: Office) -> None:
    office.control.write_faults({"reorder": True})
    office.arrive(envelope(office.signed(Order("A-1"))))
    rows = [returns(root)[0] for _, root in office.send()]
    assert [row["returnStatus"] for row in rows] == ["120", "3", "2"]
    times = [row["returnTime"] for row in rows]
    assert times == sorted(times, reverse=True)


def test_drop_next_and_late_release(office: Office) -> None:
    office.control.write_faults({"drop_next": 2})
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.send()
    assert office.statuses("A-1") == ["120"]
    assert office.control.read_faults({})["drop_next"] == 0
    assert office.control.release({}) == {"released": 2}
    office.send()
    assert office.statuses("A-1") == ["120", "2", "3"]


def test_drop_rate_of_one_drops_all(office: Office) -> None:
    office.control.write_faults({"drop_rate": 1})
    office.arrive(envelope(office.signed(Order("A-1"))))
    assert office.send() == []
    assert office.counts()["receipts_dropped"] == 3


def test_a_lost_answer_comes_when_the_message_comes_again(office: Office) -> None:
    office.control.write_faults({"lose_answer": 1})
    sealed = envelope(office.signed(Order("A-1")))
    office.arrive(sealed)
    office.arrive(sealed, redelivered=True)
    assert office.send() == []
    assert office.counts()["receipts_lost"] == 3
    office.arrive(sealed)
    office.send()
    assert office.statuses("A-1") == ["2", "3", "120"]
    office.arrive(sealed)
    assert office.send() == []
    assert office.counts()["accepted"] == 1


def test_a_lost_message_is_not_booked(office: Office) -> None:
    office.control.write_faults({"lose_message": 1})
    sealed = envelope(office.signed(Order("A-1")))
    office.arrive(sealed)
    assert office.counts()["documents"] == 0
    office.arrive(sealed)
    assert office.counts()["documents"] == 1
    assert office.counts()["duplicates_received"] == 0


def test_extras_wait_for_the_first_document(office: Office) -> None:
    office.control.write_faults({"unknown_document": 2, "wrong_tenant": 1})
    assert office.control.read_faults({})["unknown_document"] == 2
    office.arrive(envelope(office.signed(Order("A-1"))))
    assert office.control.read_faults({})["unknown_document"] == 0
    receipts = office.send()
    foreign = [(info, returns(root)[0]) for info, root in receipts if info["ReceiverId"] != DXP_ID]
    assert [row["orderNo"] for _, row in foreign] == ["A-1"]
    unknown = [row for _, root in receipts for row in returns(root) if row["orderNo"].startswith("UNKNOWN-")]
    assert len({row["guid"] for row in unknown}) == 2
    assert office.counts()["answers_sent"] == 3


def test_a_strangers_receipt_goes_to_the_other_enterprise(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("B-1"), dxp_id=OTHER_ID), sender=OTHER_ID))
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.send()
    office.control.write_faults({"wrong_tenant": 1})
    ((info, root),) = office.send()
    assert info["ReceiverId"] == OTHER_ID
    assert (returns(root)[0]["orderNo"], returns(root)[0]["returnStatus"]) == ("A-1", "100")


def test_garbage_is_garbage_of_every_kind(office: Office) -> None:
    office.arrive(envelope(office.signed(Order("A-1"))))
    office.send()
    begin = len(office.tray.sent)
    office.control.write_faults({"garbage": 6})
    reader = office.books.connect()
    assert office.sender.once(reader) == 6
    reader.close()
    bodies = [item.body for item in office.tray.sent[begin:]]
    assert len(set(bodies)) == 6
    assert sum(b"<!DOCTYPE" in body for body in bodies) == 1
    readable = 0
    for body in bodies:
        try:
            _, root = material.open_receipt(body)
            readable += 1
            assert local(root) in ("CEB304Message", "Unknown")
        except (material.etree.XMLSyntaxError, ValueError):
            continue
    assert 2 <= readable < 6


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"unknown": 1},
        {"delay_ms": -1},
        {"drop_rate": 2},
        {"drop_rate": True},
        {"reorder": 1},
        {"garbage": 1.5},
    ],
)
def test_wrong_faults_are_refused(office: Office, wrong: object) -> None:
    with pytest.raises(BadRequest):
        office.control.write_faults(wrong)


def test_script_and_faults_read_back_and_reset(office: Office) -> None:
    script = {"rules": [{"prefix": "甲", "outcome": "silent"}], "default": "accept"}
    office.control.write_script(script)
    office.control.write_faults({"drop_next": 7})
    office.arrive(envelope(office.signed(Order("A-1"))))
    assert office.control.read_script({}) == script
    assert office.control.read_faults({})["drop_next"] == 7
    assert office.control.reset({}) == {"reset": True}
    assert office.control.read_script({}) == {}
    assert office.control.read_faults({})["drop_next"] == 0
    assert set(office.counts().values()) == {0}
    assert office.control.messages({}) == []
    assert office.send() == []
    assert json.dumps(office.control.health({}))
