"""Lists and all that hangs on them, with the simulator as a process between real queues, also killed while lists wait."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_simulator import Customs
from tests.support.eventually import eventually
from tests.unit.simulator import material, papers
from tests.unit.simulator.papers import Paper


@pytest.fixture
def customs(servers: dict[str, Any], tmp_path: Path) -> Iterator[Customs]:
    made = Customs(tmp_path, servers["customs_amqp_url"])
    made.start()
    yield made
    made.end()
    made.remove()


def declare(customs: Customs, *papers_of_one_type: Paper) -> None:
    (kind,) = {paper.message for paper in papers_of_one_type}
    business = material.message([paper.xml for paper in papers_of_one_type], root=kind)
    customs.publish(material.envelope(material.sign_rsa(business, customs.signer), msg_type=kind))


def told(customs: Customs) -> dict[tuple[str, str], list[str]]:
    """Statuses by receipt type and own number in order of their times; a receipt sent twice counts once."""
    key = {"CEB304Message": "orderNo", "CEB506Message": "logisticsNo"}
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    seen = set()
    for raw in customs.fetch():
        info, root = material.open_receipt(raw)
        if info["CopMsgId"] in seen:
            continue
        seen.add(info["CopMsgId"])
        if info["MsgType"] == "CEB792Message":
            heads = root.findall(".//{*}SummaryResultHead")
            found[info["MsgType"], ""] += [(head.findtext("{*}opDate") or "", "result") for head in heads]
            continue
        for row in material.returns(root):
            number = row[key.get(info["MsgType"], "copNo")]
            found[info["MsgType"], number].append((row["returnTime"], row["returnStatus"]))
    return {name: [status for _, status in sorted(rows)] for name, rows in found.items()}


def arrive(customs: Customs, name: tuple[str, str], *statuses: str) -> None:
    eventually(lambda: told(customs).get(name) == list(statuses), f"{name} is told {statuses}", 20)


def test_from_order_to_declaration(customs: Customs) -> None:
    assert customs.post("/control/script", {"result_step_s": 0.1})[0] == 200
    declare(customs, papers.goods_list())
    declare(customs, papers.order())
    declare(customs, papers.waybill())
    arrive(customs, ("CEB604Message", "LIST-1"), "2", "3", "120", "800")
    (listed,) = customs.get("/control/documents?number=LIST-1&type=CEB603Message")[1]
    assert (listed["verdict"], listed["statuses"]) == ("accepted", ["2", "3", "120", "800"])
    declare(customs, papers.departure())
    arrive(customs, ("CEB604Message", "LIST-1"), "2", "3", "120", "800", "899")
    declare(customs, papers.application([listed["customs_no"]]))
    arrive(customs, ("CEB702Message", "SUM-1"), "2", "3", "399")
    arrive(customs, ("CEB792Message", ""), "result", "result", "result")


def test_a_list_is_pushed_on_by_hand(customs: Customs) -> None:
    customs.post("/control/script", {"rules": [{"prefix": "LIST", "outcome": "hold"}], "compare": False})
    declare(customs, papers.goods_list())
    arrive(customs, ("CEB604Message", "LIST-1"), "2", "3", "120")
    assert customs.post("/control/advance", {"number": "LIST-1", "status": 300})[0] == 200
    assert customs.post("/control/advance", {"number": "NOBODY", "status": 300})[0] == 404
    arrive(customs, ("CEB604Message", "LIST-1"), "2", "3", "120", "300")


def killed(customs: Customs) -> None:
    assert customs.end(signal.SIGKILL) == -signal.SIGKILL
    customs.start()


def test_waiting_survives_kill_9(customs: Customs) -> None:
    declare(customs, papers.goods_list(), papers.goods_list("LIST-2", "ORD-2", "WB-2"))
    eventually(lambda: customs.counts()["documents_waiting"] == 2, "both lists wait")
    killed(customs)
    assert customs.counts()["documents_waiting"] == 2
    declare(customs, papers.order())
    eventually(lambda: customs.counts()["accepted"] == 1, "the order is booked")
    killed(customs)
    declare(customs, papers.waybill())
    arrive(customs, ("CEB604Message", "LIST-1"), "2", "3", "120", "800")
    # Nobody sends anything any more: the time that was given before the kills ends.
    arrive(customs, ("CEB604Message", "LIST-2"), "2", "3", "100")
    assert customs.counts()["documents_waiting"] == 0


def test_killed_again_and_again_while_lists_wait(customs: Customs) -> None:
    rounds, each = 6, 10
    for turn in range(rounds):
        names = [f"{turn}-{at}" for at in range(each)]
        declare(customs, *[papers.goods_list(f"L-{name}", f"O-{name}", f"W-{name}") for name in names])
        declare(customs, *[papers.order(f"O-{name}") for name in names])
        if turn % 2:
            eventually(lambda done=turn: customs.counts()["documents"] >= (done * 3 + 1) * each, "at work")
        killed(customs)
        declare(customs, *[papers.waybill(f"W-{name}") for name in names])
    total = rounds * each
    eventually(lambda: customs.counts()["accepted"] == 3 * total, "all is accepted", 30)
    expected = {("CEB604Message", f"L-{turn}-{at}") for turn in range(rounds) for at in range(each)}
    eventually(
        lambda: (
            expected == {name for name, rows in told(customs).items() if rows == ["2", "3", "120", "800"]}
        ),
        "every list is told everything once",
        30,
    )
    counts = customs.counts()
    assert (counts["documents"], counts["rejected"], counts["documents_waiting"]) == (3 * total, 0, 0)
    assert counts["messages"] == 3 * rounds
