"""What happens to filed documents: signed, sent, refused. Set-based over a batch of events; forward only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from documents.spec import CUSTOMS_RANK
from filing import changes
from filing.context import Filing
from filing.store import messages
from proto.events.v1 import events_pb2
from runtime.outbox import Event


def signed(filing: Filing, connection: Connection, events: Sequence[events_pb2.MessageSigned]) -> list[Event]:
    """Signatures were made: recorded, the documents move on."""
    rows = []
    for event in events:
        s = event.signature
        rows.append(
            (
                event.message_id,
                {
                    "key_id": s.key_id,
                    "key_label": s.key_label,
                    "device": s.device,
                    "algorithm": s.algorithm,
                    "certificate_serial": s.certificate_serial,
                    "signed_at": s.signed_at,
                    "hardware": s.hardware,
                },
            )
        )
    messages.signed(connection, rows)
    return _advance(filing, connection, events, "signed")


def sent(filing: Filing, connection: Connection, events: Sequence[events_pb2.MessageSent]) -> list[Event]:
    """Messages left for customs."""
    messages.sent(connection, [(event.message_id, event.channel, event.sent_at) for event in events])
    return _advance(filing, connection, events, "sent")


def _advance(filing: Filing, connection: Connection, events: Sequence[Any], state: str) -> list[Event]:
    moved: list[Any] = []
    for kind in {event.kind for event in events}:
        rank = filing.doctype(kind).lifecycle.by_name[state].rank
        ids_of_kind = [event.message_id for event in events if event.kind == kind]
        moved += messages.advance(connection, ids_of_kind, state, rank)
    return changes.changed(moved)


def refused(
    filing: Filing, connection: Connection, events: Sequence[events_pb2.MessageRefused]
) -> list[Event]:
    """A message cannot go on: its documents go back to people, with the reason."""
    moved: list[Any] = []
    for event in events:
        refusal = {"stage": event.stage, "code": event.code, "zh": event.zh, "en": event.en, "at": event.at}
        messages.refused(connection, event.message_id, refusal)
        life = filing.doctype(event.kind).lifecycle
        state = life.by_name["checked" if event.stage == "sign" else "send_failed"]
        moved += messages.send_back(
            connection, event.message_id, state.name, state.rank, event.zh[:1000], CUSTOMS_RANK
        )
    return changes.changed(moved)
