"""Numbers for dashboards, each with the query behind it. Counted by the services that own the documents, when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Response

from documents import groups
from proto.documents.v1 import documents_pb2
from proto.signer.v1 import signer_pb2
from proto.stats.v1 import stats_pb2 as pb
from proto.stats.v1 import stats_pb2_grpc
from runtime.errors import not_found
from services.gateway.http import (
    auth,
    calls,
    catalogue,
    context,
    figures,
    parse,
    periods,
    problems,
    signing,
    words,
)
from services.gateway.http.answers import Blueprint, answer, shown
from services.gateway.http.schemas import CountsAnswer
from services.gateway.http.stat_schemas import (
    ClearanceAnswer,
    DailyAnswer,
    DevicesAnswer,
    OverviewAnswer,
    RefusalsAnswer,
)

blueprint = Blueprint("stats", __name__, url_prefix="/api/v1/stats", description="Numbers for dashboards")
#: days a plot shows, today included
DAYS = 14
# generated code has no types
_STATS: Any = stats_pb2_grpc.StatsStub
_KIND = {
    "in": "query",
    "name": "kind",
    "schema": {"type": "string"},
    "description": "one kind; without it, all",
}
_PERIOD = [
    {"in": "query", "name": name, "schema": {"type": "string", "format": "date"}, "description": description}
    for name, description in (
        ("from", "first day in Asia/Shanghai, included; without it, thirteen days before the last"),
        ("to", "last day, included; without it, today. One calendar month at most"),
    )
]


def plural(kind: str) -> str:
    """How many of a kind are called: orders, tallies."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


#: name of a statistic -> the kind it counts
_COUNTS = {name: kind for kind in catalogue.kinds() for name in (kind, plural(kind))}


@blueprint.route("/<name>", methods=["GET"])
@blueprint.response(200, CountsAnswer)
def read(name: str) -> Response:
    """How many documents of a kind are in each state; name is the kind or its plural, e.g. order or orders."""
    if name not in _COUNTS:
        raise not_found()
    kind = catalogue.kind(_COUNTS[name])
    auth.require("document.read", kind.type.kind)
    reply = calls.documents(kind.owner, "Counts", documents_pb2.CountsRequest(kind=kind.type.kind))
    counts = dict(reply.by_state)
    return answer({"kind": kind.type.kind, "by_state": counts, "total": sum(counts.values())})


@blueprint.route("/overview", methods=["GET"])
@blueprint.response(200, OverviewAnswer)
@blueprint.doc(parameters=[_KIND])
def overview() -> Response:
    """What today brought in, was cleared and was refused, and what waits for a person, whenever it came."""
    kinds = _kinds(parse.current_query("kind"))
    day = periods.today()
    replies = _ask("Overview", kinds, day, day)
    waiting = figures.waiting(
        [item for reply in replies for item in reply.states],
        [item for reply in replies for item in reply.overdue],
    )
    tiles = {
        name: figures.of_period([item for reply in replies for item in getattr(reply, name)], column, day)
        for name, column in (("received", "stored"), ("cleared", "cleared"), ("refused", "refused"))
    }
    parts = [item for what in waiting for item in what["of"]]
    return answer(
        {
            "day": day.isoformat(),
            "at": shown(datetime.now(UTC)),
            **tiles,
            "waiting": {**figures.figure(parts), "items": waiting},
        }
    )


@blueprint.route("/daily", methods=["GET"])
@blueprint.response(200, DailyAnswer)
@blueprint.doc(parameters=[_KIND])
def daily() -> Response:
    """The last fourteen days: how many were stored on each, by the group of states they are in now."""
    kinds = _kinds(parse.current_query("kind"))
    last = periods.today()
    first = periods.days_before(last, DAYS - 1)
    counts = [item for reply in _ask("Daily", kinds, first, last) for item in reply.items]
    titles = [
        {"group": name, "text": words.pick(title.zh, title.en)} for name, title in groups.GROUPS.items()
    ]
    return answer({**_days(first, last), "groups": titles, "items": figures.daily(counts)})


