"""What the imports process does with a task that is to be generated: all documents are made ready, or none is.

Each is filled up from the strategy as it is now and checked against its declaration; what is wrong is told by document
and field, and then nothing is changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from documents import body as bodies
from documents import strategy as strategies
from documents.check import checker
from documents.spec import Body, DocumentType, Field
from documents.words import Words, Wrong
from filing import changes
from filing.context import Filing
from filing.limits import MAX_ATTEMPTS
from filing.store import documents as store
from filing.store import tasks as task_store
from filing.strategies import Strategy
from filing.usecases.import_work import task_progress
from runtime import crash, db, outbox
from runtime.actor import Actor

#: wrong fields that a task keeps; there may be any number
MAX_REASONS = 200
_TOLD_AT_ONCE = 1000
_TRIES = 3


def run(filing: Filing, actor: Actor, token: str, task_id: str) -> None:
    """Make a task's documents ready. Repeated after a kill it begins again: nothing was changed before its commit."""
    with filing.database.transaction(actor.tenant_id) as connection:
        row = task_store.lock(connection, task_id)
        if row is None or row.state != "generating":
            return  # done by an earlier delivery, given up or deleted meanwhile
        if task_store.take(connection, task_id) > MAX_ATTEMPTS:
            _fail(connection, actor, token, row, _worn_out())
            return
    crash.point("tasks.generate.taken")
    for _ in range(_TRIES):
        try:
            with filing.database.transaction(actor.tenant_id) as connection:
                row = task_store.lock(connection, task_id)
                if row is None or row.state != "generating":
                    return
                _Generation(filing.doctype(row.kind), row).run(connection, actor, token)
                crash.point("tasks.generate.before-commit")
        except IntegrityError as exc:
            if not db.is_unique_violation(exc):
                raise
            continue  # a number was taken between look and change: look again
        crash.point("tasks.generate.committed")
        return
    give_up(filing, actor, token, task_id, "")


def give_up(filing: Filing, actor: Actor, token: str, task_id: str, trace: str) -> None:
    """Something of ours broke: the task says so, with the number under which the log has the rest."""
    with filing.database.transaction(actor.tenant_id) as connection:
        row = task_store.lock(connection, task_id)
        if row is not None and row.state == "generating":
            hint = f"；如仍出现请提供追踪号 {trace}" if trace else ""
            hint_en = f", or quote trace {trace}" if trace else ""
            zh = f"系统生成申报数据时出错，数据未改动，请重试{hint}。"
            en = f"Our side failed while generating and changed nothing; try again{hint_en}."
            _fail(
                connection,
                actor,
                token,
                row,
                {"code": "internal", "zh": zh, "en": en, "reasons": [], "total": 0},
            )


