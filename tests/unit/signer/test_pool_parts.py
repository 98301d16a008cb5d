"""The parts of the pool that decide: who may do what, how long a call may take, what an attempt with a PIN leaves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signer.tokens import profile, routing, sm2
from services.signer.tokens.attempts import Attempts
from services.signer.tokens.base import SignRequest, TokenError
from services.signer.tokens.board import Board, Job
from services.signer.tokens.pace import LEAST_SECONDS, Pace
from services.signer.tokens.states import State


@dataclass
class Member:
    name: str
    state: State = State.HEALTHY
    keys: frozenset[str] | None = frozenset({"k"})
    mechanisms: frozenset[str] | None = frozenset({"m"})


def job(*keys: str, mechanism: str = "m", **changes: object) -> Job:
    return Job([b"sign"], [SignRequest(key, mechanism, b"") for key in keys or ("k",)], **changes)  # type: ignore[arg-type]


def allowed(work: Job, *members: Member) -> str:
    return "".join(one.name for one in members if routing.may(one, work, members))


# ---- routing --------------------------------------------------------------------------------------------------------


def test_only_members_that_hold_the_key_are_asked() -> None:
    a, b = Member("a"), Member("b", keys=frozenset())
    assert allowed(job(), a, b) == "a"
    assert allowed(job("k", "other"), a, b) == "ab", "nobody is known to hold both"
    assert allowed(job("other"), a, b, Member("c", keys=None)) == "abc"
    assert allowed(job("other", missing={"a"}), a, b) == "b"


@pytest.mark.parametrize("state", [state for state in State if state is not State.HEALTHY])
def test_a_member_that_is_not_well_gets_no_work(state: State) -> None:
    a, b = Member("a", state), Member("b", keys=frozenset())
    assert allowed(job(), a, b) == "", "the key's holder is waited for: the other would call the key missing"
    assert routing.hopeless(job(), [a, b]) == (state in (State.ABSENT, State.LOCKED))
    assert not routing.hopeless(job(), [a, Member("c")])


def test_who_failed_with_a_job_gets_it_only_if_nobody_else_is_there() -> None:
    a, b = Member("a"), Member("b")
    assert allowed(job(tried={"a"}), a, b) == "b"
    assert allowed(job(tried={"a", "b"}), a, b) == "ab"
    assert allowed(job(tried={"a"}), a, Member("b", State.LOCKED)) == "a"


def test_members_that_offer_the_mechanism_come_first() -> None:
    a, b = Member("a"), Member("b", mechanisms=frozenset())
    assert allowed(job(), a, b) == "a"
    # nobody offers it: whoever takes it says so
    assert allowed(job(mechanism="x"), a, b) == "ab"


def test_work_for_one_member_is_nobody_elses() -> None:
    a, b = Member("a", State.SUSPECT), Member("b")
    assert allowed(job(only="a"), a, b) == "a"
    assert routing.hopeless(job(only="a"), [Member("a", State.ABSENT), b])


def test_requests_are_grouped_by_where_their_keys_are() -> None:
    members = [Member("a", keys=frozenset({"1", "2"})), Member("b", keys=frozenset({"1", "3"}))]
    assert routing.groups(["1", "2", "1", "3", "2", "x"], members) == [[0, 2], [1, 4], [3], [5]]


def test_work_is_taken_in_order_by_who_may() -> None:
    board = Board()
    first, second = job("1"), job("2")
    board.put(first)
    board.put(second)
    assert board.take(lambda one: one is second, 0) is second
    assert board.take(lambda one: one is second, 0.01) is None
    board.put(second, first=True)
    assert board.drop(lambda _: True) == [second, first]
    assert board.take(lambda _: True, 0) is None


# ---- pace -----------------------------------------------------------------------------------------------------------


def test_the_first_call_may_take_what_the_settings_say() -> None:
    pace = Pace(8)
    assert pace.deadline(1) == 8
    assert pace.pieces(64) == 4


def test_a_fast_member_that_hangs_is_noticed_within_three_seconds() -> None:
    pace = Pace(8)
    pace.took(0.04, 64)
    assert pace.pieces(64) == 64
    assert LEAST_SECONDS <= pace.deadline(64) < 3


def test_a_slow_member_gets_small_frames_and_the_time_it_needs() -> None:
    pace = Pace(30)
    pace.took(0.25, 1)  # 240 a minute
    assert pace.pieces(64) == 1
    assert pace.deadline(1) >= 3
    pace.took(8.0, 2)
    assert pace.deadline(1) > 20


def test_a_call_that_was_given_up_makes_the_next_one_patient_until_one_comes_back() -> None:
    pace = Pace(60)
    pace.took(0.01, 1)
    usual = pace.deadline(1)
    pace.gave_up()
    pace.gave_up()
    assert pace.deadline(1) == pytest.approx(4 * usual)
    for _ in range(10):
        pace.gave_up()
    assert pace.deadline(1) == 60
    pace.took(0.01, 1)
    assert pace.deadline(1) <= usual


@given(st.lists(st.tuples(st.floats(0.0001, 20), st.integers(1, 64)), min_size=1))
def test_deadlines_stay_within_their_bounds(calls: list[tuple[float, int]]) -> None:
    pace = Pace(8)
    for seconds, pieces in calls:
        pace.took(seconds, pieces)
        assert LEAST_SECONDS <= pace.deadline(pieces) <= 8
        assert 1 <= pace.pieces(64) <= 64


# ---- attempts -------------------------------------------------------------------------------------------------------


def outcome(attempts: Attempts, pin: str) -> str:
    try:
        attempts.check(pin)
    except TokenError as exc:
        return f"{exc.code}: {exc.reason}"
    return ""


def test_a_refused_pin_stays_refused_and_another_one_is_free(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path, "token")
    attempts.begin("1111")
    attempts.refused("1111")
    again = Attempts(tmp_path, "token")
    assert "was refused before" in outcome(again, "1111")
    assert outcome(again, "2222") == ""
    assert outcome(Attempts(tmp_path, "other token"), "1111") == ""
    again.begin("2222")
    again.accepted("2222")
    assert outcome(again, "2222") == ""


def test_an_attempt_without_an_end_counts_unless_the_pin_was_let_in_before(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path, "token")
    attempts.begin("1111")
    assert "broken off" in outcome(attempts, "1111")
    attempts.undecided("1111")
    attempts.begin("1111")
    attempts.accepted("1111")
    attempts.begin("1111")
    assert outcome(attempts, "1111") == ""


def test_what_is_remembered_is_private_and_no_pin(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path, "token")
    attempts.begin("87651234")
    assert attempts.file.stat().st_mode & 0o777 == 0o600
    assert "87651234" not in attempts.file.read_text()
    assert set(json.loads(attempts.file.read_text())) == {"outcome", "salt", "pin"}


def test_a_memory_that_cannot_be_read_stops_attempts(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path, "token")
    attempts.file.write_text("{")
    assert outcome(attempts, "1111").startswith("pin: ")


def test_a_token_is_opened_by_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.signer.tokens.attempts._LOCK_SECONDS", 0.05)
    with (
        Attempts(tmp_path, "token").alone(),
        Attempts(tmp_path, "other").alone(),
        pytest.raises(TokenError, match="for too long"),
        Attempts(tmp_path, "token").alone(),
    ):
        raise AssertionError
    with Attempts(tmp_path, "token").alone():
        pass


# ---- SM2 and profiles -----------------------------------------------------------------------------------------------


def test_the_example_of_the_standard() -> None:
    """GB/T 32918.5, appendix A: public key, "message digest", e."""
    point = bytes.fromhex(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )
    e = sm2.digest(b"\x04" + point, b"message digest")
    assert e.hex() == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"


def test_a_compressed_point_is_refused() -> None:
    with pytest.raises(ValueError, match="in full"):
        sm2.digest(b"\x02" + bytes(64), b"")


@pytest.mark.parametrize("path", sorted(profile.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_profile_is_whole(path: Path) -> None:
    made = profile.read(path)
    assert made.signing
    for kind, key in made.keys.items():
        assert made.kind_of(key.type) == kind


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[key.sm2]", "[key.dsa]", "key.dsa"),
        ("mechanism = 0x80000B11", "mechanism = -1", "not a number of PKCS#11"),
        ('digest = "sm3-z"', 'digest = "sm3"', "digest must be one of none, sha256, sm3-z"),
        ('signature = "raw"', 'signature = "asn1"', "signature must be one of raw, der"),
        ('key = "sm2"', 'key = "rsa"', "key must be one of sm2"),
        ("generate = 0x80000B10", "", "generate"),
        ('parameters = "06082a811ccf5501822d"', "", "needs bits"),
    ],
)
def test_a_wrong_profile_is_told_by_entry(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = profile.path_of("example-sm2-digest-outside").read_text()
    assert old in text
    (tmp_path / "own.toml").write_text(text.replace(old, new))
    with pytest.raises(profile.ProfileError, match=reason):
        profile.read(profile.path_of(str(tmp_path / "own.toml")))
