"""A card that customs would accept, and who sits where it is: for tests against the whole stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.support import cards
from tests.support.agents import Agent
from tests.support.cards import Card
from tests.support.eventually import eventually
from tests.support.people import Visitor
from tests.support.stack import Stack
from tools.paths import ROOT


def certified(stack: Stack, enterprise: Mapping[str, str], folder: Path, pin: str) -> Card:
    """A card that the simulator's authority certified for the enterprise (name, code)."""

    def certify(key: rsa.RSAPrivateKey) -> bytes:
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(
                x509.Name(
                    [
                        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                        x509.NameAttribute(NameOID.ORGANIZATION_NAME, enterprise["name"]),
                        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, enterprise["code"]),
                        x509.NameAttribute(NameOID.COMMON_NAME, enterprise["name"]),
                    ]
                )
            )
            .sign(key, hashes.SHA256())
        )
        asked, issued = folder / "card.csr", folder / "card.pem"
        asked.write_bytes(request.public_bytes(serialization.Encoding.PEM))
        command = [
            *(sys.executable, "-m", "simulator", "authority", "--dir", str(stack.run_dir / "authority")),
            *("--issue", str(asked), "--out", str(issued)),
        ]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        made = x509.load_pem_x509_certificate(issued.read_bytes())
        return made.public_bytes(serialization.Encoding.DER)

    return cards.make(folder / "made", "ours", pin, certify=certify)


def shown(visitor: Visitor, card: Card) -> dict[str, Any]:
    """The card as the service shows it; empty if no agent showed it."""
    found: list[dict[str, Any]] = visitor.get("/devices/cards").json()["items"]
    return next((item for item in found if item["fingerprint"] == card.fingerprint), {})


def agree(agent: Agent) -> None:
    """Whoever sits at the card says yes."""

    def answered() -> bool:
        waiting = agent.shown["asking"]
        for one in waiting:
            agent.page("POST", "/api/confirm", {"request": one["request_id"], "yes": "1"})
        return bool(waiting)

    eventually(answered, "the agent asks its person", 30)
