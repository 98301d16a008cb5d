"""A document type, declared once. Impossible declarations raise when constructed.

What follows from a declaration lives next door (check, xml, sheet, describe, receipts); the words it is written in are
those of documents.vocabulary, offered here so that a declaration has one place to take them from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from documents.vocabulary import (
    CUSTOMS_RANK,
    OWN_STATES,
    RECEIPT_OWN,
    SEARCHABLE_LENGTH,
    SUBMIT_SOURCES,
    Action,
    Against,
    Body,
    Column,
    Companion,
    Condition,
    DeclarationError,
    Derived,
    Effect,
    EnterpriseKind,
    Field,
    FieldType,
    FilledBy,
    Lifecycle,
    Mark,
    Message,
    Page,
    ReceiptForm,
    Ref,
    RefName,
    Rule,
    Sheet,
    SheetColumn,
    State,
    Status,
)
from documents.words import Words

__all__ = [
    "CUSTOMS_RANK",
    "OWN_STATES",
    "RECEIPT_OWN",
    "SEARCHABLE_LENGTH",
    "SUBMIT_SOURCES",
    "Action",
    "Against",
    "Body",
    "Column",
    "Companion",
    "Condition",
    "DeclarationError",
    "Derived",
    "DocumentType",
    "Effect",
    "EnterpriseKind",
    "Field",
    "FieldType",
    "FilledBy",
    "Lifecycle",
    "Mark",
    "Message",
    "Page",
    "ReceiptForm",
    "Ref",
    "RefName",
    "Rule",
    "Sheet",
    "SheetColumn",
    "State",
    "Status",
]


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
    #: kinds that are filed together with this one where they share a ref and were not sent yet
    companions: tuple[Companion, ...] = ()
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