@blueprint.route("/refusals", methods=["GET"])
@blueprint.response(200, RefusalsAnswer)
@blueprint.doc(parameters=[_KIND, *_PERIOD])
def refusals() -> Response:
    """Why customs refused documents on these days: the most frequent reasons first, with the share of all so far.

    A document refused for two reasons counts with both. Numbers in customs' words do not make another reason."""
    sent = parse.current_query("kind", "from", "to")
    kinds = _kinds(sent)
    first, last = _asked_days(sent)
    replies = _ask("Refusals", kinds, first, last)
    total = sum(reply.total for reply in replies)
    items = figures.refusals([item for reply in replies for item in reply.items], total, first, last)
    more = any(reply.more for reply in replies)
    return answer({**_days(first, last), "total": total, "more": more, "items": items})


@blueprint.route("/clearance", methods=["GET"])
@blueprint.response(200, ClearanceAnswer)
@blueprint.doc(parameters=[_KIND])
def clearance() -> Response:
    """From filing to clearance (released, or accepted as the last step), by kind and day of clearance: median and p90."""
    kinds = _kinds(parse.current_query("kind"))
    last = periods.today()
    first = periods.days_before(last, DAYS - 1)
    rows = [item for reply in _ask("Clearance", kinds, first, last) for item in reply.items]
    return answer({**_days(first, last), "items": figures.clearance(rows, first, last)})


@blueprint.route("/devices", methods=["GET"])
@blueprint.response(200, DevicesAnswer)
def devices() -> Response:
    """What waits for each signing key, how fast it signed lately, and when it will be done at that rate."""
    kinds = _kinds(parse.current_query())
    queue = [item for reply in _ask("Signing", kinds) for item in reply.items]
    measured = {
        item.key_id: item for item in calls.signer("Throughput", signer_pb2.ThroughputRequest()).items
    }
    enterprise = context.standing().enterprise
    partial = len(kinds) < len(catalogue.kinds())
    now = datetime.now(UTC)
    items = []
    for key in calls.signer("ListKeys", signer_pb2.ListKeysRequest()).items:
        signs = key.active and enterprise is not None and key.enterprise_code == enterprise.code
        found = signing.device(key, measured.get(key.id), queue if signs else None, now, partial=partial)
        items.append(found)
    documents = figures.figure(
        figures.part(item.kind, item.documents, {"state": "signing"}) for item in queue
    )
    waiting = {"messages": sum(item.messages for item in queue), **documents}
    return answer({"at": shown(now), "waiting": waiting, "items": items})


def _kinds(sent: dict[str, str]) -> list[str]:
    """The kind that is asked for, or all that the caller may read."""
    asked = sent.get("kind", "")
    if not asked:
        return [name for name in catalogue.kinds() if context.actor().may("document.read", name)]
    if asked not in catalogue.kinds():
        raise problems.invalid(
            [problems.wrong("/kind", "kind-unknown:" + ", ".join(catalogue.kinds()), asked)]
        )
    auth.require("document.read", asked)
    return [asked]


def _ask(method: str, kinds: Sequence[str], *days: date) -> list[Any]:
    """The same question to each service that keeps any of these kinds."""
    by_owner: dict[str, list[str]] = {}
    for name in kinds:
        by_owner.setdefault(catalogue.kind(name).owner, []).append(name)
    replies = []
    for owner, names in by_owner.items():
        message: Any = pb.SigningRequest(kinds=names)
        if days:
            message = pb.PeriodRequest(
                kinds=names, first_day=days[0].isoformat(), last_day=days[1].isoformat()
            )
        replies.append(calls.to_owner(owner, _STATS, method, message))
    return replies


def _asked_days(sent: dict[str, str]) -> tuple[date, date]:
    """The days that are asked for; without them the last fourteen."""
    first, last, wrong = periods.check_days(sent.get("from", ""), sent.get("to", ""))
    if not wrong:
        last = last or periods.today()
        first = first or periods.days_before(last, DAYS - 1)
        wrong = periods.check_days(first.isoformat(), last.isoformat())[2]
    if wrong or first is None or last is None:
        raise problems.invalid(wrong)
    return first, last


def _days(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}
