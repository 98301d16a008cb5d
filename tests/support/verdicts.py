"""What is true of signatures in the end: asked of code that is not ours, and of the database past row-level security.

Reads only. As administrator, because nothing may be left anywhere, of nobody.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
#: tables of the signer that are empty when nothing is under way
UNDER_WAY = {
    "job": "SELECT count(*) FROM job",
    "backlog": "SELECT count(*) FROM backlog",
    "outbox": "SELECT count(*) FROM outbox",
}


def judge(final: bytes, original: bytes, bound: bytes | None = None) -> None:
    """The finished message holds, by python-xmlsec, for the certificate in it. bound: DER, which it must be, too.

    Raises xmlsec.Error or AssertionError."""
    root = etree.fromstring(final)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    der = base64.b64decode(signature.findtext(f".//{DS}X509Certificate") or "")
    assert bound in (None, der), "the certificate is not the one that the key is bound to"
    context = xmlsec.SignatureContext()
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem, None)
    context.verify(signature)
    root.remove(signature)
    assert etree.tostring(root, method="c14n") == original


class Books:
    """A signer's database. name: of the database, which the servers of servers.json hold."""

    def __init__(self, servers: Mapping[str, Any], name: str) -> None:
        self._url = servers["postgres_url"]
        self._name = name

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query answers, over all tenants."""
        with psycopg.connect(self._url, dbname=self._name, autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def signatures(self) -> dict[str, bytes]:
        """Messages with an accepted signature -> SHA-256 of the final bytes. Raises AssertionError for two of one."""
        rows = self.rows("SELECT message_id::text, final_digest FROM signature")
        found = {message_id: bytes(digest) for message_id, digest in rows}
        assert len(found) == len(rows), "a message has two signatures"
        return found

    def outcomes(self) -> Counter[tuple[int, int, bool]]:
        """{(signed rows, refused rows, an intent came first): messages} of the ledger."""
        query = (
            "SELECT count(*) FILTER (WHERE what = 'signed'), count(*) FILTER (WHERE what = 'refused'),"
            " min(seq) FILTER (WHERE what = 'intent') < min(seq) FILTER (WHERE what = 'signed')"
            " FROM ledger WHERE message_id <> '' GROUP BY tenant_id, message_id"
        )
        return Counter((int(row[0]), int(row[1]), bool(row[2])) for row in self.rows(query))

    def certificates(self) -> dict[str, bytes]:
        """Tenants -> DER of the certificate that their active key is bound to."""
        return {
            tenant: bytes(der)
            for tenant, der in self.rows("SELECT tenant_id::text, certificate FROM key WHERE active")
        }

    def left(self) -> dict[str, int]:
        """Tables of what is under way that are not empty -> their rows."""
        counts = {table: int(self.rows(query)[0][0]) for table, query in UNDER_WAY.items()}
        return {table: count for table, count in counts.items() if count}
