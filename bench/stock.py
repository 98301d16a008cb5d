"""A database with a million documents of many tenants, for benchmarks that read.

Loaded past row-level security by a superuser, in the order of time that real use would have left on disk: what one
tenant imports at once lies together, between what others imported. Must never be measured itself.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from documents import body as bodies
from documents.registry import REGISTRY
from documents.spec import DocumentType
from runtime import migrate
from tests.support.course import example
from tests.support.stack import new_database
from tools.paths import ROOT

TENANTS = 200
#: shares of the tenants that are much greater than the others; the rest is divided like 1/rank
BIG = (0.12, 0.11, 0.10, 0.09)
#: per thousand documents of a tenant
KINDS = {"list": 700, "waybill": 220, "departure": 20, "arrival": 15, "cancellation": 15, "return": 10,
         "tally": 8, "master-house": 7, "summary-application": 5}  # fmt: skip
#: documents of one import: stored in one transaction, at one time
IMPORT = 500
DAYS = 300
#: per thousand documents of a kind; `last` is what its life course ends with
STATES = {
    "list": {"draft": 5, "checked": 30, "signing": 5, "sent": 10, "received": 20, "rejected": 30, "error": 10,
             "accepted": 30, "in_review": 10, "inspection": 5, "released": 45, "closed": 690, "case_closed": 100,
             "cancelled": 10},
    "last": {"draft": 5, "checked": 30, "signing": 5, "sent": 10, "received": 20, "rejected": 30, "error": 10,
             "accepted": 30, "last": 860},
}  # fmt: skip
#: choices of conditions that many documents share, with weights; what is not named stays as in the example
CHOICES: dict[str, tuple[Sequence[str], Sequence[int]]] = {
    "tradeMode": (("9610", "9710", "9810", "1210"), (80, 15, 4, 1)),
    "statisticsFlag": (("A", "B"), (70, 30)),
    "customsCode": (
        tuple(f"90{index:02d}" for index in range(20)),
        tuple(1000 // (i + 1) for i in range(20)),
    ),
}
_LINES = (1, 1, 2, 3, 5)
_TABLES = ("document", "document_key", "document_ref", "document_event")
_COLUMNS = (
    "tenant_id, id, kind, number, natural_key, state, state_rank, settled, customs_status, return_info, version,"
    " attempt, guid, submitted_at, batch_no, created_by, stored_at, updated_at, deleted_at, body"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """documents: how many of each kind."""

    id: str
    documents: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stock:
    """urls: by role, and "name"; admin: a superuser's URL of the same database; tenants: the greatest first."""

    urls: Mapping[str, str]
    admin: str
    tenants: Sequence[Tenant]

    def dump(self) -> str:
        """As text, for using it again."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, content: str) -> Stock:
        """Inverse of `dump`."""
        kept = json.loads(content)
        return cls(kept["urls"], kept["admin"], [Tenant(**tenant) for tenant in kept["tenants"]])


@dataclass(frozen=True, slots=True)
class _Import:
    """Documents `first` to `first + count - 1` of a kind and tenant, stored at `at`."""

    at: datetime
    tenant: Tenant
    kind: str
    first: int
    count: int


class _Form:
    """Texts of a kind's documents with places for what differs: one template per number of lines."""

    def __init__(self, doctype: DocumentType, *, answered: bool) -> None:
        self.doctype = doctype
        # what customs has not answered has none of its numbers
        given = doctype.receipt.fills if doctype.receipt and not answered else ()
        head = {name: f"%({name})s" for name in doctype.searchable if name not in given}
        self.names = tuple(head)
        body = example(doctype.kind)
        body["head"] = {key: value for key, value in (body["head"] | head).items() if key not in given}
        terms = bodies.terms(doctype, body)
        self.natural_key = bodies.natural_key(doctype, body["head"])
        self.number = bodies.number(doctype, body)
        self.keys = "".join(
            f"%(tenant)s\t{doctype.kind}\t{name}\t{value}\t%(id)s\n" for name, value in terms.keys
        )
        self.refs = "".join(
            f"%(tenant)s\t{doctype.kind}\t{name}\t{value}\t%(id)s\n" for name, value in terms.refs
        )
        line = body["lines"][:1]
        self.bodies = [_copied({**body, "lines": line * (count if line else 0)}) for count in _LINES]


def _copied(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False)
    assert not set("\\\t\n") & set(text), "what COPY reads differently does not stand in examples"
    return text


def _value(name: str, tenant: int, at: datetime, number: int) -> str:
    """A number as enterprises and customs make them: a mark, the day, counted on."""
    if name == "ieDate":
        return f"{at:%Y%m%d}"
    if name == "invtNo":
        return f"9000{at:%Y}E{tenant * 1_000_003 + number:09d}"
    if name.endswith("Code"):
        return f"91610131MA{name[:3].upper()}{tenant:03d}{number % 3}X"
    return f"{name[:2].upper()}{at:%Y%m%d}{number:08d}"


def _sizes(total: int) -> Iterator[int]:
    rest = [1 / (rank + 4) for rank in range(TENANTS - len(BIG))]
    for share in BIG:
        yield round(total * share)
    for weight in rest:
        yield round(total * (1 - sum(BIG)) * weight / sum(rest))


