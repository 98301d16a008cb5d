"""Summary applications: which lists may be summed up, and the declarations customs makes from them (CEB792).

That a list must be closed is said by guide 002; that each consignor gets a declaration of its own follows from
summaryFlag. Results are planned as rows when the last part is settled. Must never sum a list up twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from simulator import ledger, notices, numbers, register
from simulator.checks import EXACT
from simulator.compare import Leg
from simulator.contents import Document
from simulator.courses import REJECTED
from simulator.problems import Refusal
from simulator.receipts import SHANGHAI, Result, new_id, return_time, summary_result
from simulator.register import Entry
from simulator.turn import Turn

# gseqno has five digits: a declaration with more lines is made as two.
_MOST_LINES = 99_999
# Lines in one result message at most; results split further say so in msgCount and msgSeqNo.
_LINES_PER_MESSAGE = 5_000
_RESULTS_PER_MESSAGE = 100


def _millis(stamp: str) -> int:
    moment = datetime.fromisoformat(f"{stamp[:8]}T{stamp[8:]}").replace(tzinfo=SHANGHAI)
    return int(moment.timestamp() * 1000)


def chosen(turn: Turn, head: Mapping[str, str], lines: Sequence[Mapping[str, str]]) -> list[Entry]:
    """The lists an application is about. A period beats the lines (published), to the whole second of its end."""
    if not head["startTime"]:
        found = register.by_number(turn.db, [line["invtNo"] for line in lines])
        return list(found.values())
    last = min(_millis(head["endTime"]) + 999, turn.now())
    found_ones = register.closed_between(turn.db, head["ebcCode"], _millis(head["startTime"]), last)
    return [one for one in found_ones if one.statistics_flag == "B" or not turn.rules.summary_only_b]


def check(turn: Turn, document: Document, lists: Mapping[str, Entry], taken: set[str]) -> Refusal | None:
    """Why an application is rejected, or None. `taken`: what earlier documents of the message sum up."""
    head = document.head
    if head["startTime"]:
        if [one for one in chosen(turn, head, ()) if one.invt_no not in taken]:
            return None
        return _rejected([f"{head['startTime']} 至 {head['endTime']} 没有可汇总的已结关清单"])
    now = turn.now()
    reasons: dict[str, list[str]] = {}
    for line in document.lines:
        number = line["invtNo"]
        fault = _fault(turn, lists.get(number), head, now)
        if fault is None and number in taken:
            fault = "已汇总"
        if fault is not None:
            reasons.setdefault(fault, []).append(number)
    return (
        _rejected([f"{fault}：{'、'.join(found)}" for fault, found in reasons.items()]) if reasons else None
    )


def _fault(turn: Turn, one: Entry | None, head: Mapping[str, str], now: int) -> str | None:
    if one is None or (one.ebc_code != head["ebcCode"] and one.agent_code != head["agentCode"]):
        return "清单不存在或不属于本企业"
    if not one.live(now) or not one.closed(now):
        return "清单未结关"
    if one.sum_no:
        return "清单已汇总"
    if turn.rules.summary_only_b and one.statistics_flag != "B":
        return "清单为简化申报，不汇总"
    return None


def _rejected(reasons: Iterable[str]) -> Refusal:
    text = "汇总申请退单：" + "；".join(reasons)
    return Refusal(REJECTED, text if len(text) <= 1000 else text[:997] + "……", "summary application rejected")


def number_for(turn: Turn, head: Mapping[str, str]) -> str:
    """sumNo of an application: all its parts share one."""
    row = turn.db.execute(
        "SELECT customs_no FROM documents WHERE number = ?1 AND kind = 701 AND customs_no <> ''"
        " AND substr(scope, 1, length(?2)) = ?2 ORDER BY message_id DESC, seq DESC LIMIT 1",
        (head["copNo"], f"{head['agentCode']}\x1f"),
    ).fetchone()
    return row[0] if row else numbers.port_numbers(turn.db, "S", 1, turn.now())[0]


def settled(
    turn: Turn, message_id: int, seq: int, document: Document, sum_no: str, when: int, told: int
) -> None:
    """A part of an application was approved: its lists are summed up; after the last part the results follow."""
    head = document.head
    lists = [one for one in chosen(turn, head, document.lines) if not one.sum_no and one.ended_at is None]
    for one in lists:
        one.sum_no = sum_no
    register.save(turn.db, lists)
    parts = int(Decimal(head["msgCount"]))
    turn.db.execute(
        "INSERT OR REPLACE INTO summaries VALUES (?,?,?,?,?,?,?,?)",
        (head["agentCode"], head["copNo"], int(Decimal(head["msgSeqNo"])), parts, sum_no, message_id, seq, 0),
    )
    there, done = turn.db.execute(
        "SELECT count(*), max(done) FROM summaries WHERE agent_code = ? AND cop_no = ?",
        (head["agentCode"], head["copNo"]),
    ).fetchone()
    if there < parts or done or not turn.script.results:
        return
    turn.db.execute(
        "UPDATE summaries SET done = 1 WHERE agent_code = ? AND cop_no = ?",
        (head["agentCode"], head["copNo"]),
    )
    _results(turn, message_id, head, sum_no, max(when, told) + 1)


def _results(turn: Turn, message_id: int, head: Mapping[str, str], sum_no: str, first: int) -> None:
    """Three results for each declaration: its lines, then the temporary and pre-entry numbers, then the entry number."""
    declarations = [
        (_head(turn, head, sum_no, group), lines)
        for group, lines in _groups(turn, head["summaryFlag"], sum_no)
    ]
    for step in range(3):
        at = first + step * turn.result_step_ms
        for values, _ in declarations:
            values.update(_numbers(turn, step, head["customsCode"]))
            values.update(decState=turn.rules.declaration_states[step], opDate=return_time(at), guid=new_id())
        for results in _messages([(values, lines if not step else []) for values, lines in declarations]):
            _post(turn, message_id, results, at, head["copNo"])


def _numbers(turn: Turn, step: int, customs: str) -> dict[str, str]:
    now = turn.now()
    if step == 1:
        temporary, pre_entry = numbers.port_numbers(turn.db, "D", 2, now)
        return {"decTmpNo": temporary, "decPreNo": pre_entry}
    return {"entryId": numbers.entry_number(turn.db, customs, now)} if step == 2 else {}


def _groups(turn: Turn, flag: str, sum_no: str) -> list[tuple[list[tuple[Entry, Leg]], list[dict[str, str]]]]:
    """Lists of one declaration each, with the declaration's lines: by consignor, or by consignor and producer."""
    entries = register.of_summary(turn.db, sum_no)
    facts = ledger.facts_of(turn.db, [(one.message_id, one.seq) for one in entries])
    groups: dict[tuple[str, ...], list[tuple[Entry, Leg]]] = {}
    for one in entries:
        found = facts[one.message_id, one.seq]
        key = (one.ebc_code, found.head["ownerCode"]) if flag == "2" else (one.ebc_code,)
        groups.setdefault(key, []).append((one, found))
    result: list[tuple[list[tuple[Entry, Leg]], list[dict[str, str]]]] = []
    for members in groups.values():
        part: list[tuple[Entry, Leg]] = []
        lines: list[dict[str, str]] = []
        for one, found in members:
            if len(lines) + len(found.lines) > _MOST_LINES:
                result.append((part, lines))
                part, lines = [], []
            part.append((one, found))
            for line in found.lines:
                lines.append(
                    {
                        "invtNo": one.invt_no,
                        "logisticsNo": one.logistics_no,
                        # A running number within the declaration: what it counts is assumed.
                        "gseqno": str(len(lines) + 1),
                        "gnum": line["gnum"],
                        "gcode": line["gcode"],
                    }
                )
        result.append((part, lines))
    return result


