"""Everything that a person may meet has words in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent import link_state, page
from agent.cards import token
from agent.cards.base import FINAL, LOCKED, LOW, CardError
from agent.cards.pins import Pin
from agent.page import words
from tools.paths import ROOT

#: the codes of the protocol, as its file lists them
CODES = re.search(r"// (card-out \|.*)", (ROOT / "proto/agent/v1/agent.proto").read_text())
STATIC = Path(page.__file__).parent / "static"


def test_every_code_of_the_protocol_has_a_reason() -> None:
    assert CODES is not None
    codes = [code.split()[0] for code in CODES[1].split("|")]
    assert len(codes) == 9
    for code in codes:
        zh, en = words.reason(code, "")
        assert re.search("[一-鿿]", zh), code
        assert en.isascii(), code
    assert words.reason("", "") == ("", "")
    assert len({words.reason("failed", begin)[1] for begin in ("data: x", "certificate: x", "x")}) == 3


@pytest.mark.parametrize("code", ["pin-needed", "pin-low", "pin-locked", "card-out", "failed", "lost"])
@pytest.mark.parametrize("left", ["", LOW, FINAL, LOCKED])
def test_every_end_of_a_login_has_words(code: str, left: str) -> None:
    zh, en = words.login(CardError(code, "CKR_X", left))
    assert zh
    assert en.isascii()


def test_the_page_has_words_for_every_state_in_both_languages() -> None:
    script = (STATIC / "words.js").read_text(encoding="utf-8")
    zh, en = script.split("\n  en: {")
    for state in (
        *link_state.WORDS,
        token.READY, token.PIN_NEEDED, token.PIN_LOW, token.PIN_LOCKED, token.FAILING,
        "intended", "signed", "accepted", "rejected", "refused", "failed", "queued", "signing",
    ):  # fmt: skip
        for text in (zh, en):
            assert re.search(rf'[\s{{]"?{state}"?:', text), state
    # the same names on both sides
    name = re.compile(r'^\s+"?([\w-]+)"?:', re.MULTILINE)
    assert sorted(name.findall(zh.split("zh: {")[1])) == sorted(name.findall(en))
    # nothing from elsewhere
    for file in STATIC.iterdir():
        assert not re.search(r"https?://", file.read_text(encoding="utf-8")), file.name


def test_a_pin_shows_itself_nowhere() -> None:
    pin = Pin(bytearray(b"not-for-you"))
    assert "not-for-you" not in repr(pin) + str(pin) + f"{pin}"
    with pytest.raises(TypeError):
        json.dumps(pin)
    with pytest.raises(TypeError):
        pin.__reduce__()
    buffer = pin.buffer
    pin.wipe()
    assert buffer == bytearray(11)
