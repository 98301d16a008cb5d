"""The whole chain of one consignment: which documents belong together, and what is missing for the next step.

order or booking + waybill (+ receipt of payment) → list → release → arrival → departure → closed; for 9610 and 1210
lists that are summed up also → summary application → result → summary declaration → case closed. 9710 and 9810 in
list mode end when the list is closed (guide 003, p. 数据申报; guide 002, part two). Assumed: that customs closes a
list once arrival and departure are settled, and a case once the summary declaration has its number.

Pure. Says what to do next; must never be what decides whether something may be filed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from documents import registry
from documents.compare import GONE
from documents.parties import ENTERPRISE_KINDS
from documents.spec import DocumentType
from documents.types.common import OPEN
from documents.words import Words

Action = Literal["enter", "declare", "build", ""]
Direction = Literal["earlier", "later", "same"]

#: kinds in the order of business; those of one step stand together
STEPS = (
    ("order", "booking", "payment", "waybill"),
    ("list",),
    ("cancellation", "master-house", "arrival", "departure", "return", "tally"),
    ("summary-application",),
    ("summary-result",),
    ("summary-declaration",),
)
_PLACE = {kind: place for place, kinds in enumerate(STEPS) for kind in kinds}
#: by these a document with many lines (a whole flight, a month's lists) leads on; by its lines it would lead to
#: everybody else's consignments
_ONWARD = ("summary", "declaration")
#: trade modes whose lists are summed up (field table CEB603)
RETAIL = ("9610", "1210")
_MODE_OF = {"E": "9610", "B": "9710", "W": "9810"}
#: how many numbers a sentence names
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Node:
    """A document of the chain. refs: (name, value) as in documents.body.refs; head: at least the declared columns."""

    id: str
    kind: str
    number: str
    state: str
    refs: frozenset[tuple[str, str]] = frozenset()
    head: Mapping[str, str] = field(default_factory=dict)
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Missing:
    """Something the next step needs. page: where it is done; action: what is done there, "" = somebody else does it."""

    kind: str
    words: Words
    page: str
    action: Action
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a consignment stands. step: its place in the course, for comparing; done: nothing is left to do."""

    missing: tuple[Missing, ...]
    next: Words
    step: int
    done: bool = False


def decide(
    start: Node, others: Iterable[Node], mine: Collection[str] = (), readable: Collection[str] | None = None
) -> Verdict:
    """What is missing for the next step of the consignments that `start` belongs to.

    mine: kinds of enterprise the reader acts as, which says what he files himself. readable: kinds he may see, None
    = all; what he may not see is never called missing.
    """
    if start.state in GONE:
        return Verdict(
            (), Words("此单据已失效，不再继续。", "This document is no longer in force."), 99, done=True
        )
    found = {node.id: node for node in (*others, start) if node.state not in GONE and node.kind in _PLACE}
    case = _Case(frozenset(mine), None if readable is None else frozenset(readable))
    lists = _lists_of(start, list(found.values()))
    if not lists:
        return _without_list(start, list(found.values()), case)
    return _together([(item.number, _of_list(item, list(found.values()), case)) for item in lists])


def via(first: Node, second: Node) -> tuple[str, ...]:
    """The names under which two documents are linked; () if they are not. Parcels of one bill are not linked by it."""
    names = {name for name, _ in first.refs & second.refs}
    if first.kind == second.kind:
        names -= {"bill"}
    return tuple(sorted(names))


def onward(node: Node) -> frozenset[tuple[str, str]]:
    """The refs by which a document that was found leads to further ones."""
    if _has_lines(node.kind):
        return frozenset(ref for ref in node.refs if ref[0] in _ONWARD)
    return node.refs


def place(kind: str) -> int:
    """The kind's place in the course of business."""
    return _PLACE.get(kind, 0)


def direction(start: str, kind: str) -> Direction:
    """Whether a kind comes before or after another one in the course of business."""
    here, there = place(start), place(kind)
    return "same" if here == there else "earlier" if there < here else "later"


