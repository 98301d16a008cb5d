"""The states of a member of a device, in words for people and as numbers for Prometheus."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from prometheus_client import Gauge

from runtime import log

_LOG = log.get("token")
_STATE = Gauge("signer_token_state", "1 for the state that a member is in", ["device", "member", "state"])


class State(Enum):
    """What a member is good for. Values: 中文, English."""

    #: signs; gets work
    HEALTHY = ("正常", "Working")
    #: a call failed or hung; gets no work until it signed a trial
    SUSPECT = ("可疑，正在复核", "Suspect, being tried")
    #: signs wrongly or is being closed: what runs is ended, nothing new begins
    DRAINING = ("正在停用", "Draining")
    #: its processes are being started and tried
    RESETTING = ("正在重新连接", "Resetting")
    #: the PIN was refused or attempts run low: a person is needed, nothing tries again
    LOCKED = ("已锁定，需要人工处理", "Locked, a person is needed")
    #: cannot be opened or does not sign; tried again by itself
    ABSENT = ("不可用，自动重试中", "Absent, tried again by itself")


@dataclass(frozen=True, slots=True)
class MemberState:
    """For a page. state: lower-case name. reason: the cause, as the token's library tells it; empty when healthy."""

    device: str
    member: str
    state: str
    zh: str
    en: str
    reason: str
    since: datetime


class Standing:
    """The state of one member; any thread may look and set."""

    def __init__(self, device: str, member: str) -> None:
        self._device, self._member = device, member
        self._lock = threading.Lock()
        self._state, self._reason = State.RESETTING, "starting"
        self._since = datetime.now(UTC)
        self._export()

    @property
    def state(self) -> State:
        """As of now."""
        return self._state

    @property
    def reason(self) -> str:
        """Why it is not healthy."""
        return self._reason

    def set(self, state: State, reason: str = "") -> None:
        """Change, and tell it where it is new."""
        with self._lock:
            changed = state is not self._state
            self._reason = reason
            if not changed:
                return
            self._state, self._since = state, datetime.now(UTC)
            self._export()
        level = _LOG.info if state in (State.HEALTHY, State.RESETTING) else _LOG.warning
        level(
            "token.state", device=self._device, member=self._member, state=state.name.lower(), reason=reason
        )

    def told(self) -> MemberState:
        """For a page."""
        with self._lock:
            zh, en = self._state.value
            name = self._state.name.lower()
            return MemberState(self._device, self._member, name, zh, en, self._reason, self._since)

    def _export(self) -> None:
        for state in State:
            name = state.name.lower()
            _STATE.labels(self._device, self._member, name).set(float(state is self._state))
