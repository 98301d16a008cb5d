"""The shapes of answers, for the OpenAPI description. Answers are built as plain dictionaries; a test holds both together."""

from __future__ import annotations

from marshmallow import Schema, fields

from services.gateway.http.shapes import Answer, a_flag, a_number, a_text, many, one, some_texts


class FieldProblem(Answer):
    """One wrong field."""

    pointer = a_text()
    code = a_text()
    message = a_text()
    value = a_text()


class ProblemAnswer(Answer):
    """RFC 9457."""

    type = a_text()
    title = a_text()
    status = a_number()
    detail = a_text()
    instance = a_text()
    errors = fields.List(fields.Nested(FieldProblem))


class Page(Answer):
    """A list: its items, and where it goes on."""

    next_cursor = fields.String(required=True, allow_none=True)
    total_estimate = fields.Integer(required=True, allow_none=True)


class ItemsAnswer(Answer):
    """A list whose entries are described with the address."""

    items = fields.List(fields.Dict(), required=True)
    next_cursor = fields.String(allow_none=True)
    total_estimate = fields.Integer(allow_none=True)


class _Enterprise(Answer):
    code = a_text()
    customs_code = a_text()
    name = a_text()
    dxp_id = a_text()
    kinds = some_texts()


class _Mandate(Answer):
    id = a_text()
    since = fields.String(required=True, data_key="from")
    to = a_text()
    kinds = some_texts()
    actions = some_texts()


class _Client(Answer):
    id = a_text()
    name = a_text()
    mandate = one(_Mandate)
    enterprise = fields.Nested(_Enterprise, allow_none=True)


class _User(Answer):
    id = a_text()
    username = a_text()
    name = a_text()


class _Tenant(Answer):
    id = a_text()
    name = a_text()
    kind = a_text()


class _Life(Answer):
    """Seconds without anybody at work after which the session ends, how many are left, and when it ends at the latest."""

    idle_seconds = a_number()
    idle_left = a_number()
    ends_at = a_text()


class SessionAnswer(Answer):
    """Who am I. `permissions` and `kinds` are those of now: of the mandate inside a client."""

    user = one(_User)
    tenant = one(_Tenant)
    enterprise = one(_Enterprise, allow_none=True)
    roles = some_texts()
    permissions = some_texts()
    kinds = some_texts(allow_none=True)
    clients = many(_Client)
    client = one(_Client, allow_none=True)
    mandate_ended = a_flag()
    csrf_token = a_text()
    session = one(_Life)


class PreferencesAnswer(Answer):
    """One's own preferences: name -> any JSON."""

    items = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True), required=True)


class PreferenceAnswer(Answer):
    """One preference as it stands now."""

    name = a_text()
    value = fields.Raw(required=True, allow_none=True)


class DocumentRow(Answer):
    """A document in a list."""

    id = a_text()
    kind = a_text()
    number = a_text()
    state = a_text()
    state_text = a_text()
    customs_status = a_text(allow_none=True)
    settled = a_flag()
    stored_at = a_text()
    updated_at = a_text()
    version = a_number()
    batch_no = a_text(allow_none=True)
    columns = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    return_info = a_text(allow_none=True)
    actions = some_texts()
    revision = a_number()
    app_type = a_text()
    replaces = a_text(allow_none=True)
    replaced_by = a_text(allow_none=True)
    task_id = a_text(allow_none=True)
    overdue_at = a_text(allow_none=True)


class DocumentPage(Page):
    """Documents, a page of them."""

    items = many(DocumentRow)


class _Body(Answer):
    head = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    lines = fields.List(fields.Dict(keys=fields.String(), values=fields.String()), required=True)


class _Ref(Answer):
    via = a_text()
    value = a_text()


class DocumentAnswer(DocumentRow):
    """A document alone."""

    body = one(_Body)
    etag = a_text()
    links = many(_Ref)
    created_by = a_text(allow_none=True)
    warnings = many(FieldProblem)


class ActResult(Answer):
    """What became of one document. new_id: the version that an amendment or a deletion at customs made."""

    id = a_text()
    number = a_text(allow_none=True)
    ok = a_flag()
    state = a_text(allow_none=True)
    new_id = a_text(allow_none=True)
    new_kind = a_text(allow_none=True)
    problem = fields.Nested(ProblemAnswer)


class ActAnswer(Answer):
    """What became of each document."""

    results = many(ActResult)


class _Cell(Answer):
    sheet = a_text()
    row = a_number()
    column = a_text()
    letter = a_text()
    value = a_text()
    code = a_text()
    message = a_text()


class OverdueAnswer(Answer):
    """Why something takes longer than it may, since when, and what to do."""

    since = a_text()
    message = a_text()


