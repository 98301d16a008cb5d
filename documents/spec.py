"""The vocabulary in which a document type is declared. Impossible declarations raise when constructed.

Values of this module hold no behaviour beyond their own consistency; what follows from them lives next door
(check, xml, sheet, describe, receipts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from documents.codes import TABLES
from documents.words import Words, Wrong

#: {"head": {name: text}, "lines": [{name: text}, …]} — texts only, decimals are parsed where arithmetic happens
Body = Mapping[str, Any]
Rule = Callable[[Body], Iterable[Wrong]]

FieldType = Literal["text", "code", "decimal", "integer", "datetime"]
FilledBy = Literal["user", "strategy", "computed", "system", "customs"]


#: what the system can fill into a message when it is sent
SUBMIT_SOURCES = frozenset({"guid", "app_type", "app_time", "app_status"})
#: states that our own doing leads to: every life course has them
OWN_STATES = ("draft", "checked", "signing", "signed", "sent", "send_failed")
#: states that customs' answers lead to rank from here: a document that reached one never goes back by our doing
CUSTOMS_RANK = 10
#: characters; what is searched for stands in an index
SEARCHABLE_LENGTH = 255


class DeclarationError(Exception):
    """A document type was declared in a way that cannot work."""


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One element of the message, in XSD order.

    type: "code" is text without any blank inside. length/min_length in characters; digits (total) and scale
    (decimals) for decimals. decimals: a narrower limit than the message's, with the same meaning. filled_by:
    "computed" may be left out and is then worked out from the lines; "system" is set when the document is sent and
    refused from anybody else. pattern: a full-match regular expression with the words for a miss.
    """

    name: str
    zh: str
    en: str
    type: FieldType
    required: bool
    length: int = 0
    min_length: int = 0
    digits: int = 0
    scale: int = 0
    decimals: int | None = None
    positive: bool = False
    signed: bool = False
    table: str | None = None
    choices: tuple[tuple[str, Words], ...] = ()
    pattern: tuple[str, Words] | None = None
    default: str | None = None
    filled_by: FilledBy = "user"
    area: str = "main"
    border: Literal["customs", "inspection", "both"] | None = "customs"
    note: Words | None = None

    def __post_init__(self) -> None:
        for wrong, why in (
            (not self.zh or not self.en, "needs a label in both languages"),
            (self.type in ("text", "code") and not 0 < self.length >= self.min_length >= 0, "needs a length"),
            (self.type == "decimal" and not self.digits > self.scale >= 0, "digits must exceed scale"),
            (self.decimals is not None and not 0 <= self.decimals <= self.scale, "decimals wider than the scale"),
            (self.type == "integer" and self.digits < 1, "an integer needs digits"),
            (self.table is not None and self.table not in TABLES, f"unknown code table {self.table}"),
            (self.table is not None and bool(self.choices), "code table and choices exclude each other"),
            (self.positive and self.signed, "positive and signed exclude each other"),
            (self.pattern is not None and self.type != "code", "only a code has a pattern"),
            (self.pattern is not None and not _compiles(self.pattern[0]), "the pattern is no regular expression"),
            (len({value for value, _ in self.choices}) != len(self.choices), "a choice stands twice"),
            (any(not self.min_length <= len(value) <= self.length for value, _ in self.choices),
             "a choice does not fit the length"),
        ):  # fmt: skip
            if wrong:
                raise DeclarationError(f"{self.name}: {why}")

    @property
    def words(self) -> Words:
        return Words(self.zh, self.en)

    @property
    def places(self) -> int:
        """Decimals that may be entered."""
        return self.scale if self.decimals is None else self.decimals


