"""What may be signed when, and what a person must confirm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from agent import certificates, policy
from agent.cards.token import CardView
from agent.policy import Refusal
from agent.wish import Malformed, Wish
from proto.agent.v1 import agent_pb2
from tests.support.cards import certificate_for
from tests.support.signed_infos import challenge, signed_info

NOW = datetime.now(UTC)
CERTIFICATE = certificates.read(certificate_for(rsa.generate_private_key(65537, 2048), "card"))
CARD = CardView(CERTIFICATE, "m", "l", "1", "model", "ready", "", "", False, ("rsa-sha1",), "id")
WISH = Wish(
    "a", b"n", NOW + timedelta(minutes=1), CERTIFICATE.fingerprint, "rsa-sha1", "document", signed_info()
)


@pytest.mark.parametrize(
    ("card", "seconds", "code"),
    [
        (CARD, 0, ""),
        (CARD, 60, "expired"),
        (CARD, 86400 * 400, "expired"),
        (None, 0, "card-out"),
        (replace(CARD, mechanisms=()), 0, "mechanism"),
        (replace(CARD, mechanisms=("rsa-sha256",)), 0, "mechanism"),
        *[(replace(CARD, state=state), 0, state) for state in ("pin-needed", "pin-low", "pin-locked")],
        (replace(CARD, state="failing", reason="x"), 0, "failed"),
    ],
)
def test_whether_a_card_can_sign_now(card: CardView | None, seconds: int, code: str) -> None:
    try:
        assert policy.allow(WISH, card, NOW + timedelta(seconds=seconds)) is card
        found = ""
    except Refusal as exc:
        found = exc.code
    assert found == code


def test_a_certificate_that_has_ended_signs_nothing() -> None:
    late = replace(WISH, expires_at=NOW + timedelta(days=1000))
    with pytest.raises(Refusal, match="certificate: it has ended"):
        policy.allow(late, CARD, CERTIFICATE.not_after)


@pytest.mark.parametrize(
    ("purpose", "settings", "asks"),
    [
        ("sign-in", {}, True),
        ("sign-in", {"sign-in": False}, False),
        ("bind-card", {"sign-in": False}, True),
        ("bind-card", {"other": False}, False),
        # a challenge cannot call itself a document to get round its holder
        ("document", {}, True),
        ("other", {}, True),
    ],
)
def test_what_a_person_must_confirm(purpose: str, settings: dict[str, bool], asks: bool) -> None:
    given = {"other": True, "document": False} | settings
    asked = policy.examine(replace(WISH, purpose="challenge", data=challenge(purpose=purpose)))
    assert policy.must_confirm(asked, given) is asks
    assert policy.must_confirm(WISH, given) is False
    assert policy.must_confirm(WISH, given | {"document": True}) is True


@pytest.mark.parametrize(
    "changes",
    [{"request_id": "1"}, {"request_id": ""}, {"expires_at": ""}, {"expires_at": "2026-01-01T00:00:00"}],
)
def test_a_request_that_cannot_be_read_is_known(changes: dict[str, str]) -> None:
    good = {"request_id": "6f2d1f0a-7f3c-4a56-9a4e-0d6b0a3f2c11", "expires_at": "2026-01-01T00:00:00Z"}
    assert policy.read(agent_pb2.SignRequest(**good)).request_id == good["request_id"]
    with pytest.raises(Malformed):
        policy.read(agent_pb2.SignRequest(**(good | changes)))
