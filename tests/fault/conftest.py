"""Fault tests: one stack, broken again and again, and a record of what was broken and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.common import Report, median
from tests.fault.evidence import Evidence
from tests.fault.killing import Killer
from tests.support.stack import Stack


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--requests", type=int, default=10_000, help="requests of test_signer_kills.py")


@pytest.fixture(scope="session")
def killer(stack: Stack) -> Iterator[Killer]:
    made = Killer(stack)
    yield made
    made.disarm()


@pytest.fixture(scope="session")
def evidence(stack: Stack) -> Evidence:
    return Evidence(stack)


@pytest.fixture(scope="session")
def record(killer: Killer, evidence: Evidence) -> Iterator[Report]:
    """bench/results/fault.json, written at the end with what the tests have put in."""
    made = Report("fault")
    yield made
    made.add("processes killed", len(killer.kills), "kills")
    made.add("named crash points hit", len(killer.points), "points")
    again = evidence.counts()["duplicates_received"]
    made.add("messages sent again, which customs knew by their id", again, "messages")
    if killer.recoveries:
        made.add("from a kill until all are ready, median", median(killer.recoveries), "s")
        made.add("from a kill until all are ready, longest", max(killer.recoveries), "s")
    if made.figures:
        made.finish()