def _imports(tenants: Sequence[Tenant], chance: random.Random) -> list[_Import]:
    """All imports in the order of time."""
    begin = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    found: list[_Import] = []
    for tenant in tenants:
        for kind, documents in tenant.documents.items():
            parts = [min(IMPORT, documents - first) for first in range(0, documents, IMPORT)]
            times = sorted(begin + timedelta(seconds=chance.randrange(DAYS * 86_400)) for _ in parts)
            firsts = range(0, documents, IMPORT)
            found += [
                _Import(at, tenant, kind, *part) for at, *part in zip(times, firsts, parts, strict=True)
            ]
    return sorted(found, key=lambda item: item.at)


def load(servers: Mapping[str, Any], documents: int) -> Stock:
    """A fresh database of the list service with about `documents` documents, analysed and at rest."""
    urls = new_database(servers, "list")
    migrate.upgrade(urls["owner"], ROOT / "services/list/migrations", "list_app", "list_relay")
    place = urlsplit(servers["postgres_url"])
    admin = urlunsplit((place.scheme, place.netloc, f"/{urls['name']}", place.query, ""))
    tenants = [
        Tenant(str(uuid.uuid4()), {kind: max(1, size * share // 1000) for kind, share in KINDS.items()})
        for size in _sizes(documents)
    ]
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        with _without_indexes(connection):
            _copy(admin, tenants)
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    return Stock(urls, admin, tenants)


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Keys and indexes of the tables are dropped, and made again as they were: at once they are made much faster."""
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid), contype = 'f' FROM pg_constraint"
        " WHERE contype IN ('p', 'f') AND conrelid = ANY(%s::regclass[]) ORDER BY contype",
        (list(_TABLES),),
    ).fetchall()  # fmt: skip
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE NOT indisprimary AND indrelid = ANY(%s::regclass[])",
        (list(_TABLES),),
    ).fetchall()
    for table, name, _, _ in constraints:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for wanted in (False, True):
        for table, name, definition, foreign in constraints:
            if foreign == wanted:
                connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        connection.execute(definition)


def _copy(admin: str, tenants: Sequence[Tenant]) -> None:
    chance = random.Random(20261120)  # noqa: S311 - the same stock in every run
    numbers = {tenant.id: index for index, tenant in enumerate(tenants)}
    forms = {
        (kind, answered): _Form(doctype, answered=answered)
        for kind in KINDS
        for answered in (False, True)
        if (doctype := REGISTRY.get(kind)) is not None
    }
    with ExitStack() as stack:
        copies = []
        for table, columns in (
            ("document", _COLUMNS),
            ("document_key", "tenant_id, kind, field, value, document_id"),
            ("document_ref", "tenant_id, kind, name, value, document_id"),
        ):
            connection = stack.enter_context(psycopg.connect(admin))
            cursor = stack.enter_context(connection.cursor())
            copies.append(stack.enter_context(cursor.copy(f"COPY {table} ({columns}) FROM STDIN")))
        for item in _imports(tenants, chance):
            for copy, rows in zip(copies, _rows(item, forms, numbers[item.tenant.id], chance), strict=True):
                copy.write(rows)


def _rows(
    item: _Import, forms: Mapping[tuple[str, bool], _Form], tenant: int, chance: random.Random
) -> tuple[str, str, str]:
    """What COPY takes for the three tables."""
    life = forms[item.kind, True].doctype.lifecycle
    weights = STATES.get(item.kind, STATES["last"])
    last = "released" if "released" in life.by_name else "settled"
    names = chance.choices(list(weights), list(weights.values()), k=item.count)
    at, base = item.at.isoformat(), int(item.at.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62
    batch = f"SFJIA{item.at:%Y%m%d}{item.first // IMPORT:04d}" if item.kind == "list" else ""
    of_state = {status.state: status.code for status in life.statuses}
    documents, keys, refs = [], [], []
    for number, name in enumerate(names, item.first):
        state = life.by_name[last if name == "last" else name]
        form = forms[item.kind, state.rank > 25]
        new = str(uuid.UUID(int=base | tenant << 40 | number))
        values = {key: _value(key, tenant, item.at, number) for key in form.names}
        values |= {key: chance.choices(*CHOICES[key])[0] for key in form.names if key in CHOICES}
        values |= {"tenant": item.tenant.id, "id": new}
        sent, deleted = state.rank > 1, chance.random() < 0.005
        documents.append("\t".join((
            item.tenant.id, new, item.kind, form.number % values, form.natural_key % values, state.name,
            str(state.rank), "t" if state.settled else "f", of_state.get(state.name, ""),
            "[Code:1800;Desc:处理成功]" if state.rank >= 10 else "", "7" if sent else "1", "1" if sent else "0",
            new.upper() if sent else "", at if sent else r"\N", batch, "制单员甲", at, at,
            at if deleted else r"\N", form.bodies[number % len(_LINES)] % values,
        )) + "\n")  # fmt: skip
        keys.append("" if deleted else form.keys % values)
        refs.append(form.refs % values)
    return "".join(documents), "".join(keys), "".join(refs)
