"""The declared kinds as the front needs them: descriptions built once, allow-lists derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from documents import describe, registry
from documents.spec import DocumentType
from runtime.errors import not_found

#: query parameters that are not conditions
PAGING = (
    "sort",
    "page_size",
    "cursor",
    "stored_from",
    "stored_to",
    "state",
    "settled",
    "page",
    "task",
    "push_state",
)
#: built-in columns every kind can be queried by
BUILT_IN = ("number", "batch_no")


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared kind: its type, its description for the pages, and what a query may name.

    periods: names of ranges of times, apart from the storage time. actions: those that are done to a batch, with the permission each needs. pages: the states each declared page is
    about, none = all.
    """

    type: DocumentType
    description: Mapping[str, Any]
    conditions: tuple[str, ...]
    periods: tuple[str, ...]
    sortable: tuple[str, ...]
    actions: Mapping[str, str]
    pages: Mapping[str, tuple[str, ...]]

    @property
    def owner(self) -> str:
        """The service that keeps these documents."""
        return self.type.owner


def kinds() -> tuple[str, ...]:
    """The names of all declared kinds."""
    return tuple(item.kind for item in registry.ALL)


def kind(name: str) -> Kind:
    """The kind of that name; not found for an unknown one."""
    if name not in kinds():
        raise not_found()
    return _kind(name)


@cache
def _kind(name: str) -> Kind:
    doctype = registry.by_kind(name)
    assert doctype is not None  # the caller looked
    description = describe.describe(doctype)
    declared = [item["name"] for item in description["conditions"] if item["type"] != "daterange"]
    return Kind(
        type=doctype,
        description=description,
        conditions=tuple(dict.fromkeys([*BUILT_IN, *(n for n in declared if n not in PAGING)])),
        periods=tuple(item["name"] for item in description["conditions"] if item["type"] == "daterange"),
        sortable=tuple(item["name"] for item in description["columns"] if item["sortable"]),
        actions={item["name"]: item["permission"] for item in description["actions"] if item["batch"]},
        pages={page.id: page.states for page in doctype.pages},
    )
