"""Who acts is what the gateway signed, and nothing else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.actor import ISSUER, LIFETIME, Actor, ActorSigner, ActorVerifier
from runtime.errors import Problem

ACTOR = Actor(
    "t-1", "91610131MA6TTTTT01", "u-1", "张三", ("declarant",), ("document.read",), ("order",), "m-1", "t-2"
)


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return keys(tmp_path, "gateway")


def test_a_token_brings_the_actor_back(pair: tuple[Path, Path]) -> None:
    token = ActorSigner(pair[0]).token(ACTOR)
    verifier = ActorVerifier(pair[1])
    assert verifier.verify(token) == ACTOR
    assert verifier.verify(token) == ACTOR


def refused(verifier: ActorVerifier, token: str, *, event: bool = False) -> None:
    with pytest.raises(Problem) as caught:
        verifier.verify(token, event=event)
    assert caught.value.kind == "unauthenticated"


def test_an_old_token_is_good_for_events_only(pair: tuple[Path, Path]) -> None:
    old = ActorSigner(pair[0], clock=lambda: 1_000_000_000.0).token(ACTOR)
    verifier = ActorVerifier(pair[1])
    assert verifier.verify(old, event=True) == ACTOR
    refused(verifier, old)


def claims(**changes: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "iat": 1, "exp": 2**31, "actor": {
        "tenant_id": "t", "enterprise_code": "", "user_id": "", "user_name": ""}, **changes}  # fmt: skip


def test_nothing_but_the_gateways_signature_counts(pair: tuple[Path, Path], tmp_path: Path) -> None:
    verifier = ActorVerifier(pair[1])
    right = ActorSigner(pair[0]).token(ACTOR)
    head, body, signature = right.split(".")
    other = base64.urlsafe_b64encode(
        json.dumps(claims(actor={"tenant_id": "victim"})).encode()
    ).rstrip(b"=").decode()  # fmt: skip
    for token in (
        "", "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}", f"{head}.{other}.{signature}", right + "A",
        ActorSigner(keys(tmp_path, "thief")[0]).token(ACTOR),
        jwt.encode(claims(), "", algorithm="none"),
        jwt.encode(claims(), pair[1].read_bytes()[27:80] * 2, algorithm="HS256"),
    ):  # fmt: skip
        refused(verifier, token)
        refused(verifier, token, event=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"actor": None},
        {"actor": {}},
        {"actor": {"tenant_id": "t", "superuser": True}},
        {"actor": "t"},
        {"exp": None},
    ],
    ids=str,
)
def test_claims_of_another_shape_are_refused(pair: tuple[Path, Path], changes: dict[str, Any]) -> None:
    key: Any = serialization.load_pem_private_key(pair[0].read_bytes(), None)
    content = {name: value for name, value in claims(**changes).items() if value is not None}
    refused(ActorVerifier(pair[1]), jwt.encode(content, key, algorithm="EdDSA"))


def test_rights_end_where_the_mandate_ends() -> None:
    assert ACTOR.may("document.read", "order")
    assert ACTOR.may("document.read")
    assert not ACTOR.may("document.read", "booking")
    assert not ACTOR.may("document.write", "order")
    with pytest.raises(Problem, match=r"document\.write"):
        ACTOR.require("document.write", "order")
    assert ACTOR.label == "张三（代理 91610131MA6TTTTT01）"
    assert LIFETIME == 60


def test_while_the_key_is_changed_both_are_good(tmp_path: Path) -> None:
    old, new, foreign = (keys(tmp_path, name) for name in ("old", "new", "foreign"))
    both = tmp_path / "both.pub"
    both.write_bytes(new[1].read_bytes() + b"\n" + old[1].read_bytes())
    verifier = ActorVerifier(both)
    for private, _ in (old, new):
        assert verifier.verify(ActorSigner(private).token(ACTOR)) == ACTOR
    refused(verifier, ActorSigner(foreign[0]).token(ACTOR), event=True)
    refused(ActorVerifier(new[1]), ActorSigner(old[0]).token(ACTOR), event=True)


def test_a_file_without_a_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pub").write_text("nothing\n")
    with pytest.raises(ValueError, match="no public key"):
        ActorVerifier(tmp_path / "empty.pub")
