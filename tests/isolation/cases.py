"""One case for every address: how to call it with somebody's ids, and what each identity must get. RPCs: rpcs.py.

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

from services.gateway.tenants import demo
from tests.support.consignment import Consignment
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number

#: field -> header of a spreadsheet of their own
COLUMNS = {
    "orderNo": "单号", "itemNo": "货号", "itemName": "品名", "qty": "数", "price": "价", "totalPrice": "额",
    "unit": "单位",
}  # fmt: skip
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
    list: str
    etag: str
    batch: str
    task: str
    job: str
    mapping: str
    export: str
    key: str
    strategy: str
    mandate: str
    agent: str
    user: str
    number: str
    body: bytes

    def missing(self) -> Things:
        """Ids of the same shape that nobody has."""
        fresh = {
            name: str(uuid.uuid4())
            for name in (
                "tenant",
                "order",
                "list",
                "task",
                "job",
                "mapping",
                "export",
                "key",
                "strategy",
                "mandate",
                "agent",
                "user",
            )
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


def _mapping(visitor: Visitor, _: Things) -> requests.Response:
    body = {"kind": "order", "name": a_number(), "columns": COLUMNS}
    return visitor.post("/import-mappings", json=body)


def _replace_mapping(visitor: Visitor, things: Things) -> requests.Response:
    body = {"name": a_number(), "columns": COLUMNS}
    return visitor.put(f"/import-mappings/{things.mapping}", json=body, headers={"If-Match": '"1"'})


def _propose(visitor: Visitor, _: Things) -> requests.Response:
    return visitor.post(
        "/import-mappings/proposal", data={"kind": "order"}, files={"file": ("x.xlsx", workbook())}
    )


_task = post("/tasks", lambda _, things: {"kind": "order", "strategy": things.strategy})
_build = post("/documents/summary-application/build", lambda _, things: {"ids": [things.list]})


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
    # a person's own wherever they act: also those may who have no business with documents
    "preferences.read": Case(get("/preferences"), "own", home=200, operator=200),
    "preferences.put": Case(
        lambda v, _: v.put("/preferences/mark", json={"value": "mine"}), "own", home=200, operator=200
    ),
    "preferences.delete": Case(
        lambda v, _: v.delete("/preferences/canary"), "own", inside=204, home=204, operator=204, clerk=204
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
    # who asks is told of the own tenant's people alone; what was never filed rode in no message
    "editors.report": Case(lambda v, t: v.put(f"/documents/order/{t.order}/editors"), "hidden"),
    "messages.list_messages": Case(get("/documents/order/{t.order}/messages"), "hidden"),
    "messages.read": Case(get("/documents/order/{t.order}/messages/{t.task}.xml"), "hidden", inside=404, clerk=404),
    "chain.links": Case(get("/documents/list/{t.list}/links"), "hidden"),
    "chain.comparison": Case(get("/documents/list/{t.list}/comparison"), "hidden"),
    "chain.versions": Case(get("/documents/order/{t.order}/versions"), "hidden"),
    # the list is not closed: refused by name to whom it belongs, unknown to everybody else
    "chain.build_summary": Case(_build, "hidden", inside=422, clerk=422, refusal=422),
    "diagnosis.read": Case(get("/documents/order/{t.order}/diagnosis"), "hidden"),
    "search.search": Case(get("/search?q={t.number}"), "own"),
    "stats.read": Case(get("/stats/orders"), "own"),
    "stats.overview": Case(get("/stats/overview"), "own"),
    "stats.daily": Case(get("/stats/daily"), "own"),
    "stats.refusals": Case(get("/stats/refusals"), "own"),
    "stats.clearance": Case(get("/stats/clearance"), "own"),
    # the mandate of the demo names no keys
    "stats.devices": Case(get("/stats/devices"), "own", inside=403),
    "imports.start": Case(_import, "hidden", inside=202, clerk=202, refusal=422),
    "imports.list_imports": Case(get("/imports?kind=order"), "own"),
    "imports.read": Case(get("/imports/{t.task}"), "hidden"),
    "imports.errors_workbook": Case(get("/imports/{t.task}/errors.xlsx"), "hidden"),
    "imports.propose_batch": Case(get("/batch-numbers/proposal?strategy={t.strategy}"), "hidden", refusal=422),
    "exports.direct": Case(get("/documents/order/export.xlsx?number={t.number}"), "own"),
    "exports.start": Case(post("/documents/order/exports?number={t.number}"), "own", inside=202, clerk=202),
    "exports.read": Case(get("/exports/{t.export}"), "hidden"),
    "exports.file": Case(get("/exports/{t.export}/file.xlsx"), "hidden"),
    "prints.one": Case(get("/documents/order/{t.order}/print.pdf"), "hidden"),
    "prints.table": Case(get("/documents/order/print.pdf?number={t.number}"), "own"),
    "live.events": Case(_events, "own"),
    # the mandate of the demo names no keys and no deletion
    "devices.list_devices": Case(get("/devices"), "own", inside=403),
    "devices.activate": Case(post("/devices/{t.key}/actions/activate"), "hidden", inside=403, clerk=403),
    "devices.confirm": Case(post("/devices/{t.key}/actions/confirm"), "hidden", inside=403, clerk=403),
    "devices.read_challenge": Case(
        get("/devices/challenges/{t.task}"), "hidden", inside=403, clerk=403
    ),
    # what all tenants share, and nobody's
    "devices.pool": Case(get("/devices/pool"), "open", inside=403),
    "devices.list_cards": Case(get("/devices/cards"), "own", inside=403),
    "devices.register_card": Case(
        post(f"/devices/cards/{'0' * 64}/actions/register", lambda *_: {}), "hidden", inside=403, clerk=403
    ),
    "signing-queue.read": Case(get("/signing-queue"), "own", inside=403),
    "signing-queue.withdraw": Case(
        post("/signing-queue/actions/withdraw", lambda _, things: {"message_ids": [things.task]}), "each"
    ),
    "ledger.ledger": Case(get("/ledger"), "own", inside=403, clerk=403),
    "edge-agents.list_agents": Case(get("/edge-agents"), "own", inside=403, clerk=403),
    "edge-agents.create": Case(
        post("/edge-agents", lambda *_: {"name": a_number()}), "own", inside=403, clerk=403
    ),
    "edge-agents.renew_code": Case(
        post("/edge-agents/{t.agent}/actions/renew-code"), "hidden", inside=403, clerk=403
    ),
    "edge-agents.revoke": Case(post("/edge-agents/{t.agent}/actions/revoke"), "hidden", inside=403, clerk=403),
    "admin.strategies": Case(get("/strategies"), "own"),
    "admin.users": Case(get("/users"), "own", inside=403, clerk=403),
    "admin.mandates": Case(get("/mandates"), "own", inside=403, clerk=403),
    "admin.revoke_mandate": Case(post("/mandates/{t.mandate}/actions/revoke"), "hidden", inside=403, clerk=403),
    "admin.tenants": Case(get("/tenants"), "own", inside=403, operator=200, clerk=403),
    "admin.trail": Case(get("/audit"), "own", inside=403, clerk=403),
    # leaving what one never opened says nothing about it
    "editors.leave": Case(
        lambda v, t: v.delete(f"/documents/order/{t.order}/editors"), "own", inside=204, clerk=204
    ),
    "documents.act": Case(_act("declare"), "each"),
    "documents.delete": Case(lambda v, t: v.delete(f"/documents/order/{t.order}"), "hidden", inside=403, clerk=204),
    "imports.keep_valid": Case(post("/imports/{t.task}/keep-valid"), "hidden"),
    # the import is checked, nothing keeps it waiting; the task is without documents, nothing is being generated
    "imports.retry": Case(post("/imports/{t.task}/retry"), "hidden", inside=409, clerk=409),
    "tasks.list_tasks": Case(get("/tasks"), "own"),
    "tasks.create": Case(_task, "hidden", inside=201, clerk=201, refusal=422),
    "tasks.documents": Case(get("/tasks/documents?kind=order&task={t.job}"), "own"),
    "tasks.read": Case(get("/tasks/{t.job}"), "hidden"),
    "tasks.generate": Case(post("/tasks/{t.job}/generate"), "hidden", inside=409, clerk=409),
    "tasks.give_up": Case(post("/tasks/{t.job}/give-up"), "hidden", inside=409, clerk=409),
    "tasks.delete": Case(lambda v, t: v.delete(f"/tasks/{t.job}"), "hidden", inside=403, clerk=204),
    "mappings.list_mappings": Case(get("/import-mappings?kind=order"), "own"),
    "mappings.create": Case(_mapping, "own", inside=201, clerk=201),
    "mappings.propose": Case(_propose, "own"),
    "mappings.read": Case(get("/import-mappings/{t.mapping}"), "hidden"),
    "mappings.replace": Case(_replace_mapping, "hidden"),
    "mappings.delete": Case(lambda v, t: v.delete(f"/import-mappings/{t.mapping}"), "hidden", inside=204, clerk=204),
    "imports.discard": Case(lambda v, t: v.delete(f"/imports/{t.task}"), "hidden", inside=204, clerk=204),
    "exports.discard": Case(lambda v, t: v.delete(f"/exports/{t.export}"), "hidden", inside=204, clerk=204),
    # tells nobody whether there is such a user
    "session.card_begin": Case(
        post("/session/card", lambda *_: {"username": str(uuid.uuid4())}),
        "open", inside=202, home=202, operator=202, clerk=202, public=True,
    ),
    "session.card_complete": Case(
        post("/session/card/complete"), "open", inside=401, home=401, operator=401, clerk=401, public=True
    ),
    "admin.set_card": Case(
        lambda v, t: v.put(f"/users/{t.user}/card", json={"fingerprint": None}), "hidden", inside=403, clerk=403
    ),
    "session.sign_in": Case(_wrong_sign_in, "open", inside=401, home=401, operator=401, clerk=401, public=True),
    "session.sign_out": Case(lambda v, _: v.delete("/session"), "own", inside=204, home=204, operator=204, clerk=204),
}  # fmt: skip


def _exported(clerk: Visitor, number: str) -> str:
    started: str = clerk.post(f"/documents/order/exports?number={number}").json()["id"]
    eventually(
        lambda: clerk.get(f"/exports/{started}").json()["state"] == "done", "the export is made", timeout=30
    )
    return started


def collect(
    clerk: Visitor, admin: Visitor, canary: str, mandate: str = "", *, exported: bool = True
) -> Things:
    """Make one of everything in the clerk's tenant, with the canary wherever a text may stand. exported: an export,
    too, which takes a moment."""
    import_name = f"{canary}.xlsx"
    strategy = next(
        item["id"] for item in clerk.get("/strategies").json()["items"] if item["trade_mode"] == "9710"
    )
    order = clerk.save_order(canary, note=f"note {canary}")
    a_list = Consignment(clerk).save("list", orderNo=canary, note=f"note {canary}")
    job = clerk.post("/tasks", json={"kind": "order", "strategy": strategy, "customer_no": canary}).json()[
        "id"
    ]
    mapping = {"kind": "order", "name": canary, "columns": {**COLUMNS, "orderNo": canary}}
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
        list=a_list["id"],
        etag=order["etag"],
        batch=batch,
        task=task,
        job=job,
        mapping=clerk.post("/import-mappings", json=mapping).json()["id"],
        export=_exported(clerk, canary) if exported else str(uuid.uuid4()),
        key=clerk.get("/devices").json()["items"][0]["id"],
        strategy=strategy,
        mandate=mandate or admin.get("/mandates").json()["items"][0]["id"],
        agent=admin.post("/edge-agents", json={"name": canary}).json()["agent"]["id"],
        user=clerk.me["user"]["id"],
        number=canary,
        body=json.dumps(order["body"]).encode(),
    )
