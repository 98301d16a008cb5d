"""The life of a list: released, closed by its departure, cancelled, amended, deleted."""

from __future__ import annotations

import pytest

from simulator.config import Rules
from tests.unit.simulator import material, papers
from tests.unit.simulator.conftest import Office

OTHER_ID = "DXPENT0000000002"
LIST = papers.goods_list()


@pytest.fixture
def rules() -> Rules:
    """The comparison has tests of its own."""
    return Rules(compare=False)


def receivers(office: Office, message: str, status: str) -> set[str]:
    found = set()
    for item in office.tray.sent:
        info, root = material.open_receipt(item.body)
        if info["MsgType"] == message and any(
            row["returnStatus"] == status for row in material.returns(root)
        ):
            found.add(info["ReceiverId"])
    return found


# ---- closing -----------------------------------------------------------------------------------------------------


def test_a_departure_closes_released_lists_of_whoever_filed_them(office: Office) -> None:
    office.file(papers.goods_list(), sender=OTHER_ID)
    office.file(papers.goods_list("LIST-2", "ORD-2", "WB-2"), papers.goods_list("LIST-3", "ORD-3", "WB-3"))
    office.file(papers.departure(waybills=["WB-1", "WB-2"]))
    assert office.told(LIST) == ["2", "3", "120", "800", "899"]
    assert office.told(papers.goods_list("LIST-2"))[-1] == "899"
    assert office.told(papers.goods_list("LIST-3"))[-1] == "800"
    assert receivers(office, "CEB604Message", "899") == {OTHER_ID, material.DXP_ID}
    assert receivers(office, "CEB510Message", "399") == {material.DXP_ID}
    closed = office.returned(LIST)[-1]
    assert (closed["invtNo"], closed["returnInfo"]) == (office.invt_no(LIST), "结关")


def test_another_carriers_waybill_of_the_same_number_is_another(office: Office) -> None:
    office.file(papers.goods_list(), papers.departure(logisticsCode="3301986TX9"))
    assert office.told(LIST)[-1] == "800"


@pytest.mark.parametrize("number", ["REJ-1", "ERR-1", "INS-1", "SIL-1"])
def test_a_departure_that_is_not_settled_closes_nothing(office: Office, number: str) -> None:
    office.file(papers.goods_list(), papers.departure(number))
    assert office.told(LIST)[-1] == "800"


def test_a_list_released_after_its_departure_is_closed_then(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": "inspect"}]})
    office.file(papers.departure(), papers.goods_list())
    assert office.told(LIST) == ["2", "3", "120", "500"]
    office.control.advance({"number": "LIST-1", "status": 800})
    assert office.told(LIST) == ["2", "3", "120", "500", "800", "899"]


def test_a_late_release_is_closed_after_it(office: Office) -> None:
    office.file(papers.goods_list("SLOW-1"), papers.departure())
    office.send(ahead_s=1)
    slow = papers.goods_list("SLOW-1")
    assert [row["returnStatus"] for row in office.returned(slow)] == ["2", "3", "120"]
    assert office.told(slow) == ["2", "3", "120", "800", "899"]


def test_a_departure_in_parts_closes_part_by_part(office: Office) -> None:
    office.declare(*[papers.goods_list(f"L-{at}", f"O-{at}", f"W-{at}") for at in range(4)])
    office.file(papers.departure(waybills=["W-0", "W-1"], msgCount="2"))
    assert [office.told(papers.goods_list(f"L-{at}"))[-1] for at in range(4)] == ["899", "899", "800", "800"]
    office.file(papers.departure(waybills=["W-2", "W-3"], msgCount="2", msgSeqNo="2"))
    assert [office.told(papers.goods_list(f"L-{at}"))[-1] for at in range(4)] == ["899"] * 4
    assert sum(item.msg_type == "CEB604Message" for item in office.tray.sent) == 4 + 2


def test_a_withdrawn_departure_closes_nothing_more(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": "hold"}]})
    office.file(papers.goods_list(), papers.departure(), papers.departure(appType="3"))
    office.control.advance({"number": "LIST-1", "status": "800"})
    assert office.told(LIST)[-1] == "800"
    office.file(papers.departure(), papers.departure(appType="2", waybills=["WB-9"]))
    assert office.told(LIST)[-1] == "899"


def test_closing_may_be_switched_off(office: Office) -> None:
    office.control.write_script({"close": False})
    office.file(papers.goods_list(), papers.departure())
    late = papers.goods_list("LATE", "ORD-2")
    office.file(late)
    assert office.told(LIST)[-1] == office.told(late)[-1] == "800"
    office.control.advance({"number": "LIST-1", "status": "899"})
    assert office.told(LIST)[-1] == "899"


def test_a_held_departure_closes_when_it_is_pushed_on(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "DEP", "outcome": "hold"}]})
    office.file(papers.goods_list(), papers.departure())
    assert office.told(LIST)[-1] == "800"
    office.control.advance({"number": "DEP-1", "type": "CEB509Message", "status": "399"})
    assert office.told(papers.departure())[-1] == "399"
    assert office.told(LIST)[-1] == "899"