@dataclass(frozen=True, slots=True)
class State:
    """A state of the life course. rank: a document never moves to a lower one within one attempt to file it.

    colour: grey draft, blue on its way, amber needs someone, green done, red refused.
    """

    name: str
    words: Words
    colour: Literal["grey", "blue", "amber", "green", "red"]
    rank: int
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A returnStatus of customs and the state it leads to. source: how sure this is (spec, assumed …)."""

    code: str
    words: Words
    state: str
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Lifecycle:
    """States and what moves them. `negative` is the state for any negative returnStatus."""

    states: tuple[State, ...]
    statuses: tuple[Status, ...]
    negative: str
    by_name: Mapping[str, State] = field(init=False)
    by_code: Mapping[str, Status] = field(init=False)

    def __post_init__(self) -> None:
        by_name = {state.name: state for state in self.states}
        if len(by_name) != len(self.states):
            raise DeclarationError("a state is declared twice")
        by_customs = {*(status.state for status in self.statuses), self.negative}
        for name in (*by_customs, *OWN_STATES):
            if name not in by_name:
                raise DeclarationError(f"the life course lacks state {name}")
        for name in by_customs:
            if by_name[name].rank < CUSTOMS_RANK:
                raise DeclarationError(f"customs' state {name} must rank {CUSTOMS_RANK} or more")
        ranks = [by_name[name].rank for name in OWN_STATES[:-1]]
        if ranks != sorted(set(ranks)) or ranks[-1] >= CUSTOMS_RANK:
            raise DeclarationError(
                f"{', '.join(OWN_STATES[:-1])} must rank in this order, below {CUSTOMS_RANK}"
            )
        if len({status.code for status in self.statuses}) != len(self.statuses):
            raise DeclarationError("a returnStatus is declared twice")
        object.__setattr__(self, "by_name", by_name)
        object.__setattr__(self, "by_code", {status.code: status for status in self.statuses})


@dataclass(frozen=True, slots=True)
class Message:
    """Where documents of this type stand in the customs message. Names without prefix; source: the field tables."""

    root: str
    node: str
    head: str
    line: str
    namespace: str = "http://www.chinaport.gov.cn/ceb"
    prefix: str = "ceb"
    max_documents: int = 100
    max_lines: int = 100
    signature: Literal["required", "optional"] = "required"

    def __post_init__(self) -> None:
        if min(self.max_documents, self.max_lines) < 1:
            raise DeclarationError(f"{self.root}: a message holds at least one document with one line")


@dataclass(frozen=True, slots=True)
class ReceiptForm:
    """The receipt that answers. keys: fields common to document and receipt, matched before the guid."""

    root: str
    node: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column of the import template: its header text and the field it fills."""

    header: str
    name: str
    level: Literal["head", "line"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The import template. Rows with the same `group` field make one document."""

    title: str
    columns: tuple[SheetColumn, ...]
    group: str
    example: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person does with stored documents; allowed in the named states only."""

    name: str
    words: Words
    states: tuple[str, ...]
    confirm: Words
    permission: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A query condition over a searchable head field."""

    name: str
    match: Literal["equals", "prefix"] = "equals"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the query page beyond the built-in ones."""

    name: str
    width: int
    align: Literal["left", "right", "center"] = "left"
    default: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentType:
    """A kind of document, declared once. Everything else in the product follows from this value."""

    kind: str
    title: Words
    owner: str
    pages: tuple[str, ...]
    message: Message
    head: tuple[Field, ...]
    lines: tuple[Field, ...]
    number: str
    unique: tuple[str, ...]
    line_number: str
    discriminator: tuple[str, tuple[str, ...]] | None
    lifecycle: Lifecycle
    receipt: ReceiptForm
    conditions: tuple[Condition, ...]
    columns: tuple[Column, ...]
    sheet: Sheet
    actions: tuple[Action, ...]
    areas: tuple[tuple[str, Words], ...]
    #: head fields as the system fills them when the document is sent: guid, appType, appTime, appStatus
    on_submit: tuple[tuple[str, str], ...]
    computed: tuple[tuple[str, Callable[[Body], str]], ...] = ()
    rules: tuple[Rule, ...] = ()
    #: line fields that together must not repeat within one document
    same_line: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        heads = {item.name for item in self.head}
        lines = {item.name for item in self.lines}
        if len(heads) != len(self.head) or len(lines) != len(self.lines):
            raise DeclarationError(f"{self.kind}: a field is declared twice")
        self._check_names("head", heads, {
            "number": [self.number],
            "unique": self.unique,
            "condition": [item.name for item in self.conditions],
            "column": [item.name for item in self.columns],
            "computed": [name for name, _ in self.computed],
            "on_submit": [name for name, _ in self.on_submit],
            "discriminator": [self.discriminator[0]] if self.discriminator else [],
            "sheet": [item.name for item in self.sheet.columns if item.level == "head"],
        })  # fmt: skip
        self._check_names("line", lines, {
            "line number": [self.line_number],
            "same_line": self.same_line,
            "sheet": [item.name for item in self.sheet.columns if item.level == "line"],
        })  # fmt: skip
        self._check_filling()
        self._check_sheet()
        known = {name for name, _ in self.areas}
        for item in self.head:
            if item.area not in known:
                raise DeclarationError(f"{self.kind}: {item.name} lies in unknown area {item.area}")
        for action in self.actions:
            for name in action.states:
                if name not in self.lifecycle.by_name:
                    raise DeclarationError(f"{self.kind}: action {action.name} names unknown state {name}")

    def _check_names(self, level: str, known: set[str], wanted: Mapping[str, Iterable[str]]) -> None:
        for what, names in wanted.items():
            for name in names:
                if name not in known:
                    raise DeclarationError(f"{self.kind}: {what} names {name}, which is no {level} field")

    def _check_filling(self) -> None:
        """Every field has exactly one who fills it."""
        unknown = {source for _, source in self.on_submit} - SUBMIT_SOURCES
        if unknown:
            raise DeclarationError(f"{self.kind}: nothing fills {', '.join(sorted(unknown))} when it is sent")
        for filled_by, names in (
            ("system", {name for name, _ in self.on_submit}),
            ("computed", {name for name, _ in self.computed}),
        ):
            declared = {item.name for item in self.head if item.filled_by == filled_by}
            if declared != names:
                odd = ", ".join(sorted(declared ^ names))
                raise DeclarationError(f"{self.kind}: {odd} and what is filled by {filled_by} do not agree")
        if [item.name for item in self.lines if item.filled_by in ("system", "computed")] != [
            self.line_number
        ]:
            raise DeclarationError(
                f"{self.kind}: of the lines the system fills {self.line_number} and nothing else"
            )
        for name in self.searchable:
            if self.head_field(name).length > SEARCHABLE_LENGTH:
                raise DeclarationError(f"{self.kind}: {name} is too long to be searched for")
        if self.discriminator:
            choices = {value for value, _ in self.head_field(self.discriminator[0]).choices}
            if not set(self.discriminator[1]) <= choices:
                raise DeclarationError(f"{self.kind}: the discriminator names what is no choice of its field")
        if not self.unique or not set(self.unique) <= set(self.receipt.keys):
            raise DeclarationError(f"{self.kind}: a receipt must name what makes a document unique")

    def _check_sheet(self) -> None:
        columns = self.sheet.columns
        headers = [column.header for column in columns]
        if len(set(headers)) != len(headers) or len({column.name for column in columns}) != len(columns):
            raise DeclarationError(f"{self.kind}: a column of the sheet is declared twice")
        if not any(column.name == self.sheet.group and column.level == "head" for column in columns):
            raise DeclarationError(
                f"{self.kind}: the sheet has no head column {self.sheet.group} to group by"
            )
        fields = {
            "head": {item.name: item for item in self.head},
            "line": {item.name: item for item in self.lines},
        }
        for column in columns:
            if fields[column.level][column.name].filled_by in ("system", "customs"):
                raise DeclarationError(f"{self.kind}: {column.name} is not for people to fill in")

    def action(self, name: str) -> Action | None:
        """The action of that name."""
        return next((item for item in self.actions if item.name == name), None)

    def head_field(self, name: str) -> Field:
        """The head field of that name; KeyError if there is none."""
        for item in self.head:
            if item.name == name:
                return item
        raise KeyError(name)

    @property
    def searchable(self) -> tuple[str, ...]:
        """Head fields that go to the key table: number, conditions and sortable columns."""
        names = dict.fromkeys([self.number, *(item.name for item in self.conditions)])
        return tuple(names)
