"""The chain of a consignment: step by step what is missing, whoever asks, in whatever order the documents are found."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import registry
from documents.chain import STEPS, Node, Verdict, decide, direction, onward, via
from documents.compare import GONE

ORDER, WAYBILL, LIST = ("order", "P|O1"), ("waybill", "L|W1"), ("list", "I1")
BILL, SUMMARY, DECLARATION = ("bill", "B1"), ("summary", "S1"), ("declaration", "D1")
ME = ("ecommerce", "platform", "agent")
EVERYBODY = (*ME, "logistics", "operator", "payment")


def node(kind: str, state: str, *refs: tuple[str, str], **head: str) -> Node:
    return Node(f"{kind}-1", kind, f"{kind.upper()}1", state, frozenset(refs), head)


def a_list(state: str, mode: str = "9610", flag: str = "B") -> Node:
    return node("list", state, ORDER, WAYBILL, LIST, BILL, tradeMode=mode, statisticsFlag=flag)


order = node("order", "accepted", ORDER, orderType="E")
waybill = node("waybill", "settled", WAYBILL)
arrival = node("arrival", "settled", BILL, WAYBILL, ("waybill", "L|W2"))
departure = node("departure", "settled", BILL, WAYBILL, ("waybill", "L|W2"))
application = node("summary-application", "settled", LIST, SUMMARY, ("list", "I2"))
result = node("summary-result", "received", LIST, SUMMARY, DECLARATION, ("list", "I2"))
declaration = node("summary-declaration", "settled", LIST, SUMMARY, DECLARATION, ("list", "I2"))
PAPERS = (order, waybill)
CLOSED = (*PAPERS, arrival, departure)
ALL = (*CLOSED, application, result, declaration)


def lacking(found: Verdict) -> set[str]:
    return {one.kind for one in found.missing}


#: state of the list, what is there, what is missing, a word of what comes next: the course of a 9610 list
COURSE: tuple[tuple[str, tuple[Node, ...], set[str], str], ...] = (
    ("draft", (), {"order", "waybill"}, "备齐"),
    ("checked", (order,), {"waybill"}, "备齐运单"),
    ("draft", PAPERS, set(), "补全"),
    ("checked", PAPERS, set(), "申报清单"),
    ("rejected", PAPERS, set(), "更正"),
    ("signing", PAPERS, set(), "放行"),
    ("in_review", (), {"order", "waybill"}, "放行"),
    ("released", PAPERS, {"arrival"}, "等待运抵单"),
    ("released", (*PAPERS, replace(arrival, state="checked")), {"arrival"}, "申报运抵单"),
    ("released", (*PAPERS, replace(arrival, state="sent")), set(), "审结运抵单"),
    ("released", (*PAPERS, arrival), {"departure"}, "等待离境单"),
    ("released", CLOSED, set(), "等待海关结关"),
    ("closed", CLOSED, {"summary-application"}, "汇总申请单"),
    ("closed", (*CLOSED, replace(application, state="draft")), {"summary-application"}, "申报汇总申请单"),
    ("closed", (*CLOSED, replace(application, state="sent")), set(), "审结汇总申请单"),
    ("closed", (*CLOSED, application), set(), "汇总结果单"),
    ("closed", (*CLOSED, application, result), set(), "报关单编号"),
    ("closed", ALL, set(), "结案"),
    ("case_closed", ALL, set(), "已结案"),
)  # fmt: skip


@pytest.mark.parametrize(("state", "others", "missing", "word"), COURSE)
@pytest.mark.parametrize("mode", ["9610", "1210"])
def test_the_course_of_a_retail_list(
    state: str, others: tuple[Node, ...], missing: set[str], word: str, mode: str
) -> None:
    found = decide(a_list(state, mode), others, ME)
    assert lacking(found) == missing
    assert word in found.next.zh
    assert found.next.en.isascii()
    assert found.done == (state == "case_closed")


def test_the_course_only_goes_forward() -> None:
    steps = [decide(a_list(state), others, ME).step for state, others, _, _ in COURSE]
    assert steps == sorted(steps)


@pytest.mark.parametrize(
    ("mode", "flag", "done"),
    [
        ("9610", "B", False),
        ("1210", "B", False),
        ("9610", "A", True),
        ("9710", "B", True),
        ("9810", "B", True),
    ],
)
def test_only_retail_lists_that_are_summed_up_need_a_summary(mode: str, flag: str, done: bool) -> None:
    found = decide(a_list("closed", mode, flag), CLOSED, ME)
    assert found.done == done
    assert lacking(found) == (set() if done else {"summary-application"})


def test_an_overseas_warehouse_needs_its_booking() -> None:
    assert lacking(decide(a_list("draft", "9810"), [waybill], ME)) == {"booking"}
    assert lacking(decide(a_list("draft", "9810"), [waybill, node("booking", "checked", ORDER)], ME)) == set()


def test_without_a_trade_mode_the_order_tells_it() -> None:
    bare = replace(a_list("closed"), head={})
    assert decide(bare, [replace(order, head={"orderType": "B"}), *CLOSED[1:]], ME).done
    assert lacking(decide(bare, CLOSED, ME)) == {"summary-application"}


@pytest.mark.parametrize("state", ["draft", "rejected", "send_failed"])
def test_papers_that_do_not_go_along_are_missing(state: str) -> None:
    found = decide(a_list("checked"), [replace(order, state=state), waybill], ME)
    [one] = found.missing
    assert (one.kind, one.action, one.page) == ("order", "declare", "A5")
    assert not decide(a_list("checked"), [replace(order, state="checked"), waybill], ME).missing


def test_who_files_it_decides_what_one_can_do_about_it() -> None:
    theirs = decide(a_list("released"), PAPERS, ME).missing[0]
    assert theirs.action == ""
    assert "监管场所经营人" in theirs.words.zh
    ours = decide(a_list("released"), PAPERS, EVERYBODY).missing[0]
    assert (ours.action, ours.page) == ("enter", "B3")


def test_the_pages_to_go_to() -> None:
    pages = {one.kind: (one.page, one.action) for one in decide(a_list("draft"), [], EVERYBODY).missing}
    assert pages == {"order": ("A5", "enter"), "waybill": ("B1", "enter")}
    [one] = decide(a_list("closed"), CLOSED, ME).missing
    assert (one.page, one.action) == ("E1", "build")
    [one] = decide(order, [], ME).missing
    assert (one.kind, one.page, one.action) == ("list", "C1", "enter")


def test_every_page_and_state_named_is_declared() -> None:
    kinds = {item.kind for item in registry.ALL}
    assert {kind for kinds_of_step in STEPS for kind in kinds_of_step} == kinds
    life = registry.by_kind("list").lifecycle.by_name  # type: ignore[union-attr]
    for name in ("released", "closed", "case_closed", "returned"):
        assert name in life


@pytest.mark.parametrize("start", [order, waybill, arrival, departure, application, result, declaration])
def test_from_any_document_the_list_is_found(start: Node) -> None:
    whole = [a_list("case_closed"), *ALL]
    assert decide(start, whole, ME).next.zh == "已结案，可办理退税。"


def test_a_logistics_enterprise_is_not_told_to_make_lists() -> None:
    assert decide(waybill, [], ("logistics",)) == Verdict(
        (), decide(waybill, [], ("logistics",)).next, 12, done=True
    )
    assert decide(replace(waybill, state="draft"), [], ("logistics",)).next.zh == "补全后申报运单。"
    assert decide(replace(arrival, state="sent"), [], ("operator",)).next.zh == "等待海关处理运抵单。"


def test_a_period_is_summed_up_without_naming_lists() -> None:
    period = replace(application, refs=frozenset({SUMMARY}))
    assert decide(period, [], ME).next.zh == "汇总申请单已审结，等待汇总结果单。"
    assert decide(a_list("closed"), [*CLOSED, period, result], ME).next.zh == "等待海关返回报关单编号。"


def test_a_cancellation_under_way_comes_first() -> None:
    cancelling = node("cancellation", "sent", LIST)
    assert "撤销" in decide(a_list("released"), [*PAPERS, cancelling], ME).next.zh
    assert "运抵" in decide(a_list("released"), [*PAPERS, replace(cancelling, state="rejected")], ME).next.zh


@pytest.mark.parametrize("state", GONE)
def test_what_is_gone_needs_nothing_and_helps_nobody(state: str) -> None:
    assert decide(replace(a_list("draft"), state=state), [], ME).done
    assert lacking(decide(a_list("draft"), [replace(order, state=state), waybill], ME)) == {"order"}


def test_of_two_revisions_customs_own_counts() -> None:
    held, draft = a_list("released"), replace(a_list("draft"), id="new", revision=2)
    assert "运抵" in decide(order, [held, draft, waybill], ME).next.zh
    assert "补全" in decide(draft, [held, order, waybill], ME).next.zh
    assert "补全" in decide(order, [replace(held, state="amended"), draft, waybill], ME).next.zh


def test_many_lists_are_told_together() -> None:
    lists = [
        replace(
            a_list("released" if n else "checked"),
            id=f"l{n}",
            number=f"Q{n}",
            refs=frozenset({("waybill", f"L|W{n}")}),
        )
        for n in range(5)
    ]
    flight = replace(departure, state="checked", refs=frozenset(("waybill", f"L|W{n}") for n in range(5)))
    found = decide(flight, lists, EVERYBODY)
    assert found.next.zh.startswith("5 份清单中 1 份：")
    arrivals = next(one for one in found.missing if one.kind == "arrival")
    assert arrivals.numbers == ("Q1", "Q2", "Q3", "Q4")
    assert "清单 Q1、Q2、Q3 等 4 份" in arrivals.words.zh
    assert not found.done


def test_links_and_their_limits() -> None:
    assert via(a_list("draft"), arrival) == ("bill", "waybill")
    other = replace(a_list("draft"), id="x", refs=frozenset({BILL}))
    assert via(a_list("draft"), other) == (), "two parcels of one flight have nothing to do with each other"
    assert onward(arrival) == frozenset()
    assert onward(result) == {SUMMARY, DECLARATION}
    assert onward(order) == order.refs
    assert (direction("list", "order"), direction("list", "arrival"), direction("order", "payment")) == (
        "earlier", "later", "same",
    )  # fmt: skip


# -- properties ------------------------------------------------------------------------------------------------

KINDS = [kind for kinds in STEPS for kind in kinds]


@st.composite
def nodes(draw: st.DrawFn) -> Node:
    kind = draw(st.sampled_from(KINDS))
    states = list(registry.by_kind(kind).lifecycle.by_name)  # type: ignore[union-attr]
    refs = draw(
        st.frozensets(st.sampled_from([ORDER, WAYBILL, LIST, BILL, SUMMARY, DECLARATION, ("list", "I2")]))
    )
    head = {
        "tradeMode": draw(st.sampled_from(["", "9610", "9710", "9810", "?"])),
        "statisticsFlag": draw(st.sampled_from("AB")),
    }
    return Node(
        draw(st.uuids()).hex, kind, draw(st.sampled_from("123")), draw(st.sampled_from(states)), refs, head
    )


@given(st.lists(nodes(), min_size=1, max_size=12), st.frozensets(st.sampled_from(EVERYBODY)), st.randoms())
def test_any_set_of_documents_is_judged_whatever_their_order(
    found: list[Node], mine: frozenset[str], chance: random.Random
) -> None:
    start, *others = found
    verdict = decide(start, others, mine)
    chance.shuffle(others)
    again = decide(start, others, mine)
    assert (lacking(again), again.step, again.done) == (lacking(verdict), verdict.step, verdict.done)
    assert verdict.next.zh
    assert verdict.next.en
    assert not (verdict.done and verdict.missing)
    for one in verdict.missing:
        doctype = registry.by_kind(one.kind)
        assert doctype is not None
        assert one.page in {page.id for page in doctype.pages}
        assert (one.action == "") <= mine.isdisjoint(doctype.senders)


@given(st.lists(nodes(), max_size=8), st.sampled_from(COURSE))
def test_what_is_linked_with_nothing_changes_nothing(
    strangers: list[Node], case: tuple[str, tuple[Node, ...], set[str], str]
) -> None:
    state, others, missing, _ = case
    apart = [
        replace(item, refs=frozenset((name, f"x{value}") for name, value in item.refs)) for item in strangers
    ]
    assert lacking(decide(a_list(state), [*others, *apart], ME)) == missing


@given(st.lists(nodes(), min_size=1, max_size=10), st.frozensets(st.sampled_from(KINDS)))
def test_what_may_not_be_seen_is_never_called_missing(found: list[Node], readable: frozenset[str]) -> None:
    start, *others = (item for item in found)
    verdict = decide(start, [item for item in others if item.kind in readable], ME, readable)
    there = {item.kind for item in found}
    assert lacking(verdict) <= readable | there


def test_of_two_documents_with_one_number_the_same_one_counts_whatever_their_order() -> None:
    order = node("order", "accepted", ORDER)
    drafted = Node("b", "list", "1", "draft", frozenset({ORDER}), {})
    under_way = Node("a", "list", "1", "signing", frozenset({ORDER}), {})
    assert decide(order, [drafted, under_way]) == decide(order, [under_way, drafted])
