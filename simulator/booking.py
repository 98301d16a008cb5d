"""Booking one message: every document judged, its receipts planned, and what follows from it done - in one transaction.

Must never answer directly: answers are rows that the sender picks up when they are due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator import effects, ledger, numbers, summary, tables, waiting
from simulator.compare import Leg
from simulator.contents import Document
from simulator.courses import REJECTED, SETTLED, verdict_of
from simulator.effects import Plan
from simulator.examine import Examined
from simulator.judge import Earlier, Judgement, in_books, judge, refused
from simulator.notices import RECEIPT_SIZE
from simulator.problems import Refusal
from simulator.receipts import new_id, quote, return_time
from simulator.relations import relations
from simulator.script import Outcome
from simulator.structure import StructureFault
from simulator.tables import Table
from simulator.turn import Turn

LIST, DEPARTURE, CANCELLATION, SUMMARY = 603, 509, 605, 701
# What a list waits for: order or booking, payment, waybill.
_LEGS = frozenset({303, 403, 505})
_FIRST = ("2", "3")  # what the electronic port says before customs has decided


@dataclass(slots=True)
class Judged:
    """A document with its judgement; documents of one track share receipt messages. `document` None = not readable."""

    head: dict[str, str]
    document: Document | None
    judgement: Judgement
    outcome: Outcome
    track: int
    repeat: bool
    pre_no: str = ""
    customs_no: str = ""

    def row(self, table: Table, message_id: int, seq: int) -> tuple[object, ...]:
        """Its columns in the books."""
        head, judgement = self.head, self.judgement
        keep = self.document is not None and judgement.held
        return (
            message_id,
            seq,
            table.kind,
            table.number(head),
            table.scope(head),
            head["guid"],
            head["appType"],
            head["appTime"],
            judgement.verdict,
            judgement.code,
            judgement.info,
            self.track,
            int(self.repeat),
            quote(table, head),
            ledger.facts(table, self.document) if keep and self.document is not None else "",
            self.pre_no,
            self.customs_no,
            "",
        )


class _Tracks:
    """Documents that get the same statuses at the same time share receipt messages, 100 at most in each."""

    def __init__(self) -> None:
        self._tracks: dict[tuple[object, ...], int] = {}
        self._sizes: Counter[tuple[object, ...]] = Counter()

    def of(self, judgement: Judgement) -> int:
        kind = (judgement.steps, bool(judgement.code), judgement.delay_ms, judgement.prefixed)
        part = self._sizes[kind] // RECEIPT_SIZE
        self._sizes[kind] += 1
        return self._tracks.setdefault((*kind, part), len(self._tracks))


def judge_all(turn: Turn, one: Examined) -> list[Judged]:
    """Every document of a message against the rules, the books and the script."""
    table = tables.known()[one.type]
    documents = one.contents.documents if one.contents is not None else ()
    earlier = ledger.earlier(turn.db, table, [table.number(head) for head in one.heads], turn.now_text())
    related = relations(turn, table, documents)
    comparer = _Comparer(turn, documents) if table.kind == LIST and turn.compares else None
    tracks = _Tracks()
    result: list[Judged] = []
    for seq, head in enumerate(one.heads):
        outcome = turn.script.outcome_for(*table.numbers(head), message=table.message)
        seen = earlier.setdefault((table.number(head), table.scope(head)), [])
        if one.fault is not None:
            judgement = refused(_for_document(one.fault, seq), outcome.prefixed)
            document = None
        else:
            document = documents[seq]
            judgement = judge(document, table, seen, turn.rules, outcome, related.check)
            if comparer is not None:
                judgement = comparer.settle(document, judgement)
            related.note(document, judgement)
        guid, app_type = head["guid"], head["appType"]
        repeat = any(row.guid == guid and row.app_type == app_type for row in seen)
        judged = Judged(head, document, judgement, outcome, tracks.of(judgement), repeat)
        held = in_books(seen) if app_type != "1" else None
        if held is not None:
            judged.pre_no, judged.customs_no = held.pre_no, held.customs_no
        seen.append(
            Earlier(guid, app_type, head["appTime"], judgement.held, judged.pre_no, judged.customs_no)
        )
        result.append(judged)
    _number(turn, table, result)
    return result


class _Comparer:
    """Holds the lists of one message against their orders, waybills and payments."""

    def __init__(self, turn: Turn, documents: Sequence[Document]) -> None:
        self._rules = turn.rules
        self._legs = ledger.Legs(turn.db, [document.head for document in documents])

    def settle(self, document: Document, judgement: Judgement) -> Judgement:
        """The judgement after comparison. Silence and deletions are not compared."""
        if document.head["appType"] == "3" or judgement.verdict not in ("accepted", "inspect"):
            return judgement
        found = self._legs.compare(Leg(document.head, document.lines), self._rules)
        if not found.missing and not found.differences:
            return judgement
        if found.missing and self._rules.compare_wait_ms:
            return replace(judgement, verdict="waiting", code="", info=found.reason, steps=_FIRST, delay_ms=0)
        return refused(Refusal(REJECTED, found.reason, "the four documents do not agree"), judgement.prefixed)


def _number(turn: Turn, table: Table, judged: Sequence[Judged]) -> None:
    """Give out the numbers that receipts carry."""
    now = turn.now()
    if table.books.pre_no:
        without = [one for one in judged if not one.pre_no]
        fresh = numbers.port_numbers(turn.db, table.books.pre_no, len(without), now)
        for one, number in zip(without, fresh, strict=True):
            one.pre_no = number
    sums: dict[tuple[str, str], str] = {}
    for one in judged:
        if one.customs_no or one.document is None:
            continue
        held = one.judgement.held
        if table.kind == LIST and (
            (held and one.judgement.verdict != "waiting") or turn.rules.missing_invt_no == "assign"
        ):
            one.customs_no = turn.number_list(turn.db, one.head, now)
        elif table.kind == SUMMARY and held:
            key = (one.head["agentCode"], one.head["copNo"])
            one.customs_no = sums[key] = sums.get(key) or summary.number_for(turn, one.head)


def sum_up(one: Examined, judged: Sequence[Judged]) -> tuple[str, str]:
    """Verdict and reason for the message as a whole."""
    if one.fault is not None:
        return "refused", str(one.fault)
    return verdict_of([document.judgement.verdict for document in judged]), next(
        (document.judgement.info for document in judged if not document.judgement.held), ""
    )


def enter(turn: Turn, one: Examined, message_id: int, judged: Sequence[Judged], lost: bool) -> None:
    """Write documents and receipts of a message that is in the books, and do what follows."""
    table = tables.known()[one.type]
    turn.db.executemany(
        "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [document.row(table, message_id, seq) for seq, document in enumerate(judged)],
    )
    plans = _receipts(turn, one, message_id, judged, lost)
    for document in judged:
        verdict = document.judgement.verdict
        if verdict != "waiting":
            turn.tally["accepted" if document.judgement.held else "rejected"] += 1
        turn.tally["repeated_documents" if document.repeat else "documents"] += 1
    if table.kind in _LEGS:
        turn.arrived.update(table.number(document.head) for document in judged if document.judgement.held)
    elif table.kind in (LIST, DEPARTURE, CANCELLATION, SUMMARY):
        held = [
            (seq, document, plans[document.track])
            for seq, document in enumerate(judged)
            if document.judgement.held
        ]
        _follow(turn, table, message_id, held)


def _receipts(
    turn: Turn, one: Examined, message_id: int, judged: Sequence[Judged], lost: bool
) -> dict[int, Plan]:
    """Rows per track and status; texts stay with the documents, the sender puts them together. The plans by track."""
    kind = tables.known()[one.type].kind + 1
    plans: dict[int, Plan] = {}
    rows: list[tuple[object, ...]] = []
    first = turn.now()
    for track, judgement in {document.track: document.judgement for document in judged}.items():
        statuses = [*judgement.steps, *([""] if judgement.code else [])]  # "" = the document's own final code
        plan: Plan = [(status, first, first + at) for at, status in enumerate(statuses)]
        if plan and judgement.code:
            plan[-1] = ("", first + judgement.delay_ms, plan[-1][2] + judgement.delay_ms)
        plans[track] = plan
        dues = [told + turn.board.delay_ms for _, _, told in plan]
        if turn.board.reorder:
            # The times customs wrote stay true, only the order of arrival is turned round.
            dues.reverse()
        rows += [
            (kind, message_id, track, status, due, new_id(), new_id(), return_time(told), int(judgement.prefixed),
             one.sender, one.arrival.channel, "lost" if lost else "waiting")
            for (status, _, told), due in zip(plan, dues, strict=True)
        ]  # fmt: skip
    turn.db.executemany(
        "INSERT INTO receipts (kind, message_id, track, status, due, cop_msg_id, guid, return_time, prefixed, receiver,"
        " channel, state) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        rows,
    )
    return plans


def _follow(turn: Turn, table: Table, message_id: int, held: Sequence[tuple[int, Judged, Plan]]) -> None:
    """What the books note, and what customs does on its own, about documents it holds."""
    if table.kind == LIST:
        waiting.replaced(turn, message_id, [one.head for _, one, _ in held if one.head["appType"] != "1"])
        waiting.begin(
            turn,
            message_id,
            [(seq, one.head, one.outcome) for seq, one, _ in held if one.judgement.verdict == "waiting"],
        )
        effects.register_lists(
            turn,
            [
                (message_id, seq, one.head, one.customs_no, _own(plan, one.judgement.code))
                for seq, one, plan in held
                if one.judgement.verdict != "waiting"
            ],
        )
        return
    for seq, one, plan in held:
        if one.document is not None:
            reached(
                turn, table, (message_id, seq), one.document, one.customs_no, _own(plan, one.judgement.code)
            )


def _own(plan: Plan, code: str) -> Plan:
    """A track's plan with the document's own final status in place of ""."""
    return [(status or code, when, told) for status, when, told in plan]


def reached(
    turn: Turn, table: Table, key: tuple[int, int], document: Document, customs_no: str, plan: Plan
) -> None:
    """What follows from the statuses that a departure, cancellation or summary application gets."""
    head = document.head
    if table.kind == DEPARTURE and head["appType"] != "1":
        effects.departure_withdrawn(turn, head["copNo"], table.scope(head))
    if head["appType"] == "3":
        return
    for status, when, told in plan:
        if status != SETTLED:
            continue
        if table.kind == DEPARTURE:
            waybills = [line["logisticsNo"] for line in document.lines]
            effects.departed(turn, key, head["logisticsCode"], waybills, when)
        elif table.kind == CANCELLATION:
            effects.cancelled(turn, head["invtNo"], when)
        elif table.kind == SUMMARY:
            summary.settled(turn, *key, document, customs_no, when, told)


def _for_document(fault: Refusal, seq: int) -> Refusal:
    """The same refusal in the words of one document: the others only hear that the message was not taken."""
    index = fault.index if isinstance(fault, StructureFault) else None
    if index is None or index == seq:
        return fault
    return Refusal(
        fault.status,
        f"同一报文的第 {index + 1} 份单证有误，整个报文未受理，请改正后重新申报",
        f"document {index + 1} of the same message is wrong, the whole message was not taken",
    )
