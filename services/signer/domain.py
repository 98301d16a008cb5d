"""Which key may sign what for whom, and every reason to refuse. Pure: no database, no clock, no token.

A refusal is an answer to a person, in two languages with a way out; it must never be an exception.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from documents.registry import REGISTRY, Registry
from documents.spec import DocumentType, EnterpriseKind
from runtime.actor import Actor
from services.signer.refusals import Refusal, Refused, refuse
from services.signer.xmlsign import ALGORITHMS, CEB, XSI, Namespaces

#: reference/ceb/envelope.yaml, message_limits.documents_per_message
MAX_DOCUMENTS = 100
#: bytes; a hundred documents of a hundred lines stay below it. No limit is published (envelope.yaml, note)
MAX_BYTES = 16 * 1024 * 1024
#: bits; shorter RSA keys are refused whoever certified them
MIN_RSA_BITS = 2048

#: the purpose of a key that signs messages to customs
MESSAGES = "messages"
#: the device of a key that is on a card at an edge agent
CARD = "card"
#: seconds without a word after which an edge agent counts as gone
SILENT = 60
#: the lane of what somebody waits for at a page, and that of mass work: the order in which a tenant's jobs are taken
INTERACTIVE, BULK = 0, 1

_KIND = re.compile(r"[a-z][a-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class MessageType:
    """Where the message names its enterprises: `node` is the repeated business node, `head` its first child; ""
    where the fields stand in the node itself. codes: fields of which one must be the signer's enterprise."""

    node: str
    head: str
    codes: tuple[str, ...]


#: kind of enterprise -> the field of a head that holds its code
_CODE_OF: dict[EnterpriseKind, str] = {
    "ecommerce": "ebcCode",
    "platform": "ebpCode",
    "logistics": "logisticsCode",
    "logistics-b2b": "logisticsCode",
    "payment": "payCode",
    "operator": "operatorCode",
    "agent": "agentCode",
}


def message_types(registry: Registry) -> dict[str, MessageType]:
    """Root -> what is signed under it, and whose codes may be the signer's: those of the kinds that may send it, and
    of the kinds with whose documents it goes along (四单). What customs sends is in no such table and never signed.
    """
    found: dict[str, MessageType] = {}
    for doctype in registry.types:
        if doctype.message.direction == "out":
            form = doctype.message
            before = found[form.root].codes if form.root in found else ()
            codes = tuple(dict.fromkeys((*before, *_codes(registry, doctype))))
            found[form.root] = MessageType(form.node, form.head, codes)
    return found


def _codes(registry: Registry, doctype: DocumentType) -> list[str]:
    leading = [item for item in registry.types if doctype.kind in {one.kind for one in item.companions}]
    senders = [kind for item in (doctype, *leading) for kind in item.senders]
    fields = {item.name for item in doctype.head}
    return [name for name in dict.fromkeys(_CODE_OF[kind] for kind in senders) if name in fields]


MESSAGE_TYPES: Mapping[str, MessageType] = message_types(REGISTRY)
#: what the root may declare (envelope.yaml, namespace_note: a fixed set)
NAMESPACES = {"ceb": CEB, "xsi": XSI}


@dataclass(frozen=True, slots=True)
class Submission:
    """One message that somebody entitled asked to be declared. actor_token goes on with what follows from it."""

    event_id: str
    actor: Actor
    actor_token: str
    message_id: str
    kind: str
    message_type: str
    enterprise_code: str
    dxp_id: str
    documents: int
    xml: bytes
    lane: int = INTERACTIVE


@dataclass(frozen=True, slots=True)
class Facts:
    """What the message itself says. parties: per document, the enterprise codes in its head."""

    message_type: str
    namespaces: Namespaces
    cop_code: str
    dxp_id: str
    parties: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of one enterprise of one tenant. certificate: DER; serial and fingerprint: hex; times: UTC."""

    tenant_id: str
    id: str
    enterprise_code: str
    label: str
    algorithm: str
    device_kind: str  # the device's name in the signer's settings, or CARD
    device: str
    hardware: bool
    certificate: bytes
    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    active: bool
    #: what it signs: one active key for each purpose
    purpose: str = MESSAGES
    #: the edge agent that showed the card, for keys on cards
    agent_id: str | None = None
    confirmed_at: datetime | None = None
    confirmed_by: str = ""

    @property
    def queue(self) -> str:
        """Where work for this key waits: with all that goes to its device, or a card's own."""
        return card_queue(self.fingerprint) if self.device_kind == CARD else self.device_kind

    @property
    def token_key(self) -> str:
        """The key's name inside its token."""
        return token_key(self.tenant_id, self.id)


#: days before the end of a certificate from which people are told, the last one first
WARNINGS = (7, 30, 60)


def days_left(not_after: datetime, now: datetime) -> int:
    """Whole days until the certificate ends; negative once it has."""
    return (not_after - now).days


def warning(not_after: datetime, now: datetime) -> int:
    """Within how many days the certificate ends, of WARNINGS; 0 if later."""
    return next((days for days in WARNINGS if days_left(not_after, now) < days), 0)