# ---- cancellation ------------------------------------------------------------------------------------------------


def cancel(office: Office, number: str = "CAN-1", **change: str | None) -> list[str]:
    paper = papers.cancellation(office.invt_no(LIST), number, **change)
    office.file(paper)
    return office.told(paper)


def test_a_cancelled_list_is_out_of_the_books(office: Office) -> None:
    office.file(papers.goods_list())
    assert cancel(office) == ["2", "3", "399"]
    assert cancel(office, "CAN-2") == ["-623005"]
    assert "已撤销" in office.returned("CAN-2", "CEB605Message")[-1]["returnInfo"]
    office.file(papers.departure())
    assert office.told(LIST)[-1] == "800"
    office.file(papers.goods_list("LIST-2"))
    assert office.told(papers.goods_list("LIST-2"))[-1] == "899"


def test_two_cancellations_of_one_list_in_one_message(office: Office) -> None:
    office.file(papers.goods_list())
    number = office.invt_no(LIST)
    office.declare(papers.cancellation(number), papers.cancellation(number, "CAN-2"))
    assert office.told(papers.cancellation(number))[-1] == "399"
    assert office.told(papers.cancellation(number, "CAN-2")) == ["-623005"]


def test_what_a_cancellation_needs(office: Office) -> None:
    office.file(papers.goods_list())
    assert cancel(office, "CAN-1", ebcCode="3301986TX5") == ["-623004"]
    assert cancel(office, "CAN-2", agentCode="3301986TX5") == ["-623004"]
    unknown = papers.cancellation("29902026E999999999", "CAN-9")
    office.file(unknown)
    assert office.told(unknown) == ["-623003"]
    assert cancel(office, "REJ-1") == ["2", "3", "100"]
    assert cancel(office, "CAN-3") == ["2", "3", "399"]
    assert cancel(office, "CAN-3", appType="2") == ["2", "3", "399", "-623008"]
    office.file(papers.goods_list("LIST-2", "ORD-2"), papers.departure())
    closed = papers.cancellation(office.invt_no(papers.goods_list("LIST-2")), "CAN-4")
    office.file(closed)
    assert office.told(closed) == ["-623005"]


@pytest.mark.parametrize(
    ("outcome", "good"),
    [
        ("hold", True),
        ("review", True),
        ("settle", True),
        ("inspect", True),
        ("release", True),
        ("close", False),
    ],
)
def test_the_states_that_allow_cancellation(office: Office, outcome: str, good: bool) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": outcome}]})
    office.file(papers.goods_list())
    assert (cancel(office)[-1] == "399") == good


def test_nothing_planned_for_a_cancelled_list_is_sent(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": "release", "delay_s": 600}]})
    office.file(papers.goods_list())
    office.declare(papers.goods_list("LIST-2", "ORD-2"), papers.goods_list("LIST-3", "ORD-3"))
    office.send(ahead_s=1)
    for at, number in enumerate(("LIST-1", "LIST-2")):
        office.file(papers.cancellation(office.invt_no(papers.goods_list(number)), f"CAN-{at}"))
    assert office.told(papers.cancellation("", "CAN-0")) == ["2", "3", "399"]
    assert office.told(LIST) == ["2", "3", "120"]
    assert office.told(papers.goods_list("LIST-2")) == ["2", "3", "120"]
    assert office.told(papers.goods_list("LIST-3")) == ["2", "3", "120", "800"]
    with office.books.reader() as db:
        states = dict(db.execute("SELECT state, count(*) FROM receipts GROUP BY 1"))
    assert states["withdrawn"] == 1
    assert office.counts()["receipts_waiting"] == 0
    assert office.counts()["receipts_sent"] == len(office.tray.sent)


def test_a_cancellation_pushed_on_by_hand(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "CAN", "outcome": "hold"}]})
    office.file(papers.goods_list())
    assert cancel(office) == ["2", "3"]
    office.control.advance({"number": "CAN-1", "status": "399"})
    office.file(papers.departure())
    assert office.told(LIST)[-1] == "800"


