"""gRPC channels to the service, and what its errors say to people."""

from __future__ import annotations

import json
from dataclasses import dataclass

import grpc

from agent.identity import Identity

#: trailing metadata in which the service puts its sentences, as JSON with zh and en
PROBLEM = "problem-bin"
#: characters of gRPC's own words that are of use
_DETAIL = 200

# Pings keep address translation on the way alive and notice a dead line; the service must allow them this often
# (grpc.http2.min_recv_ping_interval_without_data_ms), or it answers too_many_pings.
_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # pauses between attempts are ours: a channel of its own for each, that remembers nothing of the one before
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True)
class Words:
    """code: gRPC's. zh, en: the service's sentences, if it had some. detail: technical."""

    code: str
    zh: str
    en: str
    detail: str


def open_channel(address: str, credentials: grpc.ChannelCredentials) -> grpc.Channel:
    """A channel; to be closed by who opened it."""
    return grpc.secure_channel(address, credentials, options=_OPTIONS)


def open_as(identity: Identity) -> grpc.Channel:
    """A channel over mutual TLS, as this agent."""
    credentials = grpc.ssl_channel_credentials(
        identity.authority.encode(), identity.key.encode(), identity.certificate.encode()
    )
    return open_channel(identity.address, credentials)


def words_of(exc: grpc.RpcError) -> Words:
    """What an error of a call says."""
    if not isinstance(exc, grpc.Call):
        return Words("UNKNOWN", "", "", str(exc)[:_DETAIL])
    zh = en = ""
    for key, value in exc.trailing_metadata() or ():
        if key == PROBLEM:
            try:
                body = json.loads(value)
                zh, en = str(body["zh"]), str(body["en"])
            except (ValueError, KeyError, TypeError):
                continue
    return Words(exc.code().name, zh, en, (exc.details() or "")[:_DETAIL])