@dataclass(frozen=True, slots=True)
class _Case:
    """Who asks."""

    mine: frozenset[str]
    readable: frozenset[str] | None

    def sees(self, kind: str) -> bool:
        return self.readable is None or kind in self.readable

    def files(self, kind: str) -> bool:
        return not self.mine.isdisjoint(_type(kind).senders)


def _type(kind: str) -> DocumentType:
    found = registry.by_kind(kind)
    assert found is not None  # the kinds of STEPS are declared; a test holds it
    return found


def _has_lines(kind: str) -> bool:
    return any(ref.level == "line" for ref in _type(kind).refs)


def _lists_of(start: Node, nodes: Sequence[Node]) -> list[Node]:
    """The lists nearest to a document; of a list's revisions the one in force, unless it is the one asked for."""
    if start.kind == "list":
        return [start]
    seen, border = {start.id}, [(start, start.refs)]
    while border:
        refs = [(node, leads) for node, leads in border if leads]
        reached = [
            other
            for other in nodes
            if other.id not in seen and any(leads & other.refs and via(node, other) for node, leads in refs)
        ]
        lists = [node for node in reached if node.kind == "list"]
        if lists:
            return _standing(lists)
        seen |= {node.id for node in reached}
        border = [(node, onward(node)) for node in reached]
    return []


def _standing(nodes: Sequence[Node]) -> list[Node]:
    """One of each number: what customs holds before what is to replace it, whatever the order in which they are given."""
    best: dict[tuple[str, str], Node] = {}
    for node in nodes:
        known = best.get((node.kind, node.number))
        if known is None or _stand(node) > _stand(known):
            best[node.kind, node.number] = node
    return list(best.values())


def _stand(node: Node) -> tuple[bool, int, str]:
    # two enterprises may have documents of one number: which of them counts must not change from look to look
    return node.state in _type(node.kind).lifecycle.held, node.revision, node.id


def _of_list(item: Node, nodes: Sequence[Node], case: _Case) -> Verdict:
    near = [node for node in nodes if node.id != item.id and via(item, node)]
    if item.state in OPEN:
        return _before_filing(item, near, case)
    if item.state == "returned":
        words = Words("海关已退运，按退货流程办理。", "Customs sent the goods back; go on with the return.")
        return Verdict((), words, 5, done=True)
    cancelling = [
        node for node in near if node.kind == "cancellation" and node.state not in (*OPEN, "settled")
    ]
    if cancelling:
        words = Words("等待海关对撤销申请单的答复。", "Wait for customs' answer to the cancellation.")
        return Verdict((), words, 4)
    if item.state == "released":
        return _before_closing(near, case)
    if item.state == "closed":
        return _before_summary(item, near, nodes, case)
    if item.state == "case_closed":
        return Verdict(
            (), Words("已结案，可办理退税。", "The case is closed; the tax refund can go on."), 12, done=True
        )
    words = Words("等待海关放行。", "Wait for customs to release the goods.")
    return Verdict(tuple(_papers(item, near, case)), words, 3)


def _papers(item: Node, near: Sequence[Node], case: _Case) -> Iterable[Missing]:
    """What customs compares the list with. The receipt of payment is optional."""
    trade = "booking" if _mode(item, near) == "9810" else "order"
    for kinds, kind in ((("order", "booking"), trade), (("waybill",), "waybill")):
        found = [node for node in near if node.kind in kinds]
        if not found and case.sees(kind):
            yield _lacks(kind, case, Words("海关将与清单比对", "customs compares it with the list"))
        elif found and all(node.state in ("draft", "rejected", "error", "send_failed") for node in found):
            # what is checked goes along when the list is filed
            yield _unfiled(found[0].kind)


def _before_filing(item: Node, near: Sequence[Node], case: _Case) -> Verdict:
    missing = tuple(_papers(item, near, case))
    refused = item.state in ("rejected", "error", "send_failed")
    if missing:
        names = "、".join(_type(one.kind).title.zh for one in missing)
        names_en = ", ".join(_type(one.kind).title.en.lower() for one in missing)
        words = Words(f"先备齐{names}，再申报清单。", f"First the {names_en}, then declare the list.")
    elif refused:
        words = Words(
            "按回执更正清单后重新申报。", "Correct the list as the receipt says and declare it again."
        )
    elif item.state == "draft":
        words = Words("补全清单内容后申报。", "Complete the list, then declare it.")
    else:
        words = Words(
            "申报清单；订单、运单和收款单将一并发送。",
            "Declare the list; order, waybill and payment go along.",
        )
    return Verdict(missing, words, 2)


