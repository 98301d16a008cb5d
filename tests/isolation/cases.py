"""One case for every address and every RPC: how to call it with somebody's ids, and what each identity must get.

The expected answers are the business's (who may do what), written here by hand and not derived from the code.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import requests
from openpyxl import Workbook

from proto.documents.v1 import documents_pb2 as documents
from proto.signer.v1 import signer_pb2 as signer
from services.gateway.tenants import demo
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number

HEADERS = ("订单号", "商品货号", "商品名称", "数量", "总额", "单价", "计量单位")
#: short codes of batch numbers, as the demo has them
LOGISTICS = "YSWL"
SHORT = {item.id: item.enterprise["short_code"] for item in demo.TENANTS if item.enterprise}


def workbook() -> bytes:
    """Two new orders, one right, one with too many decimals."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEADERS, (a_number(), "A1", "绿茶", "2", "3.00", "1.5", "035"),
                (a_number(), "A1", "绿茶", "2.000001", "3.00", "1.5", "035")):  # fmt: skip
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True)
class Things:
    """Ids of what one tenant owns."""

    tenant: str
    order: str
    etag: str
    batch: str
    task: str
    key: str
    strategy: str
    mandate: str
    number: str
    body: bytes

    def missing(self) -> Things:
        """Ids of the same shape that nobody has."""
        fresh = {
            name: str(uuid.uuid4()) for name in ("tenant", "order", "task", "key", "strategy", "mandate")
        }
        return replace(self, **fresh)


Send = Callable[[Visitor, Things], requests.Response]
#: hidden: foreign ids are answered exactly like missing ones, with `refusal`
#: each: 200, and for every id the answer for a missing one
#: own: 200 with the caller's own things, none of the other tenant's
#: open: nobody's data; anybody (or anybody signed in) may read it
Foreign = Literal["hidden", "each", "own", "open"]


@dataclass(frozen=True)
class Case:
    """How to call, and who gets what.

    foreign: tenant B's admin with A's ids. inside: the broker in A under its mandate. home: the broker at home.
    operator: our platform admin. clerk: A's own declarant. Statuses; open addresses answer everybody alike.
    """

    send: Send
    foreign: Foreign
    inside: int = 200
    home: int = 403
    operator: int = 403
    clerk: int = 200
    refusal: int = 404
    public: bool = False


def get(path: str) -> Send:
    return lambda visitor, things: visitor.get(path.format(t=things))


def post(path: str, body: Callable[[Visitor, Things], Any] | None = None) -> Send:
    return lambda visitor, things: visitor.post(
        path.format(t=things), json=body(visitor, things) if body else None
    )


def _import(visitor: Visitor, things: Things) -> requests.Response:
    form = {"kind": "order", "strategy": things.strategy, "batch_no": things.batch}
    return visitor.post("/imports", data=form, files={"file": ("订单.xlsx", workbook())})


def _replace(visitor: Visitor, things: Things) -> requests.Response:
    headers = {"If-Match": things.etag, "Content-Type": "application/json"}
    return visitor.put(f"/documents/order/{things.order}", data=things.body, headers=headers)


def _create(visitor: Visitor, things: Things) -> requests.Response:
    body = json.loads(things.body)
    mine = visitor.me.get("enterprise") or {"code": "", "name": ""}
    body["head"].update(orderNo=a_number(), ebcCode=mine["code"], ebcName=mine["name"], note="")
    return visitor.post("/documents/order", json=body)


def _act(action: str) -> Send:
    return post(f"/documents/order/actions/{action}", lambda _, things: {"ids": [things.order]})


def _events(visitor: Visitor, things: Things) -> requests.Response:
    answer = visitor.get("/events", stream=True)
    if answer.ok:
        # a stream has no end: its first line is enough here, what comes over it is tested by itself
        next(answer.iter_lines())
        answer.close()
        answer._content = b""
    return answer


def root(path: str) -> Send:
    return lambda visitor, _: visitor.get(visitor.root + path)


