"""Holding answers of the HTTP API against their published shapes."""

from __future__ import annotations

from typing import Any

import requests
from marshmallow import Schema

from services.gateway.http import schemas


def fits(schema: type[Schema], answer: requests.Response) -> dict[str, Any]:
    """The answer, after holding it against its published shape."""
    data: dict[str, Any] = answer.json()
    assert schema().validate(data) == {}
    return data


def problem(answer: requests.Response, status: int) -> dict[str, Any]:
    """A refusal, after checking that it is one as RFC 9457 has it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return fits(schemas.ProblemAnswer, answer)
