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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentType:
    """A kind of document, declared once. Everything else in the product follows from this value."""

    kind: str
    title: Words
    owner: str
    pages: tuple[Page, ...]
    message: Message
    head: tuple[Field, ...]
    lines: tuple[Field, ...] = ()
    number: str
    unique: tuple[str, ...]
    #: the line field that the system numbers from 1; "" where lines have none
    line_number: str = ""
    discriminator: tuple[str, tuple[str, ...]] | None = None
    lifecycle: Lifecycle
    #: None for what customs sends and nobody answers
    receipt: ReceiptForm | None
    conditions: tuple[Condition, ...]
    columns: tuple[Column, ...]
    #: None where nobody imports this kind
    sheet: Sheet | None = None
    actions: tuple[Action, ...] = ()
    areas: tuple[tuple[str, Words], ...]
    #: kinds of enterprise of which the sender must be one
    senders: tuple[EnterpriseKind, ...] = ()
    #: head fields as the system fills them when the document is sent: guid, appType, appTime, appStatus
    on_submit: tuple[tuple[str, str], ...] = ()
    computed: tuple[tuple[str, Callable[[Body], str]], ...] = ()
    rules: tuple[Rule, ...] = ()
    #: line fields that together must not repeat within one document
    same_line: tuple[str, ...] = ()
    refs: tuple[Ref, ...] = ()
    effects: tuple[Effect, ...] = ()
    marks: tuple[Mark, ...] = ()
    derives: tuple[Derived, ...] = ()
    against: tuple[Against, ...] = ()
    #: head fields beside `number` by which "any number" is found
    numbers: tuple[str, ...] = ()
    #: head fields of part count and part number, where the message can be split
    parts: tuple[str, str] | None = None
    #: months after which a number may be used again; 0 = never
    reuse_months: int = 0
    #: kinds that are filed together with this one where they share a ref and were not sent yet: (kind, ref)
    companions: tuple[tuple[str, RefName], ...] = ()
    #: what customs sends: one document per message, or (merge) one for all that share `unique`, folded by `told_at`
    merge: bool = False
    told_at: str = ""
    #: the head field whose value settles what customs sends
    settled_by: str = ""
    #: a complete document, for the template, the documentation and sample messages
    example: Body | None = None

    def __post_init__(self) -> None:
        self._check_fields()
        self._check_filling()
        self._check_message()
        self._check_course()

    def _check_fields(self) -> None:
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
            "numbers": self.numbers,
            "parts": self.parts or (),
            "fills": self.receipt.fills if self.receipt else (),
            "ref": [name for item in self.refs if item.level == "head" for name in item.fields],
            "settled by": [self.settled_by] if self.settled_by else [],
        })  # fmt: skip
        self._check_names("line", lines, {
            "line number": [self.line_number] if self.line_number else [],
            "same_line": self.same_line,
        })  # fmt: skip
        self._check_names("head or line", heads | lines, {
            "ref": [name for item in self.refs if item.level == "line" for name in item.fields],
        })  # fmt: skip
        if self.sheet is not None:
            self._check_sheet(self.sheet, heads, lines)
        known = {name for name, _ in self.areas}
        for item in self.head:
            if item.area not in known:
                raise DeclarationError(f"{self.kind}: {item.name} lies in unknown area {item.area}")

    def _check_course(self) -> None:
        for action in self.actions:
            for name in action.states:
                if name not in self.lifecycle.by_name:
                    raise DeclarationError(f"{self.kind}: action {action.name} names unknown state {name}")
        for page in self.pages:
            if not set(page.states) <= self.lifecycle.by_name.keys():
                raise DeclarationError(f"{self.kind}: page {page.id} names an unknown state")
        for derived in self.derives:
            if self.action(derived.action) is None:
                raise DeclarationError(f"{self.kind}: nothing is known of action {derived.action}")
        for effect in self.effects:
            if effect.on not in self.lifecycle.by_name:
                raise DeclarationError(f"{self.kind}: an effect names unknown state {effect.on}")

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
        numbered = [self.line_number] if self.line_number else []
        if [
            item.name for item in self.lines if item.filled_by in ("system", "computed", "customs")
        ] != numbered:
            raise DeclarationError(f"{self.kind}: of the lines the system fills {numbered} and nothing else")
        by_customs = {item.name for item in self.head if item.filled_by == "customs"}
        if self.receipt is not None and by_customs != set(self.receipt.fills):
            raise DeclarationError(
                f"{self.kind}: customs fills {sorted(by_customs)}, the receipt says otherwise"
            )
        for name in self.searchable:
            if self.head_field(name).length > SEARCHABLE_LENGTH:
                raise DeclarationError(f"{self.kind}: {name} is too long to be searched for")
        if self.discriminator:
            choices = {value for value, _ in self.head_field(self.discriminator[0]).choices}
            if not set(self.discriminator[1]) <= choices:
                raise DeclarationError(f"{self.kind}: the discriminator names what is no choice of its field")
        if not self.unique or not set(self.unique) <= set(self.receipt.keys if self.receipt else self.unique):
            raise DeclarationError(f"{self.kind}: a receipt must name what makes a document unique")

    def _check_message(self) -> None:
        form = self.message
        if (form.direction == "out") != (self.receipt is not None):
            raise DeclarationError(f"{self.kind}: what we send is answered, what customs sends is not")
        if bool(form.line) != bool(self.lines):
            raise DeclarationError(f"{self.kind}: fields of lines and an element for them go together")
        if bool(form.split_lines) != (self.parts is not None):
            raise DeclarationError(f"{self.kind}: what can be split needs part count and part number")
        if form.direction == "out" and not self.senders:
            raise DeclarationError(f"{self.kind}: nobody may send it")

    def _check_sheet(self, sheet: Sheet, heads: set[str], lines: set[str]) -> None:
        columns = sheet.columns
        self._check_names("head", heads, {"sheet": [item.name for item in columns if item.level == "head"]})
        self._check_names("line", lines, {"sheet": [item.name for item in columns if item.level == "line"]})
        self._check_names("head", heads, {"export date": [sheet.export_date] if sheet.export_date else []})
        headers = [column.header for column in columns]
        places = {(column.level, column.name) for column in columns}
        if len(set(headers)) != len(headers) or len(places) != len(columns):
            raise DeclarationError(f"{self.kind}: a column of the sheet is declared twice")
        if not any(column.name == sheet.group and column.level == "head" for column in columns):
            raise DeclarationError(f"{self.kind}: the sheet has no head column {sheet.group} to group by")
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
        """Head fields that go to the key table: numbers and conditions."""
        names = dict.fromkeys([self.number, *self.numbers, *(item.name for item in self.conditions)])
        return tuple(names)