def _wrong_sign_in(visitor: Visitor, things: Things) -> requests.Response:
    return visitor.post("/session", json={"username": str(uuid.uuid4()), "password": "wrong"})


ADDRESSES: dict[str, Case] = {
    "api-docs.openapi_json": Case(root("/api/openapi.json"), "open", public=True),
    "docs.page": Case(root("/api/docs"), "open", public=True),
    "docs.asset": Case(root("/api/docs/docs.js"), "open", public=True),
    "session.read": Case(get("/session"), "own", home=200, operator=200),
    "session.step": Case(
        post("/session/client", lambda _, things: {"client_id": things.tenant}),
        "hidden", home=200, operator=404, clerk=404,
    ),
    "kinds.list_kinds": Case(get("/kinds"), "open", home=200, operator=200),
    "kinds.read_kind": Case(get("/kinds/order"), "open", home=200, operator=200),
    "kinds.template": Case(get("/kinds/order/template.xlsx"), "open"),
    "codes.list_tables": Case(get("/code-tables"), "open", home=200, operator=200),
    "codes.search_table": Case(get("/code-tables/unit?q=1"), "open", home=200, operator=200),
    "documents.query": Case(get("/documents/order?batch_no={t.batch}"), "own"),
    "documents.create": Case(_create, "own", inside=201, clerk=201),
    "documents.read": Case(get("/documents/order/{t.order}"), "hidden"),
    "documents.replace": Case(_replace, "hidden"),
    "documents.receipts": Case(get("/documents/order/{t.order}/receipts"), "hidden"),
    "documents.timeline": Case(get("/documents/order/{t.order}/timeline"), "hidden"),
    "documents.links": Case(get("/documents/order/{t.order}/links"), "hidden"),
    "search.search": Case(get("/search?q={t.number}"), "own"),
    "stats.read": Case(get("/stats/orders"), "own"),
    "imports.start": Case(_import, "hidden", inside=202, clerk=202, refusal=422),
    "imports.list_imports": Case(get("/imports?kind=order"), "own"),
    "imports.read": Case(get("/imports/{t.task}"), "hidden"),
    "imports.errors_workbook": Case(get("/imports/{t.task}/errors.xlsx"), "hidden"),
    "imports.propose_batch": Case(get("/batch-numbers/proposal?strategy={t.strategy}"), "hidden", refusal=422),
    "live.events": Case(_events, "own"),
    # the mandate of the demo names no keys and no deletion
    "devices.list_devices": Case(get("/devices"), "own", inside=403),
    "devices.activate": Case(post("/devices/{t.key}/actions/activate"), "hidden", inside=403, clerk=403),
    "admin.strategies": Case(get("/strategies"), "own"),
    "admin.users": Case(get("/users"), "own", inside=403, clerk=403),
    "admin.mandates": Case(get("/mandates"), "own", inside=403, clerk=403),
    "admin.revoke_mandate": Case(post("/mandates/{t.mandate}/actions/revoke"), "hidden", inside=403, clerk=403),
    "admin.tenants": Case(get("/tenants"), "own", inside=403, operator=200, clerk=403),
    "admin.trail": Case(get("/audit"), "own", inside=403, clerk=403),
    "documents.act": Case(_act("declare"), "each"),
    "documents.delete": Case(lambda v, t: v.delete(f"/documents/order/{t.order}"), "hidden", inside=403, clerk=204),
    "imports.keep_valid": Case(post("/imports/{t.task}/keep-valid"), "hidden"),
    "imports.discard": Case(lambda v, t: v.delete(f"/imports/{t.task}"), "hidden", inside=204, clerk=204),
    "session.sign_in": Case(_wrong_sign_in, "open", inside=401, home=401, operator=401, clerk=401, public=True),
    "session.sign_out": Case(lambda v, _: v.delete("/session"), "own", inside=204, home=204, operator=204, clerk=204),
}  # fmt: skip


