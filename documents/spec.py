"""The vocabulary in which a document type is declared. Impossible declarations raise when constructed.

Values of this module hold no behaviour beyond their own consistency; what follows from them lives next door
(check, xml, sheet, describe, receipts).
"""

from __future__ import annotations

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


class DeclarationError(Exception):
    """A document type was declared in a way that cannot work."""


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
        if self.type in ("text", "code") and not 0 < self.length >= self.min_length:
            raise DeclarationError(f"{self.name}: a {self.type} field needs a length")
        if self.type == "decimal" and not self.digits > self.scale >= 0:
            raise DeclarationError(f"{self.name}: digits must exceed scale")
        if self.decimals is not None and self.decimals > self.scale:
            raise DeclarationError(f"{self.name}: decimals wider than the message's scale")
        if self.type == "integer" and self.digits < 1:
            raise DeclarationError(f"{self.name}: an integer needs digits")
        if self.table is not None and self.table not in TABLES:
            raise DeclarationError(f"{self.name}: unknown code table {self.table}")
        if self.table is not None and self.choices:
            raise DeclarationError(f"{self.name}: code table and choices exclude each other")

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
        for name in [status.state for status in self.statuses] + [
            self.negative,
            "draft",
            "checked",
            "signing",
        ]:
            if name not in by_name:
                raise DeclarationError(f"the life course lacks state {name}")
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
        wanted = {
            "number": [self.number],
            "unique": self.unique,
            "condition": [item.name for item in self.conditions],
            "column": [item.name for item in self.columns],
            "computed": [name for name, _ in self.computed],
            "on_submit": [name for name, _ in self.on_submit],
            "discriminator": [self.discriminator[0]] if self.discriminator else [],
            "sheet": [item.name for item in self.sheet.columns if item.level == "head"],
            "group": [self.sheet.group],
        }
        for what, names in wanted.items():
            for name in names:
                if name not in heads:
                    raise DeclarationError(f"{self.kind}: {what} names {name}, which is no head field")
        for name in [
            self.line_number,
            *self.same_line,
            *(c.name for c in self.sheet.columns if c.level == "line"),
        ]:
            if name not in lines:
                raise DeclarationError(f"{self.kind}: {name} is no line field")
        known = {name for name, _ in self.areas}
        for item in self.head:
            if item.area not in known:
                raise DeclarationError(f"{self.kind}: {item.name} lies in unknown area {item.area}")
        for action in self.actions:
            for name in action.states:
                if name not in self.lifecycle.by_name:
                    raise DeclarationError(f"{self.kind}: action {action.name} names unknown state {name}")

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
