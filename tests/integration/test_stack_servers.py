"""The local servers: closed to strangers, durable, and as the services need them."""

from __future__ import annotations

import ipaddress
import json
import os
import pwd
import shutil
import stat
import struct
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp
import kombu
import pkcs11
import psycopg
import pytest
import redis

from tests.support.eventually import eventually
from tests.support.stack import BASE, new_database
from tools.paths import private_dir
from tools.ports import Ports
from tools.servers.postgres import Postgres, choose_account

Servers = dict[str, Any]


def listening() -> dict[int, set[str]]:
    """TCP ports that something listens on, with the addresses."""
    found: dict[int, set[str]] = {}
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == "0A":
                # the kernel writes each 32-bit word in the machine's order
                words = struct.unpack(f">{len(address) // 8}I", bytes.fromhex(address))
                packed = struct.pack(f"={len(words)}I", *words)
                found.setdefault(int(port, 16), set()).add(str(ipaddress.ip_address(packed)))
    return found


def test_every_port_is_of_this_machine_only(servers: Servers) -> None:
    ports = json.loads((BASE / "servers" / "ports.json").read_text())
    open_ports = listening()
    used = {name: open_ports[port] for name, port in ports.items() if port in open_ports}
    assert {"postgres", "redis", "rabbitmq", "rabbitmq.distribution", "rabbitmq.epmd"} <= used.keys()
    assert {address for addresses in used.values() for address in addresses} <= {"127.0.0.1", "::1"}


