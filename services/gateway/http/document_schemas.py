"""The shapes of answers about one document beyond its content: what happened, what belongs to it, why it is stuck."""

from __future__ import annotations

from marshmallow import fields

from services.gateway.http.shapes import Answer, a_flag, a_number, a_text, many, one, some_texts


class Explanation(Answer):
    """What a refusal means, and what to do."""

    code = a_text()
    text = a_text()
    way_out = a_text()
    certain = a_flag()


class _Receipt(Answer):
    id = a_text()
    message_type = a_text()
    status = a_text()
    status_text = a_text()
    return_time = a_text()
    info = a_text()
    received_at = a_text()
    standing = a_text()
    times = a_number()
    explanation = one(Explanation, allow_none=True)


class ReceiptsAnswer(Answer):
    """Receipts of one document."""

    items = many(_Receipt)


class _Entry(Answer):
    at = a_text()
    what = a_text()
    text = a_text()
    actor = a_text(allow_none=True)
    detail = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    explanation = one(Explanation, allow_none=True)


class TimelineAnswer(Answer):
    """What happened to one document."""

    items = many(_Entry)


class _Message(Answer):
    id = a_text()
    direction = a_text()
    message_type = a_text()
    at = a_text()
    size = a_number()
    documents = a_number(allow_none=True)


class MessagesAnswer(Answer):
    """The raw messages of one document, out and in."""

    items = many(_Message)


class _Editor(Answer):
    name = a_text()
    since = a_text()
    me = a_flag()


class EditorsAnswer(Answer):
    """Who has the form of a document open, in the order they came."""

    items = many(_Editor)


class _Link(Answer):
    id = a_text()
    kind = a_text()
    kind_title = a_text()
    number = a_text()
    state = a_text()
    state_text = a_text()
    settled = a_flag()
    via = a_text()
    direction = a_text()


class _Lacking(Answer):
    kind = a_text()
    kind_title = a_text()
    text = a_text()
    page = a_text()
    action = a_text(allow_none=True)
    numbers = some_texts()


class LinksAnswer(Answer):
    """The chain: what is there, what is missing, what comes next. `more`: not everything was looked at."""

    items = many(_Link)
    missing = many(_Lacking)
    next = a_text()
    done = a_flag()
    more = a_flag()


class _Difference(Answer):
    field = a_text()
    label = a_text()
    list_value = a_text()
    other_value = a_text()
    pointer = a_text()


class _Leg(Answer):
    kind = a_text()
    title = a_text()
    id = a_text(allow_none=True)
    number = a_text(allow_none=True)
    state = a_text(allow_none=True)
    state_text = a_text(allow_none=True)
    status = a_text()
    differences = many(_Difference)


class ComparisonAnswer(Answer):
    """The four documents. status: same, differs, missing, not-needed, unknown (a kind one may not read)."""

    complete = a_flag()
    legs = many(_Leg)


class _Change(Answer):
    pointer = a_text()
    label = a_text()
    old = a_text()
    new = a_text()


class _Version(Answer):
    id = a_text()
    revision = a_number()
    app_type = a_text()
    state = a_text()
    state_text = a_text()
    stored_at = a_text()
    created_by = a_text(allow_none=True)
    current = a_flag()
    changes = many(_Change)


class VersionsAnswer(Answer):
    """Versions of a document, the first one first. `current`: the one in force."""

    items = many(_Version)


class _Built(Answer):
    id = a_text()
    number = a_text()


class BuiltAnswer(Answer):
    """Drafts that were built."""

    items = many(_Built)


class _PageOf(Answer):
    path = a_text()
    label = a_text()


class _Check(Answer):
    check = a_text()
    label = a_text()
    result = a_text()
    text = a_text()
    page = one(_PageOf, allow_none=True)


class DiagnosisAnswer(Answer):
    """The self-diagnosis. `ok`: no check failed. result: ok, warning, failed, unknown."""

    ok = a_flag()
    state = a_text()
    items = many(_Check)
