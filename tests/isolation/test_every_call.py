"""Every address and every RPC, called by everybody who must not get through, and by those who must.

The addresses come from the application's URL map and the RPCs from the descriptors: one without a case fails here.
"""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pypdfium2
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proto.documents.v1 import documents_pb2, documents_pb2_grpc
from proto.exports.v1 import exports_pb2, exports_pb2_grpc
from proto.signer.v1 import signer_pb2, signer_pb2_grpc
from proto.stats.v1 import stats_pb2, stats_pb2_grpc
from proto.tasks.v1 import tasks_pb2, tasks_pb2_grpc
from runtime.actor import Actor, ActorSigner
from runtime.errors import Problem
from runtime.grpc_client import Client
from runtime.tls import TlsFiles
from services.gateway.app import make_app, make_parts
from services.gateway.config import http_config
from tests.isolation.cases import ADDRESSES, Case, Things, collect
from tests.isolation.rpcs import RPCS, Rpc
from tests.support.people import Visitor, a_number, new_mandate, same_refusal, signed_in, tenant_id
from tests.support.stack import Stack

#: what no address but the public ones may do without a session
PERMISSIONS = (
    "card.challenge",
    "document.read", "document.write", "document.delete", "document.declare", "document.import", "key.read",
    "document.export", "message.read", "key.activate", "tenant.read", "user.read", "mandate.read", "audit.read",
)  # fmt: skip


class World:
    """The demo's people, and what A and B own. Everything of A's carries the canary."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._people: dict[str, Visitor] = {}
        self.canary = a_number("CANARY")
        self.clerk = signed_in(stack, "A", "declarant")
        self.admin = signed_in(stack, "A", "enterprise_admin")
        self.foreigner = signed_in(stack, "B", "enterprise_admin")
        self.things = collect(self.clerk, self.admin, self.canary)
        self.theirs = collect(self.foreigner, self.foreigner, a_number("B"), self.things.mandate)
        self.clerk.put("/preferences/canary", json={"value": self.canary})
        self.marks = self._marks()

    def _marks(self) -> set[str]:
        """What only A may see: ids, codes, names, and the canary itself."""
        things, me = self.things, self.clerk.me
        ids = {
            things.tenant,
            things.order,
            things.list,
            things.task,
            things.job,
            things.mapping,
            things.export,
            things.key,
            things.strategy,
            things.mandate,
            things.batch,
        }
        words = {
            me["enterprise"]["code"],
            me["enterprise"]["name"],
            me["enterprise"]["dxp_id"],
            me["user"]["id"],
        }
        return ids | words | {self.canary, self.clerk.me["user"]["username"]}

    def visitor(self, who: str, endpoint: str) -> Visitor:
        """Someone, with a session of their own where the case may spoil it."""
        if who == "nobody":
            return Visitor(self.stack)
        tenant, role = {
            "foreigner": ("B", "enterprise_admin"), "home": ("C", "broker"), "inside": ("C", "broker"),
            "operator": ("platform", "platform_admin"), "provider": ("provider", "provider_admin"),
            "clerk": ("A", "declarant"),
        }[who]  # fmt: skip
        if endpoint.startswith("session.") or who not in self._people:
            found = signed_in(self.stack, tenant, role)
            if who == "inside":
                assert found.step_into(self.things.tenant).status_code == 200
            if endpoint.startswith("session."):
                return found
            self._people[who] = found
        return self._people[who]


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    return World(stack)


def plain(text: str, sent: Things) -> str:
    """An answer's text without what the caller sent itself and without its trace."""
    for value in (
        sent.tenant,
        sent.order,
        sent.list,
        sent.task,
        sent.job,
        sent.mapping,
        sent.export,
        sent.key,
        sent.strategy,
        sent.mandate,
        sent.number,
        sent.batch,
    ):
        text = text.replace(value, "…")
    return re.sub(r"urn:trace:[0-9a-f]+", "…", text)


