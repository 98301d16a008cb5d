"""Fixtures that any test may ask for: real servers, or the whole running stack.

Session-wide: started when the first test asks, stopped at the end. Nothing here is a stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.support.stack import BASE, Stack, clear_up, running

# how long an example takes says more about the machine than about the code: speed is shown by bench/, not by tests
settings.register_profile("tongguan", deadline=None)
settings.load_profile("tongguan")


@pytest.fixture(scope="session", autouse=True)
def _no_leftovers() -> None:
    """Servers of test runs that were killed are stopped before new ones start."""
    clear_up()


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Any]]:
    """PostgreSQL, Redis, RabbitMQ and a token, with databases, roles and virtual hosts: the parsed servers.json."""
    with running(BASE / "servers", "servers") as run_dir:
        yield json.loads((run_dir / "servers.json").read_text())


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Everything in topology.toml with the demo's tenants, on free ports: the parsed stack.json."""
    with running(BASE / "stack", "up") as run_dir:
        yield Stack(json.loads((run_dir / "stack.json").read_text()), run_dir)
