"""A device of several tokens when tokens fail: real SoftHSM behind a module that makes them fail (shim.c).

Whoever asks for signatures sees none of it while a member is well; counts of calls are the module's own.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from runtime.errors import Problem
from services.signer.canary import Canary
from services.signer.tokens import member
from services.signer.tokens.base import SignRequest, TokenError
from services.signer.tokens.pool import Device
from tests.support import tokens
from tests.support.eventually import eventually
from tests.support.tokens import Cluster, good, pool_of, sign, states
from tools import devices

CODES = {
    "session handle invalid": tokens.SESSION_HANDLE_INVALID,
    "session closed": tokens.SESSION_CLOSED,
    "user not logged in": tokens.USER_NOT_LOGGED_IN,
    "device removed": tokens.DEVICE_REMOVED,
    "device error": tokens.DEVICE_ERROR,
    "device memory": tokens.DEVICE_MEMORY,
    "host memory": tokens.HOST_MEMORY,
    "general error": tokens.GENERAL_ERROR,
    # of a vendor's own range: nothing is known of it
    "a vendor's own": 0x80000123,
}


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return Cluster(tmp_path_factory.mktemp("trio"), 3)


@pytest.fixture(scope="module")
def three(trio: Cluster) -> Iterator[Device]:
    with pool_of(trio.file) as device:
        yield device


@pytest.fixture
def device(trio: Cluster, three: Device) -> Iterator[Device]:
    """Three members, all well before and after."""
    yield three
    for shim in trio.shims:
        shim.heal()
    eventually(lambda: states(three) == ["healthy"] * 3, "all members work again", 40)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return Cluster(tmp_path_factory.mktemp("alone"), 1)


@pytest.fixture(scope="module")
def one(alone: Cluster) -> Iterator[Device]:
    with pool_of(alone.file) as device:
        yield device


# ---- spreading ------------------------------------------------------------------------------------------------------


def test_work_is_spread_evenly_over_the_members(trio: Cluster, device: Device) -> None:
    for shim in trio.shims:
        # the time is the tokens' own: who is fast is not for the machine's other work to say
        shim.rule("Sign", "wait 10")
    before = [shim.calls("SignInit") for shim in trio.shims]
    assert good(sign(device, trio.keys, 300)) == 300
    done = [shim.calls("SignInit") - then for shim, then in zip(trio.shims, before, strict=True)]
    assert sum(done) >= 300
    assert min(done) >= 300 // 6, done


def test_keys_are_asked_of_the_members_that_hold_them(tmp_path: Path) -> None:
    pair = Cluster(tmp_path, 2, keys=2)
    with pool_of(pair.file) as device:
        name, late = pair.keys[0], SignRequest(pair.keys[0], "digest-info", b"x" * 51)
        # a key that the vendor's replication has not brought to the others yet
        only_here = tokens.token_key(name.partition("/")[0], "8a8f4cb8-6b86-4f5a-9e0c-0d1b8f8a2f11")
        job = device._of(device.members[1], [b"generate", only_here.encode(), b"rsa"])
        assert len(job) == 1
        before = [shim.calls("SignInit") for shim in pair.shims]
        assert good(sign(device, [only_here], 40)) == 40
        done = [shim.calls("SignInit") - then for shim, then in zip(pair.shims, before, strict=True)]
        assert done[0] == 0
        assert done[1] >= 40
        assert good(device.sign([late, SignRequest(only_here, late.mechanism, late.data)])) == 2
        (nowhere,) = device.sign([SignRequest(name[:-4] + "0000", late.mechanism, late.data)])
        assert isinstance(nowhere, TokenError)
        assert nowhere.code == "key-missing"


def test_a_key_that_hides_for_a_moment_is_not_called_missing(tmp_path: Path) -> None:
    """SoftHSM does so at times while another process starts: a message must not be refused for it."""
    alone = Cluster(tmp_path, 1, workers=2)
    shim = alone.shims[0]
    with pool_of(alone.file) as device:
        name = tokens.token_key(str(uuid.uuid4()), str(uuid.uuid4()))
        device.generate(name, "rsa")
        # the process that did not make it has to look for it: while it does, the other one signs slowly
        shim.rule("Sign", "wait 50")
        searches = shim.calls("FindObjectsInit")
        # no such handle: a search that finds nothing, also in the library that was opened anew
        shim.rule("FindObjectsInit", "rv 0x82", times=10)
        for _ in range(20):
            assert good(sign(device, [name], 2)) == 2
            if shim.calls("FindObjectsInit") > searches + 10:
                return
        raise AssertionError("it was never looked for")


def test_signing_needs_no_login_session_or_search_of_its_own(alone: Cluster, one: Device) -> None:
    sign(one, alone.keys, 30)
    once = ("Login", "Logout", "OpenSession", "FindObjectsInit")
    before = [alone.shims[0].calls(name) for name in once]
    assert good(sign(one, alone.keys, 300)) == 300
    assert [alone.shims[0].calls(name) for name in once] == before
    assert alone.shims[0].calls("Logout") == 0


def test_nobody_gets_the_answer_of_another(trio: Cluster, device: Device) -> None:
    """Eight callers at the same time with all keys: each answer holds for its own key and its own digest."""
    public = {key: load_der_public_key(device.public_key(key)) for key in trio.keys}
    sessions = [shim.calls("OpenSession") for shim in trio.shims]
    with ThreadPoolExecutor(8) as callers:
        wanted = [tokens.requests(trio.keys, 23) for _ in range(40)]
        answers = list(callers.map(device.sign, wanted))
    for request, answer in [
        pair for both in zip(wanted, answers, strict=True) for pair in zip(*both, strict=True)
    ]:
        key = public[request.key]
        assert isinstance(key, rsa.RSAPublicKey)
        assert isinstance(answer, bytes)
        # raises where it is the signature of anything else
        key.verify(answer, request.data[-32:], padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    # however many call: no session is shared, and none is opened for them
    assert [shim.calls("OpenSession") for shim in trio.shims] == sessions


@pytest.mark.parametrize("code", [tokens.FUNCTION_FAILED, tokens.GENERAL_ERROR], ids=["function", "general"])
def test_a_key_is_made_although_its_token_fails_for_a_moment(alone: Cluster, one: Device, code: int) -> None:
    """SoftHSM does so at times to one process that makes a key while another does."""
    shim, name = alone.shims[0], tokens.token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    made = shim.calls("GenerateKeyPair")
    shim.rule("GenerateKeyPair", f"rv {code}", times=2)
    public = one.generate(name, "rsa")
    assert shim.calls("GenerateKeyPair") == made + 3
    assert one.generate(name, "rsa") == public
    assert good(sign(one, [name], 4)) == 4
    shim.heal()


def test_a_token_that_makes_no_keys_says_why(alone: Cluster, one: Device) -> None:
    shim, name = alone.shims[0], tokens.token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    shim.rule("GenerateKeyPair", f"rv {tokens.FUNCTION_FAILED}")
    with pytest.raises(Problem, match="FunctionFailed"):
        one.generate(name, "rsa")
    shim.heal()
    one.wait_ready(20)
    assert name not in one.key_names()
    one.generate(name, "rsa")
    assert one.key_names().count(name) == 1


def test_a_session_that_is_closed_takes_no_login_with_it(alone: Cluster, one: Device) -> None:
    """Making a key opens a session and closes it again; the one that logged in stays, and the key is sought once."""
    shim, made = alone.shims[0], tokens.token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    logins, opened = shim.calls("Login"), shim.calls("OpenSession")
    one.generate(made, "rsa")
    assert shim.calls("OpenSession") > opened
    sought = shim.calls("FindObjectsInit")
    assert good(sign(one, [*alone.keys, made], 200)) == 200
    assert shim.calls("Login") == logins
    assert shim.calls("FindObjectsInit") == sought


# ---- F24: what is lost is healed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
@pytest.mark.parametrize("where", ["SignInit", "Sign"])
def test_one_failing_call_costs_nothing(trio: Cluster, device: Device, where: str, code: int) -> None:
    logins = [shim.calls("Login") for shim in trio.shims]
    trio.shims[0].rule(where, f"rv {code}", skip=4, times=1)
    assert good(sign(device, trio.keys, 240)) == 240
    eventually(lambda: states(device) == ["healthy"] * 3, "all members work again", 30)
    again = [shim.calls("Login") - before for shim, before in zip(trio.shims, logins, strict=True)]
    assert again[0] == 1, "the session was lost: logged in once more, and only once"
    assert again[1:] == [0, 0]


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_a_member_that_fails_for_good_costs_nothing(trio: Cluster, device: Device, code: int) -> None:
    trio.shims[1].rule("Sign", f"rv {code}")
    assert good(sign(device, trio.keys, 240)) == 240
    eventually(lambda: states(device)[1] == "absent", "the member is told to be unusable", 20)
    told = device.states()[1]
    assert told.reason
    assert (told.zh, told.en) == ("不可用，自动重试中", "Absent, tried again by itself")
    assert good(sign(device, trio.keys, 60)) == 60


@pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
def test_a_single_member_heals_by_itself(alone: Cluster, one: Device, code: int) -> None:
    logins = alone.shims[0].calls("Login")
    alone.shims[0].rule("Sign", f"rv {code}", skip=3, times=1)
    assert good(sign(one, alone.keys, 60)) == 60
    assert alone.shims[0].calls("Login") - logins == 1


def test_a_login_that_fails_once_is_made_again(alone: Cluster, one: Device) -> None:
    alone.shims[0].rule("Login", f"rv {tokens.DEVICE_ERROR}", times=1)
    os.kill(one.pids[0], signal.SIGKILL)
    assert good(sign(one, alone.keys, 30)) == 30


def test_a_crash_in_the_module_costs_nothing(trio: Cluster, device: Device) -> None:
    trio.shims[2].rule("Sign", "crash", skip=2, times=1)
    assert good(sign(device, trio.keys, 240)) == 240


def test_a_token_that_vanishes_and_comes_back(trio: Cluster, device: Device) -> None:
    trio.away(0)
    try:
        assert good(sign(device, trio.keys, 240)) == 240
        eventually(lambda: states(device)[0] == "absent", "noticed", 30)
    finally:
        trio.back(0)
    returned = time.monotonic()
    eventually(lambda: states(device)[0] == "healthy", "used again", 30)
    assert time.monotonic() - returned <= 30
    before = trio.shims[0].calls("SignInit")
    sign(device, trio.keys, 120)
    assert trio.shims[0].calls("SignInit") > before


def test_idle_sessions_are_used_and_one_that_died_is_replaced_before_anybody_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firewalls forget connections that are silent for minutes, at the shortest for one."""
    assert member.KEEP_ALIVE_SECONDS < 60
    monkeypatch.setattr(member, "KEEP_ALIVE_SECONDS", 0.2)
    quiet = Cluster(tmp_path, 1, keys=1, workers=4)
    shim = quiet.shims[0]
    with pool_of(quiet.file) as device:
        eventually(lambda: len(device.pids) == 4, "all processes run", 60)
        before = {pid: turns(pid) for pid in device.pids}
        eventually(
            lambda: all(turns(pid) > then for pid, then in before.items()), "each has used its session", 30
        )
        # the far side has forgotten one of them: whichever asks next
        logins, idle = shim.calls("Login"), set(device.pids)
        shim.rule("SignInit", f"rv {tokens.SESSION_HANDLE_INVALID}", times=1)
        eventually(lambda: not idle <= set(device.pids), "it is given up, and nobody had asked", 60)
        eventually(lambda: states(device) == ["healthy"] and len(device.pids) == 4, "all work again", 60)
        assert len(idle & set(device.pids)) == 3
        assert shim.calls("Login") == logins + 1
        assert good(sign(device, quiet.keys, 60)) == 60
        assert shim.calls("Login") == logins + 1


