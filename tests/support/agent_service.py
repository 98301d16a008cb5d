"""A stand-in for the service that agents dial: agent.v1 over real TLS, with an authority of its own.

Judges what agents answer with code of its own (cryptography), keeps a ledger in which a request has one signature, and
records every frame's bytes in both directions.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import queue
import secrets
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proto.agent.v1 import agent_pb2, agent_pb2_grpc
from tests.support.eventually import eventually

_HASHES = {"rsa-sha1": hashes.SHA1(), "rsa-sha256": hashes.SHA256()}  # noqa: S303
_DAY = timedelta(days=1)
_OPTIONS = (
    # agents ping every 30 s, also without data
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.so_reuseport", 0),
)


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _now() -> datetime:
    return datetime.now(UTC)


class Authority:
    """Signs the service's and the agents' certificates."""

    def __init__(self, name: str = "agents of a test") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            self._builder(self._name, self._key.public_key(), 30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _builder(self, subject: x509.Name, public: Any, days: float) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_now() - _DAY / 24)
            .not_valid_after(_now() + days * _DAY)
        )

    def server(self) -> tuple[bytes, bytes]:
        """Key and certificate (PEM) for 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        certificate = (
            self._builder(subject, key.public_key(), 30)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private, certificate.public_bytes(serialization.Encoding.PEM)

    def agent(self, csr: bytes, agent_id: str, days: float) -> x509.Certificate:
        request = x509.load_der_x509_csr(csr)
        assert request.is_signature_valid
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, agent_id)])
        return (
            self._builder(subject, request.public_key(), days)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


@dataclass
class Asked:
    """A request and all that was heard about it."""

    frame: agent_pb2.SignRequest
    nonces: list[bytes] = field(default_factory=list)
    results: list[agent_pb2.Result] = field(default_factory=list)

    @property
    def last(self) -> agent_pb2.Result:
        return self.results[-1]


@dataclass
class Attendance:
    """One stream of one agent. None in `out` ends it."""

    agent_id: str
    hello: agent_pb2.Hello
    out: queue.SimpleQueue[agent_pb2.ToAgent | None] = field(default_factory=queue.SimpleQueue)
    cards: list[list[agent_pb2.Card]] = field(default_factory=list)


class Service(agent_pb2_grpc.EnrolmentServicer, agent_pb2_grpc.AgentsServicer):
    """Start and stop as often as a test likes: addresses, ledger and codes stay."""

    def __init__(self, heartbeat: int = 1, certificate_days: float = 30) -> None:
        self.authority = Authority()
        self.heartbeat = heartbeat
        self.certificate_days = certificate_days
        self.frames: list[bytes] = []
        self.asked: dict[str, Asked] = {}
        #: request id -> signatures that were taken for it; more than one would be a double acceptance
        self.ledger: dict[str, set[bytes]] = {}
        self.wrong: list[str] = []
        self.hold_outcomes = False
        self.outcomes_sent = 0
        self.refuse_with: grpc.StatusCode | None = None
        self.attending: dict[str, Attendance] = {}
        self.attendances = 0
        self.revoked: set[str] = set()
        self.renewals = 0
        #: every agent is too old
        self.demanding = False
        #: the answers to enrolments get lost
        self.mute = False
        self._codes: dict[str, bytes | None] = {}
        self._lock = threading.RLock()
        self._pair = self.authority.server()
        self._servers: list[grpc.Server] = []
        self._ports = [0, 0]

    # life

    def start(self) -> None:
        plain = grpc.ssl_server_credentials([self._pair])
        mutual = grpc.ssl_server_credentials(
            [self._pair], self.authority.pem.encode(), require_client_auth=True
        )
        for place, credentials in enumerate((plain, mutual)):
            server = grpc.server(ThreadPoolExecutor(32), options=_OPTIONS)
            agent_pb2_grpc.add_EnrolmentServicer_to_server(self, server)
            if place:
                agent_pb2_grpc.add_AgentsServicer_to_server(self, server)
            address = f"127.0.0.1:{self._ports[place]}"
            self._ports[place] = eventually(
                lambda server=server, address=address, credentials=credentials: server.add_secure_port(
                    address, credentials
                ),
                "the port is free again",
            )
            server.start()
            self._servers.append(server)

    def stop(self) -> None:
        for server in self._servers:
            server.stop(0).wait()
        self._servers.clear()
        with self._lock:
            for one in self.attending.values():
                one.out.put(None)
            self.attending.clear()

    @property
    def enrol_address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def port(self) -> int:
        return self._ports[1]

    # what a test does

    def invite(self, address: str = "", **changes: Any) -> dict[str, str]:
        """The file that an administrator downloads."""
        code = "-".join(secrets.token_hex(2).upper() for _ in range(4))
        self._codes[code.replace("-", "")] = None
        return {
            "address": address or f"127.0.0.1:{self.port}",
            "enrol_address": self.enrol_address,
            "authority": self.authority.pem,
            "code": code,
            "expires_at": rfc3339(_now() + _DAY),
        } | changes

    def cards(self, agent_id: str = "") -> dict[str, agent_pb2.Card]:
        """Fingerprint -> card, as announced last."""
        with self._lock:
            found = [one for one in self.attending.values() if agent_id in ("", one.agent_id)]
            last = found[-1].cards[-1] if found and found[-1].cards else []
        return {hashlib.sha256(card.certificate).hexdigest(): card for card in last}

    def card_state(self, fingerprint: str) -> str:
        """Empty if the card is not announced."""
        card = self.cards().get(fingerprint)
        return card.state if card else ""

    def ask(
        self, fingerprint: str, data: bytes, mechanism: str = "rsa-sha1", *,
        purpose: str = "document", seconds: float = 60, request_id: str = "", send: bool = True, **summary: Any,
    ) -> Asked:  # fmt: skip
        """A new request; or with the id of one that was asked, another one under the same id."""
        frame = agent_pb2.SignRequest(
            request_id=request_id or str(uuid.uuid4()),
            expires_at=rfc3339(_now() + timedelta(seconds=seconds)),
            fingerprint=fingerprint,
            mechanism=mechanism,
            purpose=purpose,
            data=data,
            summary=agent_pb2.Summary(
                **(
                    {"title_zh": "出口清单", "title_en": "Export list", "documents": 3, "actor": "张三"}
                    | summary
                )
            ),
        )
        with self._lock:
            asked = Asked(frame)
            before = self.asked.get(frame.request_id)
            if before is not None:
                asked.nonces, asked.results = before.nonces, before.results
            self.asked[frame.request_id] = asked
        if send:
            self.lease(asked)
        return asked

    def lease(self, asked: Asked, seconds: float = 60) -> None:
        """Ask (again), under a new nonce."""
        asked.nonces.append(secrets.token_bytes(16))
        frame = agent_pb2.SignRequest()
        frame.CopyFrom(asked.frame)
        frame.nonce = asked.nonces[-1]
        if len(asked.nonces) > 1:
            frame.expires_at = rfc3339(_now() + timedelta(seconds=seconds))
        self._tell(agent_pb2.ToAgent(request=frame))

    def withdraw(self, asked: Asked) -> None:
        self._tell(agent_pb2.ToAgent(withdraw=agent_pb2.Withdraw(request_id=asked.frame.request_id)))

    def part(self, code: str, zh: str = "", en: str = "") -> None:
        """Goodbye to whoever attends."""
        self._tell(agent_pb2.ToAgent(goodbye=agent_pb2.Goodbye(code=code, zh=zh, en=en)), last=True)

    def revoke(self, agent_id: str) -> None:
        self.revoked.add(agent_id)
        self.part("revoked", "此代理已被管理员吊销。", "This agent was revoked by the administrator.")

    def answered(self, asked: Asked, count: int = 1, timeout: float = 60) -> agent_pb2.Result:
        """The newest result, once there are so many."""
        eventually(
            lambda: len(asked.results) >= count, f"result {count} of {asked.frame.request_id}", timeout
        )
        return asked.results[count - 1]

    def _tell(self, frame: agent_pb2.ToAgent, *, last: bool = False) -> None:
        with self._lock:
            for one in list(self.attending.values()):
                one.out.put(frame)
                if last:
                    one.out.put(None)

    # Enrolment

    def Enrol(self, request: agent_pb2.EnrolRequest, context: grpc.ServicerContext) -> agent_pb2.EnrolReply:  # noqa: N802
        with self._lock:
            public = x509.load_der_x509_csr(request.csr).public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )  # fmt: skip
            # the same key again is a repeat whose answer was lost
            if self._codes.get(request.code, b"unknown") not in (None, public):
                zh, en = "登记码无效或已使用。", "The code is invalid or used."
                problem = json.dumps({"kind": "not_found", "zh": zh, "en": en, "details": [], "retry": None})
                context.set_trailing_metadata((("problem-bin", problem.encode()),))
                context.abort(grpc.StatusCode.NOT_FOUND, en)
            self._codes[request.code] = public
            if self.mute:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the answer got lost")
            return self._reply(request.csr, str(uuid.uuid4()))

    def _reply(self, csr: bytes, agent_id: str) -> agent_pb2.EnrolReply:
        certificate = self.authority.agent(csr, agent_id, self.certificate_days)
        return agent_pb2.EnrolReply(
            agent_id=agent_id,
            certificate=certificate.public_bytes(serialization.Encoding.DER),
            not_after=rfc3339(certificate.not_valid_after_utc),
            enterprise_name="测试企业",
        )

    # Agents

    def Renew(self, request: agent_pb2.RenewRequest, context: grpc.ServicerContext) -> agent_pb2.EnrolReply:  # noqa: N802
        with self._lock:
            self.renewals += 1
        return self._reply(request.csr, _caller(context))

    def Attend(  # noqa: N802
        self, frames: Iterator[agent_pb2.FromAgent], context: grpc.ServicerContext
    ) -> Iterator[agent_pb2.ToAgent]:
        if self.refuse_with is not None:
            context.abort(self.refuse_with, "not today")
        first = next(frames)
        self.frames.append(first.SerializeToString())
        one = Attendance(_caller(context), first.hello)
        if self.demanding:
            yield self._sent(agent_pb2.ToAgent(goodbye=agent_pb2.Goodbye(code="version")))
            return
        if one.agent_id in self.revoked:
            yield self._sent(
                agent_pb2.ToAgent(goodbye=agent_pb2.Goodbye(code="revoked", zh="已吊销", en="revoked"))
            )
            return
        with self._lock:
            other = self.attending.get(one.agent_id)
            taken = other is not None and other.hello.instance != one.hello.instance
            if not taken:
                if other is not None:
                    other.out.put(None)
                self.attending[one.agent_id] = one
                self.attendances += 1
        if taken:
            yield self._sent(agent_pb2.ToAgent(goodbye=agent_pb2.Goodbye(code="attending-elsewhere")))
            return
        context.add_callback(lambda: self._left(one))
        threading.Thread(target=self._listen, args=(one, frames), daemon=True).start()
        yield self._sent(
            agent_pb2.ToAgent(
                welcome=agent_pb2.Welcome(
                    agent_id=one.agent_id,
                    enterprise_name="测试企业",
                    heartbeat_seconds=self.heartbeat,
                    server_time=rfc3339(_now()),
                )
            )
        )
        while True:
            try:
                frame = one.out.get(timeout=self.heartbeat * 0.7)
            except queue.Empty:
                frame = agent_pb2.ToAgent(alive=agent_pb2.Alive())
            if frame is None:
                self._left(one)
                return
            yield self._sent(frame)

    def _sent(self, frame: agent_pb2.ToAgent) -> agent_pb2.ToAgent:
        self.frames.append(frame.SerializeToString())
        return frame

    def _left(self, one: Attendance) -> None:
        with self._lock:
            if self.attending.get(one.agent_id) is one:
                del self.attending[one.agent_id]
        one.out.put(None)

    def _listen(self, one: Attendance, frames: Iterator[agent_pb2.FromAgent]) -> None:
        try:
            for frame in frames:
                self.frames.append(frame.SerializeToString())
                match frame.WhichOneof("frame"):
                    case "cards":
                        with self._lock:
                            one.cards.append(list(frame.cards.cards))
                    case "result":
                        self._judge(one, frame.result)
        except grpc.RpcError:
            self._left(one)

    def _judge(self, one: Attendance, result: agent_pb2.Result) -> None:
        with self._lock:
            asked = self.asked.get(result.request_id)
            if asked is None or result.nonce not in asked.nonces:
                self.wrong.append(f"{result.request_id}: nobody asked, or with another nonce")
                return
            if result.signature:
                certificate = next(
                    (
                        card.certificate
                        for cards in reversed(one.cards)
                        for card in cards
                        if hashlib.sha256(card.certificate).hexdigest() == asked.frame.fingerprint
                    ),
                    b"",
                )
                if certificate and not _holds(certificate, asked.frame, result.signature):
                    self.wrong.append(f"{result.request_id}: the signature does not hold")
                    return
                self.ledger.setdefault(result.request_id, set()).add(result.signature)
            asked.results.append(result)
            if not self.hold_outcomes:
                outcome = agent_pb2.Outcome(request_id=result.request_id, accepted=bool(result.signature))
                one.out.put(agent_pb2.ToAgent(outcome=outcome))
                self.outcomes_sent += 1


def _caller(context: grpc.ServicerContext) -> str:
    names: list[bytes] = context.auth_context()["x509_common_name"]
    return names[0].decode()


def _holds(certificate: bytes, frame: agent_pb2.SignRequest, signature: bytes) -> bool:
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(signature, frame.data, padding.PKCS1v15(), _HASHES[frame.mechanism])
    except InvalidSignature:
        return False
    return True
