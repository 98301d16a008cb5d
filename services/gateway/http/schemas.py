"""The shapes of answers, for the OpenAPI description. Answers are built as plain dictionaries; a test holds both together."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields


class Answer(Schema):
    """Base: an answer holds what is declared and nothing else."""

    class Meta:
        unknown = RAISE


def _text(**kwargs: Any) -> fields.String:
    return fields.String(required=True, **kwargs)


def _number(**kwargs: Any) -> fields.Integer:
    return fields.Integer(required=True, strict=True, **kwargs)


def _flag() -> fields.Boolean:
    return fields.Boolean(required=True)


def _texts(**kwargs: Any) -> fields.List[Any]:
    return fields.List(fields.String(), required=True, **kwargs)


def _some(schema: type[Schema], **kwargs: Any) -> fields.Nested:
    return fields.Nested(schema, required=True, **kwargs)


def _many(schema: type[Schema]) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), required=True)


class FieldProblem(Answer):
    """One wrong field."""

    pointer = _text()
    code = _text()
    message = _text()
    value = _text()


class ProblemAnswer(Answer):
    """RFC 9457."""

    type = _text()
    title = _text()
    status = _number()
    detail = _text()
    instance = _text()
    errors = fields.List(fields.Nested(FieldProblem))


class _Page(Answer):
    next_cursor = fields.String(required=True, allow_none=True)
    total_estimate = fields.Integer(required=True, allow_none=True)


class ItemsAnswer(Answer):
    """A list whose entries are described with the address."""

    items = fields.List(fields.Dict(), required=True)
    next_cursor = fields.String(allow_none=True)
    total_estimate = fields.Integer(allow_none=True)


class _Enterprise(Answer):
    code = _text()
    customs_code = _text()
    name = _text()
    dxp_id = _text()
    kinds = _texts()


class _Mandate(Answer):
    id = _text()
    since = fields.String(required=True, data_key="from")
    to = _text()
    kinds = _texts()
    actions = _texts()


class _Client(Answer):
    id = _text()
    name = _text()
    mandate = _some(_Mandate)
    enterprise = fields.Nested(_Enterprise, allow_none=True)


class _User(Answer):
    id = _text()
    username = _text()
    name = _text()


class _Tenant(Answer):
    id = _text()
    name = _text()
    kind = _text()


class SessionAnswer(Answer):
    """Who am I. `permissions` and `kinds` are those of now: of the mandate inside a client."""

    user = _some(_User)
    tenant = _some(_Tenant)
    enterprise = _some(_Enterprise, allow_none=True)
    roles = _texts()
    permissions = _texts()
    kinds = _texts(allow_none=True)
    clients = _many(_Client)
    client = _some(_Client, allow_none=True)
    mandate_ended = _flag()
    csrf_token = _text()


class DocumentRow(Answer):
    """A document in a list."""

    id = _text()
    kind = _text()
    number = _text()
    state = _text()
    state_text = _text()
    customs_status = _text(allow_none=True)
    settled = _flag()
    stored_at = _text()
    updated_at = _text()
    version = _number()
    batch_no = _text(allow_none=True)
    columns = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    return_info = _text(allow_none=True)
    actions = _texts()
    revision = _number()
    app_type = _text()
    replaces = _text(allow_none=True)
    replaced_by = _text(allow_none=True)
    task_id = _text(allow_none=True)
    overdue_at = _text(allow_none=True)


class DocumentPage(_Page):
    """Documents, a page of them."""

    items = _many(DocumentRow)


class _Body(Answer):
    head = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    lines = fields.List(fields.Dict(keys=fields.String(), values=fields.String()), required=True)


class _Ref(Answer):
    via = _text()
    value = _text()


class DocumentAnswer(DocumentRow):
    """A document alone."""

    body = _some(_Body)
    etag = _text()
    links = _many(_Ref)
    created_by = _text(allow_none=True)
    warnings = _many(FieldProblem)


class ActResult(Answer):
    """What became of one document. new_id: the version that an amendment or a deletion at customs made."""

    id = _text()
    number = _text(allow_none=True)
    ok = _flag()
    state = _text(allow_none=True)
    new_id = _text(allow_none=True)
    new_kind = _text(allow_none=True)
    problem = fields.Nested(ProblemAnswer)


class ActAnswer(Answer):
    """What became of each document."""

    results = _many(ActResult)


class _Explanation(Answer):
    code = _text()
    text = _text()
    way_out = _text()
    certain = _flag()


class _Receipt(Answer):
    id = _text()
    message_type = _text()
    status = _text()
    status_text = _text()
    return_time = _text()
    info = _text()
    received_at = _text()
    standing = _text()
    times = _number()
    explanation = _some(_Explanation, allow_none=True)


class ReceiptsAnswer(Answer):
    """Receipts of one document."""

    items = _many(_Receipt)


class _Entry(Answer):
    at = _text()
    what = _text()
    text = _text()
    actor = _text(allow_none=True)
    detail = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    explanation = _some(_Explanation, allow_none=True)


class TimelineAnswer(Answer):
    """What happened to one document."""

    items = _many(_Entry)


class _Link(Answer):
    id = _text()
    kind = _text()
    kind_title = _text()
    number = _text()
    state = _text()
    state_text = _text()
    settled = _flag()
    via = _text()
    direction = _text()


class _Missing(Answer):
    kind = _text()
    kind_title = _text()
    text = _text()
    page = _text()
    action = _text(allow_none=True)
    numbers = _texts()


class LinksAnswer(Answer):
    """The chain: what is there, what is missing, what comes next. `more`: not everything was looked at."""

    items = _many(_Link)
    missing = _many(_Missing)
    next = _text()
    done = _flag()
    more = _flag()


class _Difference(Answer):
    field = _text()
    label = _text()
    list_value = _text()
    other_value = _text()
    pointer = _text()


class _Leg(Answer):
    kind = _text()
    title = _text()
    id = _text(allow_none=True)
    number = _text(allow_none=True)
    state = _text(allow_none=True)
    state_text = _text(allow_none=True)
    status = _text()
    differences = _many(_Difference)


class ComparisonAnswer(Answer):
    """The four documents. status: same, differs, missing, not-needed, unknown (a kind one may not read)."""

    complete = _flag()
    legs = _many(_Leg)


class _Change(Answer):
    pointer = _text()
    label = _text()
    old = _text()
    new = _text()


class _Version(Answer):
    id = _text()
    revision = _number()
    app_type = _text()
    state = _text()
    state_text = _text()
    stored_at = _text()
    created_by = _text(allow_none=True)
    current = _flag()
    changes = _many(_Change)


class VersionsAnswer(Answer):
    """Versions of a document, the first one first. `current`: the one in force."""

    items = _many(_Version)


class _Built(Answer):
    id = _text()
    number = _text()


class BuiltAnswer(Answer):
    """Drafts that were built."""

    items = _many(_Built)


class _PageOf(Answer):
    path = _text()
    label = _text()


class _Check(Answer):
    check = _text()
    label = _text()
    result = _text()
    text = _text()
    page = _some(_PageOf, allow_none=True)


class DiagnosisAnswer(Answer):
    """The self-diagnosis. `ok`: no check failed. result: ok, warning, failed, unknown."""

    ok = _flag()
    state = _text()
    items = _many(_Check)


class _Cell(Answer):
    sheet = _text()
    row = _number()
    column = _text()
    letter = _text()
    value = _text()
    code = _text()
    message = _text()


class OverdueAnswer(Answer):
    """Why something takes longer than it may, since when, and what to do."""

    since = _text()
    message = _text()


class ImportAnswer(Answer):
    """An import. `errors` holds the first thousand; the workbook has all."""

    id = _text()
    kind = _text()
    state = _text()
    file_name = _text()
    batch_no = _text()
    strategy_name = _text(allow_none=True)
    rows = _number()
    documents = _number()
    accepted = _number()
    rejected = _number()
    errors = _many(_Cell)
    errors_total = _number()
    repairs = _many(_Cell)
    failure = _some(FieldProblem, allow_none=True)
    document_ids_url = _text()
    task = _text(allow_none=True)
    mapping_name = _text(allow_none=True)
    export_date = _text(allow_none=True)
    overdue = _some(OverdueAnswer, allow_none=True)
    created_at = _text()
    created_by = _text(allow_none=True)


class ImportPage(_Page):
    """Recent imports."""

    items = _many(ImportAnswer)


class StartedAnswer(Answer):
    """An import has been taken in."""

    id = _text()
    state = _text()


class BatchNumberAnswer(Answer):
    """A free batch number."""

    batch_no = _text()


class KindAnswer(Schema):
    """The definition of a kind. Labels are {"zh", "en"}."""

    kind = _text()
    title = fields.Dict(required=True)
    message = _text()
    owner = _text()
    pages = _texts()
    page_sets = fields.List(fields.Dict(), required=True)
    received = _flag()
    senders = _texts()
    number_field = _text()
    head = fields.List(fields.Dict(), required=True)
    lines = fields.List(fields.Dict(), required=True)
    line_number = _text()
    max_lines = _number()
    areas = fields.List(fields.Dict(), required=True)
    conditions = fields.List(fields.Dict(), required=True)
    columns = fields.List(fields.Dict(), required=True)
    states = fields.List(fields.Dict(), required=True)
    actions = fields.List(fields.Dict(), required=True)
    sheet = fields.Dict(required=True, allow_none=True)


class _Code(Answer):
    code = _text()
    zh = _text()
    en = _text()
    pinyin = _text()


class CodePage(_Page):
    """Codes of a table."""

    items = _many(_Code)


class CountsAnswer(Answer):
    """How many documents are in each state."""

    kind = _text()
    by_state = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    total = _number()


class KeyAnswer(Answer):
    """A signing key."""

    id = _text()
    label = _text()
    enterprise_code = _text()
    algorithm = _text()
    device = _text()
    hardware = _flag()
    certificate_serial = _text()
    not_before = _text()
    not_after = _text()
    active = _flag()
    state = _text()
    fingerprint = _text()


class KeyPage(_Page):
    """The enterprise's keys."""

    items = _many(KeyAnswer)


