"""数据申报管理 (guide 003): the states of a document of an import task, as sets over its life course.

A draft of a task is basic data, which nobody can push yet. What customs took stays a success, whatever comes later.
"""

from __future__ import annotations

from dataclasses import dataclass

from documents.spec import DocumentType
from documents.words import Words


@dataclass(frozen=True, slots=True)
class PushState:
    """name: as the API has it. states: of the life course; empty: all that no other one has."""

    name: str
    words: Words
    states: tuple[str, ...]


PUSH_STATES: tuple[PushState, ...] = (
    PushState("basic", Words("基础数据", "Basic data"), ("draft",)),
    PushState("pending", Words("待推送", "To be pushed"), ("checked",)),
    PushState(
        "declaring", Words("申报中", "Being declared"), ("signing", "signed", "sent", "stored", "received")
    ),
    PushState("failure", Words("失败", "Failed"), ("rejected", "error", "send_failed")),
    PushState("success", Words("成功", "Successful"), ()),
)
BY_NAME = {item.name: item for item in PUSH_STATES}
_OF = {state: item for item in PUSH_STATES for state in item.states}


def push_state(state: str) -> PushState:
    """The push state of a document in a state of its life course."""
    return _OF.get(state, BY_NAME["success"])


def states_of(doctype: DocumentType, name: str) -> tuple[str, ...]:
    """The states of a kind's life course that make up a push state; KeyError for an unknown one."""
    wanted = BY_NAME[name]
    return tuple(state for state in doctype.lifecycle.by_name if push_state(state) is wanted)
