"""No PIN is tried twice, whatever restarts: judged by the count of C_Login calls that reached the module (shim.c)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.signer.tokens import settings
from services.signer.tokens.pool import Device, Pool
from tests.support.eventually import eventually
from tests.support.tokens import Cluster, good, pool_of, sign, states
from tools.servers import softhsm

#: flags of CK_TOKEN_INFO
COUNT_LOW, FINAL_TRY, LOCKED = 0x10000, 0x20000, 0x40000


def logins(cluster: Cluster) -> list[int]:
    return [shim.calls("Login") for shim in cluster.shims]


def locked(device: Device) -> bool:
    return states(device) == ["locked"] * len(device.members)


def test_a_wrong_pin_costs_one_attempt_whatever_restarts(tmp_path: Path) -> None:
    """G7: 100 restarts, 10 workers, 3 members."""
    cluster = Cluster(tmp_path, 3, keys=1, workers=10)
    right = cluster.pin_file.read_text()
    before = logins(cluster)
    for restart in range(100):
        # written anew each time: it is the same PIN, however young the file is
        cluster.pin_file.write_text("00000000\n")
        with pool_of(cluster.file, all_ready=False) as device:
            eventually(lambda: locked(device), f"all members are locked at restart {restart}", 60)
            reason = device.states()[0].reason
    assert [now - then for now, then in zip(logins(cluster), before, strict=True)] == [1, 1, 1]
    assert "refused before" in reason
    # a person acts: the right PIN, and a login by hand, since the tokens say that an attempt failed
    cluster.pin_file.write_text(right)
    for token in cluster.tokens:
        _log_in_by_hand(token, right)
    with pool_of(cluster.file) as device:
        assert good(sign(device, cluster.keys, 20)) == 20


def _log_in_by_hand(token: softhsm.SoftHsm, pin: str, new_pin: str = "") -> None:
    program = (
        "import sys, pkcs11\n"
        "session = pkcs11.lib(sys.argv[1]).get_token(token_label=sys.argv[2]).open(rw=True, user_pin=sys.argv[3])\n"
        "if sys.argv[4]: session.set_pin(sys.argv[3], sys.argv[4])\n"
    )
    member = token.member("by hand")
    arguments = [member["module"], member["token_label"], pin, new_pin]
    environment = os.environ | member["environment"]
    subprocess.run([sys.executable, "-c", program, *arguments], env=environment, check=True)


@pytest.mark.parametrize("flag", [COUNT_LOW, FINAL_TRY, LOCKED])
def test_a_token_with_few_attempts_left_is_not_tried_at_all(tmp_path: Path, flag: int) -> None:
    cluster = Cluster(tmp_path, 1, keys=1, workers=2)
    before = logins(cluster)
    cluster.shims[0].rule("GetTokenInfo", f"flags {flag}")
    with pool_of(cluster.file, all_ready=False) as device:
        eventually(lambda: locked(device), "locked", 30)
        (told,) = device.states()
        assert "a person must log in to it first" in told.reason
        assert (told.zh, told.en) == ("已锁定，需要人工处理", "Locked, a person is needed")
        assert logins(cluster) == before
        cluster.shims[0].heal()
        # the person has logged in: nobody has to restart the service
        eventually(lambda: states(device) == ["healthy"], "used again", 40)


def test_a_pin_that_was_changed_meanwhile_is_tried_once(tmp_path: Path) -> None:
    """F28. The processes that are logged in go on; no new one gets in."""
    cluster = Cluster(tmp_path, 2, keys=1, workers=3)
    with pool_of(cluster.file) as device:
        eventually(lambda: len(device.pids) == 6, "all processes run", 30)
        _log_in_by_hand(cluster.tokens[0], cluster.pin_file.read_text(), "87654321")
        before = logins(cluster)
        for pid in device.members[0].pids:
            os.kill(pid, signal.SIGKILL)
        assert good(sign(device, cluster.keys, 60)) == 60
        eventually(lambda: states(device) == ["locked", "healthy"], "one member is locked", 30)
    with pool_of(cluster.file, all_ready=False) as device:
        eventually(lambda: states(device) == ["locked", "healthy"], "and stays so after a restart", 60)
        assert good(sign(device, cluster.keys, 20)) == 20
    assert logins(cluster)[0] - before[0] == 1


def test_a_first_attempt_that_was_broken_off_is_not_repeated(tmp_path: Path) -> None:
    """Nobody knows whether the token counted it."""
    cluster = Cluster(tmp_path, 1, keys=1, workers=2)
    before = logins(cluster)
    cluster.shims[0].rule("Login", "crash", times=1)
    for _ in range(3):
        with pool_of(cluster.file, all_ready=False) as device:
            eventually(lambda: locked(device), "locked", 30)
            assert "broken off" in device.states()[0].reason
    assert logins(cluster)[0] - before[0] == 1


def test_a_login_with_a_pin_that_was_let_in_before_may_be_repeated(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, 1, keys=1)
    with pool_of(cluster.file) as device:
        cluster.shims[0].rule("Login", "crash", times=2)
        os.kill(device.pids[0], signal.SIGKILL)
        eventually(lambda: cluster.shims[0].calls("Login") >= 4, "logged in again", 40)
        eventually(lambda: states(device) == ["healthy"], "used again", 40)
        assert good(sign(device, cluster.keys, 20)) == 20


def test_no_attempt_is_made_where_it_could_not_be_remembered(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, 1, keys=1)
    before = logins(cluster)
    devices = settings.read(cluster.file)
    (tmp_path / "memory").rmdir()
    pool = Pool(devices)
    try:
        eventually(lambda: "attempts cannot be remembered" in pool.devices["hsm"].down, "told", 30)
    finally:
        pool.close()
    assert logins(cluster) == before
