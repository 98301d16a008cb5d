"""Making answers: compact JSON, files, security headers. Every API answer is private to its caller and not cached."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import flask_smorest
from flask import Flask, Response, g, request

from services.gateway.http.parse import Parser

SHANGHAI = ZoneInfo("Asia/Shanghai")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
#: no inline script; style attributes are allowed because the component library positions pop-ups with them
_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


View = TypeVar("View", bound=Callable[..., Response])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose arguments are read by our strict parser, and whose decorators have types."""

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """An address and its methods."""
        made: Callable[[View], View] = super().route(rule, **options)
        return made

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """What is read from the request and handed to the view as its first argument."""
        made: Callable[[View], View] = super().arguments(schema, **options)
        return made

    def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """What the view answers when all is well; for the description."""
        made: Callable[[View], View] = super().response(status, schema, **options)
        return made

    def alt_response(self, status: int, **options: Any) -> Callable[[View], View]:
        """What else it may answer when all is well."""
        made: Callable[[View], View] = super().alt_response(status, success=True, **options)
        return made

    def doc(self, **description: Any) -> Callable[[View], View]:
        """Further description."""
        made: Callable[[View], View] = super().doc(**description)
        return made


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON as it stands, without escaping Chinese."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status=status, headers=headers, content_type="application/json")


def no_content() -> Response:
    """204."""
    return Response(status=204)


def attachment(content: bytes, name: str, content_type: str = XLSX) -> Response:
    """A file to be saved, never shown in place."""
    return Response(content, headers={"Content-Disposition": disposition(name)}, content_type=content_type)


def disposition(name: str) -> str:
    """The header that says so, with the name as RFC 5987 has it and one that any program can read."""
    suffix = name.rpartition(".")[2]
    plain = f"download.{suffix}" if suffix.isascii() and suffix.isalnum() else "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def shown(moment: datetime) -> str:
    """A time as the API shows it: RFC 3339 in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


def install(app: Flask) -> None:
    """Put the headers on every response."""

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        # a view may be stricter
        headers.setdefault("Content-Security-Policy", _CSP)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if request.is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        if request.path.startswith("/api"):
            headers["Vary"] = "Accept-Language, Cookie"
        headers["X-Request-Id"] = g.get("request_id", "")
        return response
