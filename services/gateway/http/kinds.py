"""What kinds of documents there are, from their declarations; the import templates; the code tables."""

from __future__ import annotations

from flask import Response

from documents import codes, describe
from documents.sheet import write
from runtime.errors import not_found
from services.gateway.http import auth, catalogue, context, parse, problems
from services.gateway.http.answers import Blueprint, answer, attachment
from services.gateway.http.schemas import CodePage, ItemsAnswer, KindAnswer

kinds_blueprint = Blueprint("kinds", __name__, url_prefix="/api/v1/kinds", description="Kinds of documents")
codes_blueprint = Blueprint("codes", __name__, url_prefix="/api/v1/code-tables", description="Code tables")
#: what pages keep of a table to search in by themselves
_CODES_LIMIT = 2000
#: what a menu is drawn from
_SHORT = ("kind", "title", "message", "owner", "pages", "page_sets", "received", "senders", "number_field")


@kinds_blueprint.route("", methods=["GET"])
@kinds_blueprint.response(200, ItemsAnswer)
def list_kinds() -> Response:
    """The kinds the caller may work with."""
    limited = context.actor().kinds
    names = [name for name in catalogue.kinds() if limited is None or name in limited]
    items = []
    for name in names:
        description = catalogue.kind(name).description
        items.append({key: description[key] for key in _SHORT})
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@kinds_blueprint.route("/<kind>", methods=["GET"])
@kinds_blueprint.response(200, KindAnswer)
def read_kind(kind: str) -> Response:
    """The definition of a kind: fields, conditions, columns, states, actions. Pages are drawn from it."""
    return answer(describe.describe(catalogue.kind(kind).type))


@kinds_blueprint.route("/<kind>/template.xlsx", methods=["GET"])
@kinds_blueprint.response(
    200, {"type": "string", "format": "binary"}, content_type="application/octet-stream"
)
def template(kind: str) -> Response:
    """The import template of a kind."""
    known = catalogue.kind(kind)
    auth.require("document.import", kind)
    if known.type.sheet is None:
        raise not_found()
    title = known.description["title"]["zh"]
    return attachment(write.template(known.type), f"{title}导入模板.xlsx")


@codes_blueprint.route("", methods=["GET"])
@codes_blueprint.response(200, ItemsAnswer)
def list_tables() -> Response:
    """The code tables there are."""
    items = [{"name": name, "rows": len(codes.table(name))} for name in codes.TABLES]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@codes_blueprint.route("/<table>", methods=["GET"])
@codes_blueprint.response(200, CodePage)
@codes_blueprint.doc(
    parameters=[{"in": "query", "name": name, "schema": {"type": "string"}} for name in ("q", "page_size")]
)
def search_table(table: str) -> Response:
    """Codes whose code or pinyin initials begin with q, or whose name contains it; `initials`: of each character."""
    if table not in codes.TABLES:
        raise not_found()
    sent = parse.current_query("q", "page_size")
    q = sent.get("q", "")
    if len(q) > 100:
        raise problems.invalid([problems.wrong("/q", "too-long:100", q)])
    size = sent.get("page_size", "50")
    if not (size.isascii() and size.isdigit() and len(size) < 5 and 1 <= int(size) <= _CODES_LIMIT):
        raise problems.invalid([problems.wrong("/page_size", f"range:1–{_CODES_LIMIT}", size)])
    rows = codes.search(table, q)
    items = [
        {"code": row.code, "zh": row.zh, "en": row.en, "pinyin": row.pinyin, "initials": list(row.initials)}
        for row in rows[: int(size)]
    ]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(rows)})
