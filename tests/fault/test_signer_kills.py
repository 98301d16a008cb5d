"""The signer's processes, tokens and broker are killed while requests come three times: each is signed once.

An HSM of three members; every final message is judged by python-xmlsec and the certificate that the key is bound to.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
import xmlsec

from bench.common import Report, median
from proto.events.v1 import events_pb2
from services.signer.store import keys
from tests.fault import signer_work
from tests.fault.evidence import Evidence
from tests.fault.killing import Killer
from tests.fault.signer_killing import VICTIMS, SignerKiller, plan
from tests.fault.signer_work import COPIES, Publisher, Request
from tests.support.eventually import eventually
from tests.support.signing import SignerSide, Tenant
from tests.support.stack import BASE, Stack, running
from tests.support.tokens import Cluster
from tests.support.verdicts import Books, judge

SEED = 20261127
TENANTS = 5
MEMBERS = 3
#: steps of a run: at least so many, and one for so many requests
LEAST_STEPS, REQUESTS_A_STEP = 14, 250
#: seconds without any new signature after which waiting has no use
STUCK = 120.0


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of its own: their broker dies."""
    with running(BASE / "signer-kills", "servers") as run_dir:
        yield Stack({}, run_dir)


@pytest.fixture(scope="module")
def side(ground: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignerSide]:
    made = SignerSide(ground.servers(), tmp_path_factory.mktemp("signer"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def cluster(side: SignerSide, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The signer's only device; a key for each tenant in every member."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), MEMBERS, keys=TENANTS)
    side.devices_file.write_text(made.file.read_text())
    return made


@pytest.fixture(scope="module")
def tenants(side: SignerSide, cluster: Cluster) -> list[Tenant]:
    """Each with an active key that all members hold."""
    made = []
    for name in cluster.keys:
        tenant_id, _, key_id = name.partition("/")
        tenant = Tenant(id=tenant_id)
        wanted = {
            "tenant_id": tenant.id,
            "id": key_id,
            "enterprise_code": tenant.code,
            "label": "集群密钥",
            "algorithm": "rsa-sha1",
            "device_kind": "hsm",
        }
        # provisioning goes on with the key that is asked for and there already, as after a vendor's replication
        with side.database.transaction(tenant.id) as connection:
            keys.request(connection, wanted)
        side.equip(tenant)
        made.append(tenant)
    side.pool.close()
    return made


@pytest.fixture(scope="module")
def killer(ground: Stack, side: SignerSide, cluster: Cluster) -> SignerKiller:
    return SignerKiller(side, cluster, Killer(ground), random.Random(SEED))


def test_each_request_is_signed_once_while_everything_is_killed(
    request: pytest.FixtureRequest,
    ground: Stack,
    side: SignerSide,
    tenants: list[Tenant],
    killer: SignerKiller,
) -> None:
    count = request.config.getoption("requests")
    books = Books(side.servers, side.urls["name"])
    wanted = signer_work.requests(side, tenants, count)
    course = _run(side, books, killer, wanted)
    told = _rest(side, books, Evidence(ground), course, wanted)
    outcomes, chains = books.outcomes(), [_chain(side, tenant) for tenant in tenants]
    accepted, wrong = books.signatures(), _wrong(books, wanted, told)

    report = Report("fault-signer")
    report.add("requests", count, "requests")
    report.add("… published", COPIES * count, "deliveries")
    report.add("… under different event ids", course.events, "events")
    report.add("… not signed yet when the last kill was over", course.unfinished, "requests")
    report.add("waiting when something was killed, all kills together", course.hit["waiting"], "requests")
    report.add("being signed when something was killed, all kills together", course.hit["taken"], "requests")
    report.add("publications repeated because the broker was away", course.repeated, "batches")
    for victim in VICTIMS:
        report.add(f"kills of {victim}", killer.kills[victim], "kills")
    report.at_most("requests without a signature", count - len(accepted), "requests", 0)
    report.at_most("signed twice", _sum(outcomes, lambda one: one[0] > 1), "requests", 0)
    report.at_most("signed without an intent before", _sum(outcomes, lambda one: not one[2]), "requests", 0)
    report.at_most("refused", _sum(outcomes, lambda one: one[1] > 0), "requests", 0)
    report.at_most("ledgers whose chain does not hold", chains.count(False), "ledgers", 0)
    report.at_most("final messages that python-xmlsec does not accept", len(wrong), "messages", 0)
    report.add("signatures made once more and thrown away", _discarded(side), "signatures")
    report.add("final messages told again", sum(len(copies) - 1 for copies in told.values()), "events")
    report.add("from a kill until all are ready, median", median(killer.recoveries), "s")
    report.add("from a kill until all are ready, longest", max(killer.recoveries), "s")
    report.add("from the first request to the last signature", course.seconds, "s")
    report.finish()

    assert set(killer.kills) == set(VICTIMS)
    assert course.hit["taken"] > 0, "nothing was under way at any kill"
    assert set(accepted) == {one.submission.message_id for one in wanted}
    assert outcomes == {(1, 0, True): count}
    assert all(chains)
    assert wrong == []


@dataclass(frozen=True, slots=True)
class Course:
    """events: different ids; hit: what was waiting or being signed at kills; repeated: batches; unfinished: requests."""

    events: int
    hit: Counter[str]
    repeated: int
    unfinished: int
    seconds: float


def _run(side: SignerSide, books: Books, killer: SignerKiller, wanted: list[Request]) -> Course:
    """Publish and kill, until all are signed."""
    rng, pause = random.Random(SEED), threading.Event()
    for name in ("consume", "relay"):
        side.start(name)
    steps = max(LEAST_STEPS, len(wanted) // REQUESTS_A_STEP)
    dealt = signer_work.deal(wanted, steps, rng)
    events = {copy.event_id for step in dealt for copy in step}
    began, hit = time.monotonic(), Counter[str]()
    with Publisher(side) as publisher:
        for victims, copies in zip(plan(steps, rng), dealt, strict=True):
            publisher.publish(copies)
            pause.wait(rng.uniform(0.0, 1.5))  # the moment of death
            hit += _under_way(books)
            killer.kill(victims)
        publisher.join()
    unfinished = len(wanted) - len(books.signatures())
    _converge(books, len(wanted))
    return Course(len(events), hit, publisher.repeated, unfinished, time.monotonic() - began)


def _rest(
    side: SignerSide, books: Books, evidence: Evidence, course: Course, wanted: list[Request]
) -> dict[str, list[bytes]]:
    """Wait until nothing is left anywhere; what was told."""
    eventually(lambda: _inbox(books) == course.events, "every event was taken in", STUCK, 1)
    eventually(partial(_nothing, books.left), "no table has anything left", 60, 1)
    eventually(partial(_only_told, evidence), "no queue but the test's own has anything left", 60, 1)
    told = _told(side, wanted)
    # a quorum queue counts itself anew every few seconds
    eventually(partial(_nothing, evidence.backlog), "no queue has anything left", 60, 1)
    assert side.told() == []
    assert side.parked() == []
    return told


def _converge(books: Books, count: int) -> None:
    """Wait until all are signed, for as long as there is progress."""
    signed = len(books.signatures())
    while signed < count:
        before = signed
        signed = eventually(
            lambda before=before: (now := len(books.signatures())) > before and now,  # type: ignore[misc]
            f"more than {before} of {count} are signed",
            STUCK,
            1,
        )


def _told(side: SignerSide, wanted: list[Request]) -> dict[str, list[bytes]]:
    """Messages -> the final bytes, as often as they were told: once, or again by a relay that died in between."""
    ready: dict[str, list[bytes]] = {}
    for told in side.told():
        if isinstance(told.body, events_pb2.MessageReady):
            ready.setdefault(told.body.message_id, []).append(told.body.xml)
        assert not isinstance(told.body, events_pb2.MessageRefused), told
    assert set(ready) == {one.submission.message_id for one in wanted}
    return ready


def _wrong(books: Books, wanted: list[Request], told: dict[str, list[bytes]]) -> list[str]:
    """Messages whose final bytes are not those of the books, or do not hold."""
    accepted, bound, wrong = books.signatures(), books.certificates(), []
    for one in wanted:
        number = one.submission.message_id
        (final,) = set(told[number])
        try:
            assert hashlib.sha256(final).digest() == accepted[number]
            judge(final, one.submission.xml, bound[one.tenant.id])
        except (AssertionError, xmlsec.Error):
            wrong.append(number)
    return wrong


def _chain(side: SignerSide, tenant: Tenant) -> bool:
    return bool(json.loads(side.command("verify-ledger", "--tenant", tenant.id))["valid"])


def _discarded(side: SignerSide) -> int:
    """Second signatures that came too late, as the log has them."""
    lines = (line for line in side.log("consume").splitlines() if '"signer.discarded"' in line)
    return sum(int(json.loads(line)["count"]) for line in lines)


def _inbox(books: Books) -> int:
    return int(books.rows("SELECT count(*) FROM inbox")[0][0])


def _under_way(books: Books) -> Counter[str]:
    """Requests in the database that wait, and that are being signed."""
    rows = books.rows("SELECT CASE WHEN taken THEN 'taken' ELSE 'waiting' END, count(*) FROM job GROUP BY 1")
    return Counter({str(state): int(count) for state, count in rows})


def _sum(outcomes: Counter[tuple[int, int, bool]], which: Callable[[tuple[int, int, bool]], bool]) -> int:
    return sum(messages for outcome, messages in outcomes.items() if which(outcome))


def _nothing(look: Callable[[], dict[str, int]]) -> bool:
    seen = look()
    assert seen == {}, seen
    return True


def _only_told(evidence: Evidence) -> bool:
    """Every queue is empty but the one that the test will read."""
    backlog = evidence.backlog()
    assert {name for name in backlog if not name.endswith("test.signer.events")} == set(), backlog
    return True
