"""Sharing a device among tenants: weighted deficit round robin, cost in measured seconds of the device. Pure.

Shreedhar and Varghese, "Efficient Fair Queuing using Deficit Round Robin" (1995), with two additions: the cost of a
job is what the device lately took for one; and work that comes to an empty queue goes before the rounds of those who
have a backlog, once, as new flows do in FQ-CoDel (RFC 8290, 4.1 and 4.2).
Must never leave a device idle while any tenant has work, nor let one tenant's backlog delay another's by more than
a round.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

#: a measurement of that many seconds replaces most (1 - 1/e) of what was known
_MEMORY = 1.0
#: turns' worth of credit that a tenant may save up: none by waiting, only what it could not use of its last turn
_TURNS = 2.0

#: (tenant, lane): what a queue holds of one tenant
Flow = tuple[str, int]


class Fair:
    """The shares of one device. Not for several threads at once."""

    def __init__(self, seconds_a_job: float, weights: Mapping[str, float] | None = None) -> None:
        """seconds_a_job: the cost until one was measured. weights: tenant -> share, 1 for all others."""
        self.seconds_a_job = seconds_a_job
        self._weights = weights or {}
        #: tenant -> seconds of the device it may still use, in the order in which they came
        self._credit: dict[str, float] = {}
        #: who had its place in the turn that is under way
        self._served: set[str] = set()
        #: flows with a backlog; and those that went before the round that is under way
        self._long: set[Flow] = set()
        self._went: set[Flow] = set()

    @property
    def rounds(self) -> bool:
        """Does anybody share in rounds at all?"""
        return bool(self._long or self._went)

    def newcomers(self, waiting: Iterable[Flow]) -> dict[str, int]:
        """Of these, who may go before the rounds -> the last of its lanes that may, in the order of `waiting`. Nobody may
        twice between two rounds: who comes back at once would else keep those out who wait."""
        if not self._long:
            # no rounds are under way, so nobody is kept out
            self._went.clear()
        fresh: dict[str, int] = {}
        for tenant, lane in waiting:
            if (tenant, lane) not in self._long and (tenant, lane) not in self._went:
                fresh[tenant] = max(lane, fresh.get(tenant, lane))
        return fresh

    def went(self, tenant: str, lane: int, *, more: bool) -> None:
        """A newcomer was served, of all lanes up to this one. more: it has a backlog and shares in the rounds now."""
        (self._long if more else self._went).update((tenant, before) for before in range(lane + 1))

    def backlog(self, waiting: Iterable[Flow]) -> dict[str, int]:
        """Tenants that share in the round that begins now -> their first lane; `grants` says how much each may take."""
        flows = set(waiting)
        rounds = flows & (self._long | self._went)
        self._long, self._went = rounds, set()
        first: dict[str, int] = {}
        for tenant, lane in sorted(rounds):
            first.setdefault(tenant, lane)
        return first

    def grants(self, waiting: Mapping[str, int], jobs: int) -> list[tuple[str, int]]:
        """Who may take how many of the next `jobs` places (at least one). waiting: tenant -> first lane of its work.

        What a tenant does not use is given to the others by asking again without it.
        """
        if not waiting:
            return []
        for tenant in [known for known in self._credit if known not in waiting]:
            del self._credit[tenant]  # an empty queue keeps no credit
        for tenant in waiting:
            self._credit.setdefault(tenant, 0.0)
        # somebody gets a place in every turn, whatever the weights
        scale = self.seconds_a_job / min(1.0, max(map(self._weight, waiting)))
        left, granted = jobs, dict.fromkeys(waiting, 0)
        while left:
            # stable: by when they came within a lane; a turn that was cut short goes on with the rest
            rest = [tenant for tenant in self._credit if tenant not in self._served]
            due = sorted(rest, key=lambda tenant: waiting[tenant])
            if not due:
                self._served.clear()
                continue
            for tenant in due:
                quantum = scale * self._weight(tenant)
                credit = min(self._credit[tenant] + quantum, _TURNS * max(quantum, self.seconds_a_job))
                # float noise must not turn a whole job into none
                places = min(left, int(credit / self.seconds_a_job + 1e-9))
                self._credit[tenant] = credit - places * self.seconds_a_job
                self._served.add(tenant)
                granted[tenant] += places
                left -= places
                if not left:
                    break
        return [(tenant, places) for tenant, places in granted.items() if places]

    def unused(self, tenant: str) -> None:
        """The tenant took less than it was granted: its queue is empty, its credit ends."""
        self._credit.pop(tenant, None)

    def measured(self, jobs: int, seconds: float) -> None:
        """The device took that long for so many."""
        if jobs > 0 and seconds > 0:
            # long measurements say more than short ones, which are mostly way
            share = 1 - math.exp(-seconds / _MEMORY)
            self.seconds_a_job += share * (seconds / jobs - self.seconds_a_job)

    def _weight(self, tenant: str) -> float:
        return self._weights.get(tenant, 1.0)