def unpacked(content: bytes) -> str:
    """What stands in a workbook or a PDF, which compress their texts; otherwise nothing."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    if content.startswith(b"%PDF"):
        document = pypdfium2.PdfDocument(content)
        text = "".join(page.get_textpage().get_text_range() for page in document)
        document.close()
        return "".join(text.split())
    return ""


def said(answer: requests.Response) -> str:
    """Everything an answer tells, files included."""
    return answer.text + unpacked(answer.content)


def leaks(text: str, marks: set[str], sent: Things | None = None) -> set[str]:
    """The marks of A that stand in a text, apart from those the caller sent."""
    return {mark for mark in marks if mark in (plain(text, sent) if sent else text)}


def test_every_address_has_a_case(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.environment("gateway.http").items():
        monkeypatch.setenv(name, value)
    parts = make_parts(http_config())
    routes = {rule.endpoint for rule in make_app(parts).url_map.iter_rules()}
    parts.database.close()
    assert routes == set(ADDRESSES)


def test_every_rpc_has_a_case() -> None:
    found = {
        f"{service.name}.{method.name}"
        for module in (documents_pb2, exports_pb2, signer_pb2, stats_pb2, tasks_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert found == set(RPCS)


def ok(answer: requests.Response) -> bool:
    return 200 <= answer.status_code < 300


@pytest.mark.parametrize("endpoint", ADDRESSES)
def test_another_tenants_ids_look_like_ids_nobody_has(world: World, endpoint: str) -> None:
    case, things = ADDRESSES[endpoint], world.things
    before = world.clerk.get(f"/documents/order/{things.order}").json()
    foreign = case.send(world.visitor("foreigner", endpoint), things)
    assert foreign.status_code < 500
    assert leaks(said(foreign), world.marks, things) == set()
    if case.foreign in ("hidden", "each"):
        nobody = things.missing()
        missing = case.send(world.visitor("foreigner", endpoint), nobody)
        assert (
            foreign.status_code == missing.status_code == (case.refusal if case.foreign == "hidden" else 200)
        )
        assert plain(foreign.text, things) == plain(missing.text, nobody)
        if case.foreign == "each":
            assert [item["problem"]["status"] for item in foreign.json()["results"]] == [404]
    elif case.foreign == "own":
        assert ok(foreign), foreign.text
    assert world.clerk.get(f"/documents/order/{things.order}").json() == before


@pytest.mark.parametrize("endpoint", ADDRESSES)
@pytest.mark.parametrize("cookie", ["none", "dead"])
def test_nobody_gets_nothing(world: World, endpoint: str, cookie: str) -> None:
    case = ADDRESSES[endpoint]
    visitor = world.visitor("nobody", endpoint)
    if cookie == "dead":
        visitor.http.cookies.set("tongguan_session", f"{world.things.tenant}.{'x' * 43}")
    answer = case.send(visitor, world.things)
    if case.public:
        assert answer.status_code == (200 if case.home == 403 else case.home)
    else:
        assert answer.status_code == 401
    assert leaks(said(answer), world.marks, world.things) == set()


@pytest.mark.parametrize("endpoint", ADDRESSES)
@pytest.mark.parametrize("who", ["home", "operator", "provider"])
def test_who_has_no_business_with_documents_is_refused(world: World, endpoint: str, who: str) -> None:
    case = ADDRESSES[endpoint]
    answer = case.send(world.visitor(who, endpoint), world.things)
    expected = case.home if who == "home" else case.operator
    if case.public and expected == 403:
        expected = 200
    assert answer.status_code == expected, answer.text
    # the broker knows its client, providers and the platform know whom they look after; nobody knows documents
    inner = {world.canary, world.things.order, world.things.task, world.things.key, world.things.strategy}
    assert leaks(said(answer), inner, world.things) == set()


@pytest.mark.parametrize("endpoint", ADDRESSES)
def test_inside_one_client_other_clients_do_not_exist(world: World, endpoint: str) -> None:
    """The broker works for A; B gave no mandate. B's ids are nobody's."""
    case, theirs = ADDRESSES[endpoint], world.theirs
    answer = case.send(world.visitor("inside", endpoint), theirs)
    assert answer.status_code < 500
    if case.inside == 403:
        assert answer.status_code == 403
    elif case.foreign in ("hidden", "each"):
        nobody = theirs.missing()
        missing = case.send(world.visitor("inside", endpoint), nobody)
        assert plain(answer.text, theirs) == plain(missing.text, nobody)
        assert answer.status_code == (case.refusal if case.foreign == "hidden" else 200)
    marks = {theirs.order, theirs.task, theirs.key, theirs.strategy, theirs.number, theirs.tenant}
    assert leaks(said(answer), marks, theirs) == set()


@pytest.mark.parametrize("endpoint", ADDRESSES)
@pytest.mark.parametrize("who", ["inside", "clerk"])
def test_who_may_gets_through(world: World, endpoint: str, who: str) -> None:
    case = ADDRESSES[endpoint]
    exported = endpoint.startswith("exports.")
    things = collect(world.clerk, world.admin, a_number("USED"), exported=exported)
    answer = case.send(world.visitor(who, endpoint), things)
    expected = case.inside if who == "inside" else case.clerk
    assert answer.status_code == expected, answer.text


@pytest.mark.parametrize("endpoint", [name for name, case in ADDRESSES.items() if not case.public])
def test_english_refusals_are_as_equal_as_chinese_ones(world: World, endpoint: str) -> None:
    case = ADDRESSES[endpoint]
    if case.foreign != "hidden":
        return
    visitor = signed_in(world.stack, "B", "enterprise_admin", "en")
    nobody = world.things.missing()
    foreign, missing = case.send(visitor, world.things), case.send(visitor, nobody)
    assert plain(foreign.text, world.things) == plain(missing.text, nobody)
    detail = foreign.json()["detail"]
    assert detail.isascii(), detail


def test_stepping_into_who_gave_no_mandate_is_like_stepping_into_nobody(world: World) -> None:
    broker = signed_in(world.stack, "C", "broker")
    answers = [broker.step_into(value) for value in (world.theirs.tenant, str(uuid.uuid4()), "x", "")]
    assert {item.status_code for item in answers} == {404}
    assert all(same_refusal(answers[0], item) for item in answers)
    assert broker.get("/session").json()["client"] is None


def test_a_mandate_is_for_its_kinds_and_ends_the_moment_it_is_revoked(world: World) -> None:
    mandate = new_mandate(world.stack)
    broker = signed_in(world.stack, "C", "broker")
    old_token = broker.me["csrf_token"]
    assert broker.step_into(world.theirs.tenant).status_code == 200
    assert broker.me["csrf_token"] != old_token
    assert broker.me["kinds"] == ["booking"]
    assert broker.get("/documents/booking").status_code == 200
    assert broker.get("/documents/order").status_code == 403
    assert broker.get(f"/documents/order/{world.theirs.order}").status_code == 403
    assert broker.get("/search", params={"q": world.theirs.number}).json()["items"] == []
    assert [item["kind"] for item in broker.get("/strategies").json()["items"]] == ["booking"]
    assert broker.get(f"/imports/{world.theirs.task}").status_code in (403, 404)

    revoked = world.foreigner.post(f"/mandates/{mandate}/actions/revoke")
    assert revoked.status_code == 200
    assert revoked.json()["live"] is False
    refused = broker.get("/documents/booking")
    assert refused.status_code == 403
    assert "委托" in refused.json()["detail"]
    me = broker.get("/session").json()
    assert (me["client"], me["permissions"], me["mandate_ended"]) == (None, [], True)
    assert broker.step_into(world.theirs.tenant).status_code == 404
    assert broker.step_into(world.things.tenant).status_code == 200
    assert world.foreigner.post(f"/mandates/{mandate}/actions/revoke").status_code == 409


@pytest.mark.parametrize("when", ["over", "to come", "revoked"])
def test_a_mandate_that_is_not_live_opens_nothing(world: World, when: str) -> None:
    now = datetime.now(UTC)
    changes = {
        "over": {"valid_from": now - timedelta(days=2), "valid_to": now - timedelta(seconds=1)},
        "to come": {"valid_from": now + timedelta(minutes=5), "valid_to": now + timedelta(days=2)},
        "revoked": {"revoked_at": now},
    }[when]
    new_mandate(world.stack, **changes)
    broker = signed_in(world.stack, "C", "broker")
    assert world.theirs.tenant not in [item["id"] for item in broker.me["clients"]]
    assert broker.step_into(world.theirs.tenant).status_code == 404


def test_what_a_broker_does_stands_in_the_clients_trail(world: World) -> None:
    broker = signed_in(world.stack, "C", "broker")
    broker.step_into(world.things.tenant)
    saved = broker.save_order()
    broker.post("/documents/order/actions/declare", json={"ids": [saved["id"]]})
    broker.delete(f"/documents/order/{saved['id']}")
    rows = world.admin.get("/audit?page_size=20").json()["items"]
    mine = [row for row in rows if row["user_id"] == broker.me["user"]["id"]]
    assert {"step-in", "declare", "refused"} <= {row["what"] for row in mine}
    assert all(row["mandate_id"] and row["home_tenant_id"] == tenant_id(world.stack, "C") for row in mine)
    assert all("代理" in row["user_name"] for row in mine)
    timeline = world.clerk.get(f"/documents/order/{saved['id']}/timeline").json()["items"]
    assert "代理" in timeline[0]["actor"]


class Caller:
    """Calls a service as the gateway's process does, for any actor."""

    STUBS: dict[str, Any] = {  # noqa: RUF012
        "Documents": (documents_pb2_grpc.DocumentsStub, "ORDER_GRPC"),
        "Exports": (exports_pb2_grpc.ExportsStub, "ORDER_GRPC"),
        "Stats": (stats_pb2_grpc.StatsStub, "ORDER_GRPC"),
        "Tasks": (tasks_pb2_grpc.TasksStub, "ORDER_GRPC"),
        "Signer": (signer_pb2_grpc.SignerStub, "SIGNER_GRPC"),
    }

    def __init__(self, stack: Stack, process: str = "gateway.http") -> None:
        environment = stack.environment("gateway.http")
        own = stack.environment(process)
        self._environment = environment
        self._tls = TlsFiles(*(Path(own[f"TLS_{name}_FILE"]) for name in ("CA", "CERT", "KEY")))
        self._signer = ActorSigner(Path(environment["ACTOR_PRIVATE_KEY_FILE"]))
        self._targets = {name: environment[target] for name, (_, target) in self.STUBS.items()}

    def token(
        self, tenant: str, permissions: tuple[str, ...] = PERMISSIONS, kinds: tuple[str, ...] | None = None
    ) -> str:
        return self._signer.token(Actor(tenant, "", str(uuid.uuid4()), "x", (), permissions, kinds))

    def call(self, rpc: str, request: Any, token: str) -> Any:
        service, method = rpc.split(".")
        address = self._environment[RPCS[rpc].target] if RPCS[rpc].target else self._targets[service]
        client = Client(address, self._tls, service, service)
        try:
            return client.call(self.STUBS[service][0], method, request, token)
        finally:
            client.channel.close()

    def problem(self, rpc: str, request: Any, token: str) -> Problem:
        with pytest.raises(Problem) as caught:
            self.call(rpc, request, token)
        return caught.value


