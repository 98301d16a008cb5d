"""A module's process on its own: what it does with a real library, and what it refuses."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from agent import algorithms, certificates
from agent.algorithms import CKM_RSA_PKCS, CKM_SHA1_RSA_PKCS, CKM_SHA256_RSA_PKCS, MECHANISMS
from agent.cards.base import CardError, SeenToken, load
from agent.cards.process import Process
from tests.support.cards import Card, Reader
from tools.servers import softhsm

SECONDS = 60.0
DATA = b"what is signed"


@pytest.fixture
def process(reader: Reader) -> Iterator[Process]:
    environment = {"SOFTHSM2_CONF": str(reader.configuration), **softhsm.environment()}
    one = Process(str(softhsm.module()), environment)
    yield one
    one.close()
    assert not one.alive


def look(process: Process) -> list[SeenToken]:
    return load(bytes(process.call([b"look"], SECONDS)[0]))


def login(process: Process, card: Card, pin: str, sure: bytes = b"0") -> tuple[str, str]:
    """(code, what the flags say then)"""
    try:
        process.call([b"login", card.fingerprint.encode(), sure, bytearray(pin.encode())], SECONDS)
    except CardError as exc:
        return exc.code, exc.left
    return "", ""


def sign(process: Process, card: Card, number: int, payload: bytes) -> bytes:
    return bytes(
        process.call([b"sign", card.fingerprint.encode(), str(number).encode(), payload], SECONDS)[0]
    )


def test_it_signs_by_number_with_the_hash_of_ours_or_the_tokens(
    process: Process, reader: Reader, card: Card
) -> None:
    reader.insert(card)
    (token,) = look(process)
    assert card.certificate in token.certificates
    with pytest.raises(CardError, match="pin-needed"):
        sign(process, card, CKM_RSA_PKCS, DATA)
    assert login(process, card, card.pin) == ("", "")
    certificate = certificates.read(card.certificate)
    for name, own in (("rsa-sha1", CKM_SHA1_RSA_PKCS), ("rsa-sha256", CKM_SHA256_RSA_PKCS)):
        mechanism = MECHANISMS[name]
        for offered in ((CKM_RSA_PKCS, own), (own,)):
            order = algorithms.order(mechanism, DATA, b"", offered, algorithms.Profile())
            assert order.number == offered[0]
            assert certificates.holds(
                certificate, mechanism, DATA, sign(process, card, order.number, order.payload)
            )
    # a vendor's number that this library does not have costs one request, not the process
    with pytest.raises(CardError, match="failed: C_SignInit: CKR_MECHANISM_INVALID"):
        sign(process, card, 0x80000101, DATA)
    assert sign(process, card, CKM_RSA_PKCS, b"short")


def test_the_flags_are_read_before_every_login(process: Process, reader: Reader, card: Card) -> None:
    reader.insert(card)
    assert login(process, card, "wrong-pin") == ("pin-needed", "low")
    assert login(process, card, card.pin) == ("pin-low", "low")
    assert login(process, card, card.pin, b"1") == ("", "")


def test_a_card_that_was_swapped_is_not_asked(
    process: Process, reader: Reader, pair: tuple[Card, Card]
) -> None:
    card, other = pair
    reader.insert(other)
    assert login(process, card, card.pin) == ("card-out", "")
    (token,) = look(process)
    assert token.flags == ()


def test_one_that_hangs_is_killed_at_its_deadline(process: Process) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(CardError, match="lost: the module did not answer within 0.5 s"):
        process.call([b"look"], 0.5)
    assert not process.alive


def test_one_that_died_is_said_to_be_lost(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(CardError, match="lost: the module's process ended"):
        process.call([b"look"], SECONDS)
