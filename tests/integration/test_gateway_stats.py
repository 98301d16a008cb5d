"""The dashboards' numbers over a running stack: what was filed is what is counted, and each figure's query shows it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from filing.store.query import COUNT_LIMIT
from filing.times import SHANGHAI
from services.gateway.http import schemas, stat_schemas
from services.gateway.http.signing import ENOUGH
from tests.support.answers import fits, problem
from tests.support.consignment import Consignment
from tests.support.control import Customs
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, new_mandate, signed_in
from tests.support.stack import Stack

#: no other test refuses for it: all share one stack
REASON = "运抵国与收件地址不符，请核对后重新申报"


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


@pytest.fixture
def customs(stack: Stack) -> Iterator[Customs]:
    there = Customs(stack)
    yield there
    there.as_usual()


def figures(data: Any) -> Iterator[dict[str, Any]]:
    """Everything in an answer that has a number with a query."""
    if isinstance(data, dict):
        if "query" in data:
            yield data
        for item in data.values():
            yield from figures(item)
    elif isinstance(data, list):
        for item in data:
            yield from figures(item)


def shown(visitor: Visitor, item: dict[str, Any]) -> int:
    """How many documents the query behind a figure finds."""
    answer = visitor.get(f"/documents/{item['kind']}", params={**item["query"], "page_size": "1"})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total_estimate"])


def kinds_of(figure: dict[str, Any]) -> dict[str, int]:
    return {item["kind"]: item["count"] for item in figure["of"]}


def grown(before: dict[str, Any], after: dict[str, Any], kind: str = "order") -> int:
    return kinds_of(after).get(kind, 0) - kinds_of(before).get(kind, 0)


def test_what_was_filed_is_what_is_counted(clerk: Visitor, customs: Customs) -> None:
    before = fits(stat_schemas.OverviewAnswer, clerk.get("/stats/overview"))
    bad, good = a_number("N"), [a_number("Y") for _ in range(3)]
    ids = {number: clerk.save_order(number)["id"] for number in (bad, *good)}
    clerk.save_order(note="stays here")
    customs.reject(bad, f"订单 {bad} 被退：{REASON}")
    clerk.post("/documents/order/actions/declare", json={"ids": list(ids.values())})

    def settled() -> dict[str, str]:
        found = {
            number: clerk.get(f"/documents/order/{order}").json()["state"] for number, order in ids.items()
        }
        assert found[bad] == "rejected", found
        assert {found[number] for number in good} == {"accepted"}, found
        return found

    eventually(settled, "customs answered all", timeout=60)
    after = fits(stat_schemas.OverviewAnswer, clerk.get("/stats/overview"))
    assert grown(before["received"], after["received"]) == 5
    assert grown(before["cleared"], after["cleared"]) == 3
    assert grown(before["refused"], after["refused"]) == 1
    waits = {item["what"]: item for item in after["waiting"]["items"]}
    waited = {item["what"]: item for item in before["waiting"]["items"]}
    assert grown(waited["refused"], waits["refused"]) == 1
    assert grown(waited["ready"], waits["ready"]) == 1
    assert after["waiting"]["count"] == sum(item["count"] for item in waits.values())

    refusals = fits(stat_schemas.RefusalsAnswer, clerk.get("/stats/refusals?kind=order"))
    (ours,) = [item for item in refusals["items"] if REASON in item["text"]]
    # the number in customs' words does not make a reason of its own
    assert bad not in ours["refusal"]
    assert (ours["code"], ours["count"]) == ("100", shown(clerk, ours["of"][0]))
    assert refusals["items"][-1]["cumulative"] == pytest.approx(1)
    assert sum(item["count"] for item in refusals["items"]) == refusals["total"]

    daily = fits(stat_schemas.DailyAnswer, clerk.get("/stats/daily?kind=order"))
    assert (daily["to"], len(daily["groups"])) == (after["day"], 6)
    clearance = fits(stat_schemas.ClearanceAnswer, clerk.get("/stats/clearance?kind=order"))
    (orders,) = clearance["items"]
    assert 0 < orders["median_seconds"] <= orders["p90_seconds"] < 600
    assert orders["count"] == sum(item["count"] for item in orders["days"])
    for answer in (after, refusals, daily, clearance):
        for item in figures(answer):
            # a page counts no further; other tests of the same stack may have stored more
            assert shown(clerk, item) == min(item["count"], COUNT_LIMIT + 1), item


def test_a_key_that_signed_enough_has_a_measured_speed(clerk: Visitor) -> None:
    ids = [clerk.save_order()["id"] for _ in range(6)]
    body = {"ids": ids, "documents_per_message": 1}
    assert clerk.post("/documents/order/actions/declare", json=body).status_code == 200

    def idle() -> dict[str, Any]:
        found = fits(stat_schemas.DevicesAnswer, clerk.get("/stats/devices"))
        assert found["waiting"]["messages"] == 0
        return found

    found = eventually(idle, "all is signed", timeout=60)
    (active,) = [item for item in found["items"] if item["key"]["active"]]
    assert active["messages"] == active["taken"] == 0
    assert active["rate"]["signatures"] >= 6
    assert active["rate"]["per_minute"] > 0
    assert (active["ends_at"], active["reason"]["code"]) == (None, "idle")
    for item in found["items"]:
        if not item["key"]["active"]:
            assert item["ends_at"] is None
            # one that was active lately has its rate still, of signatures it made
            assert item["rate"] is None or item["rate"]["signatures"] >= ENOUGH
            assert item["reason"]["code"] in ("inactive", "expired", "unavailable")


def test_who_files_is_told_when_the_device_will_be_done(stack: Stack, clerk: Visitor) -> None:
    """For the device that signs, from what waits for it and how fast it was, not from a limit on callers."""
    ids = [clerk.save_order()["id"] for _ in range(12)]
    body = {"ids": ids, "documents_per_message": 1}
    # what decides what is signed stands still, as when everybody's work comes at once
    pid = stack.processes()["signer.consume"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert clerk.post("/documents/order/actions/declare", json=body).status_code == 200

        def all_wait() -> dict[str, Any]:
            found = fits(stat_schemas.DevicesAnswer, clerk.get("/stats/devices"))
            (active,) = [item for item in found["items"] if item["key"]["active"]]
            assert active["messages"] == 12
            return found

        found = eventually(all_wait, "twelve wait", 30)
        (active,) = [item for item in found["items"] if item["key"]["active"]]
        assert active["reason"] is None
        seconds = (
            datetime.fromisoformat(active["ends_at"]) - datetime.fromisoformat(found["at"])
        ).total_seconds()
        # times are told to the second
        assert seconds == pytest.approx(12 / active["rate"]["per_minute"] * 60, abs=1)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_broker_sees_the_kinds_of_the_mandate_only(stack: Stack) -> None:
    client = signed_in(stack, "B", "enterprise_admin")
    client.save_order()
    Consignment(client, "W").save("booking")
    mandate = new_mandate(stack)
    broker = signed_in(stack, "C", "broker")
    problem(broker.get("/stats/overview"), 403)
    assert broker.step_into(client.me["tenant"]["id"]).status_code == 200
    seen = fits(stat_schemas.OverviewAnswer, broker.get("/stats/overview"))
    whole = fits(stat_schemas.OverviewAnswer, client.get("/stats/overview"))
    assert {"order", "booking"} <= set(kinds_of(whole["received"]))
    for tile in ("received", "waiting"):
        assert kinds_of(seen[tile]) == {"booking": kinds_of(whole[tile])["booking"]}
    assert {item["kind"] for item in figures(broker.get("/stats/daily").json())} == {"booking"}
    for name in ("overview", "daily", "refusals", "clearance"):
        problem(broker.get(f"/stats/{name}?kind=order"), 403)
    problem(broker.get("/stats/devices"), 403)
    assert client.post(f"/mandates/{mandate}/actions/revoke").status_code == 200
    problem(broker.get("/stats/overview"), 403)


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("overview?kind=nonsense", "/kind", "kind-unknown"),
        ("daily?from=2026-11-01", "/from", "unknown"),
        ("refusals?from=gestern", "/from", "day"),
        ("refusals?from=2026-11-02&to=2026-11-01", "/from", "from-after-to"),
        ("refusals?from=2026-11-01&to=2026-12-01", "/to", "window"),
        ("refusals?to=2026-02-30", "/to", "day"),
        ("clearance?kind=order&kind=list", "/kind", "repeated"),
        ("devices?kind=order", "/kind", "unknown"),
    ],
)
def test_what_is_wrong_is_named(clerk: Visitor, query: str, pointer: str, code: str) -> None:
    found = problem(clerk.get(f"/stats/{query}"), 422)
    assert [(item["pointer"], item["code"]) for item in found["errors"]] == [(pointer, code)]


def test_a_whole_month_may_be_asked_for_and_what_is_no_statistic_is_not_found(clerk: Visitor) -> None:
    first = datetime.now(SHANGHAI).date().replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    found = clerk.get("/stats/refusals", params={"from": first.isoformat(), "to": last.isoformat()})
    assert fits(stat_schemas.RefusalsAnswer, found)["to"] == last.isoformat()
    fits(schemas.CountsAnswer, clerk.get("/stats/orders"))
    problem(clerk.get("/stats/nonsense"), 404)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("cleared_from=yesterday", "/cleared_from"),
        ("refused_from=2026-01-01T00:00:00&refused_to=2026-03-01T00:00:00", "/refused_to"),
        ("overdue=maybe", "/overdue"),
    ],
)
def test_conditions_of_customs_words_are_checked(clerk: Visitor, query: str, pointer: str) -> None:
    found = problem(clerk.get(f"/documents/order?{query}"), 422)
    assert found["errors"][0]["pointer"] == pointer
    # what customs issues on its own account has no such conditions
    assert clerk.get("/documents/summary-result?overdue=true").status_code == 422
