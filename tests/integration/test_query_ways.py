"""Query pages find the same whichever way they are found: what conditions find decides the way, not the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from filing.store import query as store
from filing.usecases import content, submit
from tests.support.filing import TRANSFER, Office, body, clerk, office, query

COUNT = 24


@pytest.fixture(scope="module")
def desk(servers: Mapping[str, Any]) -> Iterator[Office]:
    """COUNT orders, all of one platform, a third each of three consignees; every fourth is deleted again."""
    made = office(servers)
    for number in range(COUNT):
        content.save(made.filing, made.actor, "order", body(f"Q{number % 3}{number:04d}"))
    rows = query(made, page_size=100).rows
    gone = [str(row.id) for row in rows if int(row.number[-4:]) % 4 == 0]
    submit.delete(made.filing, made.actor, made.token, "order", gone, TRANSFER)
    stranger = replace(made, actor=clerk())
    content.save(stranger.filing, stranger.actor, "order", body("Q00001"))
    yield made
    made.filing.database.close()


def numbers_left() -> list[str]:
    return [f"Q{number % 3}{number:04d}" for number in range(COUNT) if number % 4]


CONDITIONS: list[dict[str, str]] = [
    {},
    {"orderNo": "Q"},
    {"orderNo": "Q1"},
    {"orderNo": "Q10001"},
    {"orderNo": "X"},
    {"ebcCode": "6101960AAA"},
    {"ebcCode": "6101960AAB"},
    {"ebcCode": "6101960AAA", "orderNo": "Q2"},
]


@pytest.mark.parametrize("few", [0, 6, 1000])
@pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
@pytest.mark.parametrize("sort", ["-stored_at", "stored_at", "number", "-state"])
@pytest.mark.parametrize("settled", ["", "false"])
def test_every_way_finds_the_same(
    desk: Office,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    conditions: dict[str, str],
    sort: str,
    settled: str,
) -> None:
    monkeypatch.setattr(store, "FEW", few)
    wanted = [
        number
        for number in numbers_left()
        if number.startswith(conditions.get("orderNo", ""))
        and conditions.get("ebcCode", "6101960AAA")[-1] == "A"
    ]
    found: list[str] = []
    cursor = ""
    for _ in range(COUNT):
        page = query(desk, conditions=conditions, sort=sort, settled=settled, page_size=5, cursor=cursor)
        assert page.total == len(wanted)
        found += [row.number for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert sorted(found) == sorted(wanted)
    if sort == "number":
        assert found == sorted(wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        store.Filter("order", conditions=[("ebcCode", "exact", "6101960AAA"), ("orderNo", "prefix", "Q")]),
        store.Filter("order", refusal="-1"),
        store.Filter("order", refused=("2026-01-01T00:00:00Z", None)),
    ],
    ids=["keys", "reason", "period"],
)
def test_many_just_stored_are_counted_by_reading_each_once(
    desk: Office, monkeypatch: pytest.MonkeyPatch, wanted: store.Filter
) -> None:
    """Before statistics are taken the planner thinks all tables small: it must have no way that goes wrong by that."""
    monkeypatch.setattr(store, "FEW", 2)
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("SELECT count(*) FROM (SELECT 1 FROM document d"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
            store.weigh(connection, wanted)
            total = store.count(connection, wanted)
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert total == (len(numbers_left()) if wanted.conditions else 0)
    assert len(plans) == 1
    assert "Join" in plans[0]
    assert "Nested Loop" not in plans[0]
