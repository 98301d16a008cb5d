"""Orders that are filed while things break: imported first, then declared in shares by a customer's programs.

Keeps who should end where; what became of them is for `evidence` to find out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

from bench.sheets import workbook
from tests.support.filer import Filer, Refused, Troubles
from tests.support.stack import Stack

#: an answer that died with its process blocks its Idempotency-Key for two minutes; then the repeat goes through
PATIENCE = 200.0


@dataclass(frozen=True, slots=True)
class Lot:
    """Orders of one import, or a single one. state: where all must end, as customs' rules for their numbers say.

    begin: of all their numbers; numbers: by id."""

    tenant: str
    begin: str
    state: str
    numbers: dict[str, str]


class Work:
    """Files orders of a stack in the background. Use as a context."""

    def __init__(self, stack: Stack, programs: int = 8) -> None:
        self._stack = stack
        self._pool = ThreadPoolExecutor(programs, thread_name_prefix="filer")
        self._own = threading.local()
        self._open: list[Future[None]] = []
        self.troubles = Troubles()
        self.lots: list[Lot] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def orders(self) -> int:
        """How many there are in all lots."""
        return sum(len(lot.numbers) for lot in self.lots)

    def lot(self, tenant: str, orders: int, prefix: str = "F", state: str = "accepted") -> Lot:
        """Import new orders. prefix: customs judges by the beginning of the number."""
        filer = self.filer(tenant)
        begin = f"{prefix}{time.time_ns() // 1000}-"
        task = filer.import_orders(workbook(orders, begin))
        # a request whose answer died with its process may come twice, and then finds its own orders there already
        repeated = task["state"] == "checked" and {error["code"] for error in task["errors"]} == {"exists"}
        assert task["state"] == "done" or repeated, task
        if repeated:
            self.troubles.count("import repeated")
        found = {item["id"]: item["number"] for item in filer.documents(orderNo=begin)}
        assert len(found) == orders
        lot = Lot(tenant, begin, state, found)
        self.lots.append(lot)
        return lot

    def file(self, lot: Lot, ids: Sequence[str], per_message: int) -> None:
        """Declare in the background; `join` tells of what went wrong."""
        self._open.append(self._pool.submit(self._declare, lot, ids, per_message))

    def start(self, tenant: str, orders: int) -> None:
        """Import new orders, save one more, and declare them, all in the background."""
        self._open.append(self._pool.submit(self._whole, tenant, orders))

    def join(self) -> None:
        """Wait until everything is declared; raises what a program could not overcome."""
        for future in self._open:
            future.result()
        self._open.clear()

    def look(self) -> None:
        """Raise at once what a program could not overcome so far."""
        for future in self._open:
            if future.done():
                future.result()

    def filer(self, tenant: str) -> Filer:
        """This thread's program of a tenant."""
        known: dict[str, Filer] = self._own.__dict__.setdefault("filers", {})
        if tenant not in known:
            known[tenant] = Filer(self._stack, tenant, PATIENCE, self.troubles)
        return known[tenant]

    def _whole(self, tenant: str, orders: int) -> None:
        lot = self.lot(tenant, orders)
        self._declare(lot, list(lot.numbers), 1)
        lot = self._saved(tenant)
        self._declare(lot, list(lot.numbers), 1)

    def _saved(self, tenant: str) -> Lot:
        """One order, saved by itself."""
        filer = self.filer(tenant)
        body = filer.visitor.order()
        number = body["head"]["orderNo"]
        try:
            filer.call("POST", "/documents/order", json=body)
        except Refused as refused:
            # the first attempt was done, its answer died: then the number is in use, by our own order
            if refused.status != HTTPStatus.CONFLICT:
                raise
            self.troubles.count("order repeated")
        (found,) = filer.documents(number=number)
        lot = Lot(tenant, number, "accepted", {found["id"]: number})
        self.lots.append(lot)
        return lot

    def _declare(self, lot: Lot, ids: Sequence[str], per_message: int) -> None:
        for result in self.filer(lot.tenant).declare(ids, per_message):
            # the first attempt's answer was lost, its act was not: then the repeat is refused for the new state
            assert result["ok"] or result["state"] not in ("checked", "draft"), result
