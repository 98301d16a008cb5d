"""Returns and tallies: nothing comes back that did not leave."""

from __future__ import annotations

import pytest

from simulator.config import Rules
from tests.unit.simulator import papers
from tests.unit.simulator.conftest import Office

LIST = papers.goods_list()


@pytest.fixture
def rules() -> Rules:
    """The comparison has tests of its own."""
    return Rules(compare=False)


def hold(office: Office) -> None:
    office.control.write_script({"rules": [{"prefix": "LIST", "outcome": "hold"}]})


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ({"qty": "2"}, "800"),
        ({"qty": "2.00001"}, "-625006"),
        ({"qty1": "2.5"}, "-625006"),
        ({"qty2": "0"}, "800"),
        ({"qty2": "1"}, "-625006"),
        ({"gnum": "3"}, "-625006"),
        ({"gnum": "2", "qty": "3", "qty1": "3"}, "800"),
    ],
)
def test_nothing_comes_back_that_was_not_in_the_list(
    office: Office, line: dict[str, str], status: str
) -> None:
    office.file(papers.goods_list())
    back = papers.refund(office.invt_no(LIST), line=line)
    office.file(back)
    assert office.told(back)[-1] == status


def test_the_list_of_a_return_is_there_released_and_of_the_same_parties(office: Office) -> None:
    hold(office)
    office.file(papers.goods_list())
    number = office.invt_no(LIST)
    for at, (paper, status) in enumerate(
        [
            (papers.refund(number, "R-0"), "-625007"),
            (papers.refund("29902026E999999999", "R-1"), "-625003"),
            (papers.refund(number, "R-2", ebcCode="3301986TX5"), "-625004"),
        ]
    ):
        office.file(paper)
        assert office.told(paper) == [status], at
    office.control.advance({"number": "LIST-1", "status": "800"})
    office.file(papers.refund(number, "R-3"), papers.departure(), papers.refund(number, "R-4"))
    assert (
        office.told(papers.refund(number, "R-3"))[-1]
        == office.told(papers.refund(number, "R-4"))[-1]
        == "800"
    )
    office.file(papers.tally(number), papers.tally("29902026E999999999", "T-1"), papers.tally(None, "T-2"))
    found = [office.told(papers.tally(None, name))[-1] for name in ("TAL-1", "T-1", "T-2")]
    assert found == ["399", "-625103", "399"]
