"""One turn at the desk: everything that is decided within one transaction, and by which script and faults.

Must never outlive its transaction: what it counts is written with it or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulator import extras, faults, script, store
from simulator.config import Rules
from simulator.numbers import list_number
from simulator.receipts import return_time

# How a list gets its number: from the books, its head and the time.
NumberList = Callable[[sqlite3.Connection, Mapping[str, str], int], str]


@dataclass(slots=True)
class Turn:
    """Script and faults as they are now, what the turn adds to the counters, whom it heard of.

    `arrived`: numbers of orders, payments and waybills that came, for the lists that wait for them.
    `lists_wait`: some began to.
    """

    db: sqlite3.Connection
    books: store.Store
    rules: Rules
    script: script.Script
    board: faults.Board
    loaded: faults.Board
    number_list: NumberList
    tally: Counter[str] = field(default_factory=Counter)
    senders: dict[str, tuple[str, int]] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    lists_wait: bool = False

    @staticmethod
    def load(
        db: sqlite3.Connection, books: store.Store, rules: Rules, number_list: NumberList = list_number
    ) -> Turn:
        """As the books have it."""
        board = extras.board(db)
        text = store.setting(db, "script")
        made = script.from_json(json.loads(text)) if text else script.Script()
        return Turn(db, books, rules, made, board, board, number_list)

    def now(self) -> int:
        """Milliseconds since the epoch; never steps back."""
        return self.books.now()

    def now_text(self) -> str:
        """The same as a returnTime."""
        return return_time(self.now())

    @property
    def compares(self) -> bool:
        """Whether lists are held against their orders, waybills and payments."""
        return self.rules.compare if self.script.compare is None else self.script.compare

    @property
    def closes(self) -> bool:
        """Whether a departure closes lists."""
        return self.rules.close_on_departure if self.script.close is None else self.script.close

    @property
    def result_step_ms(self) -> int:
        """Time between the results of a summary application."""
        step = self.script.result_step_ms
        return self.rules.result_step_ms if step is None else step

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A part of the turn that leaves nothing behind when it fails, neither in the books nor here."""
        kept = self.board, Counter(self.tally), dict(self.senders), set(self.arrived), self.lists_wait
        self.db.execute("SAVEPOINT apart")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO apart")
            self.board, self.tally, self.senders, self.arrived, self.lists_wait = kept
            raise
        finally:
            self.db.execute("RELEASE apart")

    def save(self) -> None:
        """Write counters and who was heard of last, then order what the fault board wants on top."""
        for name, value in self.tally.items():
            store.count(self.db, name, value)
        self.db.executemany(
            "INSERT OR REPLACE INTO senders VALUES (?, ?, ?)",
            [(dxp_id, channel, message_id) for dxp_id, (channel, message_id) in self.senders.items()],
        )
        # Last, since the extras are made from what the books now hold.
        board = extras.order(self.db, self.board, self.books, self.rules.receiver_id)
        if board != self.loaded:
            extras.set_board(self.db, board)
