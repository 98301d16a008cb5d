"""A ledger in which anything was changed, removed, inserted or swapped does not verify."""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from services.signer import chain

TENANT = str(uuid.uuid4())
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ENTRY = chain.Entry(at=AT, what="signed", actor_id="u", actor="张三", documents=3, digest=b"d" * 32, code="c")


def links(count: int = 5) -> list[chain.Link]:
    entries = [replace(ENTRY, message_id=str(number)) for number in range(count)]
    return chain.extend(TENANT, 0, chain.GENESIS, entries)


def broken(tampered: list[chain.Link], tenant: str = TENANT) -> int | None:
    return chain.first_break(tenant, 0, chain.GENESIS, tampered)


def test_an_untouched_chain_verifies_whole_and_in_parts() -> None:
    made = links()
    assert broken(made) is None
    assert chain.first_break(TENANT, 2, made[1].hash, made[2:]) is None
    more = chain.extend(TENANT, 5, made[-1].hash, [ENTRY])
    assert broken(made + more) is None


@settings(max_examples=60)
@given(st.integers(0, 4), st.sampled_from([field.name for field in fields(chain.Entry)]))
def test_any_changed_field_is_found(index: int, name: str) -> None:
    made = links()
    old = getattr(made[index].entry, name)
    new = {
        str: lambda: f"{old}x",
        int: lambda: old + 1,
        bytes: lambda: old + b"x",
        datetime: lambda: old + timedelta(microseconds=1),
    }
    changed = replace(made[index].entry, **{name: new[type(old)]()})
    made[index] = replace(made[index], entry=changed)
    assert broken(made) == index + 1


def test_removed_inserted_and_swapped_rows_are_found() -> None:
    made = links()
    assert broken(made[:2] + made[3:]) == 3
    assert broken([made[1], made[0], *made[2:]]) == 1
    assert broken([*made[:2], made[1], *made[2:]]) == 3


def test_a_row_with_a_recomputed_hash_breaks_the_next() -> None:
    made = links()
    entry = replace(made[1].entry, actor="李四")
    made[1] = replace(made[1], entry=entry, hash=chain.hash_of(TENANT, 2, entry, made[1].previous))
    assert broken(made) == 3


def test_a_chain_of_another_tenant_does_not_pass() -> None:
    assert broken(links(), str(uuid.uuid4())) == 1


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    there = replace(ENTRY, at=AT.astimezone(timezone(timedelta(hours=8))))
    assert chain.canonical(TENANT, 1, there) == chain.canonical(TENANT, 1, ENTRY)
