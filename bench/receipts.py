"""python -m bench.receipts: what customs says, repeated and in any order, ends as if it came once and in order.

The very handler that the consume process runs, with inbox, outbox and row-level security. One tenant hears each
message one to three times, shuffled; another with equal documents hears each receipt once, in customs' order of time.
The rate is compared with the usual way, which commits each receipt (bench.naive_receipts).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from sqlalchemy import text

from bench.common import Report, median, spread
from bench.courses import Said, World, world
from bench.hearing import BATCH, COMPARED, Hearer, chunks, kept, outcome, settle
from bench.meter import Meter, Run, total
from bench.naive_receipts import NaiveReceipts
from documents.receipts import is_time
from documents.registry import REGISTRY
from runtime import log
from runtime.actor import ActorVerifier
from tests.support.filing import office
from tests.support.stack import BASE, new_database, running

GOAL = 4.0  # times less CPU for a receipt than the usual way
#: messages of one round: ours takes all of them, the usual way a part
ROUND, NAIVE_SHARE = 2_000, 5
#: states that no answer of customs about the document itself leads to
BY_OTHERS = sorted({name for doctype in REGISTRY.types for name in doctype.lifecycle.by_others})
#: differences that are printed
SHOWN = 10

_WATCH = (
    "CREATE SCHEMA bench",
    """CREATE TABLE bench.move (seq bigint GENERATED ALWAYS AS IDENTITY, id uuid, kind text, before int, after int,
        time_before text COLLATE "C", time_after text COLLATE "C", state_before text, state_after text)""",
    """CREATE FUNCTION bench.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS
        $$ BEGIN
            INSERT INTO bench.move (id, kind, before, after, time_before, time_after, state_before, state_after)
            VALUES (NEW.id, NEW.kind, OLD.state_rank, NEW.state_rank, OLD.state_time, NEW.state_time, OLD.state, NEW.state);
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER bench_note AFTER UPDATE ON document FOR EACH ROW
        WHEN ((OLD.state, OLD.state_rank, OLD.state_time) IS DISTINCT FROM (NEW.state, NEW.state_rank, NEW.state_time))
        EXECUTE FUNCTION bench.note()""",
)  # fmt: skip
# a state that another document led to stays whatever customs says then; of what is said the greatest is shown, too,
# but its time stands beside that state's rank and says nothing about it
_MOVES = (
    "SELECT count(*), count(*) FILTER (WHERE (after, time_after) < (before, time_before)"
    "  AND NOT (state_before = state_after AND state_after = ANY(%s))),"
    " count(*) FILTER (WHERE after < before) FROM bench.move"
)


def messages(said: Sequence[Said], chance: random.Random) -> list[list[Said]]:
    """Messages as customs sends them: items of one kind of message, one to five, and each message one to three times."""
    by_root: dict[str, list[Said]] = {}
    for one in chance.sample(said, len(said)):
        by_root.setdefault(one.root, []).append(one)
    made = []
    for some in by_root.values():
        first = 0
        while first < len(some):
            size = chance.randint(1, 5)
            made += [some[first : first + size]] * chance.randint(1, 3)
            first += size
    chance.shuffle(made)
    return made


def in_order(said: Sequence[Said]) -> list[Said]:
    """Each once, in customs' order of time; what names no time comes first, as it counts."""
    return sorted(said, key=_time)


def _time(one: Said) -> str:
    moment = one.time or one.fields.get("opDate", "")
    return moment if is_time(moment) else ""


