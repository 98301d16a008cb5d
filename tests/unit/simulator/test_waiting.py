"""Lists that come before their order, waybill or payment: they wait, in the books, and are decided once."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from simulator import channel, store
from simulator.authority import Authority
from simulator.clerk import Clerk
from simulator.config import Rules
from simulator.desk import Desk
from simulator.verify import Trust
from tests.unit.simulator import papers
from tests.unit.simulator.conftest import Office

LIST = papers.goods_list()


def waiting(office: Office) -> int:
    return office.counts()["documents_waiting"]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_order_of_arrival_makes_no_difference(office: Office, order: tuple[int, ...]) -> None:
    legs = (papers.goods_list(), papers.order(), papers.waybill())
    office.file(*[legs[at] for at in order])
    assert waiting(office) == 0
    assert office.told(LIST) == ["2", "3", "120", "800"]
    times = [row["returnTime"] for row in office.returned(LIST)]
    assert times == sorted(set(times))
    assert office.counts()["accepted"] == 3


def test_a_list_without_legs_is_told_so_when_its_time_is_over(office: Office) -> None:
    office.file(papers.goods_list())
    assert office.told(LIST) == ["2", "3"]
    assert waiting(office) == 1
    assert [row["verdict"] for row in office.control.messages({})] == ["waiting"]
    assert (office.counts()["accepted"], office.counts()["rejected"]) == (0, 0)
    left = office.desk.look_again()
    assert left is not None
    assert 0 < left <= 5
    office.wait_over()
    assert office.told(LIST) == ["2", "3", "100"]
    reason = office.returned(LIST)[-1]
    assert "缺少订单" in reason["returnInfo"]
    assert "缺少运单" in reason["returnInfo"]
    assert reason["invtNo"] == ""
    assert [row["verdict"] for row in office.control.messages({})] == ["rejected"]
    assert office.counts()["rejected"] == 1
    assert office.desk.look_again() is None
    office.file(papers.order(), papers.waybill(), papers.goods_list())
    assert office.told(LIST)[3:] == ["2", "3", "120", "800"]


def test_a_difference_is_told_as_soon_as_the_last_leg_is_there(office: Office) -> None:
    office.file(papers.goods_list(packNo="2"), papers.order())
    assert office.told(LIST) == ["2", "3"]
    office.file(papers.waybill())
    assert office.told(LIST) == ["2", "3", "100"]
    assert office.returned(LIST)[-1]["returnInfo"] == "四单比对不符：运单 packNo 为 1，清单为 2"


def test_legs_that_are_there_are_compared_at_once(office: Office) -> None:
    office.file(papers.order(), papers.waybill(), papers.goods_list(grossWeight="1.6"))
    assert office.told(LIST) == ["2", "3", "100"]


def test_a_leg_that_was_refused_or_deleted_is_not_there(office: Office) -> None:
    office.file(
        papers.order(goodsValue="99"), papers.waybill(), papers.waybill(appType="3"), papers.goods_list()
    )
    assert waiting(office) == 1
    office.wait_over()
    assert office.told(LIST)[-1] == "100"
    reason = office.returned(LIST)[-1]["returnInfo"]
    assert "缺少订单" in reason
    assert "缺少运单" in reason


def test_another_platforms_order_is_another_order(office: Office) -> None:
    office.file(papers.order(ebpCode="无"), papers.waybill(logisticsCode="3301986TX9"), papers.goods_list())
    assert waiting(office) == 1
    office.file(papers.goods_list("LIST-2", ebpCode="无", logisticsCode="3301986TX9"))
    assert office.told(papers.goods_list("LIST-2"))[-1] == "800"


def test_a_payment_counts_only_where_there_is_one(office: Office) -> None:
    office.file(papers.payment(charge="5"), papers.order(), papers.waybill(), papers.goods_list())
    assert office.told(LIST)[-1] == "100"
    assert "收款单 charge 为 5" in office.returned(LIST)[-1]["returnInfo"]
    office.file(papers.payment(appType="3", charge="5"), papers.goods_list())
    assert office.told(LIST)[-1] == "800"


def test_a_booking_is_the_leg_of_9810(office: Office) -> None:
    office.file(papers.order(kind="W"), papers.waybill(), papers.goods_list(tradeMode="9810"))
    office.file(papers.order("ORD-2", "B"), papers.waybill("WB-2"))
    office.file(papers.goods_list("LIST-2", "ORD-2", "WB-2", tradeMode="9710"))
    office.file(papers.goods_list("LIST-3", "ORD-2", "WB-2", tradeMode="9810"))
    assert office.told(LIST)[-1] == office.told(papers.goods_list("LIST-2"))[-1] == "800"
    assert office.told(papers.goods_list("LIST-3")) == ["-621004"]


def test_the_script_may_switch_comparison_off_and_on(office: Office) -> None:
    office.control.write_script({"compare": False})
    office.file(papers.goods_list())
    assert office.told(LIST)[-1] == "800"
    office.control.write_script({"compare": True})
    office.file(papers.goods_list("LIST-2", "ORD-2"))
    assert waiting(office) == 1
    office.control.write_script({"compare": False})
    office.wait_over()
    assert office.told(papers.goods_list("LIST-2"))[-1] == "800"


def test_what_is_rejected_anyway_does_not_wait(office: Office) -> None:
    office.file(papers.goods_list("REJ-1"), papers.goods_list("ERR-1"), papers.goods_list("SIL-1"))
    office.file(papers.goods_list("INS-1", "ORD-2"))
    assert waiting(office) == 1
    assert office.told(papers.goods_list("REJ-1")) == ["2", "3", "100"]
    assert office.told(papers.goods_list("ERR-1")) == ["-621009"]


def test_the_script_that_held_when_the_list_came_decides(office: Office) -> None:
    rule = {
        "prefix": "LIST",
        "outcome": "review",
        "reason": "请补充资料",
        "delay_s": 60,
        "namespace": "default",
    }
    office.control.write_script({"rules": [rule]})
    office.file(papers.goods_list())
    office.control.write_script({})
    office.file(papers.order(), papers.waybill())
    office.send(ahead_s=1)
    assert [row["returnStatus"] for row in office.returned(LIST)] == ["2", "3", "120"]
    assert office.told(LIST) == ["2", "3", "120", "300"]
    assert office.returned(LIST)[-1]["returnInfo"] == "请补充资料"


def test_a_course_that_ends_before_customs_is_not_told_twice(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "statuses": ["2", "3"]}]})
    office.file(papers.goods_list(), papers.order(), papers.waybill())
    assert office.told(LIST) == ["2", "3"]
    office.control.advance({"number": "LIST-1", "status": "120"})
    assert office.told(LIST) == ["2", "3", "120"]


def test_many_lists_of_one_message_are_decided_together(office: Office) -> None:
    lists = [
        papers.goods_list(f"L-{at}", f"O-{at}", f"W-{at}", packNo="2" if at % 2 else "1") for at in range(150)
    ]
    office.declare(*lists[:100])
    office.declare(*lists[100:])
    assert waiting(office) == 150
    office.send()
    for kind, begin in ((papers.order, "O"), (papers.waybill, "W")):
        made = [kind(f"{begin}-{at}") for at in range(150)]
        office.declare(*made[:100])
        office.declare(*made[100:])
    assert waiting(office) == 0
    sent = len(office.tray.sent)
    assert office.told(lists[0]) == ["2", "3", "120", "800"]
    assert office.told(lists[1]) == ["2", "3", "100"]
    receipts = [item for item in office.tray.sent[sent:] if item.msg_type == "CEB604Message"]
    assert len(receipts) == 6  # 120, 800 and 100 for each of the two messages
    assert [row["verdict"] for row in office.control.messages({"type": "CEB603Message"})] == [
        "mixed",
        "mixed",
    ]
    assert len({office.invt_no(one) for one in lists[::2]}) == 75


def test_two_lists_that_waited_for_one_order(office: Office) -> None:
    office.file(papers.goods_list(), papers.goods_list("LIST-2"), papers.order(), papers.waybill())
    assert office.told(LIST)[-1] == "800"
    assert office.told(papers.goods_list("LIST-2")) == ["2", "3", "-621004"]


def test_an_amendment_takes_the_place_of_a_list_that_still_waits(office: Office) -> None:
    office.file(papers.goods_list(packNo="2"), papers.goods_list(appType="2"))
    assert waiting(office) == 1
    office.file(papers.order(), papers.waybill())
    verdicts = [row["verdict"] for row in office.control.documents({"number": "LIST-1"})]
    assert verdicts == ["replaced", "accepted"]
    office.file(papers.goods_list("LIST-2", "ORD-2"), papers.goods_list("LIST-2", "ORD-2", appType="3"))
    assert waiting(office) == 0


def test_a_lost_answer_is_lost_until_the_list_comes_again(office: Office) -> None:
    office.control.write_faults({"lose_answer": 1})
    office.file(papers.goods_list())
    office.file(papers.order(), papers.waybill())
    assert office.told(LIST) == []
    assert office.counts()["receipts_lost"] == 4
    assert office.control.release({}) == {"released": 4}
    assert office.told(LIST) == ["2", "3", "120", "800"]


def test_waiting_survives_the_process(
    tmp_path: Path, authority: Authority, office: Office, rules: Rules
) -> None:
    office.file(papers.goods_list(), papers.goods_list("LIST-2", "ORD-2"))
    office.books.close()
    office.books = store.Store(tmp_path / "data")
    office.desk = Desk(office.books, Trust(authority.directory), rules, lambda: None)
    office.sender._books = office.control._books = office.books
    assert waiting(office) == 2
    office.file(papers.order(), papers.waybill())
    office.wait_over()
    assert office.told(LIST) == ["2", "3", "120", "800"]
    assert office.told(papers.goods_list("LIST-2")) == ["2", "3", "100"]
    assert channel.AMQP in {row["channel"] for row in office.control.messages({})}


def test_a_failed_decision_leaves_the_list_waiting(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.file(papers.goods_list(), papers.order())
    before = office.counts()

    def fail(*_: object, **__: object) -> None:
        raise LookupError

    monkeypatch.setattr("simulator.effects.register_lists", fail)
    with pytest.raises(LookupError):
        office.file(papers.waybill())
    monkeypatch.undo()
    assert office.counts() == before
    office.file(papers.waybill())
    assert office.told(LIST)[-1] == "800"


def test_the_clerk_looks_again_in_time(office: Office) -> None:
    stop = threading.Event()
    looked: list[float | None] = []

    def look_again() -> float | None:
        looked.append(office.desk.look_again())
        if looked[-1] is None:
            stop.set()
            office.desk.lists_wait.set()
        return looked[-1]

    office.desk._rules = replace(office.desk._rules, compare_wait_ms=150)
    office.file(papers.goods_list())
    assert office.desk.lists_wait.is_set()
    Clerk(look_again, office.desk.lists_wait, stop).run()
    assert office.told(LIST) == ["2", "3", "100"]
    assert 2 <= len(looked) < 20


class TestWithoutWaiting:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(compare_wait_ms=0, require_payment=True, missing_invt_no="omit")

    def test_a_missing_leg_is_told_at_once(self, office: Office) -> None:
        office.file(papers.order(), papers.waybill(), papers.goods_list())
        assert office.told(LIST) == ["2", "3", "100"]
        assert "缺少收款单" in office.returned(LIST)[-1]["returnInfo"]
        assert all("invtNo" not in row for row in office.returned(LIST))
        office.file(papers.payment(), papers.goods_list())
        assert office.told(LIST)[-1] == "800"
        assert office.returned(LIST)[-1]["invtNo"]


class TestNumbersForAll:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(missing_invt_no="assign")

    def test_a_rejected_list_may_get_a_number_too(self, office: Office) -> None:
        office.file(papers.goods_list("REJ-1"))
        assert office.told(papers.goods_list("REJ-1"))[-1] == "100"
        assert len(office.returned("REJ-1", "CEB603Message")[-1]["invtNo"]) == 18
