"""Mutual TLS between our own processes: who calls is said by the certificate, for whom by the actor token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the private authority, this process's certificate and key."""

    ca: Path
    certificate: Path
    key: Path

    def server(self) -> grpc.ServerCredentials:
        """Credentials that refuse callers without a certificate of our authority."""
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials([pair], self.ca.read_bytes(), require_client_auth=True)

    def open_server(self) -> grpc.ServerCredentials:
        """Credentials for a port that asks callers for no certificate."""
        return grpc.ssl_server_credentials([(self.key.read_bytes(), self.certificate.read_bytes())])

    def client(self) -> grpc.ChannelCredentials:
        """Credentials of this process as a caller."""
        return grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )
