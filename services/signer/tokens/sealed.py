"""Child process: SM2 keys in files, sealed with AES-256-GCM and opened only here.

Stands in for a device where none knows SM2; it is software and says so everywhere. Must never answer with a private
key, nor write one unsealed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tongsuopy.crypto import hashes, serialization
from tongsuopy.crypto.asymciphers import ec

from services.signer.tokens import child
from services.signer.tokens.base import FATAL, SignRequest, TokenError, TokenInfo

NAME = "软件密钥（非 HSM） · sealed software token (no HSM)"
#: the identity that goes into the SM2 digest; assumed (envelope.yaml, sm2_user_id), and all this library can do
SIGNER_ID = "1234567812345678"
_HALF = 32


class SealedToken:
    """A folder: <tenant>/<key id>.json with the public key and the sealed private key."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._cipher = AESGCM(key)
        #: opened keys with the time stamp of their file: what is removed or replaced there is forgotten here
        self._opened: dict[str, tuple[int, Any]] = {}

    def info(self) -> TokenInfo:
        return TokenInfo(NAME, False, frozenset({"sm2-sm3"}))

    def key_names(self) -> list[str]:
        if not self._folder.is_dir():
            raise TokenError("lost", "the folder of sealed keys is gone")
        return sorted(f"{path.parent.name}/{path.stem}" for path in self._folder.glob("*/*.json"))

    def public_key(self, key: str) -> bytes:
        return self._stored(key)["public_key"]

    def generate(self, key: str, kind: str) -> bytes:
        if kind != "sm2":
            raise TokenError("settings", f"this software token makes no {kind} keys")
        path = self._path(key)
        if not path.exists():
            private = ec.generate_private_key(ec.SM2())
            der = private.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            public = private.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            nonce = os.urandom(12)
            sealed = self._cipher.encrypt(nonce, der, key.encode())
            stored = {
                "algorithm": "sm2-sm3",
                "public_key": base64.b64encode(public).decode(),
                "nonce": base64.b64encode(nonce).decode(),
                "sealed": base64.b64encode(sealed).decode(),
            }
            _write_once(path, json.dumps(stored).encode())
        return self.public_key(key)

    def sign_batch(self, requests: Sequence[SignRequest]) -> list[bytes | TokenError]:
        results: list[bytes | TokenError] = []
        for request in requests:
            try:
                if request.mechanism != "sm2-sm3":
                    raise TokenError("failed", f"unknown mechanism {request.mechanism}")
                der = self._private(request.key).sign(request.data, ec.ECDSA(hashes.SM3()))
                r, s = decode_dss_signature(der)
                results.append(r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big"))
            except TokenError as exc:
                if exc.code in FATAL:
                    raise
                results.append(exc)
        return results

    def _private(self, key: str) -> Any:
        try:
            version = self._path(key).stat().st_mtime_ns
        except FileNotFoundError as exc:
            self._opened.pop(key, None)
            if not self._folder.is_dir():
                raise TokenError("lost", "the folder of sealed keys is gone") from exc
            raise TokenError("key-missing", f"{key} is not in the token") from exc
        known, opened = self._opened.get(key, (0, None))
        if opened is None or known != version:
            stored = self._stored(key)
            try:
                der = self._cipher.decrypt(stored["nonce"], stored["sealed"], key.encode())
            except (InvalidTag, ValueError) as exc:
                raise TokenError(
                    "failed", "the sealed key does not open: other sealing key, or moved"
                ) from exc
            opened = serialization.load_der_private_key(der, None)
            self._opened[key] = (version, opened)
        return opened

    def _stored(self, key: str) -> dict[str, bytes]:
        try:
            stored = json.loads(self._path(key).read_bytes())
            return {
                name: base64.b64decode(stored[name], validate=True)
                for name in ("public_key", "nonce", "sealed")
            }
        except FileNotFoundError as exc:
            raise TokenError("key-missing", f"{key} is not in the token") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise TokenError("failed", "the sealed key's file is damaged") from exc

    def _path(self, key: str) -> Path:
        tenant, _, name = key.partition("/")
        try:
            # only the form of two UUIDs becomes a path
            return self._folder / str(uuid.UUID(tenant)) / f"{uuid.UUID(name)}.json"
        except ValueError as exc:
            raise TokenError("key-missing", "not the name of a key") from exc


def _write_once(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; whoever comes second keeps what the first wrote."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _sealing_key(file: Path) -> bytes:
    """32 bytes: as they are, or in hex or base64 with or without a line end."""
    data = file.read_bytes()
    if len(data) == 32:
        return data
    text = data.strip()
    try:
        key = (
            bytes.fromhex(text.decode("ascii")) if len(text) == 64 else base64.b64decode(text, validate=True)
        )
    except (ValueError, binascii.Error) as exc:
        raise TokenError(
            "settings", "SEALED_TOKEN_KEY_FILE must hold 32 bytes, raw, in hex or base64"
        ) from exc
    if len(key) != 32:
        raise TokenError("settings", "SEALED_TOKEN_KEY_FILE must hold 32 bytes, raw, in hex or base64")
    return key


def open_token() -> SealedToken:
    """The folder and sealing key named by the environment."""
    signer_id = os.environ.get("SM2_SIGNER_ID", SIGNER_ID)
    if signer_id != SIGNER_ID:
        raise TokenError("settings", f"this software token can only sign with SM2_SIGNER_ID={SIGNER_ID}")
    folder = Path(os.environ["SEALED_TOKEN_DIR"])
    if not folder.is_dir():
        raise TokenError("settings", f"SEALED_TOKEN_DIR names {folder}, which is no folder")
    return SealedToken(folder, _sealing_key(Path(os.environ["SEALED_TOKEN_KEY_FILE"])))


if __name__ == "__main__":
    child.run(open_token)