class _Strategy(Answer):
    id = _text()
    name = _text()
    trade_mode = _text()
    kind = _text()
    kinds = _texts()
    defaults = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    enabled = _flag()


class StrategyPage(_Page):
    """业务策略."""

    items = _many(_Strategy)


class _UserRow(_User):
    state = _text()
    roles = _texts()
    created_at = _text()


class UserPage(_Page):
    """Users of the own tenant."""

    items = _many(_UserRow)


class _Broker(Answer):
    id = _text()
    name = _text()


class MandateAnswer(_Mandate):
    """A mandate the own tenant has given."""

    broker = _some(_Broker)
    revoked_at = _text(allow_none=True)
    live = _flag()


class MandatePage(_Page):
    """Mandates the own tenant has given."""

    items = _many(MandateAnswer)


class _TenantEnterprise(Answer):
    code = _text()
    name = _text()
    dxp_id = _text()
    channel = _text()
    kinds = _texts()
    enabled = _flag()


class _TenantRow(_Tenant):
    state = _text()
    users = _number()
    created_at = _text()
    enterprises = _many(_TenantEnterprise)


class TenantPage(_Page):
    """Onboarding records."""

    items = _many(_TenantRow)


class _AuditRow(Answer):
    id = _text()
    at = _text()
    what = _text()
    outcome = _text()
    user_id = _text(allow_none=True)
    user_name = _text()
    home_tenant_id = _text(allow_none=True)
    mandate_id = _text(allow_none=True)
    object = _text()
    detail = fields.Dict(required=True)
    request_id = _text()
    address = _text()


class AuditPage(_Page):
    """The trail of the own tenant."""

    items = _many(_AuditRow)
