"""Summary applications and the results customs makes from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from simulator import summary, tables
from simulator.config import Rules
from simulator.receipts import SHANGHAI
from simulator.xmlsafe import local
from tests.unit.simulator import material, papers
from tests.unit.simulator.conftest import Office

MAKER = "3301986TX7"
SUM = papers.application()


@pytest.fixture
def rules() -> Rules:
    return Rules(compare=False)


def closed(office: Office, how_many: int = 2, begin: int = 0, **change: str) -> list[str]:
    """Numbers of lists that are closed."""
    names = [str(at) for at in range(begin, begin + how_many)]
    lists = [papers.goods_list(f"L-{at}", f"O-{at}", f"W-{at}", **change) for at in names]
    for at in range(0, how_many, 100):
        office.declare(*lists[at : at + 100])
    office.file(papers.departure(f"DEP-{begin}", [f"W-{at}" for at in names]))
    return [office.invt_no(one) for one in lists]


def results(office: Office) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    """All results sent so far, as (head, lines); each fits the published table."""
    head, lines = tables.result()
    found = []
    for item in office.tray.sent:
        if item.msg_type != "CEB792Message":
            continue
        info, root = material.open_receipt(item.body)
        assert info["ReceiverId"] == material.DXP_ID
        assert local(root) == "CEB792Message"
        for node in root:
            sections = [{local(field): field.text or "" for field in section} for section in node]
            for section, values in zip([head, *[lines] * (len(sections) - 1)], sections, strict=True):
                expected = [field for field in section.fields if field.required or field.name in values]
                assert list(values) == [field.name for field in expected]
                assert all(field.wrong(values[field.name]) is None for field in expected)
            found.append((sections[0], sections[1:]))
    return found


def numbers(found: Sequence[tuple[dict[str, str], object]]) -> list[str]:
    return [
        "".join(name[0:6] + " " for name in ("decTmpNo", "decPreNo", "entryId") if name in head)
        for head, _ in found
    ]


def test_three_results_follow_an_approved_application(office: Office) -> None:
    named = closed(office)
    office.file(papers.application(named))
    assert office.told(SUM) == ["2", "3", "399"]
    sum_no = office.returned(SUM)[-1]["sumNo"]
    found = results(office)
    assert numbers(found) == ["", "decTmp decPre ", "decTmp decPre entryI "]
    assert [len(lines) for _, lines in found] == [4, 0, 0]
    first, lines = found[0]
    assert {head["sumNo"] for head, _ in found} == {sum_no}
    assert len({head["declSeqNo"] for head, _ in found}) == 1
    assert len({head["guid"] for head, _ in found}) == 3
    assert [line["invtNo"] for line in lines] == [named[0], named[0], named[1], named[1]]
    assert [line["gseqno"] for line in lines] == ["1", "2", "3", "4"]
    assert [line["gnum"] for line in lines] == ["1", "2", "1", "2"]
    assert (first["grossWeight"], first["netWeight"], first["decState"]) == ("3.0", "2.4", "A")
    assert found[2][0]["decTmpNo"] == found[1][0]["decTmpNo"]
    assert (len(found[2][0]["entryId"]), found[2][0]["entryId"][:4]) == (18, "2990")
    times = [head["opDate"] for head, _ in found]
    assert times == sorted(set(times))
    assert times[0] > office.returned(SUM)[-1]["returnTime"]


def test_each_consignor_and_on_wish_each_producer_gets_a_declaration(office: Office) -> None:
    one = closed(office, 2)
    two = closed(office, 1, 10, ownerCode=MAKER)
    three = closed(office, 1, 20, ebcCode=MAKER, ebcName="另一收发货人")
    office.file(papers.application([*one, *two, *three], summaryFlag="2"))
    office.send()
    first = [item for item in results(office) if item[1]]
    assert [len(lines) for _, lines in first] == [4, 2, 2]
    assert [head["ebcName"] for head, _ in first][2] == "另一收发货人"
    assert len({head["declSeqNo"] for head, _ in first}) == 3
    office.tray.sent.clear()
    four = closed(office, 1, 30, ownerCode=MAKER)
    five = closed(office, 1, 40)
    office.file(papers.application([*four, *five], "SUM-2"))
    office.send()
    assert [len(lines) for _, lines in results(office)] == [4, 0, 0]


@pytest.mark.parametrize("how", ["unknown", "open", "cancelled", "twice", "simplified", "foreign"])
def test_what_cannot_be_summed_up_is_named(office: Office, how: str) -> None:
    good = closed(office, 1)
    office.file(papers.goods_list("BAD", "O-BAD", "W-BAD"))
    bad = office.invt_no(papers.goods_list("BAD"))
    if how == "unknown":
        bad = "29902026E999999999"
    elif how == "cancelled":
        office.file(papers.cancellation(bad))
    elif how == "twice":
        bad = closed(office, 1, 50)[0]
        office.file(papers.application([bad], "BEFORE"))
        assert office.told(papers.application([bad], "BEFORE"))[-1] == "399"
    elif how == "simplified":
        bad = closed(office, 1, 50, statisticsFlag="A")[0]
    elif how == "foreign":
        bad = closed(office, 1, 50, ebcCode=MAKER, agentCode=MAKER)[0]
    office.file(papers.application([*good, bad]))
    assert office.told(SUM) == ["2", "3", "100"]
    last = office.returned(SUM)[-1]
    assert bad in last["returnInfo"]
    assert good[0] not in last["returnInfo"]
    assert "sumNo" not in last
    office.file(papers.application(good))
    assert office.told(SUM)[-1] == "399"


def test_a_list_that_will_be_closed_is_not_closed_yet(office: Office) -> None:
    office.file(papers.goods_list("SLOW-1"), papers.departure())
    number = office.invt_no(papers.goods_list("SLOW-1"))
    office.file(papers.application([number]))
    assert office.told(SUM)[-1] == "100"
    assert office.returned(SUM)[-1]["returnInfo"] == f"汇总申请退单：清单未结关：{number}"


def test_two_applications_of_one_message_do_not_share_a_list(office: Office) -> None:
    named = closed(office)
    office.declare(papers.application(named), papers.application(named[:1], "SUM-2"))
    assert office.told(SUM)[-1] == "399"
    assert office.told(papers.application(number="SUM-2"))[-1] == "100"
    assert "已汇总" in office.returned("SUM-2", "CEB701Message")[-1]["returnInfo"]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}"


def test_a_period_takes_what_was_closed_in_it(office: Office) -> None:
    named = closed(office, 3)
    closed(office, 1, 10, statisticsFlag="A")
    closed(office, 1, 20, ebcCode=MAKER)
    now = datetime.now(SHANGHAI)
    hour = timedelta(hours=1)
    early = papers.application([], "EARLY", startTime=stamp(now - 3 * hour), endTime=stamp(now - 2 * hour))
    # The period beats the lines.
    good = papers.application(["NOBODY"], startTime=stamp(now - hour), endTime=stamp(now + hour))
    again = papers.application([], "AGAIN", startTime=stamp(now - hour), endTime=stamp(now + hour))
    office.file(early, good, again)
    assert [office.told(paper)[-1] for paper in (early, good, again)] == ["100", "399", "100"]
    lines = [line for _, section in results(office) for line in section]
    assert sorted({line["invtNo"] for line in lines}) == sorted(named)


def test_results_wait_for_all_parts(office: Office) -> None:
    named = closed(office, 4)
    office.file(papers.application(named[:2], msgCount="2"))
    assert office.told(SUM) == ["2", "3", "399"]
    assert results(office) == []
    office.file(papers.application(["NOBODY"], msgCount="2", msgSeqNo="2"))
    assert office.told(SUM)[-1] == "100"
    assert results(office) == []
    office.file(papers.application(named[2:], msgCount="2", msgSeqNo="2"))
    office.send()
    assert [len(lines) for _, lines in results(office)] == [8, 0, 0]
    assert len({row["sumNo"] for row in office.returned(SUM) if "sumNo" in row}) == 1


def test_parts_in_one_message_share_their_number(office: Office) -> None:
    named = closed(office, 4)
    office.declare(
        papers.application(named[:2], msgCount="2"), papers.application(named[2:], msgCount="2", msgSeqNo="2")
    )
    office.send()
    assert [len(lines) for _, lines in results(office)] == [8, 0, 0]
    assert len({row["sumNo"] for row in office.returned(SUM) if "sumNo" in row}) == 1


def test_results_come_one_after_the_other(office: Office) -> None:
    office.control.write_script({"result_step_s": 60})
    office.file(papers.application(closed(office)))
    office.send(ahead_s=5)
    assert len(results(office)) == 1
    office.send(ahead_s=60)
    assert len(results(office)) == 2
    office.send(ahead_s=60)
    assert len(results(office)) == 3


def test_results_may_be_switched_off_and_an_application_held(office: Office) -> None:
    office.control.write_script({"results": False})
    named = closed(office)
    office.file(papers.application(named[:1]))
    assert office.told(SUM)[-1] == "399"
    assert results(office) == []
    office.control.write_script({"rules": [{"prefix": "HELD", "outcome": "hold"}]})
    held = papers.application(named[1:], "HELD")
    office.file(held)
    assert office.told(held) == ["2", "3"]
    office.control.advance({"number": "HELD", "status": "399"})
    assert office.told(held) == ["2", "3", "399"]
    assert len(results(office)) == 3


def test_an_approved_application_is_not_changed(office: Office) -> None:
    named = closed(office)
    office.file(papers.application(named), papers.application(named, appType="3"))
    assert office.told(SUM)[-1] == "-621707"


def test_many_lines_are_spread_over_messages(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "_LINES_PER_MESSAGE", 100)
    monkeypatch.setattr(summary, "_MOST_LINES", 250)
    named = closed(office, 200)
    office.file(papers.application(named))
    office.send()
    found = results(office)
    with_lines = [(head, lines) for head, lines in found if lines]
    assert [len(lines) for _, lines in with_lines] == [100, 100, 50, 100, 50]
    assert [(head["msgCount"], head["msgSeqNo"]) for head, _ in with_lines] == [
        ("3", "1"),
        ("3", "2"),
        ("3", "3"),
        ("2", "1"),
        ("2", "2"),
    ]
    assert len({head["declSeqNo"] for head, _ in found}) == 2
    assert sum("entryId" in head for head, _ in found) == 2
    assert [line["gseqno"] for line in with_lines[1][1]] == [str(at) for at in range(101, 201)]


class TestSettings:
    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(
            compare=False, summary_only_b=False, declaration_states=("A", "B", "C"), result_step_ms=0
        )

    def test_states_and_flags_are_settings(self, office: Office) -> None:
        office.file(papers.application(closed(office, statisticsFlag="A")))
        office.send()
        assert [head["decState"] for head, _ in results(office)] == ["A", "B", "C"]
