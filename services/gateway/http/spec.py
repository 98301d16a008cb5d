"""What every address has in common, added to the OpenAPI description: sign-in, CSRF token, idempotency, refusals."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flask import Flask, Response
from flask_smorest import Api

from services.gateway.http import auth, rights
from services.gateway.http.answers import answer
from services.gateway.http.schemas import ProblemAnswer

SETTINGS = {
    "API_TITLE": "通关 Tongguan",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/api",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "One API for the pages and for programs. Amounts and quantities are decimal strings, times "
            "RFC 3339 in Asia/Shanghai. Lists page by cursor. Every error is application/problem+json (RFC 9457) in "
            "the language of Accept-Language (zh-CN, en)."
        },
        "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": auth.COOKIE}}
        },
    },
}
_CSRF = {
    "in": "header",
    "name": "X-CSRF-Token",
    "required": True,
    "schema": {"type": "string"},
    "description": "csrf_token of the session",
}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    "description": "A repeat with the same key answers the first answer (Idempotency-Replayed: true)",
}
_REFUSAL = {
    "description": "A refusal: 400 unreadable, 401 not signed in, 403 not allowed, 404 missing or not yours, 409 "
    "conflict, 412 changed meanwhile, 413 too large, 415 wrong type, 422 wrong content, 429 and 503 with Retry-After",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
}


class DescribedApi(Api):  # type: ignore[misc]
    """Serves the completed description. Errors are described here and made by `problems`."""

    ERROR_SCHEMA = ProblemAnswer
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self._flask = app
        super().__init__(app)

    def _register_error_handlers(self) -> None:
        """`problems.install` registers ours."""

    def _openapi_json(self) -> Response:
        return answer(self._complete)

    @cached_property
    def _complete(self) -> dict[str, Any]:
        found: dict[str, Any] = self.spec.to_dict()
        for rule in self._flask.url_map.iter_rules():
            item = found["paths"].get(_path(str(rule)), {})
            for method in rule.methods or ():
                if method.lower() in item:
                    _complete(item[method.lower()], rule.endpoint, method)
        return found


def _path(rule: str) -> str:
    return rule.replace("<", "{").replace(">", "}")


def _complete(operation: dict[str, Any], endpoint: str, method: str) -> None:
    operation["operationId"] = endpoint
    operation["security"] = [] if rights.TABLE[endpoint] == rights.PUBLIC else [{"session": []}]
    operation["responses"] = {
        status: found for status, found in operation["responses"].items() if str(status).startswith("2")
    } | {"default": _REFUSAL}
    if method != "GET" and operation["security"]:
        operation["parameters"] = [*operation.get("parameters", []), _CSRF]
        if not endpoint.startswith("session."):
            operation["parameters"].append(_KEY)