def challenge(origin: str, purpose: str, user: str, nonce: bytes, at: datetime) -> bytes:
    """The text that a key signs to prove that it is there; can never be read as part of a document.

    origin: address of the pages where it was asked for. The agent reads these lines too (agent/README.md)."""
    lines = {
        "origin": origin,
        "purpose": purpose,
        "user": user,
        "nonce": nonce.hex(),
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
    for name, value in lines.items():
        if not value or not value.isprintable():
            raise ValueError(f"{name} of a challenge must be printable")
    return "".join(
        ["tongguan challenge v1\n", *(f"{name}={value}\n" for name, value in lines.items())]
    ).encode()


def card_queue(fingerprint: str) -> str:
    """The queue of one card. fingerprint: SHA-256 of its certificate, hex."""
    return f"{CARD}:{fingerprint}"


def token_key(tenant_id: str, key_id: str) -> str:
    """The name of a key inside a token: tenant and key id, so that a token can tell whose key it uses."""
    return f"{tenant_id}/{key_id}"


def is_uuid(value: str) -> bool:
    """True for the usual 36-character form in lower case."""
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def is_kind(value: str) -> bool:
    """True for what may stand in a routing key."""
    return _KIND.fullmatch(value) is not None


def judge(submission: Submission, facts: Facts, key: Key | None, now: datetime) -> Refusal | None:
    """None if `key` may sign this message now; else the first reason why not. `key`: the enterprise's active key."""
    try:
        _person(submission)
        _message(submission, facts)
        if key is None:
            raise refuse(
                "no-key",
                f"企业 {submission.enterprise_code} 没有启用的签名密钥，请企业管理员在“密钥与设备”中启用一把。",
                f"Enterprise {submission.enterprise_code} has no active key; activate one under keys and devices.",
            )
        may_sign(submission, key, now)
    except Refused as refused:
        return refused.refusal
    return None


def _person(submission: Submission) -> None:
    actor = submission.actor
    if not actor.may("document.declare", submission.kind):
        raise refuse(
            "not-permitted",
            f"提交人 {actor.user_name} 没有申报“{submission.kind}”的权限，请由有权限的人员重新提交。",
            f"{actor.user_name} may not declare {submission.kind}; somebody entitled must submit again.",
        )
    if actor.enterprise_code != submission.enterprise_code:
        raise refuse(
            "wrong-enterprise",
            f"提交人代表企业 {actor.enterprise_code}，报文属于企业 {submission.enterprise_code}，不予签名。",
            f"The submitter acts for {actor.enterprise_code}, the message is {submission.enterprise_code}'s.",
        )


def _message(submission: Submission, facts: Facts) -> None:
    if facts.message_type != submission.message_type:
        raise refuse(
            "wrong-type",
            f"报文根元素是 {facts.message_type}，应为 {submission.message_type}，请重新提交。",
            f"The root element is {facts.message_type}, {submission.message_type} was announced; submit again.",
        )
    if facts.cop_code != submission.enterprise_code:
        raise refuse(
            "wrong-sender",
            f"报文传输企业代码 copCode 为 {facts.cop_code}，应为 {submission.enterprise_code}，请检查企业设置。",
            f"BaseTransfer/copCode is {facts.cop_code}, it must be {submission.enterprise_code}.",
        )
    if facts.dxp_id != submission.dxp_id:
        raise refuse(
            "wrong-dxp",
            f"报文传输编号 dxpId 为 {facts.dxp_id}，应为 {submission.dxp_id}，请检查企业设置。",
            f"BaseTransfer/dxpId is {facts.dxp_id}, it must be {submission.dxp_id}.",
        )
    count = len(facts.parties)
    if not 1 <= count <= MAX_DOCUMENTS or count != submission.documents:
        raise refuse(
            "document-count",
            f"报文含 {count} 份单证，提交的是 {submission.documents} 份（每个报文 1 至 {MAX_DOCUMENTS} 份），请重新提交。",
            f"{count} documents in the message, {submission.documents} were submitted (1 to {MAX_DOCUMENTS}).",
        )
    for index, codes in enumerate(facts.parties, 1):
        if submission.enterprise_code not in codes:
            shown = "、".join(sorted(codes)) or "（空）"
            raise refuse(
                "foreign-document",
                f"第 {index} 份单证的企业代码为 {shown}，不含本企业 {submission.enterprise_code}，不予签名，请改正后重新提交。",
                f"Document {index} names {shown}, not {submission.enterprise_code}; correct it and submit again.",
            )


def may_sign(submission: Submission, key: Key, now: datetime) -> None:
    """Raise Refused unless this key is the enterprise's, of a known algorithm, and its certificate valid now."""
    if key.enterprise_code != submission.enterprise_code or key.tenant_id != submission.actor.tenant_id:
        raise refuse(
            "wrong-key",
            f"密钥“{key.label}”不属于企业 {submission.enterprise_code}，不予签名。",
            f"Key {key.label} does not belong to {submission.enterprise_code}.",
        )
    if key.algorithm not in ALGORITHMS:
        raise refuse(
            "algorithm-unknown",
            f"密钥“{key.label}”的算法 {key.algorithm} 不在允许之列，请更换密钥。",
            f"Algorithm {key.algorithm} of key {key.label} is not allowed; use another key.",
        )
    if now < key.not_before:
        raise refuse(
            "certificate-not-yet-valid",
            f"密钥“{key.label}”的证书自 {key.not_before:%Y-%m-%d %H:%M} UTC 起有效，请届时再提交或换用其他密钥。",
            f"The certificate of {key.label} is valid from {key.not_before:%Y-%m-%d %H:%M} UTC only.",
        )
    if now > key.not_after:
        raise refuse(
            "certificate-expired",
            f"密钥“{key.label}”的证书已于 {key.not_after:%Y-%m-%d %H:%M} UTC 过期，请更换证书后重新提交。",
            f"The certificate of {key.label} expired at {key.not_after:%Y-%m-%d %H:%M} UTC; renew it, submit again.",
        )
