"""The shapes of the dashboards' numbers. A figure comes with the queries that show exactly the documents it counts."""

from __future__ import annotations

from marshmallow import fields

from services.gateway.http.document_schemas import Explanation
from services.gateway.http.schemas import KeyAnswer
from services.gateway.http.shapes import Answer, a_flag, a_number, a_text, many, one


def _a_query() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "parameters of GET /api/v1/documents/{kind}"},
    )


class _Part(Answer):
    kind = a_text()
    count = a_number()
    query = _a_query()


class _Figure(Answer):
    count = a_number()
    of = many(_Part)


class _WaitingState(_Part):
    state = a_text()
    text = a_text()


class _WaitingPart(_Part):
    what = a_text()
    states = many(_WaitingState)


class _WaitingItem(Answer):
    what = a_text()
    text = a_text()
    count = a_number()
    of = many(_WaitingPart)


class _Waiting(Answer):
    count = a_number()
    of = many(_WaitingPart)
    items = many(_WaitingItem)


class OverviewAnswer(Answer):
    """Today, and what waits for a person."""

    day = a_text()
    at = a_text()
    received = one(_Figure)
    cleared = one(_Figure)
    refused = one(_Figure)
    waiting = one(_Waiting)


class _Days(Answer):
    since = fields.String(required=True, data_key="from")
    to = a_text()


class _Group(Answer):
    group = a_text()
    text = a_text()


class _DayGroup(_Figure):
    day = a_text()
    group = a_text()


class DailyAnswer(_Days):
    """Stored on each day, by the group of states of now."""

    groups = many(_Group)
    items = many(_DayGroup)


class _Refusal(_Figure):
    refusal = a_text()
    code = a_text()
    status_text = a_text()
    text = a_text()
    explanation = one(Explanation, allow_none=True)
    share = fields.Float(required=True)
    cumulative = fields.Float(required=True)


class RefusalsAnswer(_Days):
    """Reasons, the most frequent first."""

    total = a_number()
    more = a_flag()
    items = many(_Refusal)


class _Times(_Part):
    median_seconds = fields.Float(required=True)
    p90_seconds = fields.Float(required=True)


class _DayTimes(_Times):
    day = a_text()


class _KindTimes(_Times):
    days = many(_DayTimes)


class ClearanceAnswer(_Days):
    """Seconds from filing to clearance."""

    items = many(_KindTimes)


class _Rate(Answer):
    per_minute = fields.Float(required=True)
    signatures = a_number()
    last_at = a_text()


class _Reason(Answer):
    code = a_text()
    text = a_text()


class _Device(Answer):
    key = one(KeyAnswer)
    messages = a_number()
    taken = a_number()
    rate = one(_Rate, allow_none=True)
    ends_at = fields.String(required=True, allow_none=True)
    reason = one(_Reason, allow_none=True)


class _Queue(_Figure):
    messages = a_number()


class DevicesAnswer(Answer):
    """Signing keys: queue, rate, estimated end."""

    at = a_text()
    waiting = one(_Queue)
    items = many(_Device)