@dataclass(frozen=True)
class Rpc:
    """A request with somebody's ids, and what another tenant gets: hidden (NOT_FOUND), each or own as above."""

    request: Callable[[Things], Any]
    foreign: Literal["hidden", "each", "own"]


def _ref(things: Things) -> Any:
    return documents.DocumentRef(kind="order", id=things.order)


def _save(things: Things) -> Any:
    return documents.SaveRequest(kind="order", id=things.order, expected_version=1, body_json=things.body)


def _strategy(things: Things) -> Any:
    return documents.Strategy(
        id=things.strategy, name="x", trade_mode="9710", logistics_code="AB", enterprise_short_code="CD",
        defaults={"orderType": "B"},
    )  # fmt: skip


RPCS: dict[str, Rpc] = {
    "Documents.Query": Rpc(lambda _: documents.QueryRequest(kind="order", page_size=200), "own"),
    "Documents.Save": Rpc(_save, "hidden"),
    "Documents.Read": Rpc(_ref, "hidden"),
    "Documents.Act": Rpc(
        lambda t: documents.ActRequest(kind="order", action="delete", ids=[t.order]), "each"
    ),
    "Documents.Receipts": Rpc(_ref, "hidden"),
    "Documents.Timeline": Rpc(_ref, "hidden"),
    "Documents.Search": Rpc(lambda t: documents.SearchRequest(q=t.number), "own"),
    "Documents.Counts": Rpc(lambda _: documents.CountsRequest(kind="order"), "own"),
    "Documents.ProposeBatch": Rpc(
        lambda _: documents.ProposeBatchRequest(logistics_code="AB", enterprise_code="CD"), "own"
    ),
    "Documents.StartImport": Rpc(
        lambda t: documents.StartImportRequest(
            kind="order", file_name="x.xlsx", file=workbook(), strategy=_strategy(t)
        ),
        "own",
    ),
    "Documents.ReadImport": Rpc(lambda t: documents.ImportRef(id=t.task), "hidden"),
    "Documents.ListImports": Rpc(lambda _: documents.ListImportsRequest(kind="order"), "own"),
    "Documents.ResolveImport": Rpc(
        lambda t: documents.ResolveImportRequest(id=t.task, resolution="discard"), "hidden"
    ),
    "Documents.ImportErrorsWorkbook": Rpc(lambda t: documents.ImportRef(id=t.task), "hidden"),
    "Signer.ListKeys": Rpc(lambda _: signer.ListKeysRequest(), "own"),
    "Signer.ActivateKey": Rpc(lambda t: signer.KeyRef(id=t.key), "hidden"),
    "Signer.Ledger": Rpc(lambda _: signer.LedgerRequest(page_size=200), "own"),
}


def collect(clerk: Visitor, admin: Visitor, canary: str, mandate: str = "") -> Things:
    """Make one of everything in the clerk's tenant, with the canary wherever a text may stand."""
    import_name = f"{canary}.xlsx"
    strategy = next(
        item["id"] for item in clerk.get("/strategies").json()["items"] if item["trade_mode"] == "9710"
    )
    order = clerk.save_order(canary, note=f"note {canary}")
    # one number for all: there are ninety-nine a day
    batch = f"{LOGISTICS}20260101{SHORT[clerk.me['tenant']['id']]}01"
    form = {"kind": "order", "strategy": strategy, "batch_no": batch}
    task = clerk.post("/imports", data=form, files={"file": (import_name, workbook())}).json()["id"]
    eventually(
        lambda: clerk.get(f"/imports/{task}").json()["state"] == "checked", "the import is read", timeout=30
    )
    return Things(
        tenant=clerk.me["tenant"]["id"],
        order=order["id"],
        etag=order["etag"],
        batch=batch,
        task=task,
        key=clerk.get("/devices").json()["items"][0]["id"],
        strategy=strategy,
        mandate=mandate or admin.get("/mandates").json()["items"][0]["id"],
        number=canary,
        body=json.dumps(order["body"]).encode(),
    )
