"""Examining an arrival: whom it is from, what it holds, whether it is built and signed right.

Needs no books, so it runs before any transaction. Must never decide about a document: that needs the books.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator import structure, tables
from simulator.config import Rules
from simulator.contents import Contents
from simulator.envelope import Envelope, EnvelopeFault, open_envelope
from simulator.judge import check_message
from simulator.problems import Refusal, Unreadable
from simulator.signature import Detached, SignatureFault, detach, strip
from simulator.tables import Table
from simulator.verify import Trust, check
from simulator.xmlsafe import canonical, local, parse

log = logging.getLogger("simulator.examine")

# returnStatus of CEB900. That a negative number is used is published, the figures are assumed.
UNREADABLE = "-10001"
UNKNOWN_TYPE = "-10002"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes as they came. `identity` names this very delivery (spool file or broker redelivery), "" = unknown."""

    raw: bytes
    channel: str
    identity: str = ""
    redelivered: bool = False


@dataclass(slots=True)
class Examined:
    """An arrival after everything that needs no books: whom it is from, what is in it, what is wrong with it."""

    arrival: Arrival
    sender: str = ""
    cop_msg_id: str = ""
    type: str = ""
    business: bytes = b""
    digest: bytes = b""
    contents: Contents | None = None
    heads: list[dict[str, str]] = field(default_factory=list)
    fault: Refusal | None = None


class Examiner:
    """Examines arrivals by the access point's rules."""

    def __init__(self, trust: Trust | None, rules: Rules) -> None:
        """`trust` may be missing while signatures are not verified."""
        if trust is None and rules.verify_signatures:
            raise ValueError("signatures cannot be verified without an authority")
        self._trust = trust
        self._rules = rules

    def examine(self, arrival: Arrival) -> Examined:
        """Never raises for anything an arrival holds; the first fault is in the result."""
        result = Examined(arrival)
        try:
            envelope = open_envelope(arrival.raw, self._rules.receiver_id, self._rules.max_message_bytes)
        except Unreadable as fault:
            result.fault = fault
            if isinstance(fault, EnvelopeFault):
                result.sender, result.cop_msg_id = fault.sender, fault.cop_msg_id
            result.business = arrival.raw
            result.digest = hashlib.sha256(arrival.raw).digest()
            # Something must tell this arrival from others when it says nothing about itself.
            result.cop_msg_id = result.cop_msg_id or f"sha256:{result.digest.hex()}"
            return result
        result.sender, result.cop_msg_id, result.type = (
            envelope.sender,
            envelope.cop_msg_id,
            envelope.msg_type,
        )
        result.business = envelope.data
        result.digest = hashlib.sha256(envelope.data).digest()
        try:
            self._read(envelope, result)
        except Refusal as fault:
            result.fault = fault
        except Exception as error:  # boundary: one odd message must not stop the desk for everybody
            log.exception("message %s of %s broke the desk", envelope.cop_msg_id, envelope.sender)
            result.fault = Unreadable(
                UNREADABLE, "模拟海关处理该报文时出错", f"the simulator failed on it: {error}"
            )
        return result

    def _read(self, envelope: Envelope, result: Examined) -> None:
        root = parse(envelope.data, UNREADABLE)
        table = tables.known().get(local(root))
        if table is None:
            raise Unreadable(
                UNKNOWN_TYPE,
                f"不认识的报文类型 {local(root)}，可用：{'、'.join(tables.known())}",
                f"unknown message type {local(root)}; known are {', '.join(tables.known())}",
            )
        result.type = table.message
        try:
            try:
                detached = detach(root)
            except SignatureFault:
                strip(root)
                if self._rules.verify_signatures:
                    raise
                detached = Detached(canonical(root), None)
            contents = structure.read(root, detached.canonical, table, self._rules.max_lines)
            holder = self._holder(detached, contents, table)
            check_message(contents.transfer, envelope.sender, envelope.msg_type, table.message, holder)
        except Refusal as fault:
            fault.resolve(table.codes)
            result.heads = structure.identities(root, table)
            raise
        result.contents = contents
        result.heads = [document.head for document in contents.documents]

    def _holder(self, detached: Detached, contents: Contents, table: Table) -> str | None:
        """Code of the enterprise that signed, None if nobody did and nobody had to. Raises SignatureFault."""
        if self._trust is None or not self._rules.verify_signatures:
            return None
        if detached.parts is not None:
            now = datetime.now(UTC)
            return check(detached.canonical, detached.parts, self._trust, self._rules, now).code
        # Published by type; an arrival must be signed when it is declared, not while it is a draft.
        needed = table.signature == "required" or (
            table.signature == "declared"
            and any(document.head["appStatus"] == "2" for document in contents.documents)
        )
        if needed or self._rules.require_signature:
            raise SignatureFault("报文没有签名，请先加签", "the message is not signed; sign it first")
        return None
