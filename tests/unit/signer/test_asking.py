"""What becomes of messages whose device does not answer: they wait again, and it is asked no more than once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from runtime.errors import unavailable
from services.signer import signing
from services.signer.devices import RemoteDevice
from services.signer.signing import Manner, Signing, Work
from tests.unit.signer.test_domain import KEY, SUBMISSION

NAMESPACES = (("ceb", "http://www.chinaport.gov.cn/ceb"),)


class Down:
    """A device that is asked, and is down."""

    workers = 1
    mechanisms = frozenset({"digest-info"})

    def __init__(self) -> None:
        self.asked = 0

    def sign(self, asked: Any, *, urgent: bool) -> Any:
        self.asked += 1
        raise unavailable("签名设备", "The signing device")


def test_a_device_that_is_down_is_asked_once_for_all() -> None:
    submission = replace(SUBMISSION, xml=b"<ceb:CEB303Message></ceb:CEB303Message>")
    works = [Work(submission, b"", KEY, NAMESPACES) for _ in range(10 * signing.PIECE)]
    device = Down()
    signing.sign(cast("Signing", None), cast("RemoteDevice", device), works, Manner())
    assert device.asked == 1
    assert all(work.put_back and not work.refusal and not work.final for work in works)
