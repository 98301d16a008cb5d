"""Saved column mappings: an enterprise's own spreadsheet is read by its own headers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_limits
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from documents.sheet.look import look
from documents.sheet.mapping import check
from documents.sheet.model import Proposal, SheetProblem
from documents.values import FORBIDDEN
from filing import ids
from filing.context import Filing, check_id
from filing.sheet_process import SheetReader
from filing.store import mappings as store
from filing.usecases.content import details
from filing.usecases.imports import imported
from runtime import db
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found

#: mappings of one kind; a page shows them all
MAX_MAPPINGS = 200
#: characters
NAME_LENGTH = 60
_CONTROL = re.compile(f"[{FORBIDDEN}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A mapping as somebody wants it. new_id: the caller's id for a new one, so that a repeat is seen."""

    kind: str
    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    new_id: str = ""


def save(filing: Filing, actor: Actor, given: Given) -> str:
    """A new mapping; returns its id."""
    row = _row(filing, actor, given)
    mapping_id = check_id(given.new_id) if given.new_id else ids.ordered_ids(1)[0]
    with filing.database.transaction(actor.tenant_id) as connection:
        if given.new_id and store.read(connection, mapping_id) is not None:
            return mapping_id
        if len(store.of_kind(connection, given.kind, MAX_MAPPINGS)) == MAX_MAPPINGS:
            raise Problem(
                "conflict",
                f"已有 {MAX_MAPPINGS} 个列对应关系，请先删除不用的。",
                f"There are {MAX_MAPPINGS} mappings already; delete some first.",
            )
        added = {"tenant": actor.tenant_id, "id": mapping_id, "kind": given.kind, "created_by": actor.label}
        if not store.insert(connection, {**row, **added}):
            raise _taken(row["name"])
    return mapping_id


def replace(filing: Filing, actor: Actor, mapping_id: str, version: int, given: Given) -> None:
    """Replace a mapping; `stale` if somebody was faster. Its kind stays what it is."""
    mapping_id = check_id(mapping_id)
    try:
        with filing.database.transaction(actor.tenant_id) as connection:
            known = _known(filing, connection, actor, mapping_id)
            if given.kind and given.kind != known.kind:
                zh, en = "列对应关系的单证类型不能修改。", "The kind of a mapping cannot be changed."
                raise Problem("invalid", zh, en, [Detail("/kind", "fixed", zh, en, given.kind)])
            wanted = Given(kind=known.kind, name=given.name, columns=given.columns, constants=given.constants)
            row = _row(filing, actor, wanted)
            if known.version != version or not store.update(
                connection, {**row, "id": mapping_id, "version": version}
            ):
                raise _stale(known.version)
    except IntegrityError as exc:
        if not db.is_unique_violation(exc):
            raise
        raise _taken(given.name.strip()) from exc


def read(filing: Filing, actor: Actor, mapping_id: str) -> Any:
    """One mapping's row."""
    with filing.database.transaction(actor.tenant_id) as connection:
        return _known(filing, connection, actor, check_id(mapping_id))


def of_kind(filing: Filing, actor: Actor, kind: str) -> Sequence[Any]:
    """The mappings of a kind by name."""
    filing.doctype(kind)
    actor.require("document.import", kind)
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.of_kind(connection, kind, MAX_MAPPINGS)


def delete(filing: Filing, actor: Actor, mapping_id: str, version: int) -> Any:
    """Remove a mapping; imports keep what they were read by. version 0: whichever it is. Returns what it was."""
    mapping_id = check_id(mapping_id)
    with filing.database.transaction(actor.tenant_id) as connection:
        known = _known(filing, connection, actor, mapping_id)
        if not store.delete(connection, mapping_id, version):
            raise _stale(known.version)
        return known


def propose(filing: Filing, actor: Actor, reader: SheetReader, kind: str, content: bytes) -> Proposal:
    """Headers of an uploaded workbook with the fields they may mean. Nothing is kept."""
    imported(filing.doctype(kind))
    actor.require("document.import", kind)
    try:
        look(content)
        # somebody waits for the answer: less time than an import has
        return replace_limits(reader, cpu_seconds=10, wall_seconds=20).propose(kind, content)
    except SheetProblem as exc:
        detail = Detail("/file", exc.code, exc.words.zh, exc.words.en)
        raise Problem(exc.kind, exc.words.zh, exc.words.en, [detail]) from exc


def _known(filing: Filing, connection: Connection, actor: Actor, mapping_id: str) -> Any:
    known = store.read(connection, mapping_id)
    if known is None or filing.registry.get(known.kind) is None:
        raise not_found()
    actor.require("document.import", known.kind)
    return known


def _row(filing: Filing, actor: Actor, given: Given) -> dict[str, Any]:
    doctype = filing.doctype(given.kind)
    actor.require("document.import", given.kind)
    imported(doctype)
    name = given.name.strip()
    if not 0 < len(name) <= NAME_LENGTH or _CONTROL.search(name):
        zh, en = f"名称应为 1 至 {NAME_LENGTH} 个字符。", f"A name has 1 to {NAME_LENGTH} characters."
        raise Problem("invalid", zh, en, [Detail("/name", "name", zh, en, given.name)])
    made, wrongs = check(doctype, given.columns, given.constants)
    if wrongs:
        raise Problem(
            "invalid",
            f"列对应关系有 {len(wrongs)} 处不正确，请按提示修改。",
            f"The mapping is wrong in {len(wrongs)} places; correct them as described.",
            details(wrongs),
        )
    return {"name": name, "columns": {"columns": dict(made.columns), "constants": dict(made.constants)}}


def _taken(name: str) -> Problem:
    zh, en = (
        f"已有名为“{name}”的列对应关系，请换一个名称。",
        f"There is a mapping “{name}” already; choose another name.",
    )
    return Problem("conflict", zh, en, [Detail("/name", "exists", zh, en, name)])


def _stale(version: int) -> Problem:
    return Problem(
        "stale",
        f"列对应关系已被他人修改（当前版本 {version}），请刷新后重做修改。",
        f"Somebody changed this mapping meanwhile (now version {version}); reload and apply your changes again.",
    )
