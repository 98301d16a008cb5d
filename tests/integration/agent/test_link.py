"""Lines that break, services that restart, identities that are used twice or taken away."""

from __future__ import annotations

import shutil
import time

import grpc
from cryptography import x509

from tests.integration.agent.conftest import Enrolled
from tests.support.agent_service import Service
from tests.support.agents import Agent, ready, soon
from tests.support.cards import Card, Reader
from tests.support.line import Line
from tests.support.signed_infos import challenge, signed_info

#: what quality asks for the p95 of coming back
BACK_SECONDS = 10.0


def through(line: Line) -> str:
    return f"127.0.0.1:{line.port}"


def test_it_comes_back_after_cuts(
    agents: Enrolled, service: Service, line: Line, reader: Reader, card: Card
) -> None:
    ready(agents(reader, address=through(line)), service, reader, card)
    for number in range(4):
        line.cut()
        soon(lambda: not service.attending, "the service has lost it")
        before = time.monotonic()
        line.heal()
        asked = service.ask(card.fingerprint, signed_info(str(number)), send=False)
        soon(lambda: service.card_state(card.fingerprint) == "ready", "it is back", BACK_SECONDS)
        assert time.monotonic() - before < BACK_SECONDS
        service.lease(asked)
        # still logged in: a cut is not the card's business
        assert service.answered(asked).code == ""


def test_a_line_that_went_deaf_is_noticed(
    agents: Enrolled, service: Service, line: Line, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader, address=through(line)), service, reader, card)
    line.deafen()
    # nothing heard for three beats
    soon(lambda: agent.shown["link"]["code"] == "waiting", "the agent notices")
    line.heal()
    attended = service.attendances
    soon(lambda: service.attendances > attended, "it is back", BACK_SECONDS)
    soon(lambda: service.card_state(card.fingerprint) == "ready", "the card is announced", BACK_SECONDS)


def test_a_service_that_restarts_finds_it_again(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    service.stop()
    soon(lambda: agent.shown["link"]["code"] == "waiting", "the agent notices")
    assert agent.shown["link"]["zh"]
    service.start()
    soon(lambda: service.card_state(card.fingerprint) == "ready", "it is back", BACK_SECONDS)
    assert service.answered(service.ask(card.fingerprint, signed_info())).code == ""


def test_what_was_signed_during_a_cut_arrives_by_itself(
    agents: Enrolled, service: Service, line: Line, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader, address=through(line)), service, reader, card)
    asked = service.ask(card.fingerprint, challenge(), "rsa-sha256", purpose="challenge")
    soon(lambda: agent.shown["asking"], "the page asks")
    line.cut()
    soon(lambda: not service.attending, "the service has lost it")
    assert agent.command("confirm", asked.frame.request_id).returncode == 0
    soon(lambda: agent.shown["journal"][0]["state"] == "signed", "it is signed")
    line.heal()
    assert service.answered(asked).signature
    assert agent.uses(asked.frame.request_id) == 1


def test_a_second_agent_with_the_identity_waits_for_the_first_to_go(
    agents: Enrolled, service: Service, reader: Reader
) -> None:
    first = agents(reader).start()
    soon(lambda: first.shown["link"]["code"] == "attending", "the first attends")
    second = agents(reader)
    shutil.copy(first.state / "identity.json", second.state / "identity.json")
    second.start()
    soon(lambda: second.shown["link"]["code"] == "elsewhere", "the second is told")
    assert "另一个代理" in second.shown["link"]["zh"]
    assert first.shown["link"]["code"] == "attending"
    first.stop()
    soon(lambda: second.shown["link"]["code"] == "attending", "the second takes over")


def test_one_state_folder_has_one_agent(agents: Enrolled, reader: Reader) -> None:
    agent = agents(reader).start()
    done = agent.command("run")
    assert done.returncode == 1
    assert "已在运行" in done.stderr.decode()
    assert agent.shown["agent_id"] == agent.agent_id


def test_a_revoked_agent_stops_for_good(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    service.revoke(agent.agent_id)
    soon(lambda: agent.shown["link"]["code"] == "revoked", "the page says so")
    assert agent.shown["link"]["zh"] == "此代理已被管理员吊销。"
    # logged out, no process left
    soon(lambda: agent.modules() == [], "it lets go of the card")
    soon(lambda: agent.shown["cards"] == [], "the page shows no card that could sign")
    attended = service.attendances
    assert agent.stop() == 3
    agent.start()
    soon(lambda: agent.shown["link"]["code"] == "revoked", "it still knows")
    assert service.attendances == attended
    assert agent.stop() == 3


def test_without_a_page_a_revoked_agent_ends(agents: Enrolled, service: Service) -> None:
    agent = agents()
    (agent.state / "agent.toml").write_text("[page]\nenabled = false\n")
    process = agent.spawn()
    soon(lambda: service.attending, "it attends")
    service.revoke(agent.agent_id)
    assert process.wait(60) == 3
    assert "This agent was revoked" in agent.output.read_text()


def test_other_goodbyes_are_said_in_words(agents: Enrolled, service: Service) -> None:
    service.demanding = True
    agent = agents().start()
    soon(lambda: agent.shown["link"]["code"] == "version", "the page says so")
    assert "新版本" in agent.shown["link"]["zh"]
    service.demanding = False
    soon(lambda: agent.shown["link"]["code"] == "attending", "it is taken when it is asked for no more")


def test_a_service_that_does_not_know_it_is_asked_again_at_times(agents: Enrolled, service: Service) -> None:
    agent = agents()
    service.refuse_with = grpc.StatusCode.PERMISSION_DENIED
    agent.start()
    soon(lambda: agent.shown["link"]["code"] == "not-accepted", "the page says so")
    service.refuse_with = None
    soon(lambda: agent.shown["link"]["code"] == "attending", "it is accepted")


def test_a_certificate_is_renewed_before_it_ends(agents: Enrolled, service: Service) -> None:
    # its last third has begun when it is made
    service.certificate_days = 0.02
    agent = agents()
    before = certificate(agent)
    service.certificate_days = 30
    agent.start()
    soon(lambda: service.renewals == 1 and service.attendances >= 2, "it attends with a new one")
    after = certificate(agent)
    assert after.not_valid_after_utc > before.not_valid_after_utc
    assert after.public_key() != before.public_key()
    soon(lambda: agent.shown["link"]["code"] == "attending", "it attends")
    agent.stop()
    agent.start()
    soon(lambda: agent.shown["link"]["code"] == "attending", "it attends after a restart")
    assert service.renewals == 1


def certificate(agent: Agent) -> x509.Certificate:
    text = (agent.state / "identity.json").read_text()
    begin = text.index("-----BEGIN CERT", text.index('"certificate"'))
    return x509.load_pem_x509_certificate(text[begin:].replace("\\n", "\n").encode())
