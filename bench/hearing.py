"""A tenant that filed its documents and hears of customs: by the use cases and the handler that processes run.

Documents have the same ids in every tenant, so that what becomes of them can be compared.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import psycopg

from bench.courses import Paper, Said, Subject, World
from documents import body as bodies
from documents.spec import DocumentType
from filing import events, ids
from filing.store import documents as store
from filing.usecases import submit
from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from tests.support.course import EVERY_KIND
from tests.support.filing import TRANSFER, Office, clerk

#: what the consume process takes at once
BATCH = 100
#: documents that are stored or filed in one transaction
CHUNK = 1_000
#: what is compared of every document: what people and customs see of it, but for times and ids of our own
COMPARED = ("state", "state_rank", "state_time", "settled", "customs_status", "return_info", "number", "natural_key",
            "app_type", "attempt", "body")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hearer:
    """One tenant. guids: by what was filed."""

    desk: Office
    handler: events.Handler
    guids: Mapping[Subject, str]
    token: str

    def hear(self, batch: Sequence[bytes]) -> None:
        """Messages of customs arrive, in one delivery of the bus each."""
        headers = {"tenant": self.desk.actor.tenant_id, "actor": self.token, "type": "ReceiptArrived"}
        self.handler([
            Delivery("receipt.arrived", {**headers, "id": str(uuid.uuid4())}, body, None) for body in batch
        ])  # fmt: skip

    def message(self, said: Sequence[Said]) -> bytes:
        """What the gateway tells of one message of customs; all its items answer the same kind of message."""
        event = events_pb2.ReceiptArrived(
            raw_id=str(uuid.uuid4()), message_type=said[0].root, received_at="2026-11-20T08:00:00+00:00"
        )
        for one in said:
            guid = one.guid or (self.guids[one.subject] if one.subject else "")
            item = event.items.add(
                guid=guid,
                status=one.status,
                return_time=one.time,
                info=f"回执{one.status}",
                fields=one.fields,
            )
            for line in one.lines:
                item.lines.add(fields=line)
        return event.SerializeToString()


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """One after the other, of that size; the last may be smaller."""
    for first in range(0, len(items), size):
        yield items[first : first + size]


def settle(office: Office, verifier: ActorVerifier, world: World) -> Hearer:
    """A new tenant that filed everything, heard what came before, and amended, withdrew and filed again."""
    desk = replace(office, actor=replace(clerk(), enterprise_kinds=EVERY_KIND))
    token = desk.token
    papers = sorted(world.papers, key=lambda paper: (paper.kind == "list", paper.kind))
    for kind, group in groupby(papers, key=lambda paper: paper.kind):
        some = list(group)
        for chunk in chunks(some, CHUNK):
            _store(desk, some[0].doctype, chunk)
        _file(desk, token, kind, [paper.id for paper in some])
    first = {Subject(paper.kind, paper.number): ids.guid_of(paper.id, 1) for paper in papers}
    hearer = Hearer(desk, events.Handler(desk.filing, verifier, "bench.receipts"), first, token)
    for batch in chunks([hearer.message([said]) for said in world.before], BATCH):
        hearer.hear(batch)
    return replace(hearer, guids=first | _revised(desk, token, papers))


def _store(desk: Office, doctype: DocumentType, papers: Sequence[Paper]) -> None:
    """As an import stores them."""
    state, rows, keys, refs = doctype.lifecycle.by_name["checked"], [], [], []
    for paper in papers:
        content = bodies.complete(doctype, paper.body)
        terms = bodies.terms(doctype, content)
        rows.append(
            (paper.id, paper.number, bodies.natural_key(doctype, content["head"]), json.dumps(content))
        )
        keys += [(name, value, paper.id) for name, value in terms.keys]
        refs += [(name, value, paper.id) for name, value in terms.refs]
    common = {
        "kind": doctype.kind, "state": state.name, "rank": state.rank, "batch_no": "", "mandate": None,
        "created_by": desk.actor.label, "what": "imported", "detail": "{}", "task": None,
    }  # fmt: skip
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        assert store.insert_many(connection, rows, keys, refs, common) == len(rows)


def _file(desk: Office, token: str, kind: str, new: Sequence[str]) -> None:
    for chunk in chunks(new, CHUNK):
        results = submit.declare(desk.filing, desk.actor, token, kind, list(chunk), TRANSFER)
        problems = [result.problem for result in results if result.problem is not None]
        assert not problems, (kind, problems[0], problems[0].details)


def _revised(desk: Office, token: str, papers: Sequence[Paper]) -> dict[Subject, str]:
    """The guids of what is filed a second time."""
    guids: dict[Subject, str] = {}
    for kind in dict.fromkeys(paper.kind for paper in papers):
        again = [paper for paper in papers if paper.kind == kind and paper.again]
        if again:
            _file(desk, token, kind, [paper.id for paper in again])
        guids |= {Subject(kind, paper.number, attempt=2): ids.guid_of(paper.id, 2) for paper in again}
        for action in ("amend", "delete"):
            some = [paper.id for paper in papers if paper.kind == kind and paper.revised == action]
            if not some:
                continue
            if action == "amend":
                results = submit.amend(desk.filing, desk.actor, token, kind, some)
                _file(desk, token, kind, [result.new_id for result in results])
            else:
                results = submit.delete(desk.filing, desk.actor, token, kind, some, TRANSFER)
            guids |= {
                Subject(kind, result.number, revision=2): ids.guid_of(result.new_id, 1) for result in results
            }
    return guids


def outcome(admin: str, tenant_id: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every document of a tenant as it ended, by what names it in every tenant."""
    with psycopg.connect(admin) as connection:
        rows = connection.execute(
            f"SELECT kind, number, revision, coalesce(body->'head'->>'guid', ''), {', '.join(COMPARED)} FROM document"  # noqa: S608 - our own names
            " WHERE tenant_id = %s AND deleted_at IS NULL",
            (tenant_id,),
        ).fetchall()
    found = {row[:4]: dict(zip(COMPARED, row[4:], strict=True)) for row in rows}
    assert len(found) == len(rows), "two documents under one name"
    return found


def kept(admin: str, tenant_id: str) -> tuple[int, int]:
    """Receipts kept, and how often they came in all."""
    with psycopg.connect(admin) as connection:
        row = connection.execute(
            "SELECT count(*), coalesce(sum(times), 0) FROM receipt WHERE tenant_id = %s", (tenant_id,)
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
