"""The stream to the service: dials out, says who it is, beats, and comes back by itself after every cut.

What arrives is handed on at once; what is to be sent and cannot be is dropped: answers are in the journal, and the
service asks again for the rest. Must never reconnect after the service said that this agent is revoked.
"""

from __future__ import annotations

import queue
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import grpc

from agent import VERSION, enrol, identity, times
from agent.channel import open_as, words_of
from agent.config import Config
from agent.errors import AgentError
from agent.identity import Identity
from agent.link_state import (
    ATTENDING,
    CONNECTING,
    ELSEWHERE,
    NOT_ACCEPTED,
    REVOKED,
    VERSION_REFUSED,
    WAITING,
    WORDS,
    LinkState,
)
from agent.log import Log
from proto.agent.v1 import agent_pb2, agent_pb2_grpc

_LOG = Log("link")
_FIRST_PAUSE = 0.5
_VERSION_PAUSE = 600.0
#: if the service does not say how often it beats, and until it has said so: an open line may be a deaf one
_HEARTBEAT = 10.0
_HELLO_HEARTBEAT = 3.0
_SILENT_BEATS = 3
_RENEW_SECONDS = 3600.0


@dataclass(slots=True)
class Handlers:
    """What the rest of the agent does with what arrives. cards: the frame that announces them now."""

    welcome: Callable[[], None]
    cards: Callable[[], agent_pb2.Cards]
    request: Callable[[agent_pb2.SignRequest], None]
    outcome: Callable[[agent_pb2.Outcome], None]
    withdraw: Callable[[str], None]
    revoked: Callable[[], None]


class _Stream:
    """One attendance: frames to be sent, and when something was last heard or said."""

    def __init__(self) -> None:
        self.out: queue.SimpleQueue[agent_pb2.FromAgent | None] = queue.SimpleQueue()
        self.heard = time.monotonic()
        self.said = time.monotonic()
        self.heartbeat = _HELLO_HEARTBEAT
        self.welcomed = False
        self.goodbye: agent_pb2.Goodbye | None = None
        self.ended = threading.Event()

    def say(self, frame: agent_pb2.FromAgent) -> None:
        """Put it on its way."""
        self.said = time.monotonic()
        self.out.put(frame)

    def frames(self) -> Iterator[agent_pb2.FromAgent]:
        """What gRPC sends."""
        while (frame := self.out.get()) is not None:
            yield frame