class _Generation:
    """One pass over a task's documents."""

    def __init__(self, doctype: DocumentType, row: Any) -> None:
        self._type = doctype
        self._row = row
        kept = row.strategy
        self._before = Strategy.from_dict(kept)
        self._now = Strategy.from_dict(kept["present"])
        old, new = (
            strategies.fill(doctype, given.trade_mode, given.defaults) for given in (self._before, self._now)
        )
        self._head, self._line = (old[0], new[0]), (old[1], new[1])
        self._check = checker(doctype)
        self._reasons: list[dict[str, Any]] = []
        self._total = 0

    def run(self, connection: Connection, actor: Actor, token: str) -> None:
        found = task_store.lock_documents(connection, str(self._row.id))
        # what was pushed already is customs' and is left alone
        mine = [item for item in found if item.state in ("draft", "checked")]
        made = [(item, self._made(item)) for item in mine]
        self._no_number_twice(connection, made)
        if self._total:
            zh = f"{len({r['document_id'] for r in self._reasons})} 单共 {self._total} 处不符合申报要求，申报数据未生成；请更正数据或业务策略后重新生成。"
            en = f"{self._total} values are not fit to be filed, nothing was generated; correct the data or the strategy and generate again."
            failure = {"code": "not-fit", "zh": zh, "en": en, "reasons": self._reasons, "total": self._total}
            _fail(connection, actor, token, self._row, failure)
            return
        self._ready(connection, actor, token, made)

    def _made(self, item: Any) -> dict[str, Any]:
        """The document's body under the strategy of now; its wrong fields are noted."""
        body = self._filled(item.body)
        wrongs = self._check.wrongs(body)
        for wrong in wrongs:
            self._note(item, wrong)
        return body if wrongs else bodies.complete(self._type, body)

    def _filled(self, body: Body) -> dict[str, Any]:
        return {
            "head": _refilled(self._type.head, body["head"], *self._head),
            "lines": [_refilled(self._type.lines, line, *self._line) for line in body["lines"]],
        }

    def _no_number_twice(self, connection: Connection, made: Sequence[tuple[Any, dict[str, Any]]]) -> None:
        keys = {str(item.id): bodies.natural_key(self._type, body["head"]) for item, body in made}
        holders = task_store.holders(
            connection, [key for key in keys.values() if key], self._type.reuse_months
        )
        own: dict[str, str] = {}
        for item, _ in made:
            document_id = str(item.id)
            key = keys[document_id]
            holder = holders.get(key, own.get(key, document_id))
            # a document of this task that holds the number now may have another one afterwards
            if key and holder != document_id and keys.get(holder, key) == key:
                label = self._type.head_field(self._type.number).words
                words = Words(
                    f"{label.zh}“{item.number}”已存在，请更正编号或删除此单。",
                    f"{label.en} “{item.number}” exists already; correct the number or delete this document.",
                )
                self._note(item, Wrong(("head", self._type.number), "exists", words, item.number))
            own.setdefault(key, document_id)

    def _note(self, item: Any, wrong: Wrong) -> None:
        self._total += 1
        if len(self._reasons) < MAX_REASONS:
            fields = self._type.lines if wrong.path[:1] == ("lines",) else self._type.head
            name = wrong.path[-1] if wrong.path else ""
            label = next((each.words for each in fields if each.name == name), Words("", ""))
            self._reasons.append(
                {
                    "document_id": str(item.id), "number": item.number, "pointer": wrong.pointer, "code": wrong.code,
                    "zh": wrong.words.zh, "en": wrong.words.en, "value": wrong.value, "label_zh": label.zh,
                    "label_en": label.en,
                }
            )  # fmt: skip

    def _ready(
        self, connection: Connection, actor: Actor, token: str, made: Sequence[tuple[Any, dict[str, Any]]]
    ) -> None:
        rows, terms = [], []
        for item, body in made:
            document_id, key = str(item.id), bodies.natural_key(self._type, body["head"])
            text = json.dumps(body, ensure_ascii=False)
            rows.append((document_id, bodies.number(self._type, body), key, text))
            if body != item.body:
                terms.append((document_id, bodies.terms(self._type, body)))
        if self._type.reuse_months:
            fresh = [row[2] for row, (item, _) in zip(rows, made, strict=True) if row[2] != item.natural_key]
            store.release_old_keys(connection, fresh, self._type.reuse_months)
        state = self._type.lifecycle.by_name["checked"]
        changed = task_store.make_ready(connection, state.name, state.rank, rows)
        task_store.forget_terms(connection, [document_id for document_id, _ in terms])
        store.add_terms(connection, self._type.kind, terms)
        detail = {"task_no": self._row.task_no}
        store.add_events(connection, [row[0] for row in rows], "generated", actor.label, detail)
        task_store.set_strategy(connection, str(self._row.id), self._now.as_dict())
        task_store.set_state(connection, str(self._row.id), "generated", actor.label)
        events = [task_progress(self._row.id, self._row.kind, "generated")]
        for first in range(0, len(changed), _TOLD_AT_ONCE):
            events += changes.changed(changed[first : first + _TOLD_AT_ONCE])
        outbox.add(connection, actor.tenant_id, token, events)


def _refilled(
    fields: Sequence[Field], part: Mapping[str, str], old: Mapping[str, str], new: Mapping[str, str]
) -> dict[str, str]:
    """Values that came from the strategy as it was give way to those of now; what people entered stays."""
    result = dict(part)
    for item in fields:
        name = item.name
        if item.filled_by != "strategy" or (name not in old and name not in new):
            continue
        # a default of the declaration stands where the strategy had nothing
        if result.get(name, "") in (old.get(name, ""), "" if name in old else item.default or ""):
            if name in new:
                result[name] = new[name]
            else:
                result.pop(name, None)
    return result


def _fail(connection: Connection, actor: Actor, token: str, row: Any, failure: Mapping[str, Any]) -> None:
    kept = {key: value for key, value in row.strategy.items() if key != "present"}
    task_store.set_strategy(connection, str(row.id), kept)
    task_store.set_state(connection, str(row.id), "failed", actor.label, failure)
    outbox.add(connection, actor.tenant_id, token, [task_progress(row.id, row.kind, "failed")])


def _worn_out() -> dict[str, Any]:
    zh = f"处理进程已被中断 {MAX_ATTEMPTS} 次，已停止生成，数据未改动；请稍后重新生成，或拆分任务。"
    en = (
        f"The process was stopped {MAX_ATTEMPTS} times and gave up; nothing was changed. Generate again later, or split "
        "the task."
    )
    return {"code": "stopped-too-often", "zh": zh, "en": en, "reasons": [], "total": 0}