@pytest.fixture(scope="module")
def caller(stack: Stack) -> Caller:
    return Caller(stack)


@pytest.mark.parametrize("rpc", RPCS)
def test_an_rpc_hides_other_tenants(world: World, caller: Caller, rpc: str) -> None:
    case: Rpc = RPCS[rpc]
    token, nobody = caller.token(world.theirs.tenant), world.things.missing()
    if case.foreign == "hidden":
        foreign = caller.problem(rpc, case.request(world.things), token)
        missing = caller.problem(rpc, case.request(nobody), token)
        assert foreign.kind == case.refusal
        assert foreign.to_bytes() == missing.to_bytes()
        return
    reply = caller.call(rpc, case.request(world.things), token)
    assert leaks(str(reply), {json.dumps(mark)[1:-1] for mark in world.marks}, world.things) == set()
    raw = reply.SerializeToString().decode("utf-8", "replace") + unpacked(getattr(reply, "content", b""))
    assert leaks(raw, world.marks, world.things) == set()
    if case.foreign == "each":
        missing = caller.call(rpc, case.request(nobody), token)
        assert plain(str(reply), world.things) == plain(str(missing), nobody)
        assert [item.ok for item in reply.results] == [False]


@pytest.mark.parametrize("rpc", RPCS)
def test_an_rpc_asks_for_the_permission_itself(world: World, caller: Caller, rpc: str) -> None:
    """The gateway asked already; no service relies on that."""
    request = RPCS[rpc].request(world.things)
    token = caller.token(world.things.tenant, permissions=())
    if rpc in ("Documents.Search", "Documents.Linked"):
        # it looks through the kinds one may read: none
        assert list(caller.call(rpc, request, token).items) == []
        return
    assert caller.problem(rpc, request, token).kind == "forbidden"


