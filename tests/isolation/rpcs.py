"""One case for every RPC: a request with somebody's ids, and what another tenant must get.

Written by hand like the cases of the addresses, and not derived from the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from proto.documents.v1 import documents_pb2 as documents
from proto.exports.v1 import exports_pb2 as exports
from proto.signer.v1 import signer_pb2 as signer
from proto.stats.v1 import stats_pb2 as stats
from proto.tasks.v1 import tasks_pb2 as tasks
from tests.isolation.cases import COLUMNS, Things, workbook


@dataclass(frozen=True)
class Rpc:
    """A request with somebody's ids, and what another tenant gets: hidden (`refusal`), each or own as above.

    target: the setting with the address of the service that is asked, "" = the one of this interface.
    """

    request: Callable[[Things], Any]
    foreign: Literal["hidden", "each", "own"]
    target: str = ""
    refusal: str = "not_found"


def _ref(things: Things) -> Any:
    return documents.DocumentRef(kind="order", id=things.order)


def _save(things: Things) -> Any:
    return documents.SaveRequest(kind="order", id=things.order, expected_version=1, body_json=things.body)


def _export(things: Things) -> Any:
    query = documents.QueryRequest(kind="order", conditions={"orderNo": things.number})
    return exports.ExportRequest(query=query)


def _strategy(things: Things) -> Any:
    return documents.Strategy(
        id=things.strategy, name="x", trade_mode="9710", logistics_code="AB", enterprise_short_code="CD",
        defaults={"orderType": "B"},
    )  # fmt: skip


def _orders_of_a_month(_: Things) -> Any:
    return stats.PeriodRequest(kinds=["order"], first_day="2026-11-01", last_day="2026-11-30")


RPCS: dict[str, Rpc] = {
    "Documents.Query": Rpc(lambda _: documents.QueryRequest(kind="order", page_size=200), "own"),
    "Documents.Save": Rpc(_save, "hidden"),
    "Documents.Read": Rpc(_ref, "hidden"),
    "Documents.Act": Rpc(
        lambda t: documents.ActRequest(kind="order", action="delete", ids=[t.order]), "each"
    ),
    "Documents.Receipts": Rpc(_ref, "hidden"),
    "Documents.Timeline": Rpc(_ref, "hidden"),
    "Documents.Versions": Rpc(_ref, "hidden"),
    "Documents.Linked": Rpc(
        lambda t: documents.LinkedRequest(
            refs=[documents.Ref(name="order", value=f"无|{t.number}")], with_body=True, limit=500
        ),
        "own",
    ),
    "Documents.BuildSummary": Rpc(
        lambda t: documents.BuildSummaryRequest(ids=[t.list]), "hidden", "LIST_GRPC", "invalid"
    ),
    "Documents.RetryImport": Rpc(lambda t: documents.ImportRef(id=t.task), "hidden"),
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
    "Exports.Direct": Rpc(_export, "own"),
    "Exports.Start": Rpc(_export, "own"),
    "Exports.Read": Rpc(lambda t: exports.ExportRef(id=t.export), "hidden"),
    "Exports.File": Rpc(lambda t: exports.FileRequest(id=t.export), "hidden"),
    "Exports.Discard": Rpc(lambda t: exports.ExportRef(id=t.export), "hidden"),
    "Stats.Overview": Rpc(_orders_of_a_month, "own"),
    "Stats.Daily": Rpc(_orders_of_a_month, "own"),
    "Stats.Refusals": Rpc(_orders_of_a_month, "own"),
    "Stats.Clearance": Rpc(_orders_of_a_month, "own"),
    "Stats.Signing": Rpc(lambda _: stats.SigningRequest(kinds=["order"]), "own"),
    "Tasks.CreateTask": Rpc(lambda t: tasks.CreateTaskRequest(kind="order", strategy=_strategy(t)), "own"),
    "Tasks.ReadTask": Rpc(lambda t: tasks.TaskRef(id=t.job), "hidden"),
    "Tasks.ListTasks": Rpc(lambda _: tasks.ListTasksRequest(kind="order", page_size=50), "own"),
    "Tasks.TaskDocuments": Rpc(lambda _: tasks.TaskDocumentsRequest(kind="order", page_size=50), "own"),
    "Tasks.GenerateTask": Rpc(lambda t: tasks.GenerateTaskRequest(id=t.job, strategy=_strategy(t)), "hidden"),
    "Tasks.GiveUpTask": Rpc(lambda t: tasks.TaskRef(id=t.job), "hidden"),
    "Tasks.DeleteTask": Rpc(lambda t: tasks.TaskRef(id=t.job), "hidden"),
    "Tasks.SaveMapping": Rpc(
        lambda t: tasks.SaveMappingRequest(
            id=t.mapping, expected_version=1, kind="order", name="x", columns=COLUMNS
        ),
        "hidden",
    ),
    "Tasks.ReadMapping": Rpc(lambda t: tasks.MappingRef(id=t.mapping), "hidden"),
    "Tasks.ListMappings": Rpc(lambda _: tasks.ListMappingsRequest(kind="order"), "own"),
    "Tasks.DeleteMapping": Rpc(lambda t: tasks.MappingRef(id=t.mapping), "hidden"),
    "Tasks.ProposeMapping": Rpc(lambda _: tasks.ProposeMappingRequest(kind="order", file=workbook()), "own"),
    "Signer.ListKeys": Rpc(lambda _: signer.ListKeysRequest(), "own"),
    "Signer.ActivateKey": Rpc(lambda t: signer.KeyRef(id=t.key), "hidden"),
    "Signer.Throughput": Rpc(lambda _: signer.ThroughputRequest(), "own"),
    "Signer.Ledger": Rpc(lambda _: signer.LedgerRequest(page_size=200), "own"),
    "Signer.Pool": Rpc(lambda _: signer.PoolRequest(), "own"),
    "Signer.Queue": Rpc(lambda _: signer.QueueRequest(page_size=200), "own"),
    "Signer.Withdraw": Rpc(lambda t: signer.WithdrawRequest(message_ids=[t.task]), "own"),
    "Signer.ListCards": Rpc(lambda _: signer.ListCardsRequest(), "own"),
    "Signer.RegisterCard": Rpc(lambda _: signer.RegisterCardRequest(fingerprint="0" * 64), "hidden"),
    "Signer.ConfirmKey": Rpc(lambda t: signer.ConfirmKeyRequest(key_id=t.key, origin="https://x"), "hidden"),
    "Signer.ChallengeCard": Rpc(
        lambda _: signer.ChallengeCardRequest(fingerprint="0" * 64, origin="https://x", code="0000"), "hidden"
    ),
    "Signer.TakeChallenge": Rpc(lambda t: signer.ChallengeRef(id=t.task), "hidden"),
    "Signer.ReadChallenge": Rpc(lambda t: signer.ChallengeRef(id=t.task), "hidden"),
}
