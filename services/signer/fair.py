"""Sharing a device among tenants: weighted deficit round robin, cost in measured seconds of the device. Pure.

Shreedhar and Varghese, "Efficient Fair Queuing using Deficit Round Robin" (1995), with two additions: the cost of a
job is what the device lately took for one, and tenants with somebody waiting at a page come first in each round.
Must never leave a device idle while any tenant has work, nor let one tenant's backlog delay another's by more than
a round.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

#: how much of a new measurement goes into the known cost
_SHARE = 0.2
#: rounds of credit that a tenant may save up: none by waiting, only what a whole job was too dear for
_CARRY = 1.0


class Fair:
    """The shares of one device. Not for several threads at once."""

    def __init__(self, seconds_a_job: float, weights: Mapping[str, float] | None = None) -> None:
        """seconds_a_job: the cost until one was measured. weights: tenant -> share, 1 for all others."""
        self.seconds_a_job = seconds_a_job
        self._weights = weights or {}
        #: tenant -> seconds of the device it may still use, in the order in which they are served
        self._credit: OrderedDict[str, float] = OrderedDict()

    def grants(self, waiting: Mapping[str, int], jobs: int) -> list[tuple[str, int]]:
        """Who may take how many of the next `jobs` places (at least one). waiting: tenant -> first lane of its work.

        What a tenant does not use is given to the others by asking again without it.
        """
        for tenant in [known for known in self._credit if known not in waiting]:
            del self._credit[tenant]  # an empty queue keeps no credit
        for tenant in waiting:
            self._credit.setdefault(tenant, 0.0)
        order = sorted(self._credit, key=lambda tenant: waiting[tenant])  # stable: round robin within a lane
        total = sum(self._weight(tenant) for tenant in order)
        left, granted = jobs, []
        for tenant in order:
            quantum = max(jobs * self._weight(tenant) / total, _CARRY) * self.seconds_a_job
            credit = min(self._credit[tenant] + quantum, quantum + _CARRY * self.seconds_a_job)
            # float noise must not turn a whole job into none
            places = min(left, int(credit / self.seconds_a_job + 1e-9))
            if places:
                granted.append((tenant, places))
                left -= places
                self._credit[tenant] = credit - places * self.seconds_a_job
                self._credit.move_to_end(tenant)
            if not left:
                break
        return granted

    def unused(self, tenant: str) -> None:
        """The tenant took less than it was granted: its queue is empty, its credit ends."""
        self._credit.pop(tenant, None)

    def measured(self, jobs: int, seconds: float) -> None:
        """The device took that long for so many."""
        if jobs > 0 and seconds > 0:
            self.seconds_a_job += _SHARE * (seconds / jobs - self.seconds_a_job)

    def _weight(self, tenant: str) -> float:
        return self._weights.get(tenant, 1.0)
