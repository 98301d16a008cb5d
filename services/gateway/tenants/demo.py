"""The demo's tenants, users, mandate and strategies. Made-up names and codes; random passwords kept in one file.

May be repeated: ids follow from names, rows are brought to what stands here, passwords stay. Never part of a
production installation.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from documents import registry
from documents.rules import credit_code
from documents.types import made_up
from runtime import config
from runtime.db import Database
from services.gateway.tenants import store
from services.gateway.tenants.usecases import Passwords

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:tongguan:demo")
_MANDATE_DAYS = 365


def demo_id(*parts: str) -> str:
    """The same id each time for the same thing."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """A tenant, with its enterprise if it files, of which kinds; users as (username, name, role)."""

    label: str
    name: str
    kind: str
    users: tuple[tuple[str, str, str], ...]
    enterprise: Mapping[str, str] | None = None
    overseen: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return demo_id("tenant", self.label)


#: sells on a platform of its own and declares for itself
_TRADER = ("ecommerce", "platform", "agent")
TENANTS = (
    DemoTenant(
        "A",
        "演示甲跨境电商有限公司",
        "enterprise",
        (("a-declarant", "甲制单员", "declarant"), ("a-admin", "甲管理员", "enterprise_admin")),
        {
            "code": credit_code("91440101MA0DEMA01"),
            "customs_code": "4401960A01",
            "short_code": "YSJ",
            "dxp_id": "DXPENT0000000101",
            "channel": "amqp",
        },
        overseen=True,
        kinds=_TRADER,
    ),
    DemoTenant(
        "B",
        "演示乙国际贸易有限公司",
        "enterprise",
        (("b-declarant", "乙制单员", "declarant"), ("b-admin", "乙管理员", "enterprise_admin")),
        {
            "code": credit_code("91610131MA0DEMB02"),
            "customs_code": "6101960B02",
            "short_code": "YSY",
            "dxp_id": "DXPENT0000000202",
            "channel": "spool",
        },
        overseen=True,
        kinds=_TRADER,
    ),
    DemoTenant("C", "演示丙报关服务有限公司", "broker", (("c-broker", "丙报关员", "broker"),), overseen=True),
    DemoTenant(
        "L",
        "演示丁国际物流有限公司",
        "enterprise",
        (("l-declarant", "丁制单员", "declarant"), ("l-admin", "丁管理员", "enterprise_admin")),
        {
            "code": credit_code("91610131MA0DEML03"),
            "customs_code": "6101980L03",
            "short_code": "YSWL",
            "dxp_id": "DXPENT0000000303",
            "channel": "amqp",
        },
        overseen=True,
        kinds=("logistics", "logistics-b2b"),
    ),
    DemoTenant(
        "O",
        "演示戊监管场所经营有限公司",
        "enterprise",
        (("o-declarant", "戊制单员", "declarant"), ("o-admin", "戊管理员", "enterprise_admin")),
        {
            "code": credit_code("91610131MA0DEMP04"),
            "customs_code": "6101980P04",
            "short_code": "YSCS",
            "dxp_id": "DXPENT0000000404",
            "channel": "amqp",
        },
        overseen=True,
        kinds=("operator",),
    ),
    DemoTenant("provider", "演示服务商", "provider", (("provider-admin", "服务商管理员", "provider_admin"),)),
    DemoTenant("platform", "演示平台", "platform", (("platform-admin", "平台管理员", "platform_admin"),)),
)
_BY_LABEL = {item.label: item for item in TENANTS}
#: client label, broker label, kinds, actions
MANDATE = (
    "A",
    "C",
    tuple(item.kind for item in registry.ALL),
    ("read", "write", "declare", "import", "export", "message.read"),
)


def strategies(tenant: DemoTenant) -> list[dict[str, Any]]:
    """One per trade mode for who sells, one for the carrier's and one for the site operator's own documents."""
    if tenant.enterprise is None:
        return []
    return [
        {
            "tenant_id": tenant.id,
            "id": demo_id("strategy", tenant.label, mode),
            "name": name,
            "trade_mode": mode,
            "kind": kind,
            "logistics_code": "YSWL",
            "enterprise_short_code": tenant.enterprise["short_code"],
            "defaults": {**_common(), **_own(tenant), **own},
        }
        for name, mode, kind, own in _rows(tenant)
    ]


def _rows(tenant: DemoTenant) -> list[tuple[str, str, str, dict[str, str]]]:
    """Name, trade mode, main kind, and what is this strategy's own."""
    if "logistics" in tenant.kinds:
        return [("承运单证", "9610", "waybill", {})]
    if "operator" in tenant.kinds:
        return [("监管场所单证", "9610", "arrival", {})]
    if "ecommerce" not in tenant.kinds:
        return []
    # 简化申报 is not summed up and needs no summary declaration: B2B and overseas warehouses have none
    abroad = {"ebpCode": "无", "statisticsFlag": "A"}
    return [
        ("9710 清单模式", "9710", "order", {**abroad, "orderType": "B", "ebpName": "演示境外电商平台"}),
        ("9610 清单模式", "9610", "order",
         {**abroad, "orderType": "E", "ebpName": "演示境外零售平台", "statisticsFlag": "B"}),
        ("9810 清单模式", "9810", "booking", {**abroad, "orderType": "W", "ebpName": "演示洛杉矶海外仓"}),
    ]  # fmt: skip


