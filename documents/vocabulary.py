"""The words in which a document type is declared: fields, states, messages, receipts, links, sheets, pages.

Impossible values raise when constructed. Values of this module hold no behaviour beyond their own consistency.
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

FieldType = Literal["text", "code", "decimal", "integer", "datetime", "date"]
FilledBy = Literal["user", "strategy", "computed", "system", "customs"]
#: kinds of enterprise (guide 003): who may file what follows from them
EnterpriseKind = Literal[
    "ecommerce", "platform", "logistics", "payment", "operator", "logistics-b2b", "agent"
]
#: what documents of several kinds have in common and are linked by
RefName = Literal["order", "waybill", "list", "bill", "return", "summary", "declaration"]


#: what the system can fill into a message when it is sent
SUBMIT_SOURCES = frozenset({"guid", "app_type", "app_time", "app_status"})
#: states that our own doing leads to: every life course has them
OWN_STATES = ("draft", "checked", "signing", "signed", "sent", "send_failed")
#: states that customs' answers lead to rank from here: a document that reached one never goes back by our doing
CUSTOMS_RANK = 10
#: what stands in every receipt, whatever it answers
RECEIPT_OWN = ("guid", "returnStatus", "returnTime", "returnInfo")
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

    type: "code" is text without any blank inside; date: yyyyMMdd; datetime: yyyyMMddHHmmss. length/min_length in
    characters; digits (total) and scale (decimals) for decimals. decimals: a narrower limit than the message's, with
    the same meaning. open_table: the code table is known to be incomplete, it offers codes but does not decide.
    pattern: a full-match regular expression with the words for a miss. verify: a further judge of
    values that fit the pattern (a check digit): code and words, or None.

    filled_by: "computed" may be left out and is then worked out from the lines; "system" is set when the document is
    sent; "customs" is taken from receipts (numbers that customs or e-port assign), kept in the body and sent along
    from then on. The last two are refused from anybody else.
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
    open_table: bool = False
    choices: tuple[tuple[str, Words], ...] = ()
    pattern: tuple[str, Words] | None = None
    verify: Callable[[str], tuple[str, Words] | None] | None = None
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
            (self.open_table and not (self.table and self.pattern), "an open table needs a pattern to decide"),
            (self.pattern is not None and not _compiles(self.pattern[0]), "the pattern is no regular expression"),
            (self.verify is not None and self.pattern is None, "a verified field needs a pattern first"),
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

    colour: grey draft, blue on its way, amber needs someone, green done, red refused. held: customs has the document
    in its books, so that it can be amended or deleted only by another message. frees: its number may be used again.
    limit_minutes: how long a document may
    stay here before it counts as overdue, with `stuck`: why that can be and what to do; 0 where it may rest for ever.
    """

    name: str
    words: Words
    colour: Literal["grey", "blue", "amber", "green", "red"]
    rank: int
    settled: bool = False
    held: bool = False
    frees: bool = False
    limit_minutes: int = 0
    stuck: Words | None = None

    def __post_init__(self) -> None:
        if bool(self.limit_minutes) != (self.stuck is not None):
            raise DeclarationError(f"state {self.name}: a time limit and its reason go together")


@dataclass(frozen=True, slots=True)
class Status:
    """A returnStatus of customs and the state it leads to. source: how sure this is (spec, assumed …)."""

    code: str
    words: Words
    state: str
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Lifecycle:
    """States and what moves them. `negative` is the state for any negative returnStatus.

    Without statuses and negative: the course of what customs sends, which no receipt moves.
    """

    states: tuple[State, ...]
    statuses: tuple[Status, ...]
    negative: str
    by_name: Mapping[str, State] = field(init=False)
    by_code: Mapping[str, Status] = field(init=False)

    def __post_init__(self) -> None:
        by_name = {state.name: state for state in self.states}
        if len(by_name) != len(self.states):
            raise DeclarationError("a state is declared twice")
        if self.statuses or self.negative:
            self._check_moves(by_name)
        if len({status.code for status in self.statuses}) != len(self.statuses):
            raise DeclarationError("a returnStatus is declared twice")
        object.__setattr__(self, "by_name", by_name)
        object.__setattr__(self, "by_code", {status.code: status for status in self.statuses})

    def _check_moves(self, by_name: Mapping[str, State]) -> None:
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

    @property
    def held(self) -> frozenset[str]:
        """Names of the states in which customs has the document in its books."""
        return frozenset(state.name for state in self.states if state.held)

    @property
    def by_others(self) -> frozenset[str]:
        """Names of the states that no answer of customs leads to, but what it says of another document."""
        told = {*(status.state for status in self.statuses), self.negative}
        return frozenset(
            state.name for state in self.states if state.rank >= CUSTOMS_RANK and state.name not in told
        )


