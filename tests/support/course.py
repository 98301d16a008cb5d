"""Documents of any kind at a desk: saved from their example, filed, and answered as customs would."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from documents.registry import REGISTRY
from filing.usecases import answers, content, look, progress, submit
from proto.events.v1 import events_pb2
from tests.support.definitions import assert_valid
from tests.support.filing import TRANSFER, Office

#: an enterprise that is everything, for tests that are not about who may send what
EVERY_KIND = ("ecommerce", "platform", "logistics", "payment", "operator", "logistics-b2b", "agent")


def example(kind: str, lines: Sequence[dict[str, str]] | None = None, **head: str) -> dict[str, Any]:
    """The declared example of a kind with other values; lines replace its lines."""
    doctype = REGISTRY.get(kind)
    assert doctype is not None
    assert doctype.example is not None
    body: dict[str, Any] = copy.deepcopy(dict(doctype.example))
    body["head"] = {**body["head"], **head}
    if lines is not None:
        body["lines"] = [dict(line) for line in lines]
    return body


@dataclass
class Answer:
    """One receipt: the document it speaks of, status, time, and what else it says."""

    kind: str
    document_id: str
    status: str
    time: str
    fields: dict[str, str] = field(default_factory=dict)


class Course:
    """Drives documents through their life at one desk."""

    def __init__(self, desk: Office) -> None:
        self.desk = desk

    def save(self, kind: str, body: dict[str, Any]) -> str:
        saved = content.save(self.desk.filing, self.desk.actor, kind, body)
        assert saved.warnings == []
        return saved.id

    def declare(self, kind: str, *ids: str, action: str = "declare") -> list[content.Result]:
        desk = self.desk
        return submit.declare(desk.filing, desk.actor, desk.token, kind, list(ids), TRANSFER, 0, action)

    def amend(self, kind: str, *ids: str) -> list[content.Result]:
        return submit.amend(self.desk.filing, self.desk.actor, self.desk.token, kind, list(ids))

    def delete(self, kind: str, *ids: str) -> list[content.Result]:
        return submit.delete(self.desk.filing, self.desk.actor, self.desk.token, kind, list(ids), TRANSFER)

    def row(self, kind: str, document_id: str) -> Any:
        return look.read(self.desk.filing, self.desk.actor, kind, document_id)

    def state(self, kind: str, document_id: str) -> str:
        return str(self.row(kind, document_id).state)

    def messages(self) -> list[bytes]:
        """The bytes of all messages so far, oldest first, each what its definition says."""
        with self.desk.filing.database.transaction(self.desk.actor.tenant_id) as connection:
            found = connection.execute(text("SELECT xml FROM message ORDER BY created_at, id")).scalars()
            return [assert_valid(bytes(xml)) for xml in found]

    def event_of(self, answer: Answer, row: Any) -> events_pb2.ReceiptArrived:
        """The event that the gateway would send for a receipt about that document."""
        doctype = REGISTRY.get(answer.kind)
        assert doctype is not None
        assert doctype.receipt is not None
        event = events_pb2.ReceiptArrived(
            raw_id=str(uuid.uuid4()),
            message_type=doctype.receipt.root,
            received_at="2026-11-20T08:00:00+00:00",
        )
        keys = {name: row.body["head"].get(name, "") for name in doctype.receipt.keys}
        event.items.add(
            guid=row.guid, status=answer.status, return_time=answer.time, info=f"回执{answer.status}",
            fields={**keys, **answer.fields},
        )  # fmt: skip
        return event

    def take(self, events: Iterable[events_pb2.ReceiptArrived]) -> None:
        """Events arrive, each in a transaction of its own."""
        for event in events:
            with self.desk.filing.database.transaction(self.desk.actor.tenant_id) as connection:
                answers.arrived(self.desk.filing, connection, [event])

    def answer(self, kind: str, document_id: str, *statuses: str, **fields: str) -> None:
        """Receipts with these statuses, in this order of time."""
        row = self.row(kind, document_id)
        self.take(
            self.event_of(Answer(kind, document_id, status, f"209911201504{number:02d}000", fields), row)
            for number, status in enumerate(statuses)
        )

    def sent(self, kind: str, document_id: str) -> None:
        """The message of a document was signed and sent."""
        event = events_pb2.MessageSent(
            message_id=str(self.row(kind, document_id).message_id),
            kind=kind,
            channel="amqp",
            sent_at="2026-11-20T08:00:00+00:00",
        )
        with self.desk.filing.database.transaction(self.desk.actor.tenant_id) as connection:
            progress.sent(self.desk.filing, connection, [event])

    def result(
        self, result: dict[str, str], lists: Sequence[dict[str, str]] = ()
    ) -> events_pb2.ReceiptArrived:
        """A summary result (CEB792) as the gateway tells it."""
        event = events_pb2.ReceiptArrived(
            raw_id=str(uuid.uuid4()), message_type="CEB792Message", received_at="2026-11-20T08:00:00+00:00"
        )
        item = event.items.add(guid=result.get("guid") or str(uuid.uuid4()).upper(), fields=result)
        for line in lists:
            item.lines.add(fields=line)
        return event
