"""Who acts, for which tenant: the identity every call and every event carries.

Signed by the gateway only (Ed25519, short-lived JWT); every service verifies it for itself.
Must never be built from anything a client sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from runtime.errors import Problem

ISSUER = "tongguan.gateway"
ALGORITHM = "EdDSA"
_END = b"-----END PUBLIC KEY-----"
#: seconds; a call must start within this time
LIFETIME = 60
#: the tenant that owns what belongs to no enterprise yet (for example receipts for nobody we know)
UNASSIGNED_TENANT = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whose data (tenant_id), for which enterprise (code), by whom, with which rights.

    permissions: e.g. "document.declare". kinds: document kinds a mandate is limited to, None = all.
    enterprise_kinds: what the enterprise is (ecommerce, logistics …): who may file what follows from it.
    home_tenant_id differs from tenant_id where a broker acts for a client; then mandate_id is set.
    """

    tenant_id: str
    enterprise_code: str
    user_id: str
    user_name: str
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = None
    mandate_id: str | None = None
    home_tenant_id: str | None = None
    request_id: str = ""
    enterprise_name: str = ""
    enterprise_kinds: tuple[str, ...] = ()

    def may(self, permission: str, kind: str | None = None) -> bool:
        """True if this actor has the permission and, for documents, the kind lies within the mandate."""
        return permission in self.permissions and (kind is None or self.kinds is None or kind in self.kinds)

    def require(self, permission: str, kind: str | None = None) -> None:
        """Raise `forbidden` unless `may`."""
        if not self.may(permission, kind):
            raise Problem(
                "forbidden",
                f"当前身份没有此操作的权限（{permission}），请联系企业管理员。",
                f"Your role does not include this ({permission}); ask your enterprise admin.",
            )

    @property
    def label(self) -> str:
        """How the actor is named in timelines: "user", or "user（代理 client）" for a broker under a mandate."""
        if self.mandate_id is None:
            return self.user_name
        return f"{self.user_name}（代理 {self.enterprise_name or self.enterprise_code}）"


class ActorSigner:
    """Makes actor tokens. Only gateway processes hold the private key."""

    def __init__(self, private_key_file: Path, clock: Callable[[], float] = time.time) -> None:
        key: Any = load_pem_private_key(private_key_file.read_bytes(), password=None)
        self._key = key
        self._clock = clock

    def token(self, actor: Actor) -> str:
        """A token good for LIFETIME seconds."""
        now = int(self._clock())
        claims = {"iss": ISSUER, "iat": now, "exp": now + LIFETIME, "actor": asdict(actor)}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)


class ActorVerifier:
    """Checks actor tokens and remembers the last ones, because events of one act share a token.

    The file may hold several public keys: while the gateway's key is changed, what was signed with the old one still
    waits in queues.
    """

    def __init__(self, public_key_file: Path) -> None:
        blocks = public_key_file.read_bytes().split(_END)[:-1]
        self._keys: list[Any] = [load_pem_public_key(block + _END) for block in blocks]
        if not self._keys:
            raise ValueError(f"{public_key_file}: no public key")
        self._seen: dict[str, tuple[Actor, int]] = {}

    def verify(self, token: str, *, event: bool = False) -> Actor:
        """The actor in the token; raises `unauthenticated`.

        event=True accepts an expired token: an event records an act that was accepted in time,
        and may rightly be handled hours later when a queue had to wait.
        """
        known = self._seen.get(token)
        if known is None:
            known = self._decode(token)
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[token] = known
        actor, expires = known
        if not event and expires < time.time():
            raise _unauthenticated()
        return actor

    def _decode(self, token: str) -> tuple[Actor, int]:
        try:
            claims = self._claims(token)
            fields = claims["actor"]
            actor = Actor(**fields)
        except (jwt.InvalidTokenError, TypeError, KeyError) as exc:
            raise _unauthenticated() from exc
        kinds = None if actor.kinds is None else tuple(actor.kinds)
        actor = replace(
            actor,
            roles=tuple(actor.roles),
            permissions=tuple(actor.permissions),
            kinds=kinds,
            enterprise_kinds=tuple(actor.enterprise_kinds),
        )
        return actor, int(claims["exp"])

    def _claims(self, token: str) -> dict[str, Any]:
        options: Any = {"verify_exp": False, "require": ["exp", "iat", "iss", "actor"]}
        *others, last = self._keys
        for key in others:
            with suppress(jwt.InvalidSignatureError):
                return jwt.decode(token, key, algorithms=[ALGORITHM], issuer=ISSUER, options=options)
        return jwt.decode(token, last, algorithms=[ALGORITHM], issuer=ISSUER, options=options)


def _unauthenticated() -> Problem:
    return Problem(
        "unauthenticated", "调用身份无效或已过期。", "The caller's identity is invalid or expired."
    )
