"""The sealed token's files and the frames to token processes; no process is started here."""

from __future__ import annotations

import json
import os
import socket
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signer import certificates
from services.signer.domain import token_key
from services.signer.tokens import sealed, wire
from services.signer.tokens.base import SignRequest, TokenError

KEY = token_key(str(uuid.uuid4()), str(uuid.uuid4()))


def token(folder: Path, key: bytes = b"k" * 32) -> sealed.SealedToken:
    return sealed.SealedToken(folder, key)


def signed(one: sealed.SealedToken, key: str = KEY, data: bytes = b"data") -> bytes | TokenError:
    (answer,) = one.sign_batch([SignRequest(key, "sm2-sm3", data)])
    return answer


def code(answer: bytes | TokenError) -> str:
    assert isinstance(answer, TokenError)
    return answer.code


def test_a_sealed_key_signs_after_a_restart(tmp_path: Path) -> None:
    public = token(tmp_path).generate(KEY, "sm2")
    again = token(tmp_path)
    assert again.key_names() == [KEY]
    assert again.public_key(KEY) == public == again.generate(KEY, "sm2")
    made = signed(again)
    assert isinstance(made, bytes)
    assert certificates.verifier(public)("sm2-sm3", b"data", made)


def test_it_says_that_it_is_software(tmp_path: Path) -> None:
    info = token(tmp_path).info()
    assert "软件密钥（非 HSM）" in info.name
    assert not info.hardware


def test_files_hold_no_open_key_and_are_private(tmp_path: Path) -> None:
    token(tmp_path).generate(KEY, "sm2")
    (file,) = tmp_path.glob("*/*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert set(json.loads(file.read_text())) == {"algorithm", "public_key", "nonce", "sealed"}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_key_opens_only_with_its_sealing_key_and_in_its_place(tmp_path: Path) -> None:
    token(tmp_path).generate(KEY, "sm2")
    assert code(signed(token(tmp_path, b"o" * 32))) == "failed"
    (file,) = tmp_path.glob("*/*.json")
    other = token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    stolen = tmp_path / f"{other}.json"
    stolen.parent.mkdir()
    stolen.write_bytes(file.read_bytes())
    assert code(signed(token(tmp_path), other)) == "failed"


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "7", '{"public_key": 1}', '{"public_key": "*"}', "\udcff"]
)
def test_a_damaged_file_is_one_keys_trouble(tmp_path: Path, content: str) -> None:
    one = token(tmp_path)
    one.generate(KEY, "sm2")
    next(tmp_path.glob("*/*.json")).write_text(content, errors="surrogateescape")
    assert code(signed(one)) == "failed"
    with pytest.raises(TokenError, match="failed: the sealed key's file is damaged"):
        one.public_key(KEY)


def test_a_removed_key_signs_no_more(tmp_path: Path) -> None:
    one = token(tmp_path)
    one.generate(KEY, "sm2")
    assert isinstance(signed(one), bytes)
    next(tmp_path.glob("*/*.json")).unlink()
    assert code(signed(one)) == "key-missing"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", f"..{os.sep}x/y", KEY + "/..", "a/b"])
def test_only_names_of_keys_become_paths(tmp_path: Path, name: str) -> None:
    one = token(tmp_path)
    assert code(signed(one, name)) == "key-missing"
    with pytest.raises(TokenError):
        one.generate(name, "sm2")
    assert list(tmp_path.iterdir()) == []


def test_other_mechanisms_are_refused(tmp_path: Path) -> None:
    (answer,) = token(tmp_path).sign_batch([SignRequest(KEY, "rsa-sha1", b"")])
    assert code(answer) == "failed"


# ---- frames --------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_frames_arrive_as_sent(fields: list[bytes]) -> None:
    here, there = socket.socketpair()
    with here, there:
        wire.send(here, fields, 1)
        wire.send(here, [b"next"], 1)
        assert wire.receive(there, 1) == fields
        assert wire.receive(there, 1) == [b"next"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",  # cut off
        b"\xff\xff\xff\xff\x00\x00\x00\x00",  # endless
        b"\x00\x00\x00\x04\xff\xff\xff\xff",  # more fields than bytes
        b"\x00\x00\x00\x05\x00\x00\x00\x01\x00\x00\x00\x02x",  # a field longer than the frame
        b"\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00\x01xx",  # bytes that are nobody's
        b"\x00\x00\x00\x06\x00\x00\x00\x01\x00",
    ],
)
def test_what_is_no_frame_is_an_error(data: bytes) -> None:
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(data)
        with pytest.raises(wire.FrameError):
            wire.receive(there, 1)


def test_an_answer_that_never_comes_ends_in_time() -> None:
    here, there = socket.socketpair()
    with here, there, pytest.raises(wire.FrameError, match=r"in time|timed out"):
        wire.receive(here, 0.05)
