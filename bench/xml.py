"""python -m bench.xml: from a stored order to the signed customs message, our way and with two XML libraries.

One order of five lines a message, rsa-sha256, one software key for all. What is compared is the CPU beside the RSA
signature itself, which is measured alone in the same run and taken off everybody alike.
"""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto.asymciphers import ec

from bench.common import Report, median, spread
from bench.peers import Signxml, Xmlsec, build
from documents.types.order import ORDER
from documents.xml import Transfer, writer
from services.signer import xmlsign

GOAL = 0.10  # of the peers' CPU beside the RSA
#: messages that one way makes before the next has its turn
BLOCK = 10
TRANSFER = Transfer("91610131MA6TTTTT01", "测试电商有限公司", "DXPENT0000000001")
NAMESPACES: xmlsign.Namespaces = ((ORDER.message.prefix, ORDER.message.namespace),)
RSA_PADDING = padding.PKCS1v15()
PREHASHED = Prehashed(hashes.SHA256())


def orders(count: int) -> list[dict[str, Any]]:
    """Stored bodies of `count` orders with five lines."""
    return [
        {
            "head": {
                "orderType": "B", "orderNo": f"BENCH{number:08d}", "ebpCode": "无", "ebpName": "海外平台",
                "ebcCode": "6101960AAA", "ebcName": "测试电商有限公司", "goodsValue": "75.00", "freight": "0",
                "currency": "502",
            },
            "lines": [
                {
                    "itemNo": f"A{number}-{line}", "itemName": f"手工陶瓷茶杯{line}号", "unit": "011",
                    "currency": "502", "qty": "2", "price": "7.5", "totalPrice": "15.00",
                }
                for line in range(5)
            ],
        }
        for number in range(count)
    ]  # fmt: skip


def system_fields() -> dict[str, str]:
    """What is filled in when a document is sent."""
    return {"guid": str(uuid.uuid4()).upper(), "appType": "1", "appTime": "20260102030405", "appStatus": "2"}


def self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """A certificate for KeyInfo, which all sides write."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )


class Ours:
    """Template, digest, SignedInfo, signature, assembly: what the order service and the signer do per message."""

    def __init__(
        self, algorithm: str, sign: Callable[[xmlsign.Prepared], bytes], certificate: x509.Certificate
    ) -> None:
        self._writer = writer(ORDER)
        self._algorithm = xmlsign.ALGORITHMS[algorithm]
        self._sign = sign
        serial = f"{certificate.serial_number:x}"
        self._key_info = xmlsign.key_info(serial, certificate.public_bytes(Encoding.DER))

    def __call__(self, body: Mapping[str, Any]) -> bytes:
        guid = str(uuid.uuid4()).upper()
        canonical = self._writer.message([self._writer.document(body, system_fields())], guid, TRANSFER)
        prepared = xmlsign.prepare(self._algorithm, NAMESPACES, canonical)
        return xmlsign.assemble(canonical, prepared, self._sign(prepared), self._key_info)


def ways(key: rsa.RSAPrivateKey) -> dict[str, Callable[[Mapping[str, Any]], object]]:
    """Everything that is measured, by name; each takes a body."""
    certificate = self_signed(key)
    by_xmlsec, by_signxml = Xmlsec(key, certificate), Signxml(key, certificate)
    digest, made = bytes(32), bytes(256)
    sm2 = ec.generate_private_key(ec.SM2())

    def rsa_sign(prepared: xmlsign.Prepared) -> bytes:
        return key.sign(prepared.digest_info[-32:], RSA_PADDING, PREHASHED)

    def sm2_sign(prepared: xmlsign.Prepared) -> bytes:
        return bytes(sm2.sign(prepared.signed_info, ec.ECDSA(sm_hashes.SM3())))

    def tree(body: Mapping[str, Any]) -> Any:
        return build(ORDER, body, system_fields(), str(uuid.uuid4()).upper(), TRANSFER)

    ours = Ours("rsa-sha256", rsa_sign, certificate)
    sample = ours(orders(1)[0])
    by_xmlsec.verify(sample)  # speed at making wrong signatures is not wanted
    signed_info = xmlsign.prepare(xmlsign.ALGORITHMS["sm2-sm3"], NAMESPACES, sample).signed_info
    return {
        "rsa": lambda _: key.sign(digest, RSA_PADDING, PREHASHED),
        "ours": ours,
        "ours without rsa": Ours("rsa-sha256", lambda _: made, certificate),
        "ours without rsa, sha1": Ours("rsa-sha1", lambda _: made, certificate),
        "xmlsec": lambda body: by_xmlsec.sign(tree(body)),
        "signxml": lambda body: by_signxml.sign(tree(body)),
        "sm2": lambda _: sm2.sign(signed_info, ec.ECDSA(sm_hashes.SM3())),
        "ours sm2": Ours("sm2-sm3", sm2_sign, certificate),
        "ours without sm2": Ours("sm2-sm3", lambda _: made[:64], certificate),
    }


def measure(documents: int, rounds: int) -> Report:
    """All ways in turn, in small blocks so that they share the machine's moods; the report."""
    bodies = orders(documents)
    table = ways(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    runs: dict[str, list[float]] = {name: [] for name in table}
    for way in table.values():
        way(bodies[0])
    for _ in range(rounds):
        used = dict.fromkeys(table, 0.0)
        for first in range(0, documents, BLOCK):
            block = bodies[first : first + BLOCK]
            for name, way in table.items():
                began = time.process_time()
                for body in block:
                    way(body)
                used[name] += time.process_time() - began
        for name, seconds in used.items():
            runs[name].append(seconds / documents * 1e6)
    report = Report("xml")
    unit = "µs CPU/message"
    mid = {name: median(values) for name, values in runs.items()}
    ours = mid["ours without rsa"]
    for peer in ("xmlsec", "signxml"):
        beside = [with_rsa - alone for with_rsa, alone in zip(runs[peer], runs["rsa"], strict=True)]
        shares = [our / theirs for our, theirs in zip(runs["ours without rsa"], beside, strict=True)]
        report.at_most(f"ours / {peer}, without the RSA", median(shares), "share", GOAL)
        report.add("… spread of the rounds", spread(shares), "%")
    report.add("xmlsec / ours, whole message", mid["xmlsec"] / mid["ours"], "times")
    report.add("signxml / ours, whole message", mid["signxml"] / mid["ours"], "times")
    report.add("RSA-2048 alone", mid["rsa"], unit)
    report.add("ours, without RSA", ours, unit)
    report.add("ours, without RSA, rsa-sha1", mid["ours without rsa, sha1"], unit)
    report.add("ours, with RSA", mid["ours"], unit)
    report.add("python-xmlsec, with RSA", mid["xmlsec"], unit)
    report.add("signxml, with RSA", mid["signxml"], unit)
    report.add("SM2 alone (tongsuopy)", mid["sm2"], unit)
    report.add("ours sm2-sm3, without SM2", mid["ours without sm2"], unit)
    report.add("ours sm2-sm3, with SM2", mid["ours sm2"], unit)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.xml", description=__doc__)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    return measure(asked.documents, asked.rounds).finish()


if __name__ == "__main__":
    sys.exit(main())
