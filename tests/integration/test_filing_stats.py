"""Numbers for dashboards on a real PostgreSQL: against documents whose course is known, each with the query behind it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from documents.registry import REGISTRY
from filing import schema
from filing.context import Filing
from filing.times import SHANGHAI
from filing.usecases import look, stats
from runtime import migrate
from runtime.actor import ActorSigner
from runtime.db import Database
from runtime.errors import Problem
from tests.support.course import EVERY_KIND, Answer, Course, example
from tests.support.filing import Office, clerk, office
from tests.support.stack import new_database
from tools.paths import ROOT

LOOKS = (
    "SELECT id, refusal AS told FROM receipt ORDER BY id",
    "SELECT id, cleared_at AS told FROM document ORDER BY id",
)
TODAY = datetime.now(SHANGHAI).date().isoformat()
YESTERDAY = (datetime.now(SHANGHAI).date() - timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def course(base: Office) -> Course:
    """A desk of an enterprise of its own."""
    return Course(replace(base, actor=replace(clerk(), enterprise_kinds=EVERY_KIND)))


def filed(course: Course, kind: str = "order", **head: str) -> str:
    name = {"order": "orderNo", "list": "copNo", "booking": "orderNo"}[kind]
    document_id = course.save(kind, example(kind, **{name: f"N{uuid.uuid4().hex[:12]}", **head}))
    (result,) = course.declare(kind, document_id)
    assert result.problem is None, result.problem
    return document_id


def hears(
    course: Course, document_id: str, status: str, info: str = "", *, kind: str = "order", after: float = 60
) -> None:
    """A receipt comes so many seconds after the document was filed."""
    row = course.row(kind, document_id)
    with course.desk.filing.database.transaction(course.desk.actor.tenant_id) as connection:
        submitted = connection.execute(
            text("SELECT submitted_at FROM document WHERE id = :id"), {"id": document_id}
        ).scalar_one()
    at = submitted + timedelta(seconds=after)
    event = course.event_of(Answer(kind, document_id, status, f"{at:%Y%m%d%H%M%S}000"), row)
    event.received_at = at.isoformat()
    event.items[0].return_time = at.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S000")
    event.items[0].info = info
    course.take([event])


def ask(course: Course, what: str, kinds: tuple[str, ...] = (), first: str = TODAY, last: str = TODAY) -> Any:
    return getattr(stats, what)(course.desk.filing, course.desk.actor, kinds, first, last)


def found(course: Course, kind: str = "order", states: tuple[str, ...] = (), **conditions: str) -> set[str]:
    """Ids that a query finds."""
    asked = {"kind": kind, "states": list(states), "settled": "", "stored_from": "", "stored_to": "",
             "conditions": conditions, "sort": "", "page_size": 200, "cursor": ""}  # fmt: skip
    return {str(row.id) for row in look.page(course.desk.filing, course.desk.actor, asked).rows}


def day(name: str) -> dict[str, str]:
    return {f"{name}_from": f"{TODAY}T00:00:00+08:00", f"{name}_to": f"{TODAY}T23:59:59.999999+08:00"}


def by_kind(rows: Any) -> dict[str, int]:
    return {row.kind: row.n for row in rows}


def test_today_is_what_came_was_cleared_and_was_refused(course: Course) -> None:
    drafts = {course.save("order", example("order", orderNo=f"D{number}")) for number in range(3)}
    cleared, refused, both = filed(course), filed(course), filed(course)
    hears(course, cleared, "120", "入库成功")
    hears(course, refused, "100", "备案已过期")
    # refused, corrected, filed again and accepted: it counts as both
    hears(course, both, "100", "备案已过期", after=1)
    assert course.declare("order", both)[0].problem is None
    hears(course, both, "120")
    overview = ask(course, "overview")
    assert by_kind(overview.received) == {"order": 6}
    assert by_kind(overview.cleared) == {"order": 2}
    assert by_kind(overview.refused) == {"order": 2}
    states = {row.state: row.n for row in overview.states}
    assert states == {"checked": 3, "accepted": 2, "rejected": 1}
    # what the queries behind the figures find
    assert found(course, **day("cleared")) == {cleared, both}
    assert found(course, **day("refused")) == {refused, both}
    assert found(course, states=("rejected",), refusal="100 备案已过期", **day("refused")) == {refused}
    assert found(course, states=("checked",)) == drafts
    yesterday = ask(course, "overview", first=YESTERDAY, last=YESTERDAY)
    assert [yesterday.received, yesterday.cleared, yesterday.refused] == [[], [], []]


def test_what_was_taken_back_is_not_cleared(course: Course) -> None:
    document_id = filed(course)
    hears(course, document_id, "120")
    hears(course, document_id, "100", "复核不符", after=120)
    assert course.state("order", document_id) == "rejected"
    assert found(course, **day("cleared")) == set()


def test_reasons_are_counted_by_document_and_sum_up(course: Course) -> None:
    number_in_words = [filed(course) for _ in range(3)]
    for index, document_id in enumerate(number_in_words):
        hears(course, document_id, "100", f"订单 X2026-{index}000 的收款人不符")
        # said once more later: the same document, the same reason
        hears(course, document_id, "100", f"订单 X2026-{index}000 的收款人不符", after=90)
    by_code = filed(course)
    hears(course, by_code, "-301010", "订单编号已存在")
    platform = filed(course, "booking")
    hears(course, platform, "4", kind="booking")
    rows = ask(course, "refusals")
    assert [(row.kind, row.refusal, row.n, row.total) for row in rows] == [
        ("order", "100 订单 … 的收款人不符", 3, 5), ("order", "-301010", 1, 5), ("booking", "4", 1, 5),
    ]  # fmt: skip
    assert found(course, refusal=rows[0].refusal, **day("refused")) == set(number_in_words)
    assert found(course, "booking", refusal="4") == {platform}
    course.delete("order", by_code)
    assert [row.refusal for row in ask(course, "refusals", ("order",))] == [rows[0].refusal]


def test_clearance_is_measured_from_filing_to_the_first_word_that_all_is_done(course: Course) -> None:
    waits = [10.0, 20.0, 30.0, 40.0, 100.0]
    for seconds in waits:
        document_id = filed(course)
        hears(course, document_id, "120", after=seconds)
        hears(course, document_id, "399", after=seconds + 500)  # settled later: not counted again
    a_list = filed(course, "list")
    hears(course, a_list, "120", kind="list", after=5)  # accepted is a step in between for a list
    hears(course, a_list, "800", kind="list", after=60)
    rows = {(row.kind, row.day): row for row in ask(course, "clearance")}
    assert set(rows) == {("order", ""), ("order", TODAY), ("list", ""), ("list", TODAY)}
    order = rows["order", ""]
    assert (order.n, order.median) == (5, pytest.approx(30, abs=0.01))
    assert order.p90 == pytest.approx(76, abs=0.01)  # between the fourth and the fifth: 40 + 0.6 * 60
    assert rows["list", TODAY].median == pytest.approx(60, abs=0.01)
    assert found(course, "list", **day("cleared")) == {a_list}


def test_days_are_those_of_shanghai(course: Course) -> None:
    late, early = (course.save("order", example("order", orderNo=name)) for name in ("LATE", "EARLY"))
    moments = {late: f"{YESTERDAY}T23:59:59.9999+08:00", early: f"{TODAY}T00:00:00+08:00"}
    with course.desk.filing.database.transaction(course.desk.actor.tenant_id) as connection:
        for document_id, moment in moments.items():
            connection.execute(
                text("UPDATE document SET stored_at = CAST(:at AS timestamptz) WHERE id = :id"),
                {"at": moment, "id": document_id},
            )
    rows = ask(course, "daily", first=YESTERDAY)
    assert {(row.day, row.state, row.n) for row in rows} == {
        (YESTERDAY, "checked", 1), (TODAY, "checked", 1),
    }  # fmt: skip


def test_overdue_is_what_rests_longer_than_its_state_allows(course: Course) -> None:
    slow, quick = filed(course), filed(course)
    with course.desk.filing.database.transaction(course.desk.actor.tenant_id) as connection:
        connection.execute(
            text("UPDATE document SET updated_at = now() - interval '16 minutes' WHERE id = :id"),
            {"id": slow},
        )
    assert [(row.kind, row.state, row.n) for row in ask(course, "overview").overdue] == [
        ("order", "signing", 1)
    ]
    assert found(course, overdue="true") == {slow}
    assert found(course, states=("signing",)) == {slow, quick}


def test_what_waits_for_a_signature(course: Course) -> None:
    ids = [course.save("order", example("order", orderNo=f"W{number}")) for number in range(3)]
    course.declare("order", *ids)
    filed(course, "list")
    rows = stats.signing(course.desk.filing, course.desk.actor, ())
    assert {(row.kind, row.messages, row.documents) for row in rows} == {("order", 1, 3), ("list", 1, 1)}


def test_a_mandate_shows_its_kinds_only(course: Course) -> None:
    document_id = filed(course)
    hears(course, document_id, "100", "不符")
    filed(course, "list")
    course.desk.actor = replace(course.desk.actor, kinds=("list",))
    assert by_kind(ask(course, "overview").received) == {"list": 1}
    assert ask(course, "refusals") == []
    assert {row.kind for row in ask(course, "daily")} == {"list"}
    assert {row.kind for row in stats.signing(course.desk.filing, course.desk.actor, ())} == {"list"}
    for what in ("overview", "daily", "refusals", "clearance"):
        with pytest.raises(Problem) as caught:
            ask(course, what, ("order",))
        assert caught.value.kind == "forbidden"


def test_other_tenants_do_not_count(base: Office, course: Course) -> None:
    hears(course, filed(course), "100", "不符")
    other = Course(replace(base, actor=replace(clerk(), enterprise_kinds=EVERY_KIND)))
    overview = ask(other, "overview")
    assert [overview.states, overview.received, overview.refused, ask(other, "refusals")] == [[], [], [], []]


@pytest.mark.parametrize(
    ("first", "last", "pointer"),
    [
        ("gestern", TODAY, "/first_day"),
        (TODAY, "2026-02-30", "/last_day"),
        ("1999-01-01", "1999-01-02", "/first_day"),
        (TODAY, YESTERDAY, "/first_day"),
        ("2026-01-01", "2026-02-01", "/last_day"),
        ("", "", "/first_day"),
    ],
)
def test_a_period_that_is_none_is_named(course: Course, first: str, last: str, pointer: str) -> None:
    for what in ("overview", "daily", "refusals", "clearance"):
        with pytest.raises(Problem) as caught:
            ask(course, what, first=first, last=last)
        assert [item.pointer for item in caught.value.details] == [pointer]


@pytest.mark.parametrize(
    ("conditions", "pointer"),
    [
        ({"cleared_from": "x"}, "/cleared_from"),
        ({"refused_from": "2026-01-01T00:00:00", "refused_to": "2026-02-01T00:00:01"}, "/refused_to"),
        ({"overdue": "false"}, "/overdue"),
        ({"refusal": "a\x00b"}, "/refusal"),
    ],
)
def test_a_condition_that_is_none_is_named(course: Course, conditions: dict[str, str], pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        found(course, **conditions)
    assert [item.pointer for item in caught.value.details] == [pointer]


def test_receipts_from_before_are_told_apart_in_the_same_way(servers: Mapping[str, Any]) -> None:
    """What the migration fills in is what the service would have written."""
    urls = new_database(servers, "order")
    migrate.upgrade(urls["owner"], ROOT / "services/order/migrations", "order_app", "order_relay")
    filing = Filing(Database(urls["app"]), REGISTRY)
    signer = ActorSigner(Path(servers["actor_private_key_file"]))
    course = Course(Office(filing, signer, replace(clerk(), enterprise_kinds=EVERY_KIND)))
    for status, info in (
        ("100", "订单 T123-9f3a  不存在 "), ("100", "[Code:1405;Desc:重复]"), ("-301010", "x"), ("4", ""),
    ):  # fmt: skip
        hears(course, filed(course), status, info)
    hears(course, filed(course), "120")
    hears(course, filed(course, "list"), "800", kind="list")
    hears(course, filed(course, "list"), "399", kind="list")

    def told() -> list[Any]:
        with filing.database.transaction(course.desk.actor.tenant_id) as connection:
            return [connection.execute(text(statement)).all() for statement in LOOKS]

    before = told()
    assert len({row.told for row in before[0]}) == 5
    assert len([row for row in before[1] if row.told]) == 2
    with psycopg.connect(urls["owner"]) as owner:
        for table in ("document", "receipt"):
            owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE receipt SET refusal = ''")
        owner.execute("UPDATE document SET cleared_at = NULL")
        for statement in schema.told_before():
            owner.execute(statement)
    assert told() == before
    filing.database.close()
