"""What customs does on its own when a document comes to its end: lists are closed, cancelled, taken out of the books.

That a departure closes lists and that 399 on a cancellation approves it is assumed. Everything is planned as rows when
it is decided. Must never act on a document that customs does not hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from simulator import notices, register
from simulator.courses import CLOSED
from simulator.ledger import many
from simulator.notices import Notice
from simulator.receipts import return_time
from simulator.register import Entry
from simulator.turn import Turn

LIST = 603

# (status, counts from when, told when): milliseconds
Plan = list[tuple[str, int, int]]


def close(turn: Turn, leaving: Iterable[tuple[Entry, int]]) -> None:
    """Close released lists, each from its time on or from its release if that is later, and tell who filed them."""
    groups: dict[tuple[int, int], list[Entry]] = {}
    for one, when in leaving:
        if one.released_at is not None and one.closed_at is None and one.ended_at is None:
            groups.setdefault((one.message_id, max(when, one.released_at)), []).append(one)
    for (_, since), group in groups.items():
        told = max(since, *(one.last_time + 1 for one in group))
        for one in group:
            one.reach(CLOSED, since, told)
        register.save(turn.db, group)
        prefixed = turn.script.outcome_for(group[0].cop_no, message="CEB603Message").prefixed
        told_ones = [Notice(one.message_id, one.seq, CLOSED) for one in group]
        notices.post(turn, LIST, told_ones, told, prefixed=prefixed)


def released(turn: Turn, entries: Iterable[Entry]) -> None:
    """Lists were released: those whose waybill has left the country already are closed."""
    open_ones = [one for one in entries if one.released_at is not None and one.closed_at is None]
    if not open_ones or not turn.closes:
        return
    left = {
        (number, code): at
        for number, code, at in turn.db.execute(
            "SELECT logistics_no, logistics_code, min(at) FROM departed"
            " WHERE logistics_no IN (SELECT value FROM json_each(?)) GROUP BY 1, 2",
            (many(one.logistics_no for one in open_ones),),
        )
    }
    waybills = ((one, (one.logistics_no, one.logistics_code)) for one in open_ones)
    close(turn, [(one, left[waybill]) for one, waybill in waybills if waybill in left])


def departed(
    turn: Turn, document: tuple[int, int], logistics_code: str, waybills: Collection[str], when: int
) -> None:
    """A departure was settled: its waybills have left, their released lists are closed."""
    turn.db.executemany(
        "INSERT OR IGNORE INTO departed VALUES (?, ?, ?, ?, ?)",
        [(number, logistics_code, when, *document) for number in waybills],
    )
    if turn.closes:
        found = register.by_waybill(turn.db, waybills)
        close(turn, [(one, when) for one in found if one.logistics_code == logistics_code])


def departure_withdrawn(turn: Turn, number: str, scope: str) -> None:
    """A departure was amended or deleted: what the earlier version said has not left any more.

    Lists that are closed stay closed.
    """
    turn.db.execute(
        "DELETE FROM departed WHERE (message_id, seq) IN"
        " (SELECT message_id, seq FROM documents WHERE number = ? AND kind = 509 AND scope = ?)",
        (number, scope),
    )


def end(turn: Turn, entries: Iterable[Entry], when: int) -> None:
    """Take lists out of the books from `when` on: what was planned for later is not sent any more."""
    ended = list(entries)
    for one in ended:
        one.ended_at = when
    register.save(turn.db, ended)
    turn.db.executemany(
        "UPDATE documents SET ended = ? WHERE message_id = ? AND seq = ?",
        [(return_time(when), one.message_id, one.seq) for one in ended],
    )


def cancelled(turn: Turn, invt_no: str, when: int) -> None:
    """A cancellation was approved."""
    one = register.by_number(turn.db, [invt_no]).get(invt_no)
    if one is not None and one.ended_at is None:
        end(turn, [one], when)


def register_lists(turn: Turn, lists: Sequence[tuple[int, int, dict[str, str], str, Plan]]) -> None:
    """Enter lists that customs holds from now on: (message, place, head, invtNo, plan)."""
    changed = [head["copNo"] for _, _, head, _, _ in lists if head["appType"] != "1"]
    own = {(one.cop_no, one.agent_code): one for one in _own(turn, changed)}
    fresh: list[Entry] = []
    for message_id, seq, head, invt_no, plan in lists:
        before = own.get((head["copNo"], head["agentCode"]))
        if head["appType"] == "3":
            if before is not None:
                end(turn, [before], plan[-1][1] if plan else turn.now())
            continue
        entry = register.entry(head, message_id, seq, invt_no)
        if before is not None:
            # The version that was replaced is not told anything any more.
            end(turn, [before], turn.now())
            entry.id = before.id
        register.plan(entry, plan)
        fresh.append(entry)
    register.save(turn.db, fresh)
    released(turn, fresh)


def _own(turn: Turn, cop_nos: Collection[str]) -> list[Entry]:
    return register.by_own_number(turn.db, cop_nos, turn.now()) if cop_nos else []
