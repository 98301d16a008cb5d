"""Documents pushed on by hand, and extras that speak of documents of any type."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.config import Rules
from simulator.problems import BadRequest
from tests.unit.simulator import material, papers
from tests.unit.simulator.conftest import Office

LIST = papers.goods_list()


@pytest.fixture
def rules() -> Rules:
    """The comparison has tests of its own."""
    return Rules(compare=False)


def hold(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": "hold"}]})


def test_a_list_is_pushed_through_every_state(office: Office) -> None:
    hold(office)
    office.file(papers.goods_list())
    for status in ("300", "500", "399", "800", "899"):
        planned = office.control.advance({"number": "LIST-1", "status": status})
        assert planned["type"] == "CEB603Message"
    assert office.told(LIST) == ["2", "3", "120", "300", "500", "399", "800", "899"]
    times = [row["returnTime"] for row in office.returned(LIST)]
    assert times == sorted(set(times))
    assert office.control.documents({"number": "LIST-1"})[0]["statuses"] == office.told(LIST)
    late = papers.cancellation(office.invt_no(LIST))
    office.file(late)
    assert office.told(late) == ["-623005"]


def test_a_list_refused_after_all_may_be_declared_again(office: Office) -> None:
    office.file(papers.goods_list("SLOW-1"))
    office.send(ahead_s=1)
    office.control.advance({"number": "SLOW-1", "status": "100", "reason": "单货不符"})
    slow = papers.goods_list("SLOW-1")
    assert office.told(slow) == ["2", "3", "120", "100"]
    assert office.returned(slow)[-1]["returnInfo"] == "单货不符"
    office.file(papers.goods_list("SLOW-1"))
    assert office.told(slow)[4:] == ["2", "3", "120", "800"]


def test_an_order_is_told_something_more(office: Office) -> None:
    office.file(papers.order(), papers.payment())
    with pytest.raises(BadRequest) as caught:
        office.control.advance({"number": "ORD-1", "status": "399"})
    assert "CEB403Message" in caught.value.zh
    office.control.advance({"number": "ORD-1", "status": "399", "type": "CEB303Message"})
    assert office.told(papers.order()) == ["2", "3", "120", "399"]
    office.control.advance({"number": "ORD-1", "status": "-301009", "type": "CEB303Message"})
    office.file(papers.order())
    assert office.told(papers.order())[-2:] == ["3", "120"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"number": "NOBODY", "status": "300"}, 404),
        ({"number": "LIST-1"}, 422),
        ({"number": "LIST-1", "status": "soon"}, 422),
        ({"number": 5, "status": "300"}, 422),
        ({"number": "LIST-1", "status": "300", "type": "CEB604Message"}, 422),
        ({"number": "LIST-1", "status": "300", "more": 1}, 422),
        ([], 422),
    ],
)
def test_wrong_pushes_are_refused(office: Office, body: Any, status: int) -> None:
    office.file(papers.goods_list())
    with pytest.raises(BadRequest) as caught:
        office.control.advance(body)
    assert caught.value.status == status


def test_a_list_that_has_ended_is_not_pushed(office: Office) -> None:
    office.file(papers.goods_list())
    office.file(papers.cancellation(office.invt_no(LIST)))
    with pytest.raises(BadRequest) as caught:
        office.control.advance({"number": "LIST-1", "status": "100"})
    assert caught.value.status == 409
    assert office.told(LIST)[-1] == "800"


class TestCompared:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules()

    def test_a_list_that_waits_is_not_pushed(self, office: Office) -> None:
        office.file(papers.goods_list())
        with pytest.raises(BadRequest) as caught:
            office.control.advance({"number": "LIST-1", "status": "800"})
        assert caught.value.status == 409


def test_extras_speak_of_the_last_document_whatever_its_type(office: Office) -> None:
    office.file(papers.goods_list())
    office.send()
    sent = len(office.tray.sent)
    office.control.write_faults({"wrong_tenant": 1, "unknown_document": 1})
    office.send()
    extras = [material.open_receipt(item.body) for item in office.tray.sent[sent:]]
    assert {info["MsgType"] for info, _ in extras} == {"CEB604Message"}
    rows = {info["ReceiverId"] == material.DXP_ID: material.returns(root)[0] for info, root in extras}
    assert (rows[False]["copNo"], rows[False]["returnStatus"]) == ("LIST-1", "100")
    assert rows[True]["copNo"].startswith("UNKNOWN-")
    assert rows[True]["orderNo"] == "ORD-1"
    office.control.write_faults({"garbage": 6})
    sent = len(office.tray.sent)
    reader = office.books.connect()
    assert office.sender.once(reader) == 6
    reader.close()
    assert {item.msg_type for item in office.tray.sent[sent:]} == {"CEB604Message"}
