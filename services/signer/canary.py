"""Lets every member of every device sign a fresh challenge on a timer: the answer to "can we sign?".

The judge is other code than what signed (probe.py). Must never block signing: it goes through the same queue, a few
keys at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from runtime import log
from runtime.errors import Problem
from services.signer import domain
from services.signer.tokens.base import TokenError
from services.signer.tokens.member import Member
from services.signer.tokens.pool import Device, Pool
from services.signer.tokens.routing import HOPEFUL

_LOG = log.get("canary")
#: keys of one member per round; the others follow in later rounds
KEYS_PER_ROUND = 16

#: (tenant, key id, works, reason)
Record = Callable[[str, str, bool, str], None]


class Canary:
    """One thread per member, so that a hanging one does not hide the state of the others."""

    def __init__(self, pool: Pool, record: Record, seconds: int) -> None:
        self._pool = pool
        self._record = record
        self._seconds = seconds
        members = [(name, one.name) for name, device in pool.devices.items() for one in device.members]
        self._good: dict[tuple[str, str], float] = {}
        self._trouble: dict[tuple[str, str], str] = dict.fromkeys(members, "not tried yet")
        self._turn: dict[tuple[str, str], int] = {}
        #: what each member did with each key: empty, or why it failed
        self._results: dict[tuple[str, str], dict[str, str]] = {one: {} for one in members}
        self._known: dict[str, bool] = {}
        self._noting = threading.Lock()

    def start(self, stop: threading.Event) -> None:
        """Begin; ends by itself when stopped."""
        for name, device in self._pool.devices.items():
            for member in device.members:
                threading.Thread(
                    target=self._run,
                    args=(device, member, stop),
                    name=f"canary-{name}-{member.name}",
                    daemon=True,
                ).start()

    def check(self, name: str) -> None:
        """For readiness: raise unless a member of the device signed, or was found empty, within three rounds."""
        ours = [at for at in self._trouble if at[0] == name]
        recent = time.monotonic() - 3 * self._seconds - 5
        if any(not self._trouble[at] and self._good.get(at, 0) > recent for at in ours):
            return
        reasons = "; ".join(f"{at[1]}: {self._trouble[at] or 'no signature for some time'}" for at in ours)
        raise RuntimeError(reasons)

    def results(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """(device, member) -> key -> empty, or why it did not sign; of the keys tried so far."""
        return {at: dict(keys) for at, keys in self._results.items()}

    def _run(self, device: Device, member: Member, stop: threading.Event) -> None:
        at = (device.settings.name, member.name)
        while not stop.is_set():
            self.round(device, member)
            # while it does not work, messages wait for the first success
            stop.wait(min(1, self._seconds) if self._trouble[at] else self._seconds)

    def round(self, device: Device, member: Member) -> None:
        """Try some keys of a member and remember whether it works."""
        at = (device.settings.name, member.name)
        try:
            keys = device.list_keys(member)
            begin = self._turn.get(at, 0) % max(1, len(keys))
            chosen = (keys[begin:] + keys[:begin])[:KEYS_PER_ROUND]
            self._turn[at] = begin + len(chosen)
            results = {key: device.probe(member, key) for key in chosen}
        except (Problem, TokenError) as exc:
            waiting = member.standing.reason if member.state not in HOPEFUL else ""
            self._fail(at, waiting or (exc.en if isinstance(exc, Problem) else exc.reason))
            return
        if results and all(results.values()):
            # no key it holds can sign
            self._fail(at, next(iter(results.values())))
        else:
            self._good[at], self._trouble[at] = time.monotonic(), ""
        kept = self._results[at]
        self._results[at] = {key: reason for key, reason in (kept | results).items() if key in set(keys)}
        for key in results:
            self._note(at[0], key)

    def _fail(self, at: tuple[str, str], reason: str) -> None:
        if self._trouble[at] != reason:
            _LOG.error("canary.failed", device=at[0], member=at[1], reason=reason)
        self._trouble[at] = reason

    def _note(self, device: str, key: str) -> None:
        """A key works if a member signs with it."""
        found = [keys[key] for at, keys in self._results.items() if at[0] == device and key in keys]
        works, reason = "" in found, next((reason for reason in found if reason), "")
        tenant_id, _, key_id = key.partition("/")
        if not (domain.is_uuid(tenant_id) and domain.is_uuid(key_id)):
            return  # somebody else's object in the token
        with self._noting:
            if self._known.get(key) == works:
                return
            try:
                self._record(tenant_id, key_id, works, "" if works else reason)
            except Problem as problem:
                _LOG.warning("canary.not_recorded", reason=problem.en)
                return
            self._known[key] = works
