"""What the addresses of keys, cards, agents, the signing queue and the ledger answer, for the API's description."""

from __future__ import annotations

from marshmallow import fields

from services.gateway.http.schemas import Page
from services.gateway.http.shapes import Answer, a_flag, a_number, a_text, many, one, some_texts


class _PoolMember(Answer):
    name = a_text()
    state = a_text()
    text = a_text()
    reason = a_text()
    since = a_text(allow_none=True)


class _PoolDevice(Answer):
    name = a_text()
    info = a_text()
    hardware = a_flag()
    working = a_flag()
    reason = a_text()
    workers = a_number()
    mechanisms = some_texts()
    members = many(_PoolMember)


class PoolAnswer(Answer):
    """The devices of the pool, shared by all tenants."""

    items = many(_PoolDevice)


class _AgentCard(Answer):
    fingerprint = a_text()
    agent_id = a_text()
    serial = a_text()
    subject = a_text()
    not_before = a_text()
    not_after = a_text()
    token = a_text()
    state = a_text()
    reason = a_text()
    mechanisms = some_texts()
    seconds = fields.Float(required=True, allow_none=True)
    at = a_text()
    key_id = a_text(allow_none=True)
    kind = a_text()


class CardPage(Page):
    """Cards that the enterprise's edge agents showed."""

    items = many(_AgentCard)


class ChallengeAnswer(Answer):
    """state: waiting | refused | used (the key proved itself)."""

    id = a_text()
    state = a_text()
    reason = a_text()
    expires_at = a_text()


class _QueuedMessage(Answer):
    message_id = a_text()
    key_id = a_text()
    kind = a_text()
    message_type = a_text()
    enterprise_code = a_text()
    documents = a_number()
    bulk = a_flag()
    taken = a_flag()
    reason = a_text()
    queued_at = a_text()


class QueuePage(Page):
    """Messages that wait for a signature, oldest first."""

    items = many(_QueuedMessage)


class _WithdrawnMessage(Answer):
    id = a_text()
    ok = a_flag()
    problem = fields.Dict()


class WithdrawAnswer(Answer):
    """One answer per message; problem: why it was not taken out."""

    results = many(_WithdrawnMessage)


class _LedgerRow(Answer):
    seq = a_text()
    message_id = a_text()
    kind = a_text()
    what = a_text()
    key_id = a_text()
    algorithm = a_text()
    digest = a_text()
    at = a_text()
    actor = a_text()
    hash = a_text()


class LedgerPage(Page):
    """The signing ledger, newest first. chain_valid: every row shown follows from the one before."""

    items = many(_LedgerRow)
    chain_valid = a_flag()


class AgentAnswer(Answer):
    """An edge agent. state: waiting | code-expired | enrolled | expired | revoked."""

    id = a_text()
    name = a_text()
    state = a_text()
    connected = a_flag()
    heard_at = a_text(allow_none=True)
    code_expires_at = a_text(allow_none=True)
    certificate_serial = a_text()
    not_after = a_text(allow_none=True)
    enrolled_at = a_text(allow_none=True)
    revoked_at = a_text(allow_none=True)
    revoked_by = a_text()
    version = a_text()
    platform = a_text()
    host_name = a_text()
    created_at = a_text()
    created_by = a_text()


class AgentPage(Page):
    """The enterprise's edge agents."""

    items = many(AgentAnswer)


class _AgentEnrolment(Answer):
    address = a_text()
    enrol_address = a_text()
    authority = a_text()
    code = a_text()
    expires_at = a_text()


class NewAgentAnswer(Answer):
    """The agent, and what it is enrolled with: shown once."""

    agent = one(AgentAnswer)
    enrolment = one(_AgentEnrolment)


class CardSignInAnswer(Answer):
    """code: four digits that the agent shows too."""

    state = a_text()
    code = a_text()
    expires_at = a_text()
