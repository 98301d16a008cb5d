"""A card at a customer's PC, from the enrolment of its agent to customs' acceptance of what it signed; nothing is a stand-in.

Real agent in its own process, SoftHSM tokens as cards, the whole stack, the simulator as judge of signatures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import traces
from tests.support.agents import Agent
from tests.support.at_the_card import agree, certified, shown
from tests.support.cards import Card, Reader
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, signed_in
from tests.support.stack import Stack

PIN = "2468-card-pin"


@pytest.fixture(scope="module")
def admin(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "enterprise_admin")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="module")
def card(stack: Stack, admin: Visitor, folder: Path) -> Card:
    """A card that the simulator's authority certified for the enterprise."""
    return certified(stack, admin.me["enterprise"], folder, PIN)


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    return Reader(folder / "reader")


@pytest.fixture(scope="module")
def agent(admin: Visitor, folder: Path, reader: Reader, card: Card) -> Iterator[Agent]:
    """Enrolled with the code that the page shows, running, with the card in its reader and no PIN typed yet."""
    made = admin.post("/edge-agents", json={"name": "报关室一号机"})
    assert made.status_code == 201, made.text
    invitation = made.json()["enrolment"]
    running = Agent(folder / "agent", reader.settings("reader"))
    done = running.enrol(invitation)
    assert done.returncode == 0, done.stderr.decode()
    reader.insert(card)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def key(admin: Visitor, agent: Agent, card: Card) -> Iterator[str]:
    """The card's key, confirmed and active; the enterprise's key before is active again afterwards."""
    before = next(item for item in admin.get("/devices").json()["items"] if item["active"])
    eventually(lambda: shown(admin, card).get("state") == "pin-needed", "the card is announced", 30)
    made = admin.post(f"/devices/cards/{card.fingerprint}/actions/register", json={"label": "报关员的卡"})
    assert made.status_code == 200, made.text
    key_id: str = made.json()["id"]
    refused = admin.post(f"/devices/{key_id}/actions/activate")
    assert refused.status_code == 409
    assert "确认" in refused.json()["detail"]
    agent.logged_in(card.fingerprint, PIN)
    eventually(lambda: shown(admin, card).get("state") == "ready", "the card can sign", 30)
    asked = admin.post(f"/devices/{key_id}/actions/confirm").json()
    assert asked["state"] == "waiting"
    agree(agent)
    where = f"/devices/challenges/{asked['id']}"
    eventually(lambda: admin.get(where).json()["state"] == "used", "the card confirmed itself", 30)
    active = admin.post(f"/devices/{key_id}/actions/activate").json()
    assert (active["active"], active["state"], active["device_kind"]) == (True, "usable", "card")
    assert active["confirmed_at"]
    yield key_id
    admin.post(f"/devices/{before['id']}/actions/activate")


def file(clerk: Visitor, count: int = 1) -> list[str]:
    orders = [clerk.save_order(a_number("CARD"))["id"] for _ in range(count)]
    done = clerk.post("/documents/order/actions/declare", json={"ids": orders, "documents_per_message": 1})
    assert all(item["ok"] for item in done.json()["results"]), done.text
    return orders


def state(clerk: Visitor, order: str) -> str:
    return str(clerk.get(f"/documents/order/{order}").json()["state"])


