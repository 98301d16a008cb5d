"""Columns that several statements answer with."""

from __future__ import annotations

#: what an open page must hear of a document that changed
CHANGED = (
    "d.id, d.kind, d.number, d.state, d.customs_status, d.version, d.settled, d.return_info, d.updated_at"
)
