"""gRPC to use case and back, for dashboards. No decisions here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from filing.context import Filing
from filing.store.stats import REASONS
from filing.usecases import stats
from proto.stats.v1 import stats_pb2 as pb
from proto.stats.v1 import stats_pb2_grpc as pb_grpc
from runtime.grpc_server import current_actor


class StatsServicer(pb_grpc.StatsServicer):
    """Implements proto/stats/v1 over a Filing."""

    def __init__(self, filing: Filing) -> None:
        self._filing = filing

    def Overview(self, request: pb.PeriodRequest, context: Any) -> pb.OverviewReply:
        found = stats.overview(*self._asked(request))
        return pb.OverviewReply(
            states=_counts(found.states),
            overdue=_counts(found.overdue),
            received=_counts(found.received),
            cleared=_counts(found.cleared),
            refused=_counts(found.refused),
        )

    def Daily(self, request: pb.PeriodRequest, context: Any) -> pb.DailyReply:
        return pb.DailyReply(items=_counts(stats.daily(*self._asked(request))))

    def Refusals(self, request: pb.PeriodRequest, context: Any) -> pb.RefusalsReply:
        rows = stats.refusals(*self._asked(request))
        reply = pb.RefusalsReply(total=int(rows[0].total) if rows else 0, more=len(rows) > REASONS)
        for row in rows[:REASONS]:
            reply.items.add(kind=row.kind, refusal=row.refusal, status=row.status, info=row.info, count=row.n)
        return reply

    def Clearance(self, request: pb.PeriodRequest, context: Any) -> pb.ClearanceReply:
        reply = pb.ClearanceReply()
        for row in stats.clearance(*self._asked(request)):
            reply.items.add(
                kind=row.kind, day=row.day, count=row.n, median_seconds=row.median, p90_seconds=row.p90
            )
        return reply

    def Signing(self, request: pb.SigningRequest, context: Any) -> pb.SigningReply:
        reply = pb.SigningReply()
        for row in stats.signing(self._filing, current_actor(), list(request.kinds)):
            reply.items.add(kind=row.kind, messages=row.messages, documents=row.documents)
        return reply

    def _asked(self, request: pb.PeriodRequest) -> tuple[Filing, Any, list[str], str, str]:
        return self._filing, current_actor(), list(request.kinds), request.first_day, request.last_day


def _counts(rows: Sequence[Any]) -> list[pb.Count]:
    return [pb.Count(kind=row.kind, state=row.state, day=row.day, count=row.n) for row in rows]
