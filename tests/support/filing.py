"""The order service's inside on a real database: use cases called as its processes call them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from documents import strategy
from documents.registry import REGISTRY, Registry
from documents.xml import Transfer
from filing.context import Filing
from filing.sheet_process import SheetReader
from filing.strategies import Strategy
from filing.usecases import imports, look
from filing.usecases.import_work import Work
from runtime import migrate
from runtime.actor import Actor, ActorSigner
from runtime.db import Database
from tests.support.stack import new_database
from tools.paths import ROOT

SAMPLES = ROOT / "tests/samples"
PERMISSIONS = ("document.read", "document.write", "document.delete", "document.declare", "document.import",
               "document.export")  # fmt: skip
TRANSFER = Transfer("91610131MA6TTTTT01", "测试电商有限公司", "DXPENT0000000001")
DEFAULTS = {
    "orderType": "B",
    "ebpCode": "无",
    "ebpName": "海外平台",
    "ebcCode": "6101960AAA",
    "ebcName": "测试电商有限公司",
    "freight": "0",
    "currency": "502",
}


def body(number: str, lines: int = 1, **head: str) -> dict[str, Any]:
    """A right order with that number."""
    line = {
        "itemName": "绿茶",
        "unit": "035",
        "currency": "502",
        "qty": "2",
        "price": "1.5",
        "totalPrice": "3.00",
    }
    return {
        "head": {**DEFAULTS, "orderNo": number, **head},
        "lines": [{"itemNo": f"A{index}", **line} for index in range(lines)],
    }


@dataclass
class Office:
    """One tenant's clerk at a Filing."""

    filing: Filing
    signer: ActorSigner
    actor: Actor
    types: str = "documents.registry:ALL"
    strategy: Strategy = field(
        default_factory=lambda: Strategy(str(uuid.uuid4()), "9710", "SF", "JIA", DEFAULTS, "9710")
    )

    @property
    def token(self) -> str:
        return self.signer.token(self.actor)

    def upload(self, content: bytes, kind: str = "order", batch_no: str = "", **more: Any) -> str:
        """Take a workbook in; more: fields of Upload. A strategy goes along where it serves the kind."""
        doctype = self.filing.doctype(kind)
        fitting = strategy.fits(doctype, self.strategy.trade_mode, self.strategy.defaults)
        wanted = {"strategy": self.strategy if fitting else None, "file_name": "订单.xlsx"} | more
        upload = imports.Upload(kind=kind, content=content, batch_no=batch_no, **wanted)
        return imports.start(self.filing, self.actor, self.token, upload)

    def work(self, import_id: str, *, keep_valid: bool = False) -> Any:
        """Do what the imports process does, and return the import's row."""
        work = Work(self.filing, SheetReader(self.types))
        work.run(self.actor, self.token, import_id, keep_valid)
        return imports.read(self.filing, self.actor, import_id)


def office(
    servers: Mapping[str, Any], registry: Registry = REGISTRY, types: str = "documents.registry:ALL"
) -> Office:
    """A fresh database and a clerk of a new tenant."""
    urls = new_database(servers, "order")
    migrate.upgrade(urls["owner"], ROOT / "services/order/migrations", "order_app", "order_relay")
    filing = Filing(Database(urls["app"], pool_size=8), registry)
    signer = ActorSigner(Path(servers["actor_private_key_file"]))
    return Office(filing, signer, clerk(), types)


def clerk(name: str = "制单员甲") -> Actor:
    """A declarant of a new tenant."""
    return Actor(
        tenant_id=str(uuid.uuid4()),
        enterprise_code=TRANSFER.cop_code,
        user_id=str(uuid.uuid4()),
        user_name=name,
        roles=("declarant",),
        permissions=PERMISSIONS,
        enterprise_kinds=("ecommerce", "agent"),
    )


def query(desk: Office, **wanted: Any) -> look.Page:
    """One page of orders; what is not wanted is left open."""
    asked = {"kind": "order", "states": [], "settled": "", "stored_from": "", "stored_to": "", "conditions": {},
             "sort": "", "page_size": 50, "cursor": ""}  # fmt: skip
    return look.page(desk.filing, desk.actor, {**asked, **wanted})
