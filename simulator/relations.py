"""What a document must keep towards others: the list it cancels, takes back or sums up, the parts it belongs to.

Look-ups are made once for all documents of a message. Must never write; `note` only remembers, for the next document
of the same message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from simulator import ledger, register, summary
from simulator.contents import Document
from simulator.judge import Judgement
from simulator.problems import Refusal
from simulator.register import Entry
from simulator.tables import Table
from simulator.turn import Turn


class Relations:
    """Nothing to keep: the base, and what orders and waybills get while they are new."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        self.turn = turn
        self.table = table
        self.now = turn.now()
        self.codes = table.codes

    def check(self, document: Document) -> Refusal | None:
        """What is wrong, or None. Asked only about a document that is good by itself."""
        return None

    def note(self, document: Document, judgement: Judgement) -> None:
        """Remember a document that was judged."""


class _Used(Relations):
    """An order or waybill that a live list was declared with is neither amended nor deleted. Published codes."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        super().__init__(turn, table, documents)
        numbers = [table.number(document.head) for document in documents if document.head["appType"] != "1"]
        find = register.by_order if table.kind == 303 else register.by_waybill
        live = [one for one in find(turn.db, numbers) if one.live(self.now)] if numbers else []
        self._used = {
            (one.order_no, one.ebp_code) if table.kind == 303 else (one.logistics_no, one.logistics_code): one
            for one in live
        }

    def check(self, document: Document) -> Refusal | None:
        head = document.head
        if not self._used or head["appType"] == "1":
            return None
        one = self._used.get((self.table.number(head), self.table.scope(head)))
        if one is None:
            return None
        return Refusal(
            self.codes["used"],
            f"{self.table.zh} {self.table.number(head)} 已被清单 {one.cop_no} 申报使用，不能变更或删除",
            f"{self.table.number(head)} is used by the declared list {one.cop_no}",
        )


class _Lists(Relations):
    """An order stands in one live list only; a list is amended and deleted only in the states that allow it."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        super().__init__(turn, table, documents)
        heads = [document.head for document in documents]
        by_order = register.by_order(turn.db, [head["orderNo"] for head in heads])
        self._orders = {(one.order_no, one.ebp_code): one.cop_no for one in by_order if one.live(self.now)}
        changed = [head["copNo"] for head in heads if head["appType"] != "1"]
        own = register.by_own_number(turn.db, changed, self.now) if changed else []
        self._own = {(one.cop_no, one.agent_code): one for one in own}

    def check(self, document: Document) -> Refusal | None:
        head = document.head
        other = self._orders.get((head["orderNo"], head["ebpCode"]), head["copNo"])
        if other != head["copNo"] and head["appType"] != "3":
            return Refusal(
                self.codes["used"],
                f"订单 {head['orderNo']} 已由清单 {other} 申报",
                f"order {head['orderNo']} is declared by list {other} already",
            )
        one = self._own.get((head["copNo"], head["agentCode"]))
        if one is None or head["appType"] == "1":
            return None
        status = one.status(self.now)
        # A cancellation decided for later ends the list already.
        if head["appType"] == "2" and (
            status not in self.turn.rules.amend_states or one.ended_at is not None
        ):
            return Refusal(
                self.codes["state"],
                f"清单 {head['copNo']} 状态为 {status}，不允许变更",
                f"list {head['copNo']} has status {status}, it cannot be amended",
            )
        if head["appType"] == "3" and one.closed(self.now):
            return Refusal(
                self.codes["delete_state"],
                f"清单 {head['copNo']} 已结关，不能删除",
                f"list {head['copNo']} is closed, it cannot be deleted",
            )
        return None

    def note(self, document: Document, judgement: Judgement) -> None:
        head = document.head
        if judgement.held and head["appType"] != "3":
            self._orders[head["orderNo"], head["ebpCode"]] = head["copNo"]


