"""An agent with a real token behind it, asked by a service over mutual TLS."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.integration.agent.conftest import Enrolled
from tests.support.agent_service import Service
from tests.support.agents import ready, soon
from tests.support.cards import Card, Reader
from tests.support.signed_infos import challenge, signed_info
from tests.support.tokens import Shim


def test_a_document_is_signed(agents: Enrolled, service: Service, reader: Reader, card: Card) -> None:
    agent = ready(agents(reader), service, reader, card)
    announced = service.cards()[card.fingerprint]
    assert announced.certificate == card.certificate
    assert sorted(announced.mechanisms) == ["rsa-sha1", "rsa-sha256"]
    # the one for encryption is no card
    assert list(service.cards()) == [card.fingerprint]
    for mechanism in ("rsa-sha1", "rsa-sha256"):
        asked = service.ask(card.fingerprint, signed_info(mechanism, mechanism), mechanism)
        result = service.answered(asked)
        assert result.code == "", result.reason
        assert result.seconds > 0
    # what the stand-in took, it had verified with the certificate
    assert len(service.ledger) == 2
    entries = soon(
        lambda: [one for one in agent.shown["journal"] if one["state"] == "accepted"][1:],
        "both are confirmed",
    )
    assert entries[0]["title_zh"] == "出口清单"
    assert entries[0]["documents"] == 3


def test_a_repeat_is_answered_without_the_card(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    asked = service.ask(card.fingerprint, signed_info())
    first = service.answered(asked)
    reader.remove(card)
    soon(lambda: not service.cards(), "the card is announced as gone")
    service.lease(asked)
    again = service.answered(asked, 2)
    assert (again.signature, again.seconds) == (first.signature, 0)
    assert again.nonce != first.nonce
    assert agent.uses(asked.frame.request_id) == 1


def test_the_same_id_with_other_data_is_refused(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    asked = service.ask(card.fingerprint, signed_info("one"))
    service.answered(asked)
    other = service.ask(card.fingerprint, signed_info("two"), request_id=asked.frame.request_id)
    assert service.answered(other, 2).code == "other-data"
    mechanism = service.ask(
        card.fingerprint, signed_info("one"), "rsa-sha256", request_id=asked.frame.request_id
    )
    assert service.answered(mechanism, 3).code == "other-data"
    assert agent.uses(asked.frame.request_id) == 1


def test_only_what_is_a_message_or_a_challenge_is_signed(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    ready(agents(reader, settings="[confirm]\nsign-in = false\n"), service, reader, card)
    good = signed_info()
    for data, purpose in (
        (b"any text", "document"),
        (good.replace(b"sha1", b"md5"), "document"),
        (good + b" ", "document"),
        (challenge(), "document"),
        (good, "challenge"),
        (challenge() + b"\nmore=1", "challenge"),
        (good, "something"),
    ):
        result = service.answered(service.ask(card.fingerprint, data, purpose=purpose))
        assert (result.code, result.signature) == ("failed", b"")
        assert result.reason.startswith("data:")
    assert service.answered(service.ask(card.fingerprint, good, "rsa-sha256")).code == "failed"
    assert service.answered(service.ask(card.fingerprint, good, "sm2-sm3")).code == "failed"
    assert service.answered(service.ask(card.fingerprint, challenge(), purpose="challenge")).code == ""


def test_what_cannot_be_signed_now_says_why(
    agents: Enrolled, service: Service, reader: Reader, pair: tuple[Card, Card]
) -> None:
    card, other = pair
    reader.insert(card)
    agent = agents(reader).start()
    soon(lambda: service.card_state(card.fingerprint) == "pin-needed", "the card is announced")

    def code(fingerprint: str, **more: float) -> str:
        return service.answered(service.ask(fingerprint, signed_info(), **more)).code

    assert code(card.fingerprint) == "pin-needed"
    assert code(other.fingerprint) == "card-out"
    agent.logged_in(card.fingerprint, card.pin)
    assert code(card.fingerprint, seconds=-1) == "expired"
    assert code(card.fingerprint) == ""


def test_a_challenge_waits_for_a_person(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    yes = service.ask(card.fingerprint, challenge(user="zhangsan"), "rsa-sha256", purpose="challenge")
    (shown,) = soon(lambda: agent.shown["asking"], "the page asks")
    assert shown["challenge"] == {
        "origin": "https://tongguan.example",
        "purpose": "sign-in",
        "user": "zhangsan",
    }
    assert yes.results == []
    assert agent.command("confirm", yes.frame.request_id).returncode == 0
    assert service.answered(yes).signature
    no = service.ask(card.fingerprint, challenge(nonce="m" * 32), "rsa-sha256", purpose="challenge")
    soon(lambda: agent.shown["asking"], "the page asks")
    assert agent.command("refuse", no.frame.request_id).returncode == 0
    assert service.answered(no).code == "refused"
    # nobody is asked twice
    service.lease(no)
    assert service.answered(no, 2).code == "refused"
    late = service.ask(
        card.fingerprint, challenge(nonce="k" * 32), "rsa-sha256", purpose="challenge", seconds=1
    )
    assert service.answered(late).code == "expired"
    assert agent.command("confirm", late.frame.request_id).returncode == 1


def test_a_request_is_withdrawn(agents: Enrolled, service: Service, reader: Reader, card: Card) -> None:
    agent = ready(agents(reader), service, reader, card)
    asked = service.ask(card.fingerprint, challenge(), "rsa-sha256", purpose="challenge", title_zh="登录")
    soon(lambda: agent.shown["asking"], "the page asks")
    service.withdraw(asked)
    (gone,) = soon(lambda: agent.shown["withdrawn"], "the page says that it was withdrawn")
    assert gone["request_id"] == asked.frame.request_id
    assert agent.shown["asking"] == []
    assert asked.results == []
    # a new wish under the same id is one
    service.lease(asked)
    soon(lambda: agent.shown["asking"], "the page asks again")


def test_requests_of_a_card_are_signed_in_their_order(
    agents: Enrolled, service: Service, reader: Reader, card: Card
) -> None:
    agent = ready(agents(reader), service, reader, card)
    asked = [service.ask(card.fingerprint, signed_info(str(number))) for number in range(30)]
    for one in asked:
        assert service.answered(one).code == ""
    with sqlite3.connect(agent.state / "journal.sqlite") as connection:
        rows = connection.execute("SELECT request_id FROM entry ORDER BY rowid").fetchall()
    connection.close()
    assert [name for (name,) in rows] == [one.frame.request_id for one in asked]


def test_a_card_is_logged_in_once_for_many_signatures(
    agents: Enrolled, service: Service, reader: Reader, card: Card, tmp_path: Path
) -> None:
    shim = Shim(tmp_path / "shim")
    ready(agents(settings=reader.settings("reader", shim=shim)), service, reader, card)
    assert shim.calls("Login") == 1
    asked = [service.ask(card.fingerprint, signed_info(str(number))) for number in range(30)]
    for one in asked:
        assert service.answered(one).code == ""
    assert shim.calls("Sign") >= 30
    assert (shim.calls("Login"), shim.calls("Logout")) == (1, 0)


def test_check_says_what_the_drivers_see(
    agents: Enrolled, reader: Reader, card: Card, tmp_path: Path
) -> None:
    reader.insert(card)
    agent = agents(reader)
    done = agent.command("check")
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert card.fingerprint in said
    assert "甲卡" in said
    assert "rsa-sha1, rsa-sha256" in said
    assert "PIN flags: none" in said
    agent.configure('[[module]]\npath = "/nowhere/at/all.so"\n')
    done = agent.command("check")
    assert done.returncode == 1
    assert "cannot be used" in done.stdout.decode()
    assert json.loads((agent.state / "identity.json").read_text())["agent_id"]
