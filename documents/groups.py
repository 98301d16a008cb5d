"""What the states of all kinds have in common: groups for dashboards, what waits for a person, what counts as cleared.

Follows from the life courses (colour, rank, limits), so that a new kind or state needs no line here.
"""

from __future__ import annotations

from collections.abc import Mapping

from documents.spec import DocumentType, State
from documents.words import Words

#: in the order in which they are stacked; the name of a group is what the API calls it
GROUPS: Mapping[str, Words] = {
    "ready": Words("未提交", "Not submitted"),
    "under_way": Words("办理中", "Under way"),
    "attention": Words("待处理", "To look at"),
    "refused": Words("退单、异常", "Refused"),
    "done": Words("放行、审结", "Cleared"),
    "ended": Words("已改、已撤", "Withdrawn"),
}
_BY_COLOUR = {"blue": "under_way", "amber": "attention", "red": "refused", "green": "done"}
#: what a person has to do something about, in the order of the dashboard; overdue: under way for too long
WAITING: Mapping[str, Words] = {
    "ready": Words("待提交", "To be submitted"),
    "refused": Words("退单、异常待更正", "Refused, to be corrected"),
    "attention": Words("发送失败、查验等待处理", "Failed to send, inspected and the like"),
    "overdue": Words("超时未动", "Overdue"),
}


def group_of(state: State) -> str:
    """The group a state belongs to; grey is what was not filed yet, or what another document took the place of."""
    if state.colour == "grey":
        return "ended" if state.settled else "ready"
    return _BY_COLOUR[state.colour]


def states_of(doctype: DocumentType, group: str) -> tuple[str, ...]:
    """Names of the states of a group, in the order of the life course."""
    return tuple(state.name for state in doctype.lifecycle.states if group_of(state) == group)


def limits(doctype: DocumentType) -> dict[str, int]:
    """States in which a document may rest only so many minutes."""
    return {state.name: state.limit_minutes for state in doctype.lifecycle.states if state.limit_minutes}


def waiting_states(doctype: DocumentType, what: str) -> tuple[str, ...]:
    """The states that are meant by one of WAITING. What waits for a person already is not called overdue as well."""
    if doctype.message.direction == "in":
        return ()
    if what != "overdue":
        return states_of(doctype, what)
    limited = limits(doctype)
    return tuple(name for name in states_of(doctype, "under_way") if name in limited)


def is_refusal(doctype: DocumentType, state: str) -> bool:
    """Whether a receipt that leads to this state says no: customs refused it, or e-port could not hand it on."""
    return state == "send_failed" or doctype.lifecycle.by_name[state].colour == "red"


def is_clearance(doctype: DocumentType, state: str) -> bool:
    """Whether a receipt that leads to this state says that all is done: released, or accepted as the last step."""
    return doctype.lifecycle.by_name[state].colour == "green"