def _before_closing(near: Sequence[Node], case: _Case) -> Verdict:
    for step, kind in ((6, "arrival"), (7, "departure")):
        found = [node for node in near if node.kind == kind]
        title = _type(kind).title
        if not case.sees(kind) or any(node.state == "settled" for node in found):
            continue
        if not found:
            why = Words("货物放行后需要，清单才能结关", "needed after release before the list is closed")
            words = Words(f"等待{title.zh}。", f"The {title.en.lower()} comes next.")
            return Verdict((_lacks(kind, case, why),), words, step)
        if all(node.state in OPEN for node in found):
            return Verdict(
                (_unfiled(kind),), Words(f"申报{title.zh}。", f"Declare the {title.en.lower()}."), step
            )
        words = Words(f"等待海关审结{title.zh}。", f"Wait for customs to settle the {title.en.lower()}.")
        return Verdict((), words, step)
    return Verdict((), Words("等待海关结关。", "Wait for customs to close the list."), 8)


def _before_summary(item: Node, near: Sequence[Node], nodes: Sequence[Node], case: _Case) -> Verdict:
    mode = _mode(item, near)
    if mode not in RETAIL or item.head.get("statisticsFlag") == "A":
        words = Words(
            "已结关，流程完成，无需汇总。",
            "The list is closed; nothing is summed up and nothing is left to do.",
        )
        return Verdict((), words, 12, done=True)
    results = [node for node in near if node.kind in ("summary-result", "summary-declaration")]
    applications = [node for node in near if node.kind == "summary-application"]
    # an application for a period names no lists: only its result does
    applications += [node for node in nodes if node.kind == "summary-application"
                     and any(via(result, node) for result in results)]  # fmt: skip
    return _summed_up(applications, results, case)


def _summed_up(applications: Sequence[Node], results: Sequence[Node], case: _Case) -> Verdict:
    if any(node.kind == "summary-declaration" and node.state == "settled" for node in results):
        words = Words(
            "汇总报关单已有编号，等待结案。",
            "The summary declaration has its number; wait for the case to close.",
        )
        return Verdict((), words, 11)
    if results:
        words = Words("等待海关返回报关单编号。", "Wait for customs to give the declaration its number.")
        return Verdict((), words, 10)
    if any(node.state == "settled" for node in applications):
        words = Words(
            "汇总申请单已审结，等待汇总结果单。", "The application is settled; wait for the summary result."
        )
        return Verdict((), words, 10)
    if any(node.state not in OPEN for node in applications):
        return Verdict(
            (), Words("等待海关审结汇总申请单。", "Wait for customs to settle the application."), 9
        )
    if applications:
        words = Words("申报汇总申请单。", "Declare the summary application.")
        return Verdict((_unfiled("summary-application"),), words, 9)
    words = Words("生成并申报汇总申请单。", "Build and declare a summary application.")
    if not case.sees("summary-application"):
        return Verdict((), words, 9)
    why = Words("已结关的清单须汇总申报", "closed lists are summed up")
    return Verdict((_lacks("summary-application", case, why, "build"),), words, 9)


def _without_list(start: Node, nodes: Sequence[Node], case: _Case) -> Verdict:
    """A document whose list is not here: not made yet, or another enterprise's."""
    if start.kind.startswith("summary-"):
        linked = [node for node in nodes if node.id == start.id or via(start, node)]
        applications = [node for node in linked if node.kind == "summary-application"]
        return _summed_up(applications, [node for node in linked if node not in applications], case)
    if _PLACE[start.kind] == 0 and case.files("list") and case.sees("list"):
        words = Words("录入或导入清单。", "Enter or import the list.")
        why = Words("尚无清单使用此单据", "no list uses this document yet")
        return Verdict((_lacks("list", case, why),), words, 1)
    return _alone(start)


