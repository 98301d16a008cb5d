"""What a process is told: what its needs name, and nothing that belongs to another."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.databases import ServiceDatabase, url_for
from tools.stack.environment import Estate, command_of, process_environment, task_environment
from tools.topology import load

TOPOLOGY = load()


def database(service: str) -> ServiceDatabase:
    urls = {
        role: f"postgresql://{service}_{role}:{role}-secret@127.0.0.1:1/{service}"
        for role in ("owner", "app", "relay")
    }
    return ServiceDatabase(name=f"tongguan_{service}", **urls)


ESTATE = Estate(
    databases={service: database(service) for service in TOPOLOGY.services_with_database()},
    bus_url="amqp://bus-secret@127.0.0.1:2/tongguan",
    customs_url="amqp://bus-secret@127.0.0.1:2/customs",
    redis_url="redis://:redis-secret@127.0.0.1:3/0",
    devices_file=Path("run/devices.toml"),
    run_dir=Path("run"),
)
PORTS = {
    (process.name, kind): number * 10 + index
    for number, process in enumerate(TOPOLOGY.processes.values(), start=1000)
    for index, kind in enumerate(process.listens)
}


def told(name: str) -> dict[str, str]:
    return process_environment(TOPOLOGY.processes[name], TOPOLOGY.calls(name), ESTATE, PORTS)


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    # what somebody's shell may hold
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody-elses")
    monkeypatch.setenv("ACTOR_PRIVATE_KEY_FILE", "somebody-elses")
    monkeypatch.setenv("TONGGUAN_POSTGRES_URL", "postgresql://admin-secret")
    monkeypatch.setenv("SIGNER_BATCH", "7")


@pytest.mark.parametrize("name", TOPOLOGY.processes)
def test_a_process_never_learns_of_another_role_or_service(name: str) -> None:
    values = "\n".join(told(name).values())
    process = TOPOLOGY.processes[name]
    allowed = {
        need.replace("database:", "").replace("outbox:", "")
        + ("_relay" if need.startswith("outbox") else "_app")
        for need in process.needs
        if ":" in need
    }
    for service in ("order", "signer", "gateway"):
        for role in ("owner", "app", "relay"):
            assert (f"{service}_{role}" in values) == (f"{service}_{role}" in allowed)
    assert ("redis-secret" in values) == ("redis" in process.needs)
    assert ("actor-private" in values) == ("actor-key" in process.needs)
    assert ("run/devices.toml" in values) == ("hsm" in process.needs)
    assert "admin-secret" not in values
    assert "somebody-elses" not in values


@pytest.mark.parametrize("name", TOPOLOGY.processes)
def test_a_process_knows_its_own_addresses_and_certificate(name: str) -> None:
    environment = told(name)
    variables = {
        "grpc": "GRPC_LISTEN",
        "ops": "OPS_LISTEN",
        "http": "HTTP_LISTEN",
        "edge": "EDGE_LISTEN",
        "enrol": "ENROL_LISTEN",
        "control": "SIMULATOR_LISTEN",
    }
    for kind in TOPOLOGY.processes[name].listens:
        assert environment[variables[kind]] == f"127.0.0.1:{PORTS[name, kind]}"
    assert environment["TLS_CERT_FILE"] == str(Path("run/secrets/tls") / f"{name}.pem")
    assert environment["SIGNER_BATCH"] == "7"  # a service's own setting passes through


def test_a_caller_knows_those_it_may_call() -> None:
    assert told("gateway.http")["ORDER_GRPC"] == f"127.0.0.1:{PORTS['order.serve', 'grpc']}"
    assert told("gateway.http")["SIGNER_GRPC"] == f"127.0.0.1:{PORTS['signer.serve', 'grpc']}"
    assert not {"ORDER_GRPC", "SIGNER_GRPC"} & told("gateway.transmit").keys()
    assert told("signer.consume")["SIGNER_POOL_GRPC"] == f"127.0.0.1:{PORTS['signer.pool', 'grpc']}"
    assert "SIGNER_CARDS_GRPC" not in told("gateway.http")


def test_pages_tell_agents_where_to_dial_but_cannot_certify_them() -> None:
    environment = told("gateway.http")
    assert environment["EDGE_ADDRESS"] == f"127.0.0.1:{PORTS['gateway.agents', 'edge']}"
    assert environment["ENROL_ADDRESS"] == f"127.0.0.1:{PORTS['gateway.agents', 'enrol']}"
    assert "authority.key" not in "".join(environment.values())


def test_only_a_migration_is_the_owner() -> None:
    environment = task_environment(TOPOLOGY.tasks["order.migrate"], ESTATE)
    assert "order_owner" in environment["OWNER_DATABASE_URL"]
    assert "DATABASE_URL" not in environment


def test_python_is_this_very_python() -> None:
    assert command_of(TOPOLOGY.processes["simulator"]) == (sys.executable, "-m", "simulator", "serve")


def test_a_url_keeps_host_port_and_options() -> None:
    made = url_for(
        "postgresql://admin:x@db.example:6432/postgres?sslmode=require", "tongguan_order", "u", "p@/:"
    )
    assert made == "postgresql://u:p%40%2F%3A@db.example:6432/tongguan_order?sslmode=require"
    assert url_for("postgresql://a:b@[::1]/x", "d", "u", "p") == "postgresql://u:p@[::1]/d"