def _head(
    turn: Turn, head: Mapping[str, str], sum_no: str, group: Sequence[tuple[Entry, Leg]]
) -> dict[str, str]:
    names = ("customsCode", "agentCode", "agentName", "declAgentCode", "declAgentName")
    consignor = group[0][1].head if group else head
    gross = net = Decimal(0)
    for _, found in group:
        gross = EXACT.add(gross, Decimal(found.head["grossWeight"]))
        net = EXACT.add(net, Decimal(found.head["netWeight"]))
    return {
        **{name: head[name] for name in names},
        "sumNo": sum_no,
        "declSeqNo": numbers.port_numbers(turn.db, "P", 1, turn.now())[0],
        "ebcCode": consignor["ebcCode"],
        "ebcName": consignor["ebcName"],
        "grossWeight": f"{gross:f}",
        "netWeight": f"{net:f}",
        "msgCount": "1",
        "msgSeqNo": "1",
    }


def _messages(results: Iterable[tuple[Mapping[str, str], Sequence[Mapping[str, str]]]]) -> list[list[Result]]:
    """Results spread over messages that do not grow too large."""
    messages: list[list[Result]] = []
    room = 0
    for values, lines in results:
        parts = [lines[at : at + _LINES_PER_MESSAGE] for at in range(0, len(lines), _LINES_PER_MESSAGE)] or [
            []
        ]
        for number, part in enumerate(parts, 1):
            split = {"msgCount": str(len(parts)), "msgSeqNo": str(number)}
            if not messages or len(part) > room or len(messages[-1]) == _RESULTS_PER_MESSAGE:
                messages.append([])
                room = _LINES_PER_MESSAGE
            room -= len(part)
            messages[-1].append(Result({**values, **split}, part))
    return messages


def _post(turn: Turn, message_id: int, results: Sequence[Result], at: int, number: str) -> None:
    prefixed = turn.script.outcome_for(number, message="CEB701Message").prefixed
    body = summary_result(results, new_id(), prefixed)
    back = notices.way(turn, message_id)
    notices.insert(turn, 792, message_id, "CEB792", at, back, prefixed=prefixed, body=body)
