"""How often a card is asked with a PIN, whatever happens: played through with a card that counts.

Only the module's process is played; the owner is the real one, called in this thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.algorithms import CKM_RSA_PKCS
from agent.cards import owner as owner_module
from agent.cards.base import FINAL, LOCKED, LOW, CardError, SeenToken, dump
from agent.cards.owner import Owner
from agent.cards.pins import Pin
from agent.config import Config, Module
from tests.support.cards import certificate_for, rsa

RIGHT, WRONG, OTHER = b"right-pin", b"wrong-pin", b"other-pin"
CERTIFICATE = certificate_for(rsa.generate_private_key(65537, 2048), "card")
TRIES = 5


@dataclass
class Token:
    """A card that locks for good. logins: every PIN it was ever asked with."""

    pin: bytes = RIGHT
    there: bool = True
    left: int = TRIES
    logins: list[bytes] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def flags(self) -> tuple[str, ...]:
        if self.left == 0:
            return (LOCKED,)
        return ((FINAL,) if self.left == 1 else (LOW,)) if self.left < TRIES else ()

    def seen(self) -> SeenToken:
        return SeenToken(0, "label", "1", "model", self.flags, (CKM_RSA_PKCS,), (CERTIFICATE,))


class Played:
    """Stands where agent.cards.process.Process does."""

    token: ClassVar[Token]
    pid = 1

    def __init__(self, path: str, environment: Any) -> None:
        self.alive = True
        self._logged_in = False

    def call(self, fields: Sequence[bytes | bytearray], seconds: float) -> list[bytearray]:
        token = self.token
        fault = token.faults.pop(0) if token.faults else ""
        if not self.alive or fault == "before":
            return self._die()
        answer = self._do(token, [bytes(part) for part in fields])
        return self._die() if fault == "after" else answer

    def _do(self, token: Token, fields: list[bytes]) -> list[bytearray]:
        if fields[0] == b"look":
            return [bytearray(dump([token.seen()] if token.there else []))]
        if not token.there:
            return self._die()
        if fields[0] == b"sign":
            return [bytearray(b"signature")] if self._logged_in else self._die()
        if LOCKED in token.flags:
            raise CardError("pin-locked", "flags", LOCKED)
        if fields[2] != b"1" and token.flags:
            raise CardError("pin-low", "flags", token.flags[0])
        token.logins.append(fields[3])
        if fields[3] != token.pin:
            token.left -= 1
            raise CardError("pin-needed", "CKR_PIN_INCORRECT", token.flags[0])
        token.left = TRIES
        self._logged_in = True
        return []

    def _die(self) -> list[bytearray]:
        self.alive = False
        raise CardError("lost", "the process ended")

    def kill(self) -> None:
        self.alive = False

    close = kill


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_module, "Process", Played)


def begin(token: Token) -> Owner:
    Played.token = token
    one = Owner(Module("m", "path"), Config(Path()), lambda: None)
    # in this thread
    one._do = lambda work: work()  # type: ignore[method-assign]
    one._look()
    return one


def fingerprint() -> str:
    return hashlib.sha256(CERTIFICATE).hexdigest()


def typed(one: Owner, pin: bytes, *, sure: bool = False) -> tuple[str, bytearray]:
    """(code, buffer) of a login."""
    buffer = bytearray(pin)
    try:
        one.login(fingerprint(), Pin(buffer), although_low=sure)
    except CardError as exc:
        return exc.code, buffer
    return "", buffer


def signs(one: Owner) -> str:
    try:
        one.sign(fingerprint(), lambda _: (CKM_RSA_PKCS, b"data"))
    except CardError as exc:
        return exc.code
    return ""


def test_a_wrong_pin_is_not_tried_again_by_requests_or_looks() -> None:
    token = Token()
    one = begin(token)
    assert typed(one, WRONG)[0] == "pin-needed"
    for _ in range(100):
        one._look()
        assert signs(one) == "pin-low"
    assert token.logins == [WRONG]


def test_a_hundred_starts_try_nothing() -> None:
    token = Token()
    assert typed(begin(token), WRONG)[0] == "pin-needed"
    for _ in range(100):
        assert signs(begin(token)) == "pin-low"
    assert token.logins == [WRONG]


def test_a_process_that_dies_is_logged_in_again_with_the_pin_that_was_right() -> None:
    token = Token()
    one = begin(token)
    assert typed(one, RIGHT)[0] == ""
    token.faults = ["before"]
    assert signs(one) == ""
    assert token.logins == [RIGHT, RIGHT]


def test_a_pin_that_was_changed_elsewhere_is_tried_once() -> None:
    token = Token()
    one = begin(token)
    _, buffer = typed(one, RIGHT)
    token.pin = OTHER
    token.faults = ["before"]
    assert signs(one) == "pin-needed"
    assert not any(buffer)
    for _ in range(20):
        assert signs(one) == "pin-low"
    assert token.logins == [RIGHT, RIGHT]


def test_a_login_without_an_answer_counts_as_tried() -> None:
    token = Token()
    one = begin(token)
    token.faults = ["", "after"]
    code, buffer = typed(one, RIGHT)
    assert code == "lost"
    assert not any(buffer)
    assert signs(one) == "failed"
    assert token.logins == [RIGHT]


def test_the_pin_is_wiped_when_the_card_goes_or_a_person_says_so() -> None:
    token = Token()
    one = begin(token)
    _, buffer = typed(one, RIGHT)
    assert any(buffer)
    token.there = False
    one._look()
    assert not any(buffer)
    token.there = True
    one._look()
    assert signs(one) == "pin-needed"
    _, buffer = typed(one, RIGHT)
    one.logout(fingerprint())
    assert not any(buffer)
    assert signs(one) == "pin-needed"


def test_a_look_that_fails_does_not_make_cards_disappear() -> None:
    token = Token()
    one = begin(token)
    typed(one, RIGHT)
    token.faults = ["before"]
    one._look()
    assert [card.state for card in one.cards] == ["failing"]
    one._look()
    assert len(one.cards) == 1


steps = st.one_of(
    st.tuples(st.just("type"), st.sampled_from((RIGHT, WRONG, OTHER)), st.booleans()),
    st.sampled_from((("sign",), ("look",), ("out",), ("in",), ("restart",), ("forget",))),
    st.tuples(st.just("change"), st.sampled_from((RIGHT, OTHER))),
    st.tuples(st.just("fault"), st.sampled_from(("before", "after", ""))),
)


@given(st.lists(steps, max_size=40))
def test_whatever_happens_no_pin_is_tried_twice_unless_it_was_right(script: list[tuple[Any, ...]]) -> None:
    token = Token()
    one = begin(token)
    persons, changes = 0, 0
    for step in script:
        refused = TRIES - token.left
        warned, asked = bool(token.flags), len(token.logins)
        sure = False
        match step:
            case ("type", pin, sure):
                persons += 1
                typed(one, pin, sure=sure)
                assert len(token.logins) - asked <= 1
            case ("sign",):
                signs(one)
            case ("look",):
                one._look()
            case ("out",) | ("in",):
                token.there = step == ("in",)
            case ("restart",):
                one = begin(token)
            case ("forget",) if one.cards:
                one.logout(fingerprint())
            case ("change", pin):
                changes += token.pin != pin
                token.pin = pin
            case ("fault", fault):
                token.faults.append(fault)
        if warned and not sure:
            assert len(token.logins) == asked, "a card whose flags warn was asked unasked"
        assert token.left >= TRIES - refused - 1, "more than one attempt was used up in one step"
    # each refused attempt is a person's, or follows a change of the PIN elsewhere
    assert token.left == TRIES or TRIES - token.left <= persons + changes
