"""python -m bench.sign: the way of a signature through gRPC, beside what the token and the machine can do at most.

The real signer.pool process, a real token behind two worker processes; the client here does for each message what the
services do: canonical bytes from the record, SignedInfo, one call for 64 of them, assembly; one signature a document.
Limits in turn with it, in the same run: PKCS#11 in plain C on the same token, and OpenSSL alone; and what gRPC costs,
by the same pool asked without it. Client, server and tokens share the cores. RSA-2048 with SHA-256; SM2 in the sealed software token.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bench import limits
from bench.common import Report, median, own_cpu, process_cpu, tree
from bench.xml import NAMESPACES, TRANSFER, orders, self_signed, system_fields
from documents.types.order import ORDER
from documents.xml import writer
from runtime.actor import Actor, ActorSigner
from runtime.grpc_client import Client
from runtime.tls import TlsFiles
from services.signer import xmlsign
from services.signer.devices import Asked, PoolClient
from services.signer.domain import token_key
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError
from services.signer.tokens.pool import Device
from tests.support.eventually import eventually
from tests.support.other_token import PIN, SO_PIN
from tests.support.other_token import member as other_member
from tests.support.signing import free_address
from tests.support.tokens import pool_of
from tools import devices as device_files
from tools.paths import ROOT
from tools.servers import opencryptoki, softhsm
from tools.stack.secrets import make_all

BATCH = 64
#: calls under way at a time
CALLERS = 6
#: seconds of one run
SECONDS = 3.0
A_MINUTE = 60
#: share of `openssl speed`, with a token as quick as OpenSSL itself; of plain C, with SoftHSM; documents a minute
OF_OPENSSL, OF_PLAIN_C, DOCUMENTS = 0.80, 0.85, 100_000
#: of the CPU of a signature
GRPC = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """Signatures a second, and CPU seconds per signature: of the front and its client, of the token's processes."""

    rate: float
    way: float
    token: float