class Bench:
    """One database with the tenants that are compared."""

    def __init__(self, servers: Mapping[str, Any], documents: int) -> None:
        log.configure("bench.receipts", "WARNING")
        self._servers = servers
        self._office = office(servers)
        self._verifier = ActorVerifier(Path(servers["actor_public_key_file"]))
        self.world: World = world(documents)
        self._chance = random.Random(1)  # noqa: S311 - the same in every run
        with self._office.filing.database.transaction(None) as connection:
            self.database = str(connection.execute(text("SELECT current_database()")).scalar_one())
        place = urlsplit(servers["postgres_url"])
        self._admin = urlunsplit((place.scheme, place.netloc, f"/{self.database}", place.query, ""))

    def close(self) -> None:
        """Give the connections back."""
        self._office.filing.database.close()

    def settle(self) -> Hearer:
        """A tenant more."""
        return settle(self._office, self._verifier, self.world)

    def states(self, report: Report) -> None:
        """The same receipts in two orders; where they end, and whether anything went back."""
        shuffled, ordered = self.settle(), self.settle()
        with psycopg.connect(self._admin, autocommit=True) as connection:
            for statement in _WATCH:
                connection.execute(statement)
        sent = messages(self.world.said, self._chance)
        for batch in chunks([shuffled.message(items) for items in sent], BATCH):
            shuffled.hear(batch)
        with psycopg.connect(self._admin, autocommit=True) as connection:
            moves, back, ranks_back = connection.execute(_MOVES, (BY_OTHERS,)).fetchall()[0]
            connection.execute("DROP TRIGGER bench_note ON document")
        for batch in chunks([ordered.message([one]) for one in in_order(self.world.said)], BATCH):
            ordered.hear(batch)
        there, here = (outcome(self._admin, one.desk.actor.tenant_id) for one in (shuffled, ordered))
        wrong = list(differences(there, here))
        once, again = (kept(self._admin, one.desk.actor.tenant_id) for one in (ordered, shuffled))
        report.add("documents", len(here), "documents")
        report.add("receipts", len(self.world.said), "receipts")
        report.add("items that came, shuffled", sum(map(len, sent)), "items")
        report.at_most("documents that ended differently", len({name for name, *_ in wrong}), "documents", 0)
        for name, count in Counter(column for _, column, *_ in wrong).most_common():
            report.add(f"  differing in {name}", count, "documents")
        report.at_most("backward moves", back, "moves", 0)
        report.add("  to a lower rank", ranks_back, "moves")
        report.add("  of all", moves, "moves")
        report.at_most("receipts kept once differ from those of the ordered tenant", abs(once[0] - again[0]),
                       "receipts", 0)  # fmt: skip
        for line in wrong[:SHOWN]:
            print(*line, sep="\n    ")
        states = Counter(f"{name[0]} {row['state']}" for name, row in here.items())
        print(", ".join(f"{count} {state}" for state, count in sorted(states.items())))

    def rate(self, report: Report, rounds: int) -> None:
        """The shuffled messages once more, by turns with the usual way."""
        hearer = self.settle()
        urls = new_database(self._servers, "order")
        naive = NaiveReceipts(urls["owner"], self.world.papers)
        sent = messages(self.world.said, self._chance)
        ours: list[tuple[float, Run]] = []
        theirs: list[tuple[float, Run]] = []
        with psycopg.connect(self._servers["postgres_url"], autocommit=True) as admin:
            meters = Meter(admin, self.database), Meter(admin, urls["name"])
            for some in list(chunks(sent, min(ROUND, len(sent) // (rounds + 1) or 1)))[: rounds + 1]:
                bodies = [hearer.message(items) for items in some]
                less = some[: max(1, len(some) // NAIVE_SHARE)]
                ours.append(_each(meters[0], partial(self._hear, hearer, bodies), some))
                theirs.append(_each(meters[1], partial(naive.run, bodies[: len(less)]), less))
        naive.close()
        _figures(report, ours[1:], theirs[1:])

    @staticmethod
    def _hear(hearer: Hearer, bodies: Sequence[bytes]) -> Run:
        began = time.perf_counter()
        for batch in chunks(bodies, BATCH):
            hearer.hear(batch)
        return {"clock": time.perf_counter() - began}


def _each(meter: Meter, work: Any, sent: Sequence[Sequence[Said]]) -> tuple[float, Run]:
    """(items, what they cost)."""
    return float(sum(map(len, sent))), meter.measure(work)


def _figures(report: Report, ours: Sequence[tuple[float, Run]], theirs: Sequence[tuple[float, Run]]) -> None:
    def each(runs: Sequence[tuple[float, Run]], part: str = "") -> list[float]:
        return [1e6 * (run[part] if part else total(run)) / items for items, run in runs]

    ratios = [their / our for our, their in zip(each(ours), each(theirs), strict=True)]
    report.at_least("usual way / ours, CPU", median(ratios), "times", GOAL)
    report.add("… spread of the rounds", spread(ratios), "%")
    report.add("ours, all", median(each(ours)), "µs CPU/receipt")
    report.add("  the consumer", median(each(ours, "own")), "µs CPU/receipt")
    report.add("  PostgreSQL", median(each(ours, "database")), "µs CPU/receipt")
    report.add("  taken in", median(1e6 / value for value in each(ours, "clock")), "receipts/s")
    report.add("usual way, all", median(each(theirs)), "µs CPU/receipt")
    report.add("  PostgreSQL", median(each(theirs, "database")), "µs CPU/receipt")


def differences(
    one: Mapping[tuple[Any, ...], Mapping[str, Any]], other: Mapping[tuple[Any, ...], Mapping[str, Any]]
) -> Iterator[tuple[Any, ...]]:
    """(document, column, value of one, value of the other)."""
    for name in sorted(one.keys() | other.keys()):
        for column in COMPARED:
            values = one.get(name, {}).get(column), other.get(name, {}).get(column)
            if values[0] != values[1]:
                yield name, column, *values


def measure(servers: Mapping[str, Any], documents: int, rounds: int) -> Report:
    """End states first, then the rate."""
    report = Report("receipts")
    report.measured_on(servers["postgres_url"])
    bench = Bench(servers, documents)
    bench.states(report)
    bench.rate(report, rounds)
    bench.close()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.receipts", description=__doc__)
    parser.add_argument("--documents", type=int, default=11_000, help="about five receipts come for each")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--servers", type=Path, help="a servers.json of servers that run already")
    asked = parser.parse_args()
    if asked.servers:
        return measure(json.loads(asked.servers.read_text()), asked.documents, asked.rounds).finish()
    with running(BASE / "servers", "servers") as run_dir:
        servers = json.loads((run_dir / "servers.json").read_text())
        return measure(servers, asked.documents, asked.rounds).finish()


if __name__ == "__main__":
    sys.exit(main())
