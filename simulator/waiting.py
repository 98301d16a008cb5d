"""Lists whose order, waybill or payment is not there yet: they wait in the books, so waiting survives the process.

Looked at again when a leg arrives and when the wait is over. Must never decide twice: the row that waits goes with the
decision, in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator import effects, ledger, notices, register, tables
from simulator.compare import Comparison, Leg
from simulator.courses import PORT, REJECTED, verdict_of
from simulator.judge import Judgement, refused, scripted
from simulator.ledger import many
from simulator.notices import Notice
from simulator.problems import Refusal
from simulator.receipts import millis
from simulator.script import Outcome
from simulator.turn import Turn

LIST = tables.known()["CEB603Message"]


@dataclass(frozen=True, slots=True)
class _Wait:
    message_id: int
    seq: int
    until: int
    outcome: Outcome
    app_type: str
    cop_no: str
    customs_no: str
    track: int
    leg: Leg


def begin(turn: Turn, message_id: int, lists: Sequence[tuple[int, Mapping[str, str], Outcome]]) -> None:
    """Let lists of a message wait: (place, head, the outcome scripted for it)."""
    until = turn.now() + turn.rules.compare_wait_ms
    turn.lists_wait = turn.lists_wait or bool(lists)
    turn.db.executemany(
        "INSERT INTO waits VALUES (?,?,?,?,?,?)",
        [
            (message_id, seq, until, head["orderNo"], head["logisticsNo"], json.dumps(outcome.to_json()))
            for seq, head, outcome in lists
        ],
    )


def replaced(turn: Turn, message_id: int, heads: Sequence[Mapping[str, str]]) -> None:
    """Newer versions of these lists came: earlier ones that still wait are not decided any more."""
    for head in heads:
        old = turn.db.execute(
            "SELECT w.message_id, w.seq FROM waits AS w JOIN documents AS d USING (message_id, seq)"
            " WHERE d.number = ? AND d.kind = 603 AND d.scope = ? AND w.message_id < ?",
            (LIST.number(head), LIST.scope(head), message_id),
        ).fetchall()
        for key in old:
            turn.db.execute("DELETE FROM waits WHERE message_id = ? AND seq = ?", key)
            turn.db.execute(
                "UPDATE documents SET verdict = 'replaced', ended = ? WHERE message_id = ? AND seq = ?",
                (turn.now_text(), *key),
            )
            _message_verdict(turn, key[0])


def next_due(turn: Turn) -> int | None:
    """When the next wait is over, milliseconds since the epoch; None = nothing waits."""
    row = turn.db.execute("SELECT min(until) FROM waits").fetchone()
    return None if row[0] is None else int(row[0])


def look_again(turn: Turn) -> None:
    """Decide what can be decided: lists a leg of which arrived in this turn, and those that waited long enough."""
    now = turn.now()
    rows = turn.db.execute(
        "SELECT w.message_id, w.seq, w.until, w.outcome, d.app_type, d.number, d.customs_no, d.track, d.facts"
        " FROM waits AS w JOIN documents AS d USING (message_id, seq)"
        " WHERE w.until <= ?1 OR w.order_no IN (SELECT value FROM json_each(?2))"
        " OR w.logistics_no IN (SELECT value FROM json_each(?2)) ORDER BY w.message_id, w.seq",
        (now, many(turn.arrived)),
    ).fetchall()
    if not rows:
        return
    waits = [
        _Wait(
            *(message_id, seq, until),
            Outcome.from_books(json.loads(outcome)),
            *(app_type, cop_no, customs_no, track),
            ledger.leg(LIST.kind, text),
        )
        for message_id, seq, until, outcome, app_type, cop_no, customs_no, track, text in rows
    ]
    heads = [one.leg.head for one in waits]
    legs = ledger.Legs(turn.db, heads)
    # An order that two lists waited for is the first one's.
    taken = {
        (entry.order_no, entry.ebp_code): entry.cop_no
        for entry in register.by_order(turn.db, [head["orderNo"] for head in heads])
        if entry.live(now)
    }
    decided = []
    for one in waits:
        found = legs.compare(one.leg, turn.rules)
        if found.missing and one.until > now and turn.compares:
            continue
        order = (one.leg.head["orderNo"], one.leg.head["ebpCode"])
        judgement = _judgement(turn, one, found, taken.get(order, one.cop_no))
        if judgement.held:
            taken[order] = one.cop_no
        decided.append((one, judgement))
    _decide(turn, decided)


def _judgement(turn: Turn, one: _Wait, found: Comparison, owner: str) -> Judgement:
    if owner != one.cop_no:
        text = f"订单 {one.leg.head['orderNo']} 已由清单 {owner} 申报"
        return refused(Refusal(LIST.codes["used"], text, "the order is declared"), one.outcome.prefixed)
    if turn.compares and (found.missing or found.differences):
        fault = Refusal(REJECTED, found.reason, "the four documents do not agree")
        return refused(fault, one.outcome.prefixed)
    return scripted(LIST, one.outcome, one.app_type)


def _decide(turn: Turn, decided: Sequence[tuple[_Wait, Judgement]]) -> None:
    """Write the decisions; lists of one message that go the same way share receipts."""
    groups: dict[tuple[object, ...], list[tuple[_Wait, Judgement]]] = {}
    for one, judgement in decided:
        kind = (one.message_id, judgement.steps, judgement.delay_ms, judgement.prefixed)
        groups.setdefault(kind, []).append((one, judgement))
    for members in groups.values():
        _group(turn, members)
    for message_id in {one.message_id for one, _ in decided}:
        _message_verdict(turn, message_id)


def _group(turn: Turn, members: Sequence[tuple[_Wait, Judgement]]) -> None:
    first_wait, judgement = members[0]
    # What the electronic port says was said when the list came.
    steps = [status for status in judgement.steps if status not in PORT]
    told = max(turn.now(), _last_told(turn, first_wait) + 1)
    plan: effects.Plan = [(status, turn.now(), told + at) for at, status in enumerate((*steps, ""))]
    plan[-1] = ("", turn.now() + judgement.delay_ms, told + len(steps) + judgement.delay_ms)
    entered = []
    for one, found in members:
        number = one.customs_no
        if found.held and not number:
            number = turn.number_list(turn.db, one.leg.head, turn.now())
        turn.db.execute("DELETE FROM waits WHERE message_id = ? AND seq = ?", (one.message_id, one.seq))
        turn.db.execute(
            "UPDATE documents SET verdict = ?, code = ?, info = ?, customs_no = ? WHERE message_id = ? AND seq = ?",
            (found.verdict, found.code, found.info, number, one.message_id, one.seq),
        )
        turn.tally["accepted" if found.held else "rejected"] += 1
        if found.held:
            own = [(status or found.code, when, at) for status, when, at in plan]
            head = {**one.leg.head, "copNo": one.cop_no, "appType": one.app_type}
            entered.append((one.message_id, one.seq, head, number, own))
    for status, _, at in plan:
        told_ones = [
            Notice(one.message_id, one.seq, status or found.code, "" if status else found.info)
            for one, found in members
            if status or found.code not in PORT
        ]
        notices.post(turn, LIST.kind, told_ones, at, prefixed=judgement.prefixed)
    effects.register_lists(turn, entered)


def _last_told(turn: Turn, one: _Wait) -> int:
    """The time of the last receipt that a list and its fellows got when they came."""
    row = turn.db.execute(
        "SELECT max(return_time) FROM receipts WHERE message_id = ? AND track = ?",
        (one.message_id, one.track),
    ).fetchone()
    return millis(row[0])


def _message_verdict(turn: Turn, message_id: int) -> None:
    rows = turn.db.execute(
        "SELECT verdict, info FROM documents WHERE message_id = ?", (message_id,)
    ).fetchall()
    verdict = verdict_of([row[0] for row in rows])
    reason = next((info for found, info in rows if found in ("rejected", "error")), "")
    turn.db.execute("UPDATE messages SET verdict = ?, reason = ? WHERE id = ?", (verdict, reason, message_id))
