"""业务策略 of the tenant one acts for: which kinds each serves, and the one that a request means."""

from __future__ import annotations

from documents import registry
from documents import strategy as declared
from documents.spec import DocumentType
from proto.documents.v1 import documents_pb2 as pb
from services.gateway.http import context, parse, problems
from services.gateway.tenants import store
from services.gateway.tenants.store import Strategy


def kinds_of(strategy: Strategy) -> list[str]:
    """The kinds of documents a strategy serves; its main kind first."""
    found = [item.kind for item in registry.ALL if _fits(strategy, item)]
    return [kind for kind in found if kind == strategy.kind] + [
        kind for kind in found if kind != strategy.kind
    ]


def _fits(strategy: Strategy, doctype: DocumentType) -> bool:
    return declared.fits(doctype, strategy.trade_mode, strategy.defaults)


def named(strategy_id: str, doctype: DocumentType | None) -> Strategy:
    """The enabled strategy of that id that serves the kind; 422 if there is none."""
    found = find(strategy_id)
    if found is None:
        raise problems.invalid([problems.wrong("/strategy", "strategy-unknown", strategy_id)])
    if doctype is not None and not _fits(found, doctype):
        served = ", ".join(kinds_of(found))
        raise problems.invalid([problems.wrong("/strategy", f"strategy-kind:{served}", strategy_id)])
    return found


def find(strategy_id: str) -> Strategy | None:
    """The enabled strategy of that id, if there is one."""
    tenant = context.actor().tenant_id
    canonical = parse.uuid_or_none(strategy_id)
    if canonical is None:
        return None
    with context.parts().database.transaction(tenant) as connection:
        found = store.strategy(connection, tenant, canonical)
    return found if found is not None and found.enabled else None


def needed(doctype: DocumentType) -> bool:
    """Whether the import template leaves something to a strategy."""
    sheet = doctype.sheet
    return sheet is not None and (sheet.batch or bool(declared.lacking(doctype, sheet.columns)))


def only(doctype: DocumentType, *, required: bool) -> Strategy | None:
    """Where the tenant has one strategy for the kind, it need not be named; 422 otherwise, if one is required."""
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        found = store.strategies(connection, tenant)
    fitting = [item for item in found if item.enabled and doctype.kind in kinds_of(item)]
    if len(fitting) == 1:
        return fitting[0]
    if required:
        names = ", ".join(f"{item.name} ({item.id})" for item in fitting)
        raise problems.invalid([problems.wrong("/strategy", f"strategy-needed:{names}")])
    return None


def message(strategy: Strategy) -> pb.Strategy:
    """As the services take it."""
    return pb.Strategy(
        id=strategy.id,
        name=strategy.name,
        trade_mode=strategy.trade_mode,
        logistics_code=strategy.logistics_code,
        enterprise_short_code=strategy.enterprise_short_code,
        defaults=dict(strategy.defaults),
    )