def queue(visitor: Visitor, key: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = visitor.get(f"/signing-queue?key={key}").json()["items"]
    return items


def test_customs_accepts_what_the_card_signed(stack: Stack, admin: Visitor, key: str, agent: Agent) -> None:
    [order] = file(admin)
    eventually(lambda: state(admin, order) == "accepted", "accepted", 60)
    signed = next(
        item for item in admin.get(f"/documents/order/{order}/timeline").json()["items"] if "key" in str(item)
    )
    assert "报关员的卡" in str(signed)


def test_no_pin_is_anywhere_but_where_a_token_is_asked_with_it(
    stack: Stack, admin: Visitor, key: str, agent: Agent
) -> None:
    """The HSM's PIN and the card's, after both have signed: logs, files, databases, bus, and all processes."""
    file_of = {name: stack.run_dir / "secrets" / name for name in ("token-pin", "token-so-pin")}
    of_the_hsm = {name: file.read_text().strip() for name, file in file_of.items()}
    bus = traces.Bus(stack.servers()["bus_url"])
    try:
        [by_card] = file(admin)
        with in_use_again(admin, key):
            [by_hsm] = file(admin)
            eventually(lambda: state(admin, by_hsm) == "accepted", "the HSM signed", 60)
        eventually(lambda: state(admin, by_card) == "accepted", "the card signed", 60)
        heard = bus.look()
    finally:
        bus.close()
    running = {name: int(one["pid"]) for name, one in stack.processes().items()}
    searched = dict(traces.processes(running))
    # of those who may know it, the one that logs in does
    workers = [name for name in searched if "pkcs11_worker" in name]
    assert workers
    assert any(traces.in_process(searched[name], of_the_hsm["token-pin"].encode()) for name in workers)
    for pin in (PIN, *of_the_hsm.values()):
        own = [f"secrets/{name}" for name, known in of_the_hsm.items() if known == pin]
        assert traces.in_files(stack.run_dir, pin.encode()) == own
        assert traces.in_databases(stack.servers()["postgres_url"], pin) == []
        assert [one for one in heard if pin.encode() in one] == []
        may = workers if pin == of_the_hsm["token-pin"] else []
        holders = [name for name, pid in searched.items() if traces.in_process(pid, pin.encode())]
        assert [name for name in holders if name not in may] == []
    # the searches find what is there
    assert traces.in_files(stack.run_dir, by_card.encode())
    assert traces.in_databases(stack.servers()["postgres_url"], admin.me["enterprise"]["code"])
    assert any(by_card.encode() in one and by_hsm.encode() not in one for one in heard)


@contextmanager
def in_use_again(admin: Visitor, key: str) -> Iterator[None]:
    """The enterprise's key of the HSM signs, until the card does again."""
    [other, *_] = [item for item in admin.get("/devices").json()["items"] if item["id"] != key]
    assert admin.post(f"/devices/{other['id']}/actions/activate").status_code == 200
    yield
    assert admin.post(f"/devices/{key}/actions/activate").status_code == 200


def test_a_card_that_is_out_is_a_queue_with_a_reason_and_what_waits_can_be_withdrawn(
    admin: Visitor, key: str, agent: Agent, reader: Reader, card: Card
) -> None:
    reader.remove(card)
    eventually(lambda: shown(admin, card)["state"] == "out", "the card is out", 30)
    first, second = file(admin, 2)
    eventually(lambda: len(queue(admin, key)) == 2, "both wait")
    mine = next(item for item in admin.get("/devices").json()["items"] if item["id"] == key)
    assert (mine["state"], mine["reason"], mine["messages"]) == ("unavailable", "out", 2)
    assert state(admin, first) == state(admin, second) == "signing"
    taken_out = queue(admin, key)[0]["message_id"]
    done = admin.post("/signing-queue/actions/withdraw", json={"message_ids": [taken_out]}).json()
    assert [item["ok"] for item in done["results"]] == [True]
    eventually(
        lambda: sorted([state(admin, first), state(admin, second)]) == ["checked", "signing"], "one is back"
    )
    # twice is not once more
    again = admin.post("/signing-queue/actions/withdraw", json={"message_ids": [taken_out]}).json()
    assert [item["ok"] for item in again["results"]] == [False]
    reader.insert(card)
    eventually(lambda: shown(admin, card)["state"] == "pin-needed", "the card is back", 30)
    assert len(queue(admin, key)) == 1
    agent.logged_in(card.fingerprint, PIN)
    eventually(
        lambda: sorted([state(admin, first), state(admin, second)]) == ["accepted", "checked"], "signed", 60
    )


def test_a_card_signs_its_user_in_and_nobody_else(
    stack: Stack, admin: Visitor, key: str, agent: Agent, card: Card
) -> None:
    me = admin.me["user"]
    bound = admin.put(f"/users/{me['id']}/card", json={"fingerprint": card.fingerprint})
    assert bound.status_code == 204, bound.text
    other = next(item for item in admin.get("/users").json()["items"] if item["id"] != me["id"])
    taken = admin.put(f"/users/{other['id']}/card", json={"fingerprint": card.fingerprint})
    assert taken.status_code == 409
    door, stranger = Visitor(stack), Visitor(stack)
    begun = door.post("/session/card", json={"username": me["username"]}).json()
    unknown = stranger.post("/session/card", json={"username": other["username"]})
    assert (unknown.status_code, set(unknown.json())) == (202, set(begun))
    assert door.post("/session/card/complete").status_code == 202
    eventually(lambda: agent.shown["asking"], "the agent asks its person", 30)
    [asked] = agent.shown["asking"]
    assert begun["code"] in asked["title_zh"]
    assert stack["url"] in asked["title_zh"]
    agree(agent)

    def let_in() -> bool:
        answer = door.post("/session/card/complete")
        if answer.status_code == 200:
            door.know(answer)
        return answer.status_code == 200

    eventually(let_in, "signed in", 30)
    assert door.get("/session").json()["user"]["username"] == me["username"]
    assert stranger.post("/session/card/complete").status_code == 202
    assert stranger.get("/session").status_code == 401
    # once, and in that browser only
    assert door.post("/session/card/complete").status_code == 401
    refused = door.post("/session/card", json={"username": me["username"]})
    assert refused.status_code == 202
    eventually(lambda: agent.shown["asking"], "the agent asks again", 30)
    [again] = agent.shown["asking"]
    agent.page("POST", "/api/confirm", {"request": again["request_id"], "yes": "0"})
    eventually(lambda: door.post("/session/card/complete").status_code == 401, "not let in", 30)


def test_an_agent_that_is_killed_in_the_middle_signs_nothing_twice(
    admin: Visitor, key: str, agent: Agent, card: Card
) -> None:
    orders = file(admin, 6)
    eventually(lambda: any(state(admin, order) != "signing" for order in orders), "it has begun", 30)
    agent.kill()
    agent.start()
    agent.logged_in(card.fingerprint, PIN)
    eventually(lambda: all(state(admin, order) == "accepted" for order in orders), "all accepted", 90)
    rows = admin.get("/ledger?page_size=200").json()
    assert rows["chain_valid"]
    signed = [row["message_id"] for row in rows["items"] if row["what"] == "signed"]
    assert len(signed) == len(set(signed))


@pytest.mark.parametrize("point", ["signer.card.taken", "signer.card.answered"])
def test_the_service_may_die_while_a_card_is_asked(
    stack: Stack, admin: Visitor, key: str, agent: Agent, point: str
) -> None:
    before = stack.processes()["signer.cards"]["restarts"]
    (stack.run_dir / "crash-point").write_text(point)
    orders = file(admin, 2)
    eventually(lambda: stack.processes()["signer.cards"]["restarts"] > before, "it died", 60)
    eventually(lambda: all(state(admin, order) == "accepted" for order in orders), "all accepted", 90)
    rows = admin.get("/ledger?page_size=200").json()
    signed = [row["message_id"] for row in rows["items"] if row["what"] == "signed"]
    assert len(signed) == len(set(signed))
    assert rows["chain_valid"]


def test_a_code_works_once_and_a_wrong_one_never(admin: Visitor, agent: Agent, folder: Path) -> None:
    invitation = admin.post("/edge-agents", json={"name": "二号机"}).json()["enrolment"]
    wrong = Agent(folder / "wrong").enrol({**invitation, "code": "AAAAA-AAAAA-AAAAA-AAAAA"})
    assert wrong.returncode != 0
    assert "登记码" in wrong.stderr.decode()
    second = Agent(folder / "second")
    assert second.enrol(invitation).returncode == 0
    assert Agent(folder / "third").enrol(invitation).returncode != 0
    # the answer was lost on its way: the same key may ask again, and only it
    identity = second.state / "identity.json"
    (second.state / "enrolment-key.pem").write_text(json.loads(identity.read_text())["key"])
    identity.unlink()
    again = second.enrol(invitation)
    assert again.returncode == 0, again.stderr.decode()


def test_a_revoked_agent_is_out_at_once_and_stays_out(
    admin: Visitor, key: str, agent: Agent, card: Card
) -> None:
    [mine] = [item for item in admin.get("/edge-agents").json()["items"] if item["name"] == "报关室一号机"]
    assert (mine["state"], mine["connected"]) == ("enrolled", True)
    done = admin.post(f"/edge-agents/{mine['id']}/actions/revoke")
    assert done.json()["state"] == "revoked"
    eventually(lambda: not agents_connected(admin), "its connection ended", 10)
    eventually(lambda: agent.shown["link"]["code"] == "revoked", "its person is told", 20)
    assert shown(admin, card)["state"] == "out"
    refused = admin.post(f"/edge-agents/{mine['id']}/actions/renew-code")
    assert refused.status_code == 409


def agents_connected(admin: Visitor) -> bool:
    return any(item["connected"] for item in admin.get("/edge-agents").json()["items"])