@pytest.mark.parametrize("rpc", [name for name in RPCS if not name.startswith("Signer.")])
def test_an_rpc_keeps_to_the_kinds_of_the_mandate(world: World, caller: Caller, rpc: str) -> None:
    token = caller.token(world.things.tenant, kinds=("booking",))
    request = RPCS[rpc].request(world.things)
    if rpc in ("Documents.Search", "Documents.Linked", "Documents.ProposeBatch"):
        reply = caller.call(rpc, request, token)
        assert leaks(str(reply), {world.canary, world.things.order, world.things.task}) == set()
    else:
        assert caller.problem(rpc, request, token).kind in ("forbidden", "not_found")


@pytest.mark.parametrize("rpc", RPCS)
def test_an_rpc_takes_no_made_up_identity(world: World, caller: Caller, rpc: str, tmp_path: Path) -> None:
    request = RPCS[rpc].request(world.things)
    own = tmp_path / "own.pem"
    own.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    actor = Actor(world.things.tenant, "", str(uuid.uuid4()), "x", (), PERMISSIONS)
    good = caller.token(world.things.tenant)
    long_ago = ActorSigner(
        Path(world.stack.environment("gateway.http")["ACTOR_PRIVATE_KEY_FILE"]), lambda: 1_000_000.0
    )
    tokens = ("", "x", good[:-4] + "AAAA", ActorSigner(own).token(actor), long_ago.token(actor))
    for token in tokens:
        assert caller.problem(rpc, request, token).kind == "unauthenticated"


