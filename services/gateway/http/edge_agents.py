"""Edge agents of the enterprise: let one in, look at them, shut one out at once."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import Response

from proto.signer.v1 import signer_pb2 as pb
from runtime.errors import Problem, not_found
from services.gateway.agents import authority, store
from services.gateway.agents.store import EdgeAgent
from services.gateway.http import calls, context, parse, wire
from services.gateway.http.answers import Blueprint, answer, shown
from services.gateway.http.key_schemas import AgentAnswer, AgentPage, NewAgentAnswer

blueprint = Blueprint(
    "edge-agents",
    __name__,
    url_prefix="/api/v1/edge-agents",
    description="Edge agents on customers' computers",
)


class AgentBody(parse.Schema):
    """name: which computer it is, for people."""

    name = parse.Text(1, 100, required=True)


@blueprint.route("", methods=["GET"])
@blueprint.response(200, AgentPage)
def list_agents() -> Response:
    """All agents, revoked ones too, and which are connected now."""
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        found = store.agents(connection)
    heard = _heard()
    items = [_json(agent, heard) for agent in found]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@blueprint.route("", methods=["POST"])
@blueprint.arguments(AgentBody)
@blueprint.response(201, NewAgentAnswer)
def create(body: dict[str, Any]) -> Response:
    """A new agent and the one-time code that it is enrolled with, which is shown this once."""
    actor, agent_id = context.actor(), str(uuid.uuid4())
    context.trail("agent-create", object_="edge-agent", detail={"agent": agent_id})
    code, expires = _new_code()
    with context.parts().database.transaction(actor.tenant_id) as connection:
        store.add(
            connection,
            actor.tenant_id,
            agent_id,
            body["name"],
            authority.code_hash(code),
            expires,
            actor.label,
        )
        agent = store.one(connection, agent_id)
    assert agent is not None
    return _with_code(agent, code, 201)


@blueprint.route("/<agent_id>/actions/renew-code", methods=["POST"])
@blueprint.response(200, NewAgentAnswer)
def renew_code(agent_id: str) -> Response:
    """Another code, for an agent that was not enrolled in time or is moved to another computer."""
    agent = _known(agent_id)
    context.trail("agent-code", object_="edge-agent", detail={"agent": agent.id})
    code, expires = _new_code()
    with context.parts().database.transaction(agent.tenant_id) as connection:
        if not store.renew_code(connection, agent.id, authority.code_hash(code), expires):
            raise Problem(
                "conflict",
                "此签名代理已被撤销，请新建一个。",
                "This agent was revoked; make a new one.",
            )
    return _with_code(_known(agent_id), code, 200)


@blueprint.route("/<agent_id>/actions/revoke", methods=["POST"])
@blueprint.response(200, AgentAnswer)
def revoke(agent_id: str) -> Response:
    """Shut it out: its connection ends at once, its certificate opens nothing any more."""
    agent = _known(agent_id)
    context.trail("agent-revoke", object_="edge-agent", detail={"agent": agent.id})
    with context.parts().database.transaction(agent.tenant_id) as connection:
        store.revoke(connection, agent.id, context.actor().label, context.now())
    return answer(_json(_known(agent_id), _heard()))


def _new_code() -> tuple[str, datetime]:
    """A code and the end of its life."""
    return authority.new_code(), context.now() + timedelta(minutes=authority.CODE_MINUTES)


def _known(agent_id: str) -> EdgeAgent:
    canonical = parse.uuid_or_none(agent_id)
    if canonical is None:
        raise not_found()
    with context.parts().database.transaction(context.actor().tenant_id) as connection:
        agent = store.one(connection, canonical)
    if agent is None:
        raise not_found()
    return agent


def _heard() -> dict[str, str]:
    """Agents that are connected -> when they were last heard of."""
    return {seat.agent_id: seat.heard_at for seat in calls.signer("ListCards", pb.ListCardsRequest()).agents}


def _with_code(agent: EdgeAgent, code: str, status: int) -> Response:
    config = context.parts().config
    assert agent.code_expires_at is not None
    enrolment = {
        "address": config.edge_address,
        "enrol_address": config.enrol_address,
        "authority": config.edge_authority.read_text(encoding="ascii"),
        "code": code,
        "expires_at": shown(agent.code_expires_at),
    }
    return answer({"agent": _json(agent, {}), "enrolment": enrolment}, status)


def _json(agent: EdgeAgent, heard: dict[str, str]) -> dict[str, Any]:
    at = heard.get(agent.id)
    return {
        "id": agent.id,
        "name": agent.name,
        "state": agent.state(context.now()),
        "connected": at is not None,
        "heard_at": wire.moment(at) if at else None,
        "code_expires_at": shown(agent.code_expires_at) if agent.code_expires_at else None,
        "certificate_serial": agent.serial,
        "not_after": shown(agent.not_after) if agent.not_after else None,
        "enrolled_at": shown(agent.enrolled_at) if agent.enrolled_at else None,
        "revoked_at": shown(agent.revoked_at) if agent.revoked_at else None,
        "revoked_by": agent.revoked_by,
        "version": agent.version,
        "platform": agent.platform,
        "host_name": agent.host_name,
        "created_at": shown(agent.created_at),
        "created_by": agent.created_by,
    }
