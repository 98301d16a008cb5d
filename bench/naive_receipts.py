"""Receipts taken in as it is usually done: one after the other, each read, judged and committed, with SQLAlchemy's ORM.

The other side of bench.receipts. It has it easier: no row-level security, no inbox, no event to anybody, nothing that
follows for other documents.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.courses import Paper
from documents.body import natural_key
from documents.receipts import effect
from documents.spec import DocumentType
from filing import ids
from proto.events.v1 import events_pb2
from runtime.db import sqlalchemy_url


class Base(DeclarativeBase):
    """The naive tables."""


class Document(Base):
    """A document as receipts change it."""

    __tablename__ = "naive_document"
    __table_args__ = (Index("naive_document_key", "natural_key"), Index("naive_document_guid", "guid"))
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    natural_key: Mapped[str] = mapped_column(String(300))
    guid: Mapped[str] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(20))
    rank: Mapped[int]
    time: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20))
    info: Mapped[str] = mapped_column(String(1000))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class Receipt(Base):
    """A receipt as it came."""

    __tablename__ = "naive_receipt"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str | None] = mapped_column(ForeignKey("naive_document.id"), index=True)
    status: Mapped[str] = mapped_column(String(20))
    return_time: Mapped[str] = mapped_column(String(40))
    info: Mapped[str] = mapped_column(String(1000))
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)


class NaiveReceipts:
    """One database with the naive tables, filled with the papers."""

    def __init__(self, url: str, papers: Iterable[Paper]) -> None:
        self._engine = create_engine(sqlalchemy_url(url))
        Base.metadata.create_all(self._engine)
        self._types: dict[str, DocumentType] = {}
        with Session(self._engine) as session:
            for paper in papers:
                form = paper.doctype.receipt
                assert form is not None
                self._types[form.root] = paper.doctype
                session.add(Document(
                    id=paper.id, kind=paper.kind, natural_key=natural_key(paper.doctype, paper.body["head"]),
                    guid=ids.guid_of(paper.id, 1), state="sent", rank=4, time="", status="", info="",
                    body=dict(paper.body),
                ))  # fmt: skip
            session.commit()

    def run(self, events: Iterable[bytes]) -> Mapping[str, float]:
        """Take messages of receipts, one commit for each receipt."""
        began = time.process_time()
        for body in events:
            event = events_pb2.ReceiptArrived.FromString(body)
            doctype = self._types.get(event.message_type)
            for item in event.items:
                if doctype is not None:
                    with Session(self._engine) as session:
                        self._take(session, doctype, item)
                        session.commit()
        return {"taken": time.process_time() - began}

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _take(self, session: Session, doctype: DocumentType, item: events_pb2.ReceiptItem) -> None:
        fields = dict(item.fields)
        wanted = (Document.guid == item.guid) | (Document.natural_key == natural_key(doctype, fields))
        document = session.scalars(select(Document).where(wanted).with_for_update()).first()
        session.add(Receipt(
            document_id=document.id if document else None, status=item.status, return_time=item.return_time,
            info=item.info, fields=fields,
        ))  # fmt: skip
        if document is None:
            return
        move, place = effect(doctype, item.status), f"{item.return_time} {item.status}"
        if move.state is not None and (document.rank, document.time) < (move.rank, place):
            document.state, document.rank, document.time = move.state, move.rank, place
            document.status, document.info = item.status, item.info
        assert doctype.receipt is not None
        numbers = {name: fields[name] for name in doctype.receipt.fills if fields.get(name)}
        lacking = {name: value for name, value in numbers.items() if not document.body["head"].get(name)}
        if lacking:
            document.body = {**document.body, "head": {**document.body["head"], **lacking}}
