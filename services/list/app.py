"""The list service: which documents it keeps follows from the declarations that name it as their owner."""

from __future__ import annotations

from pathlib import Path

from filing.service import Service

SERVICE = Service("list", Path(__file__).parent / "migrations")