class TestNarrowStates:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(compare=False, cancel_states=frozenset({"120"}), amend_states=frozenset({"800"}))

    def test_the_states_are_settings(self, office: Office) -> None:
        office.file(papers.goods_list())
        assert cancel(office) == ["-623005"]
        office.file(papers.goods_list(appType="2"))
        assert office.told(LIST)[-1] == "800"


# ---- amendment and deletion --------------------------------------------------------------------------------------


def hold(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": "hold"}]})


def test_an_amended_list_keeps_its_numbers_and_replaces_what_was_there(office: Office) -> None:
    hold(office)
    office.file(papers.goods_list())
    assert office.told(LIST) == ["2", "3", "120"]
    before = office.returned(LIST)[-1]
    office.control.write_script({})
    office.file(papers.goods_list(appType="2", waybill_no="WB-2"))
    rows = office.returned(LIST) if office.send() is not None else []
    assert [row["returnStatus"] for row in rows][3:] == ["2", "3", "120", "800"]
    assert rows[-1]["guid"] != before["guid"]
    assert (rows[-1]["invtNo"], rows[-1]["preNo"]) == (before["invtNo"], before["preNo"])
    office.file(papers.departure())
    assert office.told(LIST)[-1] == "800"
    office.file(papers.departure("DEP-2", ["WB-2"]))
    assert office.told(LIST)[-1] == "899"


def test_what_was_planned_for_the_replaced_version_is_not_sent(office: Office) -> None:
    office.file(papers.goods_list("SLOW-1"))
    office.send(ahead_s=1)
    office.file(papers.goods_list("SLOW-1", appType="2"))
    assert office.told(papers.goods_list("SLOW-1")) == ["2", "3", "120", "2", "3", "120", "800"]


@pytest.mark.parametrize(("outcome", "amended", "deleted"), [
    ("hold", "800", "120"), ("review", "800", "120"), ("settle", "800", "120"), ("inspect", "800", "120"),
    ("release", "-621011", "120"), ("close", "-621011", "-621012"),
])  # fmt: skip
def test_the_states_that_allow_amendment_and_deletion(
    office: Office, outcome: str, amended: str, deleted: str
) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": outcome}]})
    office.file(papers.goods_list(), papers.goods_list("LIST-2", "ORD-2", "WB-2"))
    office.control.write_script({})
    office.file(papers.goods_list(appType="2"), papers.goods_list("LIST-2", "ORD-2", "WB-2", appType="3"))
    assert office.told(LIST)[-1] == amended
    assert office.told(papers.goods_list("LIST-2"))[-1] == deleted


def test_a_deleted_list_may_be_declared_anew(office: Office) -> None:
    office.file(papers.goods_list(), papers.goods_list(appType="3"))
    first = office.invt_no(LIST)
    assert office.told(LIST)[-1] == "120"
    assert "删除" in office.returned(LIST)[-1]["returnInfo"]
    assert cancel(office) == ["-623005"]
    office.file(papers.goods_list())
    assert office.told(LIST)[-1] == "800"
    assert office.invt_no(LIST) != first


def test_an_order_stands_in_one_list_only(office: Office) -> None:
    office.file(papers.goods_list(), papers.goods_list("LIST-2"))
    office.declare(papers.goods_list("LIST-3", "ORD-3"), papers.goods_list("LIST-4", "ORD-3"))
    assert office.told(papers.goods_list("LIST-2")) == ["-621004"]
    assert office.told(papers.goods_list("LIST-3"))[-1] == "800"
    assert office.told(papers.goods_list("LIST-4")) == ["-621004"]
    assert "LIST-3" in office.returned("LIST-4", "CEB603Message")[0]["returnInfo"]
    office.file(papers.goods_list())
    assert office.told(LIST)[-1] == "-621004"