def _common() -> dict[str, str]:
    """The same for all: where it is declared, how and whereto it goes, who carries it. By air to the United States."""
    carrier, operator = _BY_LABEL["L"], _BY_LABEL["O"]
    assert carrier.enterprise is not None
    assert operator.enterprise is not None
    return {
        "customsCode": made_up.CUSTOMS,
        "portCode": made_up.CUSTOMS,
        "logisticsCode": carrier.enterprise["code"],
        "logisticsName": carrier.name,
        "operatorCode": operator.enterprise["code"],
        "operatorName": operator.name,
        "trafMode": "5",
        "country": made_up.AMERICA,
        "POD": made_up.AMERICA,
        "wrapType": "2",
        "currency": made_up.USD,
        "fCurrency": made_up.CNY,
        "iCurrency": made_up.CNY,
        "freight": "0",
        "payName": "现金支付",
        "summaryFlag": "1",
        "itemNameFlag": "1",
    }


def _own(tenant: DemoTenant) -> dict[str, str]:
    """Who sells is consignor, producer and declarant of its own goods; the others fill in none of these."""
    assert tenant.enterprise is not None
    if "ecommerce" not in tenant.kinds:
        return {}
    roles = ("ebc", "owner", "agent", "declAgent")
    code, name = tenant.enterprise["code"], tenant.name
    return {f"{role}Code": code for role in roles} | {f"{role}Name": name for role in roles}