class Link:
    """Start with `start`; other methods from any thread."""

    def __init__(self, config: Config, who: Identity, handlers: Handlers) -> None:
        self.identity = who
        self.state = LinkState(CONNECTING, *WORDS[CONNECTING], times.now())
        #: the difference of the service's clock to ours at the last welcome, in seconds
        self.clock_off = 0.0
        self._config = config
        self._handlers = handlers
        self._instance = secrets.token_hex(16)
        self._stopping = threading.Event()
        self._announcing = threading.Lock()
        self._stream: _Stream | None = None
        self._call: grpc.Call | None = None
        self._renew_at = 0.0
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Begin to connect, unless the agent is revoked."""
        if self.identity.revoked:
            self._be(REVOKED)
            return
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        self._stopping.set()
        self._hang_up()
        if self._thread.is_alive():
            self._thread.join(self._config.connect_seconds + 2)

    def send(self, result: agent_pb2.Result) -> None:
        """A result, if somebody listens."""
        self._say(agent_pb2.FromAgent(result=result))

    def announce(self) -> None:
        """All cards, if somebody listens."""
        # the list that is sent last must be the newest, whichever module's thread brings it
        with self._announcing:
            self._say(agent_pb2.FromAgent(cards=self._handlers.cards()))

    def service_time(self) -> datetime:
        """Now, by the service's clock: a PC's own is often wrong."""
        return times.now() + timedelta(seconds=self.clock_off)

    def _say(self, frame: agent_pb2.FromAgent) -> None:
        stream = self._stream
        if stream is not None and stream.welcomed:
            stream.say(frame)

    def _be(self, code: str, zh: str = "", en: str = "", detail: str = "") -> None:
        default_zh, default_en = WORDS[code]
        if code != self.state.code or detail != self.state.detail:
            _LOG.info("link", state=code, detail=detail)
            since = times.now() if code != self.state.code else self.state.since
            self.state = LinkState(code, zh or default_zh, en or default_en, since, detail)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                stream = self._attend()
            except Exception:  # noqa: BLE001 - logged, and tried again
                _LOG.failure("the link broke")
                stream = _Stream()
            if self._stopping.is_set() or self.state.code == REVOKED:
                return
            slow = {
                ELSEWHERE: self._config.refused_seconds,
                NOT_ACCEPTED: self._config.refused_seconds,
                VERSION_REFUSED: _VERSION_PAUSE,
            }.get(self.state.code)
            back = stream.welcomed and slow is None
            pause = _FIRST_PAUSE if back else min(2 * pause, slow or self._config.retry_seconds)
            # jitter: after a restart of the service not all agents come in the same moment
            self._stopping.wait(random.uniform(0.5, 1.0) * pause)  # noqa: S311

    def _attend(self) -> _Stream:
        stream = _Stream()
        channel = open_as(self.identity)
        try:
            grpc.channel_ready_future(channel).result(self._config.connect_seconds)
        except grpc.FutureTimeoutError:
            # gRPC does not say more here: no network, no service, or a handshake that one side refused
            self._be(WAITING, detail="no connection")
            channel.close()
            return stream
        beating = threading.Thread(target=self._beat, args=(stream, channel), name="link-beat", daemon=True)
        try:
            hello = agent_pb2.Hello(
                agent_version=VERSION, platform=enrol.platform_name(), instance=self._instance
            )
            stream.say(agent_pb2.FromAgent(hello=hello))
            call = agent_pb2_grpc.AgentsStub(channel).Attend(stream.frames())
            self._call, self._stream = call, stream
            beating.start()
            if self._stopping.is_set():
                call.cancel()
            self._listen(call, stream)
        finally:
            self._stream = self._call = None
            stream.ended.set()
            stream.out.put(None)
            channel.close()
            if beating.is_alive():
                beating.join()
        return stream

    def _listen(self, call: Iterator[agent_pb2.ToAgent], stream: _Stream) -> None:
        try:
            for frame in call:
                stream.heard = time.monotonic()
                self._take(frame, stream)
                if stream.goodbye is not None:
                    return
        except grpc.RpcError as exc:
            words = words_of(exc)
            refused = words.code in {"UNAUTHENTICATED", "PERMISSION_DENIED"}
            self._be(
                NOT_ACCEPTED if refused else WAITING, words.zh, words.en, f"{words.code}: {words.detail}"
            )
        else:
            self._be(WAITING, detail="the service ended the stream")

    def _take(self, frame: agent_pb2.ToAgent, stream: _Stream) -> None:
        match frame.WhichOneof("frame"):
            case "welcome":
                self._welcome(frame.welcome, stream)
            case "request":
                self._handlers.request(frame.request)
            case "outcome":
                self._handlers.outcome(frame.outcome)
            case "withdraw":
                self._handlers.withdraw(frame.withdraw.request_id)
            case "goodbye":
                stream.goodbye = frame.goodbye
                self._part(frame.goodbye)
            case _:
                pass  # alive, or a frame of a later version

    def _welcome(self, welcome: agent_pb2.Welcome, stream: _Stream) -> None:
        stream.heartbeat = float(welcome.heartbeat_seconds or _HEARTBEAT)
        try:
            self.clock_off = (times.read(welcome.server_time) - times.now()).total_seconds()
        except ValueError:
            self.clock_off = 0.0
        self._be(ATTENDING)
        # cards first: the service needs to know whose results come
        with self._announcing:
            stream.say(agent_pb2.FromAgent(cards=self._handlers.cards()))
            stream.welcomed = True
        self._handlers.welcome()

    def _part(self, goodbye: agent_pb2.Goodbye) -> None:
        match goodbye.code:
            case "revoked":
                self._be(REVOKED, goodbye.zh, goodbye.en)
                identity.mark_revoked(self._config.state, self.identity, goodbye.zh or goodbye.en)
                self._handlers.revoked()
            case "attending-elsewhere":
                self._be(ELSEWHERE, goodbye.zh, goodbye.en)
            case "version":
                self._be(VERSION_REFUSED, goodbye.zh, goodbye.en)
            case _:
                self._be(WAITING, goodbye.zh, goodbye.en, f"goodbye: {goodbye.code}")

    def _beat(self, stream: _Stream, channel: grpc.Channel) -> None:
        """Says something often enough, hangs up on a service that says nothing, looks after the certificate's end."""
        while not stream.ended.wait(min(1.0, stream.heartbeat / 4)):
            now = time.monotonic()
            if now - stream.said >= stream.heartbeat * 0.75:
                stream.say(agent_pb2.FromAgent(alive=agent_pb2.Alive()))
            if now - stream.heard > stream.heartbeat * _SILENT_BEATS:
                _LOG.warning("nothing heard", seconds=round(now - stream.heard, 1))
                self._hang_up()
                return
            if stream.welcomed and now >= self._renew_at:
                self._renew_at = now + _RENEW_SECONDS
                # beats go on meanwhile
                threading.Thread(target=self._renew, args=(channel,), name="link-renew", daemon=True).start()

    def _renew(self, channel: grpc.Channel) -> None:
        if not self.identity.due(times.now(), self._config.renew_days):
            return
        try:
            self.identity = enrol.renew(self._config.state, self.identity, channel)
        except AgentError as exc:
            _LOG.warning("no new certificate", reason=exc.en)
        except grpc.RpcError as exc:
            words = words_of(exc)
            _LOG.warning("no new certificate", reason=words.en or f"{words.code}: {words.detail}")
        else:
            _LOG.info("new certificate", not_after=times.text(self.identity.not_after))
            # the stream hangs on the old one
            self._hang_up()

    def _hang_up(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()