def test_what_holds_passwords_is_its_owners_only(servers: Servers) -> None:
    run_dir = BASE / "servers"
    assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((run_dir / "servers.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(_token(servers)["pin_file"]).stat().st_mode) == 0o600


def test_no_password_shows_on_a_command_line(servers: Servers) -> None:
    passwords = json.loads((BASE / "servers/secrets/passwords.json").read_text()).values()
    for entry in json.loads((BASE / "servers/processes.json").read_text()).values():
        command = Path(f"/proc/{entry['pid']}/cmdline").read_text()
        assert not [password for password in passwords if password in command]


class TestPostgres:
    def test_commits_are_durable(self, servers: Servers) -> None:
        with psycopg.connect(servers["postgres_url"]) as connection:
            for setting in ("synchronous_commit", "fsync", "full_page_writes"):
                assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)

    @pytest.mark.parametrize("service", ["order", "signer", "gateway"])
    def test_roles_may_log_in_and_no_more(self, servers: Servers, service: str) -> None:
        with psycopg.connect(servers["postgres_url"]) as connection:
            rows = connection.execute(
                "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
                " FROM pg_roles WHERE rolname LIKE %s ORDER BY rolname",
                (f"{service}\\_%",),
            ).fetchall()
        assert rows == [(f"{service}_{role}", *[False] * 5) for role in ("app", "owner", "relay")]

    def test_only_the_owner_may_make_tables(self, servers: Servers) -> None:
        database = new_database(servers, "order")
        with psycopg.connect(database["owner"]) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        for role in ("app", "relay"):
            with psycopg.connect(database[role]) as connection:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("CREATE TABLE mine (id int)")
                connection.rollback()
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("SELECT * FROM kept")

    def test_bulk_writes_may_use_a_temporary_table_and_relays_need_none(self, servers: Servers) -> None:
        database = new_database(servers, "order")
        with psycopg.connect(database["app"]) as connection:
            connection.execute("CREATE TEMPORARY TABLE incoming (id int) ON COMMIT DROP")
        with (
            psycopg.connect(database["relay"]) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("CREATE TEMPORARY TABLE incoming (id int)")

    def test_a_service_cannot_enter_anothers_database(self, servers: Servers) -> None:
        own = urlsplit(servers["databases"]["order"]["app"])
        foreign = own._replace(path="/tongguan_signer").geturl()
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(foreign)

    def test_a_wrong_password_is_refused(self, servers: Servers) -> None:
        parts = urlsplit(servers["databases"]["order"]["app"])
        wrong = parts._replace(netloc=f"order_app:wrong@{parts.hostname}:{parts.port}").geturl()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)

    def test_root_without_namespaces_runs_it_as_nobody(self, tmp_path: Path) -> None:
        """Where the kernel refuses namespaces, files lie outside closed folders; others run it as themselves."""
        data = tmp_path / "closed" / "data"
        private_dir(data.parent)
        account = choose_account(data, allow_namespace=False)
        root = os.geteuid() == 0
        assert account.user == ("nobody" if root else None)
        ports = Ports(tmp_path / "ports.json")
        server = Postgres(data, ports.take("postgres"), "secret", allow_namespace=False)
        server.create()
        server.create()  # again: keeps what is there
        launch = server.launch()
        with subprocess.Popen(launch.command, cwd=launch.folder, env=dict(launch.environment)) as process:
            eventually(launch.ready, "it answers", timeout=30)
            owner = Path(f"/proc/{process.pid}").stat().st_uid
            process.send_signal(launch.stop_signal)
        assert process.returncode == 0
        assert owner == (pwd.getpwnam("nobody").pw_uid if root else os.geteuid())
        assert stat.S_IMODE(account.data.stat().st_mode) == 0o700
        ports.release()
        if root:
            shutil.rmtree(account.data.parent)


class TestRedis:
    def test_it_asks_for_the_password(self, servers: Servers) -> None:
        parts = urlsplit(servers["redis_url"])
        stranger = redis.Redis(host=str(parts.hostname), port=int(parts.port or 0))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.get("x")
        with redis.Redis.from_url(servers["redis_url"]) as client:
            assert client.set("test:x", "1", ex=5)
            assert client.get("test:x") == b"1"


class TestRabbitMQ:
    @pytest.mark.parametrize("address", ["bus_url", "customs_amqp_url"])
    def test_quorum_queues_confirm_and_deliver(self, servers: Servers, address: str) -> None:
        name = f"test.stack.{address}"
        with kombu.Connection(servers[address], transport_options={"confirm_publish": True}) as connection:
            queue = kombu.Queue(name, durable=True, queue_arguments={"x-queue-type": "quorum"})
            bound = queue(connection.channel())
            bound.declare()
            with connection.Producer() as producer:
                producer.publish({"n": 1}, routing_key=name, mandatory=True, delivery_mode=2)
            message = eventually(bound.get, "the message comes back")
            assert message.payload == {"n": 1}
            message.ack()
            bound.delete()

    def test_strangers_and_other_hosts_are_refused(self, servers: Servers) -> None:
        parts = urlsplit(servers["bus_url"])
        place = f"{parts.hostname}:{parts.port}"
        for user, password, vhost in (
            ("guest", "guest", "/"),
            ("guest", "guest", "tongguan"),
            (parts.username, "wrong", "tongguan"),
            (parts.username, parts.password, "/"),
        ):
            with pytest.raises((amqp.AccessRefused, amqp.NotAllowed)):
                amqp.Connection(host=place, userid=user, password=password, virtual_host=vhost).connect()


def _token(servers: Servers) -> dict[str, Any]:
    devices = tomllib.loads(Path(servers["devices_file"]).read_text())
    (member,) = devices["device"]["pkcs11"]["member"]
    return dict(member)


class TestToken:
    def test_a_key_can_be_made_and_used(self, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        given = _token(servers)
        monkeypatch.setenv("SOFTHSM2_CONF", given["environment"]["SOFTHSM2_CONF"])
        token = pkcs11.lib(given["module"]).get_token(token_label=given["token_label"])
        with token.open(rw=True, user_pin=Path(given["pin_file"]).read_text()) as session:
            public, private = session.generate_keypair(pkcs11.KeyType.RSA, 2048, label="test", store=False)
            signature = private.sign(b"data", mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)
            assert public.verify(b"data", signature, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)
