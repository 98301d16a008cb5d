"""Enrolment with a one-time code, and a new certificate before the old one ends."""

from __future__ import annotations

import json
import platform
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509

from agent import VERSION, identity, times
from agent.channel import Words, open_channel, words_of
from agent.errors import AgentError
from agent.identity import Identity
from proto.agent.v1 import agent_pb2, agent_pb2_grpc

_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the enterprise's administrator downloads. authority: PEM; addresses: host:port."""

    address: str
    enrol_address: str
    authority: str
    code: str = field(repr=False)
    expires_at: str = ""


def platform_name() -> str:
    """For people: the system of this PC."""
    return f"{platform.system()}-{platform.release()}"


def read_file(path: Path) -> Invitation:
    """The downloaded file. Raises AgentError that says what is wrong with it."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise _unusable(path.name, f"无法读取（{exc}）", f"cannot be read ({exc})") from exc
    if not isinstance(raw, dict):
        raise _unusable(path.name, "不是登记文件", "is no enrolment file")
    values: dict[str, Any] = {name: raw.get(name, "") for name in Invitation.__slots__}
    values["enrol_address"] = values["enrol_address"] or values["address"]
    for name, value in values.items():
        if not isinstance(value, str) or (not value and name != "expires_at"):
            raise _unusable(path.name, f"缺少 {name}", f"lacks {name}")
    return check(Invitation(**values))


def check(invitation: Invitation) -> Invitation:
    """The invitation; raises AgentError for one that could not work."""
    try:
        x509.load_pem_x509_certificates(invitation.authority.encode())
    except ValueError as exc:
        raise _unusable("authority", "不是 PEM 证书", "is not a PEM certificate") from exc
    for name in ("address", "enrol_address"):
        host, _, port = getattr(invitation, name).rpartition(":")
        if not host or not port.isdigit():
            raise _unusable(name, "须为 主机:端口", "must be host:port")
    if invitation.expires_at:
        try:
            late = times.read(invitation.expires_at) <= times.now()
        except ValueError as exc:
            raise _unusable("expires_at", "不是时间", "is not a time") from exc
        if late:
            raise AgentError(
                "code-expired",
                "登记码已过期，请管理员重新下载登记文件；如未到期，请校准本机时钟。",
                "The code has expired: ask the administrator for a new file, or set this PC's clock.",
            )
    return invitation


def enrol(state: Path, invitation: Invitation) -> Identity:
    """Exchange the code for a certificate and keep it. Raises AgentError."""
    key = identity.pending_key(state)
    request = agent_pb2.EnrolRequest(
        code="".join(invitation.code.split()).replace("-", ""),
        csr=identity.request(key),
        agent_version=VERSION,
        platform=platform_name(),
        host_name=socket.gethostname(),
    )
    # only the authority of the file is trusted, not those of the system
    credentials = grpc.ssl_channel_credentials(invitation.authority.encode())
    with open_channel(invitation.enrol_address, credentials) as channel:
        try:
            reply = agent_pb2_grpc.EnrolmentStub(channel).Enrol(request, timeout=_SECONDS)
        except grpc.RpcError as exc:
            raise _refused(words_of(exc), invitation.enrol_address) from exc
    made = Identity(
        agent_id=reply.agent_id,
        enterprise_name=reply.enterprise_name,
        address=invitation.address,
        authority=invitation.authority,
        certificate=identity.certificate_for(key, reply.certificate),
        key=key,
    )
    identity.write(state, made)
    return made


def renew(state: Path, current: Identity, channel: grpc.Channel) -> Identity:
    """A new key and certificate over a channel that the old one opened. Raises AgentError or grpc.RpcError."""
    key = identity.new_key()
    request = agent_pb2.RenewRequest(csr=identity.request(key))
    reply = agent_pb2_grpc.AgentsStub(channel).Renew(request, timeout=_SECONDS)
    made = replace(
        current,
        enterprise_name=reply.enterprise_name or current.enterprise_name,
        certificate=identity.certificate_for(key, reply.certificate),
        key=key,
    )
    identity.write(state, made)
    return made


def _unusable(what: str, zh: str, en: str) -> AgentError:
    return AgentError(
        "invitation",
        f"登记文件 {what}：{zh}，请重新下载。",
        f"Enrolment file, {what}: {en}; download it again.",
    )


def _refused(words: Words, address: str) -> AgentError:
    match words.code:
        case "UNAVAILABLE" | "DEADLINE_EXCEEDED":
            return AgentError(
                "unreachable",
                f"无法连接 {address}，或其证书不是登记文件所说的机构签发的（{words.detail}）。"
                "请检查网络、防火墙与地址；登记码仍然有效。",
                f"{address} cannot be reached, or its certificate is not from the authority in the file "
                f"({words.detail}). Check network, firewall and address; the code is still good.",
            )
        case _ if words.zh or words.en:
            return AgentError("refused", words.zh or words.en, words.en or words.zh)
        case "NOT_FOUND" | "PERMISSION_DENIED" | "UNAUTHENTICATED" | "FAILED_PRECONDITION":
            return AgentError(
                "code-refused",
                "登记码不对、已用过或已过期：每个码只能用一次，请管理员重新下载登记文件。",
                "The code is wrong, used or expired: a code works once, ask the administrator for a new file.",
            )
    return AgentError(
        "refused",
        f"服务没有完成登记（{words.code}：{words.detail}），请稍后再试或联系管理员。",
        f"The service did not enrol this agent ({words.code}: {words.detail}); try later or ask the administrator.",
    )