class _Original(Relations):
    """Documents that name a list in their head: cancellation, return, tally."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        super().__init__(turn, table, documents)
        self._lists = register.by_number(turn.db, [document.head["invtNo"] for document in documents])
        self._cancelled: set[str] = set()
        self._facts = (
            ledger.facts_of(turn.db, [(one.message_id, one.seq) for one in self._lists.values()])
            if table.kind == 213
            else {}
        )

    def check(self, document: Document) -> Refusal | None:
        head = document.head
        number = head["invtNo"]
        if head["appType"] == "3" or (self.table.kind == 215 and not number):
            return None
        one = self._lists.get(number)
        if one is None:
            return Refusal(self.codes["reference"], f"清单编号 {number} 不存在", f"there is no list {number}")
        if self.table.kind == 215:
            return None
        return self._parties(head, one) or self._state(number, one) or self._quantities(document, one)

    def _parties(self, head: Mapping[str, str], one: Entry) -> Refusal | None:
        for name, theirs in (("agentCode", one.agent_code), ("ebcCode", one.ebc_code)):
            if head[name] != theirs:
                return Refusal(
                    self.codes["parties"],
                    f"{name} {head[name]} 与清单 {one.invt_no} 的 {theirs} 不一致",
                    f"{name} {head[name]} is not the list's {theirs}",
                )
        return None

    def _state(self, number: str, one: Entry) -> Refusal | None:
        status = one.status(self.now) if one.live(self.now) else "已撤销或删除"
        allowed = self.turn.rules.cancel_states if self.table.kind == 605 else {"800", "899"}
        # A cancellation decided for later ends the list already: it is not decided twice.
        ending = self.table.kind == 605 and (one.ended_at is not None or number in self._cancelled)
        if status in allowed and not ending:
            return None
        act = "撤销" if self.table.kind == 605 else "退货"
        return Refusal(
            self.codes["reference_state"],
            f"清单 {number} 状态为 {'已撤销' if ending else status}，不允许{act}",
            f"the state of list {number} does not allow this",
        )

    def _quantities(self, document: Document, one: Entry) -> Refusal | None:
        """Published: nothing comes back that was not in the list."""
        if self.table.kind != 213:
            return None
        original = {int(Decimal(line["gnum"])): line for line in self._facts[one.message_id, one.seq].lines}
        for line in document.lines:
            goods = original.get(int(Decimal(line["gnum"])))
            if goods is None:
                return Refusal(
                    self.codes["quantity"],
                    f"清单 {one.invt_no} 没有第 {line['gnum']} 项商品",
                    f"list {one.invt_no} has no item {line['gnum']}",
                )
            for name in ("qty", "qty1", "qty2"):
                if line[name] and Decimal(line[name]) > Decimal(goods[name] or 0):
                    return Refusal(
                        self.codes["quantity"],
                        f"第 {line['gnum']} 项 {name} {line[name]} 大于清单的 {goods[name] or 0}",
                        f"item {line['gnum']}: {name} {line[name]} is above the list's {goods[name] or 0}",
                    )
        return None

    def note(self, document: Document, judgement: Judgement) -> None:
        if self.table.kind == 605 and judgement.held:
            self._cancelled.add(document.head["invtNo"])


class _Parts(Relations):
    """Parts of one split document agree how many they are."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        super().__init__(turn, table, documents)
        numbers = {table.number(document.head) for document in documents}
        self._counts = {
            (number, scope.split("\x1f")[0]): Decimal(found.head["msgCount"])
            for (number, scope), found in ledger.held(turn.db, table.kind, numbers).items()
        }

    def _key(self, document: Document) -> tuple[str, str]:
        return self.table.number(document.head), document.head[self.table.books.parts[0]]

    def check(self, document: Document) -> Refusal | None:
        count = Decimal(document.head["msgCount"])
        stored = self._counts.get(self._key(document), count)
        if stored == count or document.head["appType"] != "1":
            return None
        return Refusal(
            self.codes["parts"],
            f"报文总数 {count} 与同一编号已入库报文的 {stored} 不一致",
            f"msgCount {count} is not the {stored} of the parts in the books",
        )

    def note(self, document: Document, judgement: Judgement) -> None:
        if judgement.held:
            self._counts[self._key(document)] = Decimal(document.head["msgCount"])


class _House(_Parts):
    """A master-house list may name list numbers; they are those of its waybills."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        super().__init__(turn, table, documents)
        named = [line["invtNo"] for document in documents for line in document.lines if line["invtNo"]]
        self._lists = register.by_number(turn.db, named) if named else {}

    def check(self, document: Document) -> Refusal | None:
        for line in document.lines:
            number = line["invtNo"]
            if not number:
                continue
            one = self._lists.get(number)
            if one is None or not one.live(self.now):
                return Refusal(
                    self.codes["reference"],
                    f"第 {line['gnum']} 项清单编号 {number} 不存在或已撤销",
                    f"item {line['gnum']}: there is no list {number}",
                )
            if one.logistics_no != line["logisticsNo"]:
                return Refusal(
                    self.codes["parties"],
                    f"第 {line['gnum']} 项运单 {line['logisticsNo']} 与清单 {number} 的运单 {one.logistics_no} 不一致",
                    f"item {line['gnum']}: waybill is not the list's {one.logistics_no}",
                )
        return super().check(document)


class _Summary(_Parts):
    """Which lists may be summed up: closed ones of the same enterprise, each once."""

    def __init__(self, turn: Turn, table: Table, documents: Sequence[Document]) -> None:
        super().__init__(turn, table, documents)
        named = [line["invtNo"] for document in documents for line in document.lines]
        self._lists = register.by_number(turn.db, named) if named else {}
        self._taken: set[str] = set()

    def check(self, document: Document) -> Refusal | None:
        fault = super().check(document)
        return fault or summary.check(self.turn, document, self._lists, self._taken)

    def note(self, document: Document, judgement: Judgement) -> None:
        super().note(document, judgement)
        if judgement.held:
            self._taken |= {one.invt_no for one in summary.chosen(self.turn, document.head, document.lines)}


_BY_KIND: dict[int, type[Relations]] = {
    303: _Used,
    505: _Used,
    507: _Parts,
    509: _Parts,
    603: _Lists,
    605: _Original,
    607: _House,
    213: _Original,
    215: _Original,
    701: _Summary,
}


def relations(turn: Turn, table: Table, documents: Sequence[Document]) -> Relations:
    """The rules towards other documents for one message."""
    return _BY_KIND.get(table.kind, Relations)(turn, table, documents)
