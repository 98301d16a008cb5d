"""The one family of errors. Raised once, mapped once to gRPC (here) and once to HTTP (in the gateway).

Messages name the thing, the rule and the way out, in Chinese and English. Must never carry secrets or stack traces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import grpc

#: kind -> (HTTP status, gRPC status). The kind travels; each edge picks its own column.
KINDS: dict[str, tuple[int, grpc.StatusCode]] = {
    "malformed": (400, grpc.StatusCode.INVALID_ARGUMENT),
    "unauthenticated": (401, grpc.StatusCode.UNAUTHENTICATED),
    "forbidden": (403, grpc.StatusCode.PERMISSION_DENIED),
    "not_found": (404, grpc.StatusCode.NOT_FOUND),
    "conflict": (409, grpc.StatusCode.ALREADY_EXISTS),
    "stale": (412, grpc.StatusCode.ABORTED),
    "too_large": (413, grpc.StatusCode.OUT_OF_RANGE),
    "wrong_type": (415, grpc.StatusCode.FAILED_PRECONDITION),
    "invalid": (422, grpc.StatusCode.INVALID_ARGUMENT),
    "too_many": (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
    "internal": (500, grpc.StatusCode.INTERNAL),
    "unavailable": (503, grpc.StatusCode.UNAVAILABLE),
}

#: trailing metadata that carries a Problem over gRPC
METADATA_KEY = "problem-bin"


@dataclass(frozen=True, slots=True)
class Detail:
    """One wrong field. `pointer` is a JSON pointer into what the caller sent, `value` what stood there."""

    pointer: str
    code: str
    zh: str
    en: str
    value: str = ""


class Problem(Exception):
    """A refusal or failure with a kind (see KINDS), a sentence in two languages and details per field."""

    def __init__(
        self, kind: str, zh: str, en: str, details: Iterable[Detail] = (), retry_after: int | None = None
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of problem: {kind}")
        super().__init__(en)
        self.kind = kind
        self.zh = zh
        self.en = en
        self.details = tuple(details)
        self.retry_after = retry_after  # seconds

    @property
    def status(self) -> int:
        """The HTTP status of this kind."""
        return KINDS[self.kind][0]

    def to_bytes(self) -> bytes:
        """For the wire between our own processes."""
        details = [[d.pointer, d.code, d.zh, d.en, d.value] for d in self.details]
        body = {
            "kind": self.kind,
            "zh": self.zh,
            "en": self.en,
            "details": details,
            "retry": self.retry_after,
        }
        return json.dumps(body, ensure_ascii=True).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Problem:
        """Inverse of `to_bytes`."""
        body = json.loads(raw)
        details = [Detail(*row) for row in body["details"]]
        return cls(body["kind"], body["zh"], body["en"], details, body["retry"])


def not_found() -> Problem:
    """The one answer for what is missing and for what belongs to somebody else."""
    return Problem("not_found", "没有找到该记录，或您无权查看。", "Not found, or not yours to see.")


def internal(trace: str) -> Problem:
    """What an untyped error becomes at the edge of a process; the log has the rest under `trace`."""
    return Problem(
        "internal",
        f"系统内部错误，请稍后重试；如仍出现，请提供追踪号 {trace}。",
        f"Internal error. Please try again; if it persists, quote trace {trace}.",
    )


def unavailable(what_zh: str, what_en: str) -> Problem:
    """A part we depend on does not answer; nothing was changed."""
    return Problem(
        "unavailable",
        f"{what_zh}暂时不可用，数据未改动，请稍后重试。",
        f"{what_en} is unavailable for the moment; nothing was changed. Please try again shortly.",
        retry_after=5,
    )
