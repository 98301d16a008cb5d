"""How long the link pauses, played through for longer than a test may take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent import identity, link, link_state
from agent.config import Config
from agent.identity import Identity
from agent.link import Handlers, Link
from proto.agent.v1 import agent_pb2


def nothing(*_: Any) -> None:
    """A handler that nobody listens to."""


def a_link(state: Path, plan: list[tuple[str, bool]]) -> tuple[Link, list[float]]:
    """A link whose attendances end as planned (state, was it welcomed), and the pauses it makes."""
    who = Identity("id", "测试企业", "127.0.0.1:1", "", "", "")
    handlers = Handlers(nothing, agent_pb2.Cards, nothing, nothing, nothing, nothing)
    one = Link(Config(state), who, handlers)
    pauses: list[float] = []
    steps = iter(plan)

    def attend() -> Any:
        stream = link._Stream()
        step = next(steps, None)
        if step is None:
            one._stopping.set()
        else:
            one._be(step[0])
            stream.welcomed = step[1]
        return stream

    one._attend = attend  # type: ignore[method-assign]
    one._stopping.wait = lambda seconds=None: pauses.append(seconds or 0)  # type: ignore[method-assign, func-returns-value, assignment, return-value]
    return one, pauses


def test_a_day_without_a_line_keeps_it_trying_every_few_seconds(tmp_path: Path) -> None:
    one, pauses = a_link(tmp_path, [(link_state.WAITING, False)] * 20_000)
    one._run()
    assert len(pauses) == 20_000
    assert max(pauses) <= Config(tmp_path).retry_seconds
    assert min(pauses) >= 0.5
    # each at another moment: a service that returns is not met by all agents at once
    assert len({round(pause, 3) for pause in pauses}) > 1000


def test_after_a_welcome_it_is_back_at_once(tmp_path: Path) -> None:
    one, pauses = a_link(tmp_path, [(link_state.WAITING, False)] * 10 + [(link_state.WAITING, True)])
    one._run()
    assert pauses[-1] <= 0.5


def test_where_somebody_else_attends_it_asks_ever_less_often(tmp_path: Path) -> None:
    one, pauses = a_link(tmp_path, [(link_state.ELSEWHERE, False)] * 20)
    one._run()
    assert pauses[0] <= 1
    assert 15 <= pauses[-1] <= Config(tmp_path).refused_seconds


def test_revoked_is_for_good(tmp_path: Path) -> None:
    one, pauses = a_link(tmp_path, [(link_state.REVOKED, True), (link_state.WAITING, False)])
    one._run()
    assert pauses == []
    identity.mark_revoked(tmp_path, one.identity, "此代理已被吊销。")
    kept = identity.read(tmp_path)
    assert kept is not None
    assert kept.revoked == "此代理已被吊销。"


@pytest.mark.parametrize("state", link_state.WORDS)
def test_every_state_has_words_of_its_own_and_takes_those_of_the_service(tmp_path: Path, state: str) -> None:
    one, _ = a_link(tmp_path, [])
    one._be(state, detail="x")
    assert (one.state.zh, one.state.en) == link_state.WORDS[state]
    one._be(state, "服务的话", "the service's words", "y")
    assert (one.state.zh, one.state.en) == ("服务的话", "the service's words")


def test_one_that_is_welcomed_and_sent_away_at_once_asks_ever_less_often(tmp_path: Path) -> None:
    one, pauses = a_link(tmp_path, [(link_state.ELSEWHERE, True)] * 20)
    one._run()
    assert pauses[-1] >= 15
