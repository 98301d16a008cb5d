"""What a token is asked, by the key's algorithm and what the token offers."""

from __future__ import annotations

import hashlib

import pytest
from asn1crypto import algos

from services.signer import asking
from services.signer.tokens.base import SignRequest

OFFERS = {"digest-info", "rsa-sha1", "rsa-sha256", "sm2-sm3", "ecdsa-sha256"}


@pytest.mark.parametrize(("algorithm", "name"), [("rsa-sha1", "sha1"), ("rsa-sha256", "sha256")])
def test_rsa_is_asked_by_a_digest_info(algorithm: str, name: str) -> None:
    asked = asking.request("k", algorithm, b"data", OFFERS)
    assert (asked.key, asked.mechanism) == ("k", "digest-info")
    read = algos.DigestInfo.load(asked.data, strict=True)
    assert read["digest_algorithm"]["algorithm"].native == name
    assert read["digest"].native == hashlib.new(name, b"data").digest()


@pytest.mark.parametrize("algorithm", ["rsa-sha1", "rsa-sha256"])
def test_a_token_without_it_hashes_itself(algorithm: str) -> None:
    assert asking.request("k", algorithm, b"data", OFFERS - {"digest-info"}) == (
        SignRequest("k", algorithm, b"data")
    )


@pytest.mark.parametrize("algorithm", ["sm2-sm3", "ecdsa-sha256"])
def test_other_keys_are_never_asked_so(algorithm: str) -> None:
    assert asking.request("k", algorithm, b"data", OFFERS) == SignRequest("k", algorithm, b"data")
