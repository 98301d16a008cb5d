"""The only place of the http process where its parts are made and put together. Called in each worker, after the fork."""

from __future__ import annotations

from functools import partial

import grpc
from flask import Flask

from runtime.actor import ActorSigner, ActorVerifier
from runtime.db import Database
from runtime.grpc_client import Client
from runtime.ops import Check
from services.gateway.config import HttpConfig
from services.gateway.http.app import create_app
from services.gateway.http.context import Parts
from services.gateway.http.editors import Editors
from services.gateway.http.live import Live
from services.gateway.http.sessions import Sessions
from services.gateway.tenants.usecases import Passwords

#: what the services that keep documents are called when one of them does not answer
_NAMES = {"order": ("订单服务", "The order service"), "list": ("清单服务", "The list service")}
#: connections to the database per worker; requests beyond wait two seconds at most
_POOL = 16


def make_parts(config: HttpConfig) -> Parts:
    """Everything the front talks to."""
    verifier = ActorVerifier(config.actor_public_key)
    return Parts(
        config=config,
        database=Database(config.database_url, pool_size=_POOL),
        sessions=Sessions(config),
        editors=Editors(config),
        passwords=Passwords(),
        signer=ActorSigner(config.actor_private_key),
        verifier=verifier,
        owners={
            name: Client(target, config.tls, *_NAMES.get(name, (name, name)))
            for name, target in config.owners.items()
        },
        keys=Client(config.signer_grpc, config.tls, "签名服务", "The signing service"),
        live=Live(config, verifier),
    )


def make_app(parts: Parts) -> Flask:
    """The WSGI application."""
    return create_app(parts)


def checks(parts: Parts) -> dict[str, Check]:
    """What must answer for this process to be ready. The signer is not among them: only one page needs it."""

    def answers(owner: Client) -> None:
        grpc.channel_ready_future(owner.channel).result(timeout=1)

    return {
        "database": parts.database.ping,
        "redis": parts.sessions.ping,
        "bus": parts.live.ping,
        **{name: partial(answers, owner) for name, owner in parts.owners.items()},
    }
