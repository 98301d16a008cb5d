"""Which member may do which job. Pure; the numbers of members and jobs are small."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from services.signer.tokens.board import Job
from services.signer.tokens.states import State

#: a member in one of these may do work now or soon
HOPEFUL = (State.HEALTHY, State.SUSPECT, State.RESETTING, State.DRAINING)


class Candidate(Protocol):
    """What is asked of a member. keys, mechanisms: None while it was never opened."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def keys(self) -> Collection[str] | None: ...
    @property
    def mechanisms(self) -> Collection[str] | None: ...


def may(member: Candidate, job: Job, members: Sequence[Candidate]) -> bool:
    """May this member take the job now? Members that hold its keys come first, and those that did not fail with it."""
    if job.only:
        return job.only == member.name
    if member.state is not State.HEALTHY:
        return False
    able = [one for one in holders(job, members) if one.state is State.HEALTHY]
    offering = [one for one in able if _offers(one, job)] or able
    fresh = [one for one in offering if one.name not in job.tried] or offering
    return any(one.name == member.name for one in fresh)


def hopeless(job: Job, members: Sequence[Candidate]) -> bool:
    """No member that could do it can be used now or soon."""
    if job.only:
        return not any(one.name == job.only and one.state in HOPEFUL for one in members)
    return not any(one.state in HOPEFUL for one in holders(job, members))


def holders(job: Job, members: Sequence[Candidate]) -> list[Candidate]:
    """Members known to hold the job's keys; where nobody is known to, all that were not found to lack them.

    A member that holds the key and is away is waited for: the others would call the key missing."""
    left = [one for one in members if one.name not in job.missing]
    known = [one for one in left if one.keys is not None and job.keys.issubset(one.keys)]
    return known or left


def groups(keys: Sequence[str], members: Sequence[Candidate]) -> list[list[int]]:
    """Indices of requests, those together whose keys lie in the same members."""
    found: dict[frozenset[str], list[int]] = {}
    where: dict[str, frozenset[str]] = {}
    for index, key in enumerate(keys):
        if key not in where:
            where[key] = frozenset(one.name for one in members if one.keys and key in one.keys)
        found.setdefault(where[key], []).append(index)
    return list(found.values())


def _offers(member: Candidate, job: Job) -> bool:
    offered = member.mechanisms
    return offered is not None and all(request.mechanism in offered for request in job.requests)