@pytest.mark.parametrize("rpc", ["Documents.Query", "Signer.ListKeys"])
def test_an_rpc_takes_calls_from_the_gateway_only(world: World, rpc: str) -> None:
    stranger = Caller(world.stack, "gateway.transmit")
    request = RPCS[rpc].request(world.things)
    assert stranger.problem(rpc, request, stranger.token(world.things.tenant)).kind == "forbidden"


@pytest.mark.parametrize("target", ["ORDER_GRPC", "SIGNER_GRPC"])
def test_without_a_certificate_nobody_is_listened_to(stack: Stack, target: str) -> None:
    environment = stack.environment("gateway.http")
    authority = Path(environment["TLS_CA_FILE"]).read_bytes()
    for channel in (
        grpc.insecure_channel(environment[target]),
        grpc.secure_channel(environment[target], grpc.ssl_channel_credentials(authority)),
    ):
        with channel, pytest.raises(grpc.RpcError) as caught:
            documents_pb2_grpc.DocumentsStub(channel).Query(
                documents_pb2.QueryRequest(kind="order"), timeout=5
            )
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_the_cases_say_something(world: World) -> None:
    """The leak check must be able to find something."""
    answer = world.clerk.get(f"/documents/order/{world.things.order}")
    assert len(leaks(answer.text, world.marks)) >= 3
    assert all(isinstance(case, Case) for case in ADDRESSES.values())