def seed(database: Database, passwords: Passwords, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Bring the database to the demo's rows. chosen: username -> password. Returns what stack.json needs."""
    for tenant in TENANTS:
        with database.transaction(tenant.id) as connection:
            _tenant(connection, tenant)
            for username, name, role in tenant.users:
                _user(connection, passwords, tenant, username, name, role, chosen[username])
            for row in strategies(tenant):
                store.upsert(connection, "strategies", ("tenant_id", "id"), row)
            if tenant.label == MANDATE[0]:
                _mandate(connection)
    return summary(chosen)


def summary(chosen: Mapping[str, str]) -> dict[str, Any]:
    """The demo in words for other programs."""
    return {
        "tenants": [
            {
                "id": tenant.id,
                "label": tenant.label,
                "name": tenant.name,
                "kind": tenant.kind,
                "enterprise_code": tenant.enterprise["code"] if tenant.enterprise else None,
                "enterprise_name": tenant.name if tenant.enterprise else None,
                "dxp_id": tenant.enterprise["dxp_id"] if tenant.enterprise else None,
                "kinds": list(tenant.kinds),
            }
            for tenant in TENANTS
        ],
        "users": [
            {
                "username": username,
                "password": chosen[username],
                "tenant": tenant.label,
                "tenant_id": tenant.id,
                "role": role,
            }
            for tenant in TENANTS
            for username, _, role in tenant.users
        ],
        "strategies": [
            {"id": row["id"], "name": row["name"], "trade_mode": row["trade_mode"], "kind": row["kind"],
             "tenant": tenant.label}
            for tenant in TENANTS
            for row in strategies(tenant)
        ],
    }  # fmt: skip


def _tenant(connection: Connection, tenant: DemoTenant) -> None:
    overseers = {
        "provider_id": _BY_LABEL["provider"].id if tenant.overseen else None,
        "platform_id": None if tenant.label == "platform" else _BY_LABEL["platform"].id,
    }
    row: dict[str, Any] = {
        "tenant_id": tenant.id,
        "name": tenant.name,
        "kind": tenant.kind,
        "users": len(tenant.users),
        **overseers,
    }
    store.upsert(connection, "tenants", ("tenant_id",), row)
    if tenant.enterprise is not None:
        row = {
            "tenant_id": tenant.id,
            "id": demo_id("enterprise", tenant.label),
            "name": tenant.name,
            "kinds": list(tenant.kinds),
            **tenant.enterprise,
            **overseers,
        }
        store.upsert(connection, "enterprises", ("tenant_id", "id"), row)


def _user(
    connection: Connection,
    passwords: Passwords,
    tenant: DemoTenant,
    username: str,
    name: str,
    role: str,
    password: str,
) -> None:
    store.lock_name(connection, username)
    known = store.credentials(connection, username)
    if any(item.tenant_id != tenant.id for item in known):
        raise RuntimeError(f"user name {username} is taken by another tenant")
    stored = known[0].password_hash if known else None
    unchanged = stored is not None and passwords.matches(stored, password)
    row = {
        "tenant_id": tenant.id,
        "id": demo_id("user", username),
        "username": username,
        "name": name,
        "password_hash": stored if unchanged else passwords.hash(password),
        "roles": [role],
    }
    store.upsert(connection, "users", ("tenant_id", "id"), row)


def _mandate(connection: Connection) -> None:
    client, broker, kinds, actions = MANDATE
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    row = {
        "tenant_id": _BY_LABEL[client].id,
        "id": demo_id("mandate", client, broker),
        "client_name": _BY_LABEL[client].name,
        "broker_id": _BY_LABEL[broker].id,
        "broker_name": _BY_LABEL[broker].name,
        "kinds": list(kinds),
        "actions": list(actions),
        "valid_from": today - timedelta(days=1),
        "valid_to": today + timedelta(days=_MANDATE_DAYS),
    }
    store.upsert(connection, "mandates", ("tenant_id", "id"), row)


def kept_passwords(file: Path, usernames: Sequence[str]) -> dict[str, str]:
    """The passwords of the demo's users: those of the file, random ones for the rest; the file is written first."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    chosen = {name: known.get(name) or secrets.token_urlsafe(12) for name in usernames}
    if chosen != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        waiting = file.with_name(file.name + ".new")
        waiting.unlink(missing_ok=True)
        with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(chosen, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        waiting.replace(file)
    return chosen


def main(credentials: str) -> None:
    """The verb seed-demo: prints the summary as JSON."""
    database = Database(config.text("DATABASE_URL"), pool_size=2)
    chosen = kept_passwords(Path(credentials), [name for tenant in TENANTS for name, _, _ in tenant.users])
    try:
        sys.stdout.write(json.dumps(seed(database, Passwords(), chosen), ensure_ascii=False) + "\n")
    finally:
        database.close()
