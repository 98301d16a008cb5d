"""What the agent's tests share: cards (made once), a service, a line, and agents that are stopped at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import cards
from tests.support.agent_service import Service
from tests.support.agents import Agent, enrolled
from tests.support.cards import Card, Reader
from tests.support.line import Line

Enrolled = Callable[..., Agent]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Card, Card]:
    """Two cards as they come from the counter."""
    folder = tmp_path_factory.mktemp("cards")
    return cards.make(folder, "甲卡", "pin-of-a-71934"), cards.make(folder, "乙卡", "pin-of-b-58206")


@pytest.fixture
def pair(made: tuple[Card, Card], tmp_path: Path) -> tuple[Card, Card]:
    """Copies of them for one test: what a token remembers of wrong PINs is its own."""
    copied = tuple(one.copied(tmp_path / f"card-{place}") for place, one in enumerate(made))
    return copied[0], copied[1]


@pytest.fixture
def card(pair: tuple[Card, Card]) -> Card:
    return pair[0]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "reader")


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    one.start()
    yield one
    one.stop()
    # whatever the test was about: nothing was accepted twice, and no answer was out of place
    assert one.wrong == []
    assert [name for name, signatures in one.ledger.items() if len(signatures) > 1] == []


@pytest.fixture
def line(service: Service) -> Iterator[Line]:
    one = Line(service.port)
    yield one
    one.close()


@pytest.fixture
def agents(tmp_path: Path, service: Service) -> Iterator[Enrolled]:
    """Makes enrolled agents; each ends well at the end."""
    made: list[Agent] = []

    def one(*readers: Reader, **more: Any) -> Agent:
        made.append(enrolled(tmp_path / f"agent{len(made)}", service, *readers, **more))
        return made[-1]

    yield one
    for agent in made:
        if not agent.ended:
            assert agent.stop() in (0, 3), agent.output.read_text()
        assert "Traceback" not in agent.output.read_text() if agent.output.exists() else True
