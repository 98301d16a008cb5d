"""The whole signer with an HSM of three members: messages go on while members hang and die, and wait when none is left.

The three are ways to one SoftHSM token, as slots of a cluster are to its keys; each has a shim of its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from proto.events.v1 import events_pb2
from tests.support import tokens
from tests.support.eventually import eventually
from tests.support.signing import SignerSide, Tenant
from tools import devices

MESSAGES = 300


@pytest.fixture(scope="module")
def side(servers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignerSide]:
    made = SignerSide(servers, tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def shims(side: SignerSide) -> list[tokens.Shim]:
    made = [tokens.Shim(side.folder / f"shim-{number}") for number in range(3)]
    members = [
        shim.through(side.token.member(f"slot-{number}", workers=1)) for number, shim in enumerate(made)
    ]
    devices.write(side.devices_file, side.folder / "memory", {"pkcs11": ("pkcs11", members)})
    return made


def ready(side: SignerSide, seen: list[Any]) -> list[str]:
    seen += [told.body for told in side.told()]
    assert not [body for body in seen if isinstance(body, events_pb2.MessageRefused)]
    return [body.message_id for body in seen if isinstance(body, events_pb2.MessageReady)]


def test_members_that_hang_and_die_cost_no_message(side: SignerSide, shims: list[tokens.Shim]) -> None:
    tenant = Tenant()
    side.equip(tenant)
    side.start("consume")
    side.start("relay")
    eventually(lambda: len(side.token_processes()) == 3, "all members work", 40)
    sent = [side.submission(tenant) for _ in range(MESSAGES)]
    side.publish(tenant.actor(), *sent)
    seen: list[Any] = []
    eventually(lambda: len(ready(side, seen)) >= 20, "work is under way", 40)
    shims[1].rule("Sign", "hang")
    os.kill(side.token_processes()[0], signal.SIGKILL)
    eventually(lambda: len(ready(side, seen)) >= MESSAGES, "all messages are signed", 60)
    assert sorted(ready(side, seen)) == sorted(one.message_id for one in sent)
    assert len(side.rows(tenant, "SELECT 1 FROM signature")) == MESSAGES
    assert side.ready("consume")[0] == 200
    shims[1].heal()
    eventually(lambda: len(side.token_processes()) == 3, "all members are used again", 40)


def test_without_a_member_messages_wait_and_the_reason_is_told(
    side: SignerSide, shims: list[tokens.Shim]
) -> None:
    tenant = Tenant()
    side.equip(tenant)
    side.start("consume")
    side.start("relay")
    for shim in shims:
        shim.rule("Login", f"rv {tokens.DEVICE_REMOVED}")
        shim.rule("Sign", f"rv {tokens.DEVICE_REMOVED}")
    sent = [side.submission(tenant) for _ in range(5)]
    side.publish(tenant.actor(), *sent)
    eventually(lambda: "DeviceRemoved" in side.ready("consume")[1].get("pkcs11", ""), "the reason", 40)
    seen: list[Any] = []
    assert ready(side, seen) == []
    for shim in shims:
        shim.heal()
    eventually(lambda: len(ready(side, seen)) == 5, "what waited is signed", 60)
    assert sorted(ready(side, seen)) == sorted(one.message_id for one in sent)
