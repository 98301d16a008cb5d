"""The PIN: where it is never found, and how often a card is asked with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.agent.conftest import Enrolled
from tests.support.agent_service import Service
from tests.support.agents import Agent, ready, soon
from tests.support.cards import Card, Reader
from tests.support.signed_infos import signed_info
from tests.support.traces import in_process

WRONG = "pin-of-nobody-40417"


def places(agent: Agent, service: Service) -> dict[str, bytes]:
    """Everything that is written, sent, or shown of the processes."""
    found = {f"frame {number}": frame for number, frame in enumerate(service.frames)}
    for path in (agent.output, *agent.state.rglob("*")):
        if path.is_file():
            found[str(path)] = path.read_bytes()
    for pid in (agent.pid, *agent.modules()):
        for name in ("environ", "cmdline"):
            found[f"{pid} {name}"] = Path(f"/proc/{pid}/{name}").read_bytes()
    found["page"] = json.dumps(agent.shown).encode()
    return found


def test_it_is_in_no_frame_file_log_argument_or_environment(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    reader.insert(card)
    agent = agents(reader).start()
    soon(lambda: agent.card(card.fingerprint), "the card is seen")
    status, answer = agent.pin(card.fingerprint, WRONG)
    assert status == 409
    status, right = agent.pin(card.fingerprint, card.pin, low=True)
    assert status == 200, right
    soon(lambda: service.card_state(card.fingerprint) == "ready", "it is announced")
    assert service.answered(service.ask(card.fingerprint, signed_info())).code == ""
    searched = places(agent, service)
    assert len(searched) > 15
    for pin in (WRONG, card.pin):
        assert [place for place, content in searched.items() if pin.encode() in content] == []
        assert pin not in json.dumps(answer)
    # the search finds what is there
    assert [place for place, content in searched.items() if card.certificate in content]
    agent.kill()
    leftovers = [path for path in agent.state.rglob("*") if path.is_file()]
    assert [path for path in leftovers if card.pin.encode() in path.read_bytes()] == []


def test_it_is_in_memory_once_and_then_not_at_all(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    assert in_process(agent.pid, card.pin.encode()) == 1
    assert [in_process(pid, card.pin.encode()) for pid in agent.modules()] == [0, 0]
    reader.remove(card)
    soon(lambda: not service.cards(), "the card is announced as gone")
    assert [in_process(pid, card.pin.encode()) for pid in (agent.pid, *agent.modules())] == [0, 0]


def test_a_wrong_pin_is_tried_once_and_says_what_is_left(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    reader.insert(card)
    agent = agents(reader).start()
    soon(lambda: agent.card(card.fingerprint), "the card is seen")
    status, answer = agent.pin(card.fingerprint, WRONG)
    assert (status, answer["code"]) == (409, "pin-needed")
    assert "剩余次数已不多" in answer["zh"]
    soon(lambda: service.card_state(card.fingerprint) == "pin-low", "it is announced")
    # requests and restarts do not make it try
    assert service.answered(service.ask(card.fingerprint, signed_info())).code == "pin-low"
    agent.stop()
    agent.start()
    soon(lambda: agent.card(card.fingerprint).get("state") == "pin-low", "it reads the card's flags")
    # not even the right one, before the person has said that they know
    status, answer = agent.pin(card.fingerprint, card.pin)
    assert (status, answer["code"]) == (409, "pin-low")
    assert attempts(agent) == 1
    status, answer = agent.pin(card.fingerprint, card.pin, low=True)
    assert status == 200, answer
    assert attempts(agent) == 1
    soon(lambda: service.card_state(card.fingerprint) == "ready", "it is announced")


def attempts(agent: Agent) -> int:
    """PINs that cards refused, by the agent's own log."""
    return len(
        [line for line in agent.log() if line["event"] == "login refused" and line["answer"] == "pin-needed"]
    )


@pytest.mark.parametrize("pin", ["", "123", "x" * 65, "一二三四", "1234\x00"])
def test_what_cannot_be_a_pin_is_kept_from_the_card(
    agents: Enrolled, reader: Reader, card: Card, pin: str
) -> None:
    reader.insert(card)
    agent = agents(reader).start()
    soon(lambda: agent.card(card.fingerprint), "the card is seen")
    status, answer = agent.pin(card.fingerprint, pin)
    assert (status, answer["code"]) == (409, "pin-form")
    assert agent.card(card.fingerprint)["state"] == "pin-needed"


def test_another_card_in_the_reader_is_another_card(
    agents: Enrolled, service: Service, reader: Reader, pair: tuple[Card, Card]
) -> None:
    card, other = pair
    agent = ready(agents(reader), service, reader, card)
    reader.remove(card)
    reader.insert(other)
    soon(lambda: list(service.cards()) == [other.fingerprint], "the other one is announced, alone")
    assert service.card_state(other.fingerprint) == "pin-needed"
    assert service.answered(service.ask(card.fingerprint, signed_info())).code == "card-out"
    # the first comes back and needs its PIN again: taking it out has made the agent forget it
    reader.insert(card)
    soon(lambda: len(service.cards()) == 2, "both are announced")
    assert service.card_state(card.fingerprint) == "pin-needed"
    assert service.answered(service.ask(card.fingerprint, signed_info("again"))).code == "pin-needed"
    assert attempts(agent) == 0


def test_a_card_beside_it_comes_and_goes_without_its_pin_being_asked_again(
    agents: Enrolled, service: Service, reader: Reader, pair: tuple[Card, Card]
) -> None:
    card, other = pair
    ready(agents(reader), service, reader, card)
    reader.insert(other)
    soon(lambda: len(service.cards()) == 2, "both are announced")
    assert service.answered(service.ask(card.fingerprint, signed_info("one"))).code == ""
    reader.remove(other)
    soon(lambda: len(service.cards()) == 1, "one is announced")
    assert service.answered(service.ask(card.fingerprint, signed_info("two"))).code == ""


def test_a_pin_that_a_person_wants_forgotten_is(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    assert agent.page("POST", "/api/logout", {"card": card.fingerprint})[0] == 200
    soon(lambda: service.card_state(card.fingerprint) == "pin-needed", "it is announced")
    assert service.answered(service.ask(card.fingerprint, signed_info())).code == "pin-needed"


def test_it_can_be_typed_at_a_terminal(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    reader.insert(card)
    agent = agents(reader).start()
    soon(lambda: agent.card(card.fingerprint), "the card is seen")
    done = agent.command("pin", "--card", card.fingerprint[:8], stdin=card.pin.encode() + b"\n")
    assert done.returncode == 0, done.stderr.decode()
    soon(lambda: service.card_state(card.fingerprint) == "ready", "it is announced")
    assert card.fingerprint in agent.command("cards").stdout.decode()
    assert "attending" in agent.command("status").stdout.decode()
    service.answered(service.ask(card.fingerprint, signed_info()))
    soon(lambda: "accepted" in agent.command("journal").stdout.decode(), "the journal shows it")
