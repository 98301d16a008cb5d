"""The agent is killed at every step of a signature, and its modules' processes die or hang."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.integration.agent.conftest import Enrolled
from tests.support.agent_service import Service
from tests.support.agents import ready, soon
from tests.support.cards import Card, Reader
from tests.support.signed_infos import signed_info


@pytest.mark.parametrize("point", ["before-intent", "after-intent", "after-sign"])
def test_before_the_signature_is_journalled_a_repeat_signs(
    agents: Enrolled, service: Service, reader: Reader, card: Card, point: str
) -> None:
    agent = ready(agents(reader), service, reader, card)
    agent.crash_file.write_text(point)
    asked = service.ask(card.fingerprint, signed_info())
    assert agent.died() == -signal.SIGKILL
    assert asked.results == []
    used = agent.uses(asked.frame.request_id)
    assert used == (0 if point == "before-intent" else 1)
    agent.start()
    # the PIN died with the agent: a person is asked, nothing is tried
    soon(lambda: service.card_state(card.fingerprint) == "pin-needed", "the card is announced")
    agent.logged_in(card.fingerprint, card.pin)
    service.lease(asked)
    assert service.answered(asked).signature
    assert agent.uses(asked.frame.request_id) == used + 1
    soon(lambda: agent.shown["journal"][0]["state"] == "accepted", "it is confirmed")


@pytest.mark.parametrize("point", ["after-result", "after-send", "before-outcome"])
def test_after_it_the_signature_is_sent_again_without_the_card(
    agents: Enrolled, service: Service, reader: Reader, card: Card, point: str
) -> None:
    agent = ready(agents(reader), service, reader, card)
    agent.crash_file.write_text(point)
    asked = service.ask(card.fingerprint, signed_info())
    assert agent.died() == -signal.SIGKILL
    heard = len(asked.results)
    reader.remove(card)
    agent.start()
    service.answered(asked, heard + 1)
    assert asked.last.signature
    assert agent.uses(asked.frame.request_id) == 1
    soon(lambda: agent.shown["journal"][0]["state"] == "accepted", "it is confirmed")
    assert len(service.ledger[asked.frame.request_id]) == 1


def test_an_unconfirmed_signature_is_sent_at_every_return(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    service.hold_outcomes = True
    asked = service.ask(card.fingerprint, signed_info())
    service.answered(asked)
    for count in (2, 3):
        service.part("shutdown")
        service.answered(asked, count)
    service.hold_outcomes = False
    service.part("shutdown")
    service.answered(asked, 4)
    soon(lambda: agent.shown["journal"][0]["state"] == "accepted", "it is confirmed")
    attended = service.attendances
    service.part("shutdown")
    soon(lambda: service.attendances > attended and service.cards(), "it attends again")
    assert len(asked.results) == 4
    assert agent.uses(asked.frame.request_id) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["crashed", "hung"])
def test_a_module_that_dies_or_hangs_costs_only_its_process(
    agents: Enrolled,
    service: Service,
    reader: Reader,
    pair: tuple[Card, Card],
    tmp_path: Path,
    how: signal.Signals,
) -> None:
    card, other = pair
    second = Reader(tmp_path / "second")
    second.insert(other)
    agent = ready(agents(reader, second), service, reader, card)
    agent.logged_in(other.fingerprint, other.pin)
    one, _, worker, _ = soon(lambda: found if len(found := agent.modules()) == 4 else [], "four processes")
    os.kill(worker, how)
    hit = service.ask(card.fingerprint, signed_info("hit"))
    beside = service.ask(other.fingerprint, signed_info("beside"))
    assert service.answered(beside).code == ""
    # logged in again with the PIN that the card took, and signed
    assert service.answered(hit).code == ""
    assert worker not in agent.modules()
    # the one that looks, too
    os.kill(one, how)
    soon(lambda: one not in agent.modules() and len(agent.modules()) == 4, "it is replaced")
    soon(lambda: agent.card(card.fingerprint).get("state") == "ready", "the card is ready")
    assert service.answered(service.ask(card.fingerprint, signed_info("again"))).code == ""


def test_a_library_that_is_none_is_named_and_harms_nobody(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    wrong = '[[module]]\nname = "none"\npath = "/nowhere/none.so"\n'
    agent = ready(agents(reader, settings=wrong), service, reader, card)
    (trouble,) = [one["trouble"] for one in agent.shown["modules"] if one["name"] == "none"]
    assert "/nowhere/none.so" in trouble
    assert service.answered(service.ask(card.fingerprint, signed_info())).code == ""


def test_nothing_outlives_an_agent_that_was_killed(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    children = soon(agent.modules, "its modules' processes")
    agent.kill()
    soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "they end too")


def test_killed_in_the_middle_of_many_it_answers_each(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    asked = [service.ask(card.fingerprint, signed_info(str(number))) for number in range(60)]
    soon(lambda: len([one for one in asked if one.results]) >= 10, "some are answered")
    agent.kill()
    before = [one for one in asked if one.results]
    agent.start()
    agent.logged_in(card.fingerprint, card.pin)
    soon(lambda: service.card_state(card.fingerprint) == "ready", "it is back")
    for one in asked:
        # as a service does that lost the lease: also those whose answers it has
        service.lease(one)
    for one in asked:
        soon(lambda one=one: any(result.nonce == one.nonces[-1] for result in one.results), "it is answered")
        assert one.last.signature
        assert len(service.ledger[one.frame.request_id]) == 1
    assert [agent.uses(one.frame.request_id) for one in before] == [1] * len(before)