@dataclass(frozen=True, slots=True)
class Message:
    """Where documents of this type stand in the customs message. Names without prefix; source: the field tables.

    head: "" where the fields stand in the node itself. line: "" where the document has no lines. max_lines: the
    definition's limit; where it has none (unbounded), split_lines says how many go into one part and max_lines how
    many a document may have before it is split (msgCount, msgSeqNo). direction: "in" for what customs sends.
    """

    root: str
    node: str
    head: str = ""
    line: str = ""
    namespace: str = "http://www.chinaport.gov.cn/ceb"
    prefix: str = "ceb"
    max_documents: int = 100
    min_lines: int = 1
    max_lines: int = 100
    split_lines: int = 0
    signature: Literal["required", "optional", "never"] = "required"
    direction: Literal["out", "in"] = "out"

    def __post_init__(self) -> None:
        if self.max_documents < 1:
            raise DeclarationError(f"{self.root}: a message holds at least one document")
        if self.line and not 0 <= self.min_lines <= self.max_lines:
            raise DeclarationError(f"{self.root}: the limits of lines exclude each other")
        if self.split_lines and not 0 < self.split_lines < self.max_lines:
            raise DeclarationError(f"{self.root}: parts must be smaller than what is split")


@dataclass(frozen=True, slots=True)
class ReceiptForm:
    """The receipt that answers. keys: fields common to document and receipt, matched before the guid.

    fills: fields of the head (filled_by customs) that the receipt brings. fields: its elements in XSD order; without
    them no definition is made of the receipt and all its elements are taken as they come.
    """

    root: str
    node: str
    keys: tuple[str, ...]
    fills: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    max_items: int = 100

    def __post_init__(self) -> None:
        names = {item.name for item in self.fields}
        lacking = {*self.keys, *self.fills, *RECEIPT_OWN} - names
        if self.fields and (lacking or len(names) != len(self.fields)):
            raise DeclarationError(f"{self.root}: a field is declared twice or {sorted(lacking)} is not")


@dataclass(frozen=True, slots=True)
class Ref:
    """What links documents of different kinds: those with equal values of a name belong together.

    fields: their values make the link; of a line's ref each is looked for in the line first, then in the head.
    """

    name: RefName
    fields: tuple[str, ...]
    level: Literal["head", "line"] = "head"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a document does to others of its service: once it is in state `on`, those of `kind` that share `ref` take
    `state`, whichever of the two came first; never backward. source: how sure this is.
    """

    on: str
    ref: RefName
    kind: str
    state: str
    source: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What others say of a document beside its state, as a query condition. values: in rising order, each with the
    kind and states of a document that shares `ref` and makes it so; the first one holds where there is none.
    """

    name: str
    words: Words
    ref: RefName
    none: tuple[str, Words]
    values: tuple[tuple[str, Words, str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """A document of another kind of the same service that is begun from this one, by the action of that name.

    make: its body as far as this one tells it; a number of its own is put before it, beginning with prefix.
    """

    action: str
    kind: str
    prefix: str
    make: Callable[[Body], Body]


@dataclass(frozen=True, slots=True)
class Against:
    """A check against a document of this service that shares `ref`, made before filing, if that one is known here.

    rule: (this body, the other's number, state and body) -> what is wrong.
    """

    ref: RefName
    kind: str
    rule: Callable[[Body, str, str, Body], Iterable[Wrong]]


@dataclass(frozen=True, slots=True)
class Companion:
    """A kind that goes along: found by a ref. names: optional head fields that say who files; where the companion
    leaves them empty they are taken over, since whoever signs must stand in the message."""

    kind: str
    ref: RefName
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A query page of the guides: its id (spec of the product), and the states it is about; all if empty.

    group: the menu it stands in (trade, logistics, lists, returns, summary). entry: documents are entered here.
    """

    id: str
    title: Words
    group: Literal["trade", "logistics", "lists", "returns", "summary"]
    states: tuple[str, ...] = ()
    entry: bool = False


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column of the import template: its header text and the field it fills."""

    header: str
    name: str
    level: Literal["head", "line"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The import template. Rows with the same `group` field make one document; where a document has no lines each
    row is one. batch: imports carry a batch number. export_date: a head field that the import's export date fills.
    """

    title: str
    columns: tuple[SheetColumn, ...]
    group: str
    example: tuple[tuple[str, ...], ...] = ()
    batch: bool = False
    export_date: str = ""


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
