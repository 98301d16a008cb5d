"""The process gateway.agents: two ports to the outside, one for enrolling, one for agents that are enrolled."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proto.agent.v1 import agent_pb2_grpc
from runtime import config, grpc_server
from runtime.actor import ActorSigner
from runtime.db import Database
from runtime.grpc_client import Client
from runtime.process import run
from runtime.tls import TlsFiles
from services.gateway.agents.attending import Attending
from services.gateway.agents.authority import Authority
from services.gateway.agents.enrolment import Enrolment

#: agents of one process: each connection holds a thread here
CONNECTIONS = 400


@dataclass(frozen=True, slots=True)
class AgentsConfig:
    """What gateway.agents needs. edge: authority and certificate that agents see; tls: ours among ourselves."""

    edge_listen: str
    enrol_listen: str
    ops_listen: str
    cards_grpc: str
    edge: TlsFiles
    authority_key: Path
    tls: TlsFiles
    actor_private_key: Path
    log_level: str
    database_url: str = field(repr=False)


def agents_config() -> AgentsConfig:
    """Read and check; raises ConfigError naming the setting."""
    return AgentsConfig(
        edge_listen=config.text("EDGE_LISTEN"),
        enrol_listen=config.text("ENROL_LISTEN"),
        ops_listen=config.text("OPS_LISTEN"),
        cards_grpc=config.text("SIGNER_CARDS_GRPC"),
        edge=TlsFiles(
            config.path("EDGE_AUTHORITY_FILE"), config.path("EDGE_CERT_FILE"), config.path("EDGE_KEY_FILE")
        ),
        authority_key=config.path("EDGE_AUTHORITY_KEY_FILE"),
        tls=config.tls(),
        actor_private_key=config.path("ACTOR_PRIVATE_KEY_FILE"),
        log_level=config.text("LOG_LEVEL", "INFO"),
        database_url=config.text("DATABASE_URL"),
    )


def main() -> None:
    """Until stopped."""
    settings = agents_config()
    database = Database(settings.database_url)
    issuer = Authority(settings.edge.ca, settings.authority_key)
    enrolment = Enrolment(database, issuer)
    cards = Client(settings.cards_grpc, settings.tls, "签名服务", "The signing service")
    attending = Attending(database, issuer, ActorSigner(settings.actor_private_key), cards)
    to_agents: Any = agent_pb2_grpc.add_AgentsServicer_to_server
    to_enrolment: Any = agent_pb2_grpc.add_EnrolmentServicer_to_server

    def work(stop: threading.Event) -> None:
        threading.Thread(target=attending.watch, args=(stop,), name="watch", daemon=True).start()
        enrolling = threading.Thread(
            target=grpc_server.serve,
            args=(
                settings.enrol_listen,
                lambda server: to_enrolment(enrolment, server),
                settings.edge.open_server(),
                grpc_server.Anybody(),
                stop,
            ),
            name="enrolment",
        )
        enrolling.start()
        grpc_server.serve(
            settings.edge_listen,
            lambda server: to_agents(attending, server),
            settings.edge.server(),
            grpc_server.Anybody(),
            stop,
            threads=CONNECTIONS,
        )
        enrolling.join()

    run("gateway.agents", settings.ops_listen, settings.log_level, work, {"database": database.ping})