def _alone(start: Node) -> Verdict:
    """Where nothing else is to be seen, the document's own state says what comes next."""
    title = _type(start.kind).title
    if start.state in OPEN:
        words = Words(f"补全后申报{title.zh}。", f"Complete and declare the {title.en.lower()}.")
        return Verdict((), words, 1)
    if _type(start.kind).lifecycle.by_name[start.state].settled:
        return Verdict((), Words(f"{title.zh}已完成。", f"The {title.en.lower()} is done."), 12, done=True)
    return Verdict(
        (), Words(f"等待海关处理{title.zh}。", f"Wait for customs to decide on the {title.en.lower()}."), 3
    )


def _mode(item: Node, near: Sequence[Node]) -> str:
    """The trade mode: the list's, else the one its order belongs to."""
    types = [node.head.get("orderType", "") for node in near if node.kind in ("order", "booking")]
    return item.head.get("tradeMode") or next((_MODE_OF[value] for value in types if value in _MODE_OF), "")


def _lacks(kind: str, case: _Case, why: Words, action: Action = "enter") -> Missing:
    """A document that is not there. Where others file it, who does; they may do so without this system."""
    doctype = _type(kind)
    title = doctype.title
    if case.files(kind):
        words = Words(f"缺少{title.zh}：{why.zh}。", f"No {title.en.lower()}: {why.en}.")
        return Missing(kind, words, _page(doctype, last=False), action)
    senders = [ENTERPRISE_KINDS[name] for name in doctype.senders]
    zh, en = "、".join(one.zh for one in senders), ", ".join(one.en for one in senders)
    words = Words(
        f"没有看到{title.zh}：{why.zh}。由{zh}申报，对方自行申报的在此看不到，以回执为准。",
        f"No {title.en.lower()} is to be seen: {why.en}. It is filed by {en}; what they file by themselves does not "
        "show here, customs' receipts will tell.",
    )
    return Missing(kind, words, _page(doctype, last=False), "")


def _unfiled(kind: str) -> Missing:
    title = _type(kind).title
    words = Words(f"{title.zh}尚未申报成功。", f"The {title.en.lower()} has not been filed successfully.")
    return Missing(kind, words, _page(_type(kind), last=True), "declare")


def _page(doctype: DocumentType, *, last: bool) -> str:
    """The page where such documents are entered; last: where they are declared, which comes after."""
    entries = [page.id for page in doctype.pages if page.entry] or [page.id for page in doctype.pages]
    return entries[-1 if last else 0]


def _together(cases: Sequence[tuple[str, Verdict]]) -> Verdict:
    """Several lists as one answer: what is missing with the lists it is missing for; the one furthest behind leads."""
    lacking: dict[Missing, list[str]] = {}
    for number, verdict in cases:
        for one in verdict.missing:
            lacking.setdefault(one, []).append(number)
    behind = min((verdict for _, verdict in cases), key=lambda verdict: verdict.step)
    if len(cases) == 1:
        return behind
    missing = [
        replace(one, numbers=tuple(numbers), words=_for(one.words, numbers))
        for one, numbers in lacking.items()
    ]
    count = sum(1 for _, verdict in cases if verdict.step == behind.step)
    words = Words(
        f"{len(cases)} 份清单中 {count} 份：{behind.next.zh}",
        f"{count} of {len(cases)} lists: {behind.next.en}",
    )
    done = all(verdict.done for _, verdict in cases)
    return Verdict(tuple(missing), behind.next if done else words, behind.step, done)


def _for(words: Words, numbers: Sequence[str]) -> Words:
    named, more = numbers[:_NAMED], len(numbers) > _NAMED
    zh = f"清单 {'、'.join(named)}" + (f" 等 {len(numbers)} 份" if more else "")
    en = f"lists {', '.join(named)}" + (f" and {len(numbers) - _NAMED} more" if more else "")
    return Words(f"{words.zh}（{zh}）", f"{words.en} ({en})")
