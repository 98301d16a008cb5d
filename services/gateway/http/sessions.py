"""Sessions and sign-in limits in Redis. Only hashes of tokens are kept; every key is made by one function.

Fails closed: without Redis nobody is signed in and nobody can sign in (503), nothing is guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from runtime.actor import UNASSIGNED_TENANT
from runtime.errors import Problem, unavailable
from services.gateway.config import HttpConfig
from services.gateway.http.parse import uuid_or_none

#: seconds over which failures from one address are counted
ADDRESS_WINDOW = 15 * 60


def key(tenant_id: str, *parts: str) -> str:
    """The one place where a Redis key is made: it always begins with the tenant it belongs to."""
    return ":".join(("t", tenant_id, *parts))


def connect(config: HttpConfig) -> Any:
    """A client for Redis, answering texts; connections are made when they are needed."""
    return redis.Redis.from_url(
        config.redis_url,
        socket_timeout=2,
        socket_connect_timeout=2,
        health_check_interval=30,
        decode_responses=True,
    )


@dataclass(frozen=True, slots=True)
class Session:
    """What is kept of a session. Times in seconds since the epoch; salt renews the CSRF token."""

    tenant_id: str
    user_id: str
    created_at: float
    salt: str
    mandate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session together with the token that opened it."""

    session: Session
    secret: str

    @property
    def cookie(self) -> str:
        """The cookie's value."""
        return f"{self.session.tenant_id}.{self.secret}"

    @property
    def csrf(self) -> str:
        """Follows from token and salt, so that a look into Redis gives nobody a valid one."""
        mac = hmac.new(self.secret.encode(), f"csrf:{self.session.salt}".encode(), hashlib.sha256)
        return urlsafe_b64encode(mac.digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Life:
    """idle: seconds it lives without anybody at work, left: how many of them are left; ends_at: whatever happens."""

    idle: int
    left: int
    ends_at: datetime


class Sessions:
    """Reading and writing sessions. Safe for many threads."""

    def __init__(self, config: HttpConfig, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock = clock
        self._redis = connect(config)

    def ping(self) -> None:
        """Raise if Redis does not answer."""
        with _closed():
            self._redis.ping()

    def open(self, tenant_id: str, user_id: str) -> Ticket:
        """A new session with a token nobody can guess."""
        session = Session(tenant_id, user_id, self._clock(), secrets.token_hex(8))
        ticket = Ticket(session, secrets.token_urlsafe(32))
        with _closed():
            self._redis.set(_session_key(ticket), _dump(session), ex=self._config.session_idle)
        return ticket

    def find(self, cookie: str, *, touch: bool = True) -> Ticket | None:
        """The session of a cookie, or None. touch=False: looking does not count as being active."""
        tenant, _, secret = cookie.partition(".")
        tenant_id = uuid_or_none(tenant)
        if tenant_id is None or not 20 <= len(secret) <= 100 or not secret.isascii():
            return None
        name = key(tenant_id, "session", _digest(secret))
        with _closed():
            raw = self._redis.getex(name, ex=self._config.session_idle) if touch else self._redis.get(name)
        if raw is None:
            return None
        session = Session(**json.loads(raw))
        ticket = Ticket(session, secret)
        if (
            session.tenant_id != tenant_id
            or self._clock() - session.created_at > self._config.session_absolute
        ):
            self.close(ticket)
            return None
        return ticket

    def life(self, ticket: Ticket, *, touched: bool) -> Life:
        """How long this session goes on; touched: it was renewed this very moment."""
        idle = left = self._config.session_idle
        if not touched:
            with _closed():
                left = max(int(self._redis.ttl(_session_key(ticket))), 0)
        ends = datetime.fromtimestamp(ticket.session.created_at + self._config.session_absolute, UTC)
        return Life(idle, left, ends)

    def renew(self, ticket: Ticket, mandate_id: str | None) -> Ticket:
        """Step into or out of a client: the same session, a new CSRF token, so that older pages cannot write."""
        old = ticket.session
        session = Session(old.tenant_id, old.user_id, old.created_at, secrets.token_hex(8), mandate_id)
        renewed = Ticket(session, ticket.secret)
        with _closed():
            # xx: a session that was ended meanwhile stays ended
            kept = self._redis.set(
                _session_key(renewed), _dump(session), ex=self._config.session_idle, xx=True
            )
        if not kept:
            raise unauthenticated()
        return renewed

    def close(self, ticket: Ticket) -> None:
        """End a session."""
        with _closed():
            self._redis.delete(_session_key(ticket))

    def keep(self, tenant_id: str, name: str, secret: str, value: str, seconds: int) -> None:
        """Remember something for the browser that holds the secret, which itself is not kept."""
        with _closed():
            self._redis.set(key(tenant_id, name, _digest(secret)), value, ex=seconds)

    def kept(self, tenant_id: str, name: str, secret: str) -> str | None:
        """What was remembered, None once it is over."""
        with _closed():
            found: str | None = self._redis.get(key(tenant_id, name, _digest(secret)))
        return found

    def forget(self, tenant_id: str, name: str, secret: str) -> None:
        """Of no use any more."""
        with _closed():
            self._redis.delete(key(tenant_id, name, _digest(secret)))

    def guard(self, username: str, address: str) -> None:
        """Raise `too_many` while this name or address is locked. Unknown names are treated like known ones."""
        name, place = self._failure_keys(username, address)
        with _closed():
            pipeline = self._redis.pipeline(transaction=False)
            for item in (name, place):
                pipeline.get(item)
                pipeline.ttl(item)
            failures, left, place_failures, place_left = pipeline.execute()
        if int(failures or 0) >= self._config.lockout_failures:
            raise _locked(left, "该账号连续登录失败，已锁定", "This account is locked after failed sign-ins")
        if int(place_failures or 0) >= self._config.address_failures:
            raise _locked(
                place_left, "来自您网络的登录失败过多", "Too many failed sign-ins from your network"
            )

    def failed(self, username: str, address: str) -> bool:
        """Count a failure; True if it locked the account. The lock lasts from the last failure that counted."""
        name, place = self._failure_keys(username, address)
        with _closed():
            pipeline = self._redis.pipeline()
            pipeline.incr(name)
            pipeline.expire(name, self._config.lockout_time)
            pipeline.incr(place)
            pipeline.expire(place, ADDRESS_WINDOW)
            failures = int(pipeline.execute()[0])
        return failures >= self._config.lockout_failures

    def succeeded(self, username: str, address: str) -> None:
        """Forget the failures of this account."""
        with _closed():
            self._redis.delete(self._failure_keys(username, address)[0])

    def _failure_keys(self, username: str, address: str) -> tuple[str, str]:
        # before anybody is known there is no tenant yet; the window of an address is part of its key, so that a
        # trickle of failures from a large office does not add up for ever
        window = str(int(self._clock()) // ADDRESS_WINDOW)
        return (
            key(UNASSIGNED_TENANT, "sign-in", "name", _digest(username)),
            key(UNASSIGNED_TENANT, "sign-in", "address", _digest(address), window),
        )


def unauthenticated() -> Problem:
    """401: no session, or no longer."""
    return Problem(
        "unauthenticated",
        "尚未登录或登录已过期，请重新登录。",
        "Not signed in, or no longer. Please sign in.",
    )


@contextmanager
def _closed() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as exc:
        raise unavailable("登录服务", "Sign-in") from exc


def _locked(seconds: int, zh: str, en: str) -> Problem:
    left = max(int(seconds), 1)
    minutes = -(-left // 60)
    return Problem(
        "too_many",
        f"{zh}，请在 {minutes} 分钟后再试。",
        f"{en}. Please try again in {minutes} minute{'s' if minutes > 1 else ''}.",
        retry_after=left,
    )


def _session_key(ticket: Ticket) -> str:
    return key(ticket.session.tenant_id, "session", _digest(ticket.secret))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _dump(session: Session) -> str:
    return json.dumps(asdict(session))
