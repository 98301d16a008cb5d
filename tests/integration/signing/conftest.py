"""One signer for all tests of this folder: real PostgreSQL, RabbitMQ and SoftHSM, its own processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.signing import SignerSide, Tenant


@pytest.fixture(scope="package")
def whole(servers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignerSide]:
    made = SignerSide(servers, tmp_path_factory.mktemp("signer"))
    yield made
    made.close()


@pytest.fixture
def side(whole: SignerSide) -> SignerSide:
    """A signer that consumes and relays, with nothing left over from the test before."""
    whole.start("consume")
    whole.start("relay")
    whole.told()
    whole.parked()
    return whole


@pytest.fixture
def tenant(whole: SignerSide) -> Tenant:
    """A tenant whose RSA key is active."""
    made = Tenant()
    whole.equip(made)
    return made
