"""gRPC in front of the tokens: the only process that knows a PIN. It decides nothing but whose key an actor may use.

Must never use a key for an actor of another tenant, whoever calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proto.signer.v1 import devices_pb2 as pb
from runtime.actor import ActorVerifier
from runtime.errors import Problem, not_found
from services.signer.emit import rfc3339
from services.signer.tokens.base import SignRequest, TokenError
from services.signer.tokens.pool import Device, Pool
from services.signer.tokens.states import MemberState

#: items of one call: a frame for each of many workers
MAX_ITEMS = 4096


class DevicesServicer:
    """proto/signer/v1/devices.proto. failing: name of each key whose last probe did not work -> why."""

    def __init__(self, pool: Pool, verifier: ActorVerifier, failing: Mapping[str, str]) -> None:
        self._pool = pool
        self._verifier = verifier
        self._failing = failing

    def Describe(self, _request: Any, _context: Any) -> Any:
        return pb.DescribeReply(
            devices=[_device(name, device) for name, device in self._pool.devices.items()],
            failing=[pb.Failing(key=key, reason=reason) for key, reason in list(self._failing.items())],
        )

    def Sign(self, request: Any, _context: Any) -> Any:
        device = self._pool.devices.get(request.device)
        if device is None:
            raise not_found()
        requests = [one for group in request.groups for one in self._checked(group)]
        if len(requests) > MAX_ITEMS:
            raise Problem("too_large", f"一次最多 {MAX_ITEMS} 项。", f"At most {MAX_ITEMS} items a call.")
        device.wait_ready(device.settings.patience)
        return _reply(device.sign(requests, urgent=request.urgent))

    def _checked(self, group: Any) -> list[SignRequest]:
        key, mechanism = group.key, group.mechanism
        if not key.startswith(self._verifier.verify(group.actor, event=True).tenant_id + "/"):
            raise Problem(
                "forbidden",
                "密钥不属于请求人所在的租户。",
                "The key does not belong to the tenant of the actor who asked.",
            )
        return [SignRequest(key, mechanism, data) for data in group.data]


def _reply(answers: Sequence[bytes | TokenError]) -> Any:
    failed = [(place, answer) for place, answer in enumerate(answers) if isinstance(answer, TokenError)]
    return pb.SignReply(
        signatures=[b"" if isinstance(answer, TokenError) else answer for answer in answers],
        failed=[pb.Failed(place=place, code=error.code, reason=error.reason) for place, error in failed],
    )


def _device(name: str, device: Device) -> Any:
    info = device.info
    return pb.Device(
        name=name,
        ready=info is not None,
        info=info.name if info else "",
        hardware=bool(info and info.hardware),
        mechanisms=sorted(info.mechanisms) if info else [],
        workers=sum(member.workers for member in device.settings.members),
        patience=device.settings.patience,
        trouble=device.down or ("" if info else device.trouble),
        members=[_member(state) for state in device.states()],
    )


def _member(state: MemberState) -> Any:
    return pb.Member(
        name=state.member,
        state=state.state,
        zh=state.zh,
        en=state.en,
        reason=state.reason,
        since=rfc3339(state.since),
    )