def turns(pid: int) -> int:
    """How often a process has waited for something new: one that is asked nothing stays where it is."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


# ---- F25: hanging -------------------------------------------------------------------------------------------------


def test_a_hanging_call_is_given_to_another_member_in_seconds(trio: Cluster, device: Device) -> None:
    trio.shims[0].rule("Sign", "hang")
    begun = time.monotonic()
    assert good(sign(device, trio.keys, 120)) == 120
    assert time.monotonic() - begun < 10
    eventually(lambda: states(device)[0] != "healthy", "the member gets no work", 10)
    begun = time.monotonic()
    assert good(sign(device, trio.keys, 120)) == 120
    assert time.monotonic() - begun < 5, "nothing waits for the hanging member any more"


def test_a_stopped_worker_is_replaced(trio: Cluster, device: Device) -> None:
    stopped = device.members[1].pids[0]
    os.kill(stopped, signal.SIGSTOP)
    assert good(sign(device, trio.keys, 240)) == 240
    eventually(lambda: stopped not in device.pids, "the stopped process is gone", 20)


def test_a_member_that_hangs_at_the_start_hinders_nobody(trio: Cluster, device: Device) -> None:
    trio.shims[2].rule("Initialize", "hang")
    os.kill(device.members[2].pids[0], signal.SIGKILL)
    assert good(sign(device, trio.keys, 240)) == 240


# ---- F26: all down --------------------------------------------------------------------------------------------------


def test_with_all_members_down_work_is_unavailable_not_failed(trio: Cluster, device: Device) -> None:
    for shim in trio.shims:
        shim.rule("Login", f"rv {tokens.DEVICE_REMOVED}")
    for pid in device.pids:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(Problem) as caught:
        device.sign(tokens.requests(trio.keys, 8))
    assert caught.value.kind == "unavailable"
    eventually(lambda: states(device) == ["absent"] * 3, "all members are absent", 30)
    assert "DeviceRemoved" in device.down
    with pytest.raises(Problem, match="DeviceRemoved") as caught:
        device.begin(tokens.requests(trio.keys, 1))
    assert caught.value.kind == "unavailable"
    for shim in trio.shims:
        shim.heal()
    eventually(lambda: not device.down, "the device is there again", 30)
    assert good(sign(device, trio.keys, 60)) == 60


# ---- starting -------------------------------------------------------------------------------------------------------


def test_many_processes_of_one_token_start_at_once(tmp_path: Path) -> None:
    crowd = Cluster(tmp_path, 1, keys=1, workers=8)
    with pool_of(crowd.file) as device, pool_of(crowd.file) as other:
        eventually(lambda: len(device.pids) == len(other.pids) == 8, "all processes run", 60)
        assert good(sign(device, crowd.keys, 80)) == 80
        # each process logged in once, and none a second time
        assert crowd.shims[0].calls("Login") == 16


def test_a_session_limit_leaves_fewer_processes_not_none(tmp_path: Path) -> None:
    few = Cluster(tmp_path, 1, keys=1, workers=3)
    few.shims[0].rule("OpenSession", "rv 0xB1", skip=2)
    with pool_of(few.file) as device:
        eventually(lambda: "SessionCount" in device.states()[0].reason, "the limit is told", 30)
        assert states(device) == ["healthy"]
        assert 1 <= len(device.pids) <= 2
        assert good(sign(device, few.keys, 40)) == 40


def test_a_key_that_cannot_be_used_takes_nobody_with_it(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "sealing").write_text("5" * 64)
    member = {"name": "files", "folder": tmp_path / "keys", "key_file": tmp_path / "sealing"}
    file = devices.write(tmp_path / "devices.toml", tmp_path / "memory", {"soft": ("sealed", [member])})
    names = [tokens.token_key(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(3)]
    ask = [SignRequest(name, "sm2-sm3", b"data") for name in names]
    with pool_of(file) as device:
        for name in names:
            device.generate(name, "sm2")
    broken = tmp_path / "keys" / f"{names[0]}.json"
    content = broken.read_text()
    for _ in range(3):
        broken.write_text("{}")
        with pool_of(file) as device:
            bad, *rest = device.sign(ask)
            assert isinstance(bad, TokenError)
            assert bad.code == "failed"
            assert [len(one) for one in rest if isinstance(one, bytes)] == [64, 64]
    broken.write_text(content)
    # another sealing key opens none of them: that is the member's trouble, and messages wait
    (tmp_path / "sealing").write_text("6" * 64)
    with pool_of(file, all_ready=False) as device:
        eventually(lambda: states(device) == ["absent"], "not used", 30)
        assert "does not open" in device.down


# ---- the canary -----------------------------------------------------------------------------------------------------


def test_the_canary_tells_of_each_member(trio: Cluster, device: Device) -> None:
    recorded: dict[str, bool] = {}
    pool = tokens.Pool.__new__(tokens.Pool)
    pool.devices = {"hsm": device}
    canary = Canary(pool, lambda tenant, key, works, _why: recorded.update({f"{tenant}/{key}": works}), 1)
    stop = threading.Event()
    canary.start(stop)
    try:
        eventually(lambda: _ready(canary), "the device signs", 20)
        eventually(
            lambda: set(recorded) == set(trio.keys) and all(recorded.values()), "every key is told", 20
        )
        trio.shims[0].rule("Login", f"rv {tokens.DEVICE_ERROR}")
        os.kill(device.members[0].pids[0], signal.SIGKILL)
        eventually(lambda: states(device)[0] == "absent", "one member is away", 20)
        assert _ready(canary)
        results = canary.results()
        for name in ("member-1", "member-2"):
            assert results["hsm", name] == dict.fromkeys(trio.keys, "")
        assert all(recorded.values())
    finally:
        stop.set()


def _ready(canary: Canary) -> bool:
    try:
        canary.check("hsm")
    except RuntimeError:
        return False
    return True


def test_a_member_whose_signatures_do_not_hold_is_not_used(
    trio: Cluster, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, started = device.members[0], device.members[0].pids
    with monkeypatch.context() as changed:
        changed.setattr("services.signer.probe.Challenge.holds", lambda *_: False)
        assert device.probe(first, trio.keys[0]) == "the signature does not hold"
        eventually(lambda: states(device)[0] == "absent", "the member is not used", 20)
        assert "does not hold" in device.states()[0].reason
        assert good(sign(device, trio.keys, 60)) == 60
    eventually(lambda: states(device)[0] == "healthy", "it proved itself again", 30)
    assert first.pids != started