class Side:
    """One signer.pool in front of one device, and the client."""

    def __init__(self, folder: Path, devices_file: Path, key: str, algorithm: str) -> None:
        self._address = free_address()
        self._ops = free_address()
        self._devices_file = devices_file
        self._folder = folder
        make_all(folder / "secrets", ["signer.pool", "signer.consume"])
        self._algorithm = xmlsign.ALGORITHMS[algorithm]
        self._key = key
        tls = folder / "secrets" / "tls"
        files = TlsFiles(tls / "ca.pem", tls / "signer.consume.pem", tls / "signer.consume.key")
        self._client = PoolClient(Client(self._address, files, "签名设备", "The devices"))
        actor = Actor(key.partition("/")[0], "E", "u", "bench")
        self._token = ActorSigner(folder / "secrets" / "actor-private.pem").token(actor)
        certificate = self_signed(rsa.generate_private_key(public_exponent=65537, key_size=2048))
        serial = f"{certificate.serial_number:x}"
        self._key_info = xmlsign.key_info(serial, certificate.public_bytes(Encoding.DER))
        self._writer = writer(ORDER)
        self._bodies = orders(BATCH)

    def environment(self) -> dict[str, str]:
        """What signer.pool is told."""
        tls = self._folder / "secrets" / "tls"
        return os.environ | {
            "SIGNER_DEVICES_FILE": str(self._devices_file),
            "GRPC_LISTEN": self._address,
            "OPS_LISTEN": self._ops,
            "ACTOR_PUBLIC_KEY_FILE": str(self._folder / "secrets" / "actor-public.pem"),
            "TLS_CA_FILE": str(tls / "ca.pem"),
            "TLS_CERT_FILE": str(tls / "signer.pool.pem"),
            "TLS_KEY_FILE": str(tls / "signer.pool.key"),
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
            # the canary's signatures are not counted, so there are few of them
            "SIGNER_CANARY_SECONDS": "600",
        }

    def ready(self) -> bool:
        """It signed a challenge."""
        try:
            with urllib.request.urlopen(f"http://{self._ops}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def documents(self) -> None:
        """64 whole documents, from their records to the signed bytes."""
        guid = str(uuid.uuid4()).upper()
        canonical = [
            self._writer.message([self._writer.document(body, system_fields())], guid, TRANSFER)
            for body in self._bodies
        ]
        prepared = [xmlsign.prepare(self._algorithm, NAMESPACES, one) for one in canonical]
        for one, ready, answer in zip(canonical, prepared, self._sign(prepared), strict=True):
            xmlsign.assemble(one, ready, answer, self._key_info)

    def digests(self) -> None:
        """64 signatures and nothing else."""
        prefix = self._algorithm.digest_info
        self._call([(DIGEST_INFO, prefix + secrets.token_bytes(32)) for _ in range(BATCH)])

    def _sign(self, prepared: Sequence[xmlsign.Prepared]) -> list[bytes]:
        return self._call(
            [
                (DIGEST_INFO, one.digest_info) if one.digest_info else (one.algorithm.name, one.signed_info)
                for one in prepared
            ]
        )

    def _call(self, asked: Sequence[tuple[str, bytes]]) -> list[bytes]:
        requests = [Asked(SignRequest(self._key, mechanism, data), self._token) for mechanism, data in asked]
        return _signatures(self._client.sign(self._devices_file.stem, requests, 60))

    def without_grpc(self, device: Device) -> Callable[[], None]:
        """As digests, asking a pool in this process."""

        def digests() -> None:
            prefix = self._algorithm.digest_info
            answers = device.sign(
                [SignRequest(self._key, DIGEST_INFO, prefix + secrets.token_bytes(32)) for _ in range(BATCH)]
            )
            _signatures(answers)

        return digests

    def run(self, pid: int, work: Callable[[], None], idle: int = 0) -> Run:
        """Callers without a pause for SECONDS. pid: of signer.pool, of what started it, or of this process; idle: of a
        signer.pool below it that is not asked."""
        pids = [one for one in tree(pid) if not idle or one not in tree(idle)]
        tokens = [one for one in pids if b"services.signer.tokens" in _command_line(one)]
        front = [one for one in pids if one not in (os.getpid(), *tokens)]
        work()
        cpu = lambda of: sum(map(process_cpu, of))  # noqa: E731
        done, stop = [0] * CALLERS, threading.Event()
        before = (cpu(front) + own_cpu(), cpu(tokens))

        def call(number: int) -> None:
            while not stop.is_set():
                work()
                done[number] += BATCH

        callers = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
        begun = time.monotonic()
        for caller in callers:
            caller.start()
        time.sleep(SECONDS)
        stop.set()
        for caller in callers:
            caller.join()
        seconds = time.monotonic() - begun
        way, token = cpu(front) + own_cpu() - before[0], cpu(tokens) - before[1]
        signed = sum(done)
        return Run(signed / seconds, way / signed, token / signed)


def _signatures(answers: Sequence[bytes | TokenError]) -> list[bytes]:
    """Raises the first that is none."""
    for answer in answers:
        if isinstance(answer, TokenError):
            raise answer
    return [answer for answer in answers if isinstance(answer, bytes)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def _process(side: Side, command: Sequence[str]) -> Iterator[int]:
    """signer.pool for as long as it is needed; its pid, or that of what holds its namespaces."""
    process = subprocess.Popen(command, env=side.environment(), cwd=ROOT, start_new_session=True)
    try:
        eventually(side.ready, "signer.pool signs", 60)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


_POOL = (sys.executable, "-m", "services.signer", "pool")


def softhsm_side(report: Report, folder: Path, rounds: int) -> None:
    """SoftHSM: whole documents and digests, plain C and OpenSSL in turn."""
    for name in ("pin", "so-pin"):
        (folder / name).write_text(secrets.token_hex(4))
    token = softhsm.SoftHsm(folder / "token", folder / "pin", folder / "so-pin")
    token.create()
    entry = token.member("softhsm", workers=2)
    file = device_files.write(folder / "hsm.toml", folder / "memory", {"hsm": ("pkcs11", [entry])})
    key = token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    with pool_of(file) as device:
        device.generate(key, "rsa")
    side = Side(folder, file, key, "rsa-sha256")
    documents, digests, local, plain, alone = [], [], [], [], []
    with _process(side, _POOL) as pid:
        for _ in range(rounds):
            documents.append(side.run(pid, side.documents))
            plain.append(limits.c_loop(entry, key.partition("/")[2].replace("-", ""), SECONDS, 2))
            digests.append(side.run(pid, side.digests))
            with pool_of(file) as device:
                local.append(side.run(os.getpid(), side.without_grpc(device), idle=pid))
            alone.append(limits.openssl_rsa(int(SECONDS), 2))
    report.at_least(
        "SoftHSM: whole documents",
        median(run.rate for run in documents) * A_MINUTE,
        "documents/min",
        DOCUMENTS,
    )
    report.add("SoftHSM: signatures alone", median(run.rate for run in digests), "signatures/s")
    report.add("plain C on the same token", median(plain), "signatures/s")
    report.add("openssl speed -multi 2 rsa2048", median(alone), "signatures/s")
    share = median(run.rate / limit for run, limit in zip(documents, plain, strict=True))
    report.at_least("SoftHSM: documents / plain C", share, "share", OF_PLAIN_C)
    share = median(run.rate / limit for run, limit in zip(digests, plain, strict=True))
    report.at_least("SoftHSM: signatures / plain C", share, "share", OF_PLAIN_C)
    report.add(
        "CPU of front and client / of the token, signatures alone",
        median(run.way / run.token for run in digests),
        "share",
    )
    report.at_most(
        "of it gRPC: what the same pool costs less, asked in one process",
        median((far.way - near.way) / far.token for far, near in zip(digests, local, strict=True)),
        "share",
        GRPC,
    )
    report.add("CPU of the way, whole document", median(run.way for run in documents) * 1e6, "µs")


def opencryptoki_side(report: Report, folder: Path, rounds: int) -> None:
    """opencryptoki's software token, which is as quick as OpenSSL: signer.pool runs in its namespaces."""
    hindrance = opencryptoki.hindrance()
    if hindrance:
        print(f"opencryptoki: left out, {hindrance}")
        return
    entry = other_member(folder, workers=2)
    file = device_files.write(folder / "hsm.toml", folder / "memory", {"hsm": ("pkcs11", [entry])})
    key = token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    made = opencryptoki.run(
        folder / "token", SO_PIN, PIN, [sys.executable, "-m", "bench.sign", "--make", str(file), key], 120
    )
    if made.returncode:
        raise RuntimeError(made.stderr)
    side = Side(folder, file, key, "rsa-sha256")
    documents, digests, alone = [], [], []
    with _process(side, opencryptoki.command(folder / "token", SO_PIN, PIN, _POOL)) as pid:
        for _ in range(rounds):
            digests.append(side.run(pid, side.digests))
            alone.append(limits.openssl_rsa(int(SECONDS), 2))
            documents.append(side.run(pid, side.documents))
    report.add("opencryptoki: signatures alone", median(run.rate for run in digests), "signatures/s")
    share = median(run.rate / limit for run, limit in zip(digests, alone, strict=True))
    report.at_least("opencryptoki: signatures / openssl speed", share, "share", OF_OPENSSL)
    share = median(run.rate / limit for run, limit in zip(documents, alone, strict=True))
    report.add("opencryptoki: documents / openssl speed", share, "share")
    report.add(
        "opencryptoki: whole documents", median(run.rate for run in documents) * A_MINUTE, "documents/min"
    )


def sm2_side(report: Report, folder: Path, rounds: int) -> None:
    """The sealed software token, beside OpenSSL's SM2 on one core: it has one process."""
    (folder / "sealed").mkdir()
    (folder / "sealing-key").write_text(secrets.token_hex(32))
    entry = {"name": "files", "folder": folder / "sealed", "key_file": folder / "sealing-key"}
    file = device_files.write(folder / "sealed.toml", folder / "memory", {"sealed": ("sealed", [entry])})
    key = token_key(str(uuid.uuid4()), str(uuid.uuid4()))
    with pool_of(file) as device:
        device.generate(key, "sm2")
    side = Side(folder, file, key, "sm2-sm3")
    ours, alone = [], []
    with _process(side, _POOL) as pid:
        for _ in range(rounds):
            ours.append(side.run(pid, side.documents))
            alone.append(_openssl_sm2())
    report.add("SM2: whole documents", median(run.rate for run in ours), "documents/s")
    report.add("openssl speed sm2, one core", median(alone), "signatures/s")
    share = median(run.rate / limit for run, limit in zip(ours, alone, strict=True))
    report.add("SM2: documents / openssl speed", share, "share")


def _openssl_sm2() -> float:
    done = subprocess.run(
        ["openssl", "speed", "-mr", "-seconds", str(int(SECONDS)), "sm2"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # +F7:number:bits:curve:signatures per second:verifications per second
    [found] = re.findall(r"^\+F7:\d+:\d+:CurveSM2:([0-9.]+):", done.stdout, re.MULTILINE)
    return float(found)


def main() -> int:
    """All tokens in turn; 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--make", nargs=2, metavar=("DEVICES", "KEY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        with pool_of(Path(given.make[0])) as device:
            device.generate(given.make[1], "rsa")
        return 0
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    report = Report("sign")
    with tempfile.TemporaryDirectory(prefix="bench-sign-") as base:
        for number, part in enumerate((softhsm_side, opencryptoki_side, sm2_side)):
            folder = Path(base, str(number))
            folder.mkdir()
            part(report, folder, given.rounds)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