class ImportAnswer(Answer):
    """An import. `errors` holds the first thousand; the workbook has all."""

    id = a_text()
    kind = a_text()
    state = a_text()
    file_name = a_text()
    batch_no = a_text()
    strategy_name = a_text(allow_none=True)
    rows = a_number()
    documents = a_number()
    accepted = a_number()
    rejected = a_number()
    errors = many(_Cell)
    errors_total = a_number()
    repairs = many(_Cell)
    failure = one(FieldProblem, allow_none=True)
    document_ids_url = a_text()
    task = a_text(allow_none=True)
    mapping_name = a_text(allow_none=True)
    export_date = a_text(allow_none=True)
    overdue = one(OverdueAnswer, allow_none=True)
    created_at = a_text()
    created_by = a_text(allow_none=True)


class ImportPage(Page):
    """Recent imports."""

    items = many(ImportAnswer)


class StartedAnswer(Answer):
    """An import has been taken in."""

    id = a_text()
    state = a_text()


class BatchNumberAnswer(Answer):
    """A free batch number."""

    batch_no = a_text()


class KindAnswer(Schema):
    """The definition of a kind. Labels are {"zh", "en"}."""

    kind = a_text()
    title = fields.Dict(required=True)
    message = a_text()
    owner = a_text()
    pages = some_texts()
    page_sets = fields.List(fields.Dict(), required=True)
    received = a_flag()
    senders = some_texts()
    number_field = a_text()
    number_label = fields.Dict(required=True)
    head = fields.List(fields.Dict(), required=True)
    lines = fields.List(fields.Dict(), required=True)
    line_number = a_text()
    min_lines = a_number()
    max_lines = a_number()
    areas = fields.List(fields.Dict(), required=True)
    conditions = fields.List(fields.Dict(), required=True)
    columns = fields.List(fields.Dict(), required=True)
    states = fields.List(fields.Dict(), required=True)
    actions = fields.List(fields.Dict(), required=True)
    reckoned = fields.List(fields.Dict(), required=True)
    sheet = fields.Dict(required=True, allow_none=True)


class _Code(Answer):
    code = a_text()
    zh = a_text()
    en = a_text()
    pinyin = a_text()
    initials = some_texts()


class CodePage(Page):
    """Codes of a table."""

    items = many(_Code)


class CountsAnswer(Answer):
    """How many documents are in each state."""

    kind = a_text()
    by_state = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    total = a_number()


class KeyAnswer(Answer):
    """A signing key."""

    id = a_text()
    label = a_text()
    enterprise_code = a_text()
    algorithm = a_text()
    device = a_text()
    hardware = a_flag()
    certificate_serial = a_text()
    not_before = a_text()
    not_after = a_text()
    active = a_flag()
    state = a_text()
    fingerprint = a_text()
    purpose = a_text()
    confirmed_at = a_text(allow_none=True)
    confirmed_by = a_text()
    device_kind = a_text()
    agent_id = a_text(allow_none=True)
    expires_in_days = a_number()
    warning = a_number()
    messages = a_number()
    documents = a_number()
    reason = a_text()


class KeyPage(Page):
    """The enterprise's keys."""

    items = many(KeyAnswer)


class _Strategy(Answer):
    id = a_text()
    name = a_text()
    trade_mode = a_text()
    kind = a_text()
    kinds = some_texts()
    defaults = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    enabled = a_flag()


class StrategyPage(Page):
    """业务策略."""

    items = many(_Strategy)


class _UserRow(_User):
    state = a_text()
    roles = some_texts()
    card = a_text(allow_none=True)
    created_at = a_text()


class UserPage(Page):
    """Users of the own tenant."""

    items = many(_UserRow)


class _Broker(Answer):
    id = a_text()
    name = a_text()


class MandateAnswer(_Mandate):
    """A mandate the own tenant has given."""

    broker = one(_Broker)
    revoked_at = a_text(allow_none=True)
    live = a_flag()


class MandatePage(Page):
    """Mandates the own tenant has given."""

    items = many(MandateAnswer)


class _TenantEnterprise(Answer):
    code = a_text()
    name = a_text()
    dxp_id = a_text()
    channel = a_text()
    kinds = some_texts()
    enabled = a_flag()


class _TenantRow(_Tenant):
    state = a_text()
    users = a_number()
    created_at = a_text()
    enterprises = many(_TenantEnterprise)


class TenantPage(Page):
    """Onboarding records."""

    items = many(_TenantRow)


class _AuditRow(Answer):
    id = a_text()
    at = a_text()
    what = a_text()
    outcome = a_text()
    user_id = a_text(allow_none=True)
    user_name = a_text()
    home_tenant_id = a_text(allow_none=True)
    mandate_id = a_text(allow_none=True)
    object = a_text()
    detail = fields.Dict(required=True)
    request_id = a_text()
    address = a_text()


class AuditPage(Page):
    """The trail of the own tenant."""

    items = many(_AuditRow)
