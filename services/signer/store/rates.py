"""How quick the devices of the pool are, as somebody measured them. Devices are nobody's: the rows belong to no tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Rate:
    """per_second: signatures, all members and workers together."""

    device: str
    per_second: float
    signatures: int
    at: datetime


def keep(connection: Connection, tenant_id: str, rate: Rate) -> None:
    """In place of what was known."""
    connection.execute(
        text(
            "INSERT INTO device_rate (tenant_id, device, per_second, signatures, at) "
            "VALUES (:tenant, :device, :per_second, :signatures, :at) ON CONFLICT (tenant_id, device) DO UPDATE SET "
            "per_second = EXCLUDED.per_second, signatures = EXCLUDED.signatures, at = EXCLUDED.at"
        ),
        {"tenant": tenant_id, **{name: getattr(rate, name) for name in Rate.__slots__}},
    )


def known(connection: Connection) -> dict[str, Rate]:
    """By the device's name."""
    rows = connection.execute(text("SELECT device, per_second, signatures, at FROM device_rate"))
    return {row.device: Rate(row.device, row.per_second, row.signatures, row.at) for row in rows}
