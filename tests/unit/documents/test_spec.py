"""Declarations that cannot work raise where they are written, with the name of what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from documents.body import complete
from documents.lifecycles import SETTLED_BY_STORING
from documents.registry import ALL, REGISTRY, Registry
from documents.spec import (
    Action,
    Column,
    Condition,
    DeclarationError,
    DocumentType,
    Field,
    Lifecycle,
    Message,
    ReceiptForm,
    Sheet,
    SheetColumn,
    State,
    Status,
)
from documents.types.order import ORDER
from documents.words import Words
from tests.unit.documents.making import order_body

TEXT: dict[str, Any] = {"name": "x", "zh": "某", "en": "Some", "type": "text", "required": True, "length": 10}
W = Words("某", "Some")


@pytest.mark.parametrize(
    "change",
    [
        {"zh": ""},
        {"en": ""},
        {"length": 0},
        {"min_length": 11},
        {"min_length": -1},
        {"type": "code", "length": 0},
        {"type": "decimal", "digits": 5, "scale": 5},
        {"type": "decimal", "digits": 5, "scale": -1},
        {"type": "decimal", "digits": 19, "scale": 5, "decimals": 6},
        {"type": "decimal", "digits": 19, "scale": 5, "decimals": -1},
        {"type": "decimal", "digits": 19, "scale": 5, "positive": True, "signed": True},
        {"type": "integer", "digits": 0},
        {"type": "code", "table": "nothing"},
        {"type": "code", "table": "unit", "choices": (("1", W),)},
        {"type": "code", "choices": (("1", W), ("1", W))},
        {"type": "code", "choices": (("12345678901", W),)},
        {"type": "code", "pattern": ("[", W)},
        {"pattern": ("[A-Z]", W)},
        {"type": "code", "open_table": True, "pattern": ("[A-Z]", W)},
        {"type": "code", "open_table": True, "table": "unit"},
        {"type": "code", "verify": lambda _: None},
    ],
    ids=str,
)
def test_impossible_fields(change: dict[str, Any]) -> None:
    Field(**TEXT)
    with pytest.raises(DeclarationError, match=r"^x: "):
        Field(**TEXT | change)


def field(name: str, **changes: Any) -> Field:
    return Field(**TEXT | {"name": name, "area": "order"} | changes)


def columns(*names: str) -> tuple[SheetColumn, ...]:
    return tuple(SheetColumn(name, name, "line") for name in names)


GROUP = SheetColumn("订单号", "orderNo", "head")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"head": (*ORDER.head, ORDER.head[0])}, "twice"),
        ({"lines": (*ORDER.lines, ORDER.lines[0])}, "twice"),
        ({"number": "no"}, "number names no"),
        ({"unique": ("ebpCode", "no")}, "unique names no"),
        ({"unique": ()}, "unique"),
        ({"unique": ("currency",)}, "unique"),
        ({"conditions": (Condition("qty"),)}, "condition names qty"),
        ({"columns": (Column("qty", 1),)}, "column names qty"),
        ({"conditions": (Condition("note"),)}, "note is too long"),
        ({"line_number": "no"}, "line number names no"),
        ({"line_number": "qty"}, r"of the lines the system fills \['qty'\]"),
        ({"same_line": ("orderNo",)}, "same_line names orderNo"),
        ({"discriminator": ("no", ("B",))}, "discriminator names no"),
        ({"discriminator": ("orderType", ("X",))}, "discriminator"),
        ({"computed": ()}, "goodsValue"),
        ({"computed": (("note", lambda _: ""),)}, "note"),
        ({"on_submit": ORDER.on_submit[1:]}, "guid"),
        ({"on_submit": (*ORDER.on_submit, ("note", "guid"))}, "note"),
        ({"on_submit": (*ORDER.on_submit[1:], ("guid", "moon"))}, "moon"),
        ({"areas": ORDER.areas[1:]}, "unknown area order"),
        ({"receipt": ReceiptForm("R", "N", ("orderNo",))}, "unique"),
        ({"actions": (Action("x", W, ("gone",), W, "p"),)}, "unknown state gone"),
        ({"sheet": Sheet("单", columns("itemNo"), "orderNo")}, "group"),
        ({"sheet": Sheet("单", (GROUP,), "ebpCode")}, "group"),
        ({"sheet": Sheet("单", (GROUP, *columns("no")), "orderNo")}, "sheet names no"),
        ({"sheet": Sheet("单", (GROUP, *columns("gnum")), "orderNo")}, "gnum is not for people"),
        (
            {"sheet": Sheet("单", (GROUP, SheetColumn("g", "guid", "head")), "orderNo")},
            "guid is not for people",
        ),
        ({"sheet": Sheet("单", (GROUP, *columns("qty", "qty")), "orderNo")}, "twice"),
        ({"sheet": Sheet("单", (GROUP, SheetColumn("订单号", "qty", "line")), "orderNo")}, "twice"),
    ],
    ids=str,
)
def test_impossible_types(change: dict[str, Any], named: str) -> None:
    with pytest.raises(DeclarationError, match=f"^order: .*{named}"):
        replace(ORDER, **change)


def life(**changes: Any) -> Lifecycle:
    values = {
        "states": SETTLED_BY_STORING.states,
        "statuses": SETTLED_BY_STORING.statuses,
        "negative": "error",
    }
    return Lifecycle(**values | changes)


@pytest.mark.parametrize(
    "missing", ["draft", "checked", "signing", "signed", "sent", "send_failed", "accepted", "error"]
)
def test_a_life_course_has_every_state_that_something_leads_to(missing: str) -> None:
    states = tuple(state for state in SETTLED_BY_STORING.states if state.name != missing)
    with pytest.raises(DeclarationError, match=missing):
        life(states=states)


@pytest.mark.parametrize(
    "change",
    [
        {"states": (*SETTLED_BY_STORING.states, SETTLED_BY_STORING.states[0])},
        {"statuses": (*SETTLED_BY_STORING.statuses, SETTLED_BY_STORING.statuses[0])},
        {"statuses": (Status("1", W, "nowhere", "spec"),)},
        {"statuses": (Status("1", W, "checked", "spec"),)},
        {"negative": "nowhere"},
        {"negative": "draft"},
        {"states": tuple(replace(s, rank=2) if s.name == "sent" else s for s in SETTLED_BY_STORING.states)},
        {"states": tuple(replace(s, rank=10) if s.name == "sent" else s for s in SETTLED_BY_STORING.states)},
        {
            "states": tuple(
                replace(s, rank=9) if s.name == "accepted" else s for s in SETTLED_BY_STORING.states
            )
        },
    ],
)
def test_impossible_life_courses(change: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        life(**change)


@pytest.mark.parametrize("change", [{"max_lines": 0}, {"max_documents": 0}])
def test_impossible_messages(change: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        Message("R", "N", "H", "L", **change)


def test_two_types_of_one_kind_cannot_stand_in_one_registry() -> None:
    with pytest.raises(DeclarationError, match="order"):
        Registry([*ALL, ORDER])


def test_the_registry_finds_types_by_kind_owner_and_receipt() -> None:
    assert REGISTRY.get("order") is ORDER
    assert REGISTRY.get("nothing") is None
    assert {t.kind for t in REGISTRY.answered_by("CEB304Message")} == {"order", "booking"}
    assert REGISTRY.answered_by("CEB999Message") == ()
    assert REGISTRY.owned_by("nobody").types == ()


@pytest.mark.parametrize("doctype", ALL, ids=lambda t: t.kind)
def test_declared_states_have_a_rank_and_a_colour_that_fit(doctype: DocumentType) -> None:
    for state in doctype.lifecycle.states:
        assert isinstance(state, State)
        # done well is green; done with, by another document, is grey
        done_with = state.name in ("amended", "deleted", "cancelled")
        assert not state.settled or state.colour == ("grey" if done_with else "green")


def test_completing_fills_defaults_and_sums_and_drops_empty_texts() -> None:
    body = order_body(lines=2, note="")
    del body["head"]["freight"]
    body["lines"][0]["note"] = ""
    whole = complete(ORDER, body)
    assert whole["head"]["freight"] == "0"
    assert whole["head"]["goodsValue"] == "6.00"
    assert "note" not in whole["head"]
    assert "note" not in whole["lines"][0]
    assert body["head"]["note"] == ""
