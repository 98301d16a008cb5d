"""Every error of the HTTP front as RFC 9457 problem+json, in the caller's language.

The one mapping from Problem (and from Flask's own exceptions) to HTTP. Must never show a trace or a raw exception.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, g
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from runtime import log
from runtime.errors import Detail, Problem, internal
from services.gateway.http import words

_LOG = log.get("http")
_VALUE = 200  # characters of a wrong value that are repeated to the caller

_TITLES = {
    "malformed": ("请求无法读取", "The request cannot be read"),
    "unauthenticated": ("未登录", "Not signed in"),
    "forbidden": ("没有权限", "Not allowed"),
    "not_found": ("没有找到", "Not found"),
    "method": ("不支持的方法", "Method not allowed"),
    "conflict": ("冲突", "Conflict"),
    "stale": ("数据已被他人修改", "Changed meanwhile"),
    "too_large": ("数据过大", "Too large"),
    "wrong_type": ("类型不支持", "Unsupported type"),
    "invalid": ("内容有误", "Invalid content"),
    "too_many": ("请求过于频繁", "Too many requests"),
    "internal": ("系统内部错误", "Internal error"),
    "unavailable": ("暂时不可用", "Unavailable"),
}
#: exceptions of the framework -> kind and words
_STATUS = {
    404: ("not_found", "没有这个地址，请检查网址。", "There is nothing at this address."),
    405: ("method", "此地址不支持该方法。", "This address does not support the method."),
    413: ("too_large", "数据超过大小限制。", "The request is larger than allowed."),
    415: ("wrong_type", "请求的内容类型不支持。", "The request's content type is not supported."),
}


def wrong(pointer: str, token: str, value: object = "") -> Detail:
    """One wrong input; token as in `words.INPUT`."""
    code, zh, en = words.input_words(token)
    return Detail(pointer, code, zh, en, str(value))


def invalid(details: Iterable[Detail]) -> Problem:
    """422 with one entry per wrong field; the sentence names the first."""
    found = tuple(details)
    first = found[0]
    name = first.pointer.lstrip("/") or "body"
    more = len(found) - 1
    return Problem(
        "invalid",
        f"{name}：{first.zh}" + (f"（另有 {more} 处）" if more else ""),
        f"{name} {first.en}" + (f" (and {more} more)" if more else ""),
        found,
    )


def as_json(problem: Problem, kind: str | None = None, status: int | None = None) -> dict[str, Any]:
    """The members of a problem document."""
    kind = kind or problem.kind
    body: dict[str, Any] = {
        "type": f"urn:tongguan:problem:{kind.replace('_', '-')}",
        "title": words.pick(*_TITLES[kind]),
        "status": status or problem.status,
        "detail": words.pick(problem.zh, problem.en),
        "instance": f"urn:trace:{g.get('request_id', '')}",
    }
    if problem.details:
        body["errors"] = [detail_json(item) for item in problem.details]
    return body


def detail_json(detail: Detail) -> dict[str, str]:
    """One entry of `errors`."""
    return {
        "pointer": detail.pointer,
        "code": detail.code,
        "message": words.pick(detail.zh, detail.en),
        "value": detail.value[:_VALUE],
    }


def response(problem: Problem, kind: str | None = None, status: int | None = None) -> Response:
    """The problem as an HTTP response."""
    body = as_json(problem, kind, status)
    answer = Response(
        json.dumps(body, ensure_ascii=False), status=body["status"], content_type="application/problem+json"
    )
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer


def install(app: Flask) -> None:
    """Register the handlers; called after every other extension, so that ours are the ones that count."""

    @app.errorhandler(Problem)
    def _problem(problem: Problem) -> Response:
        return response(problem)

    @app.errorhandler(HTTPException)
    def _http(exc: HTTPException) -> Response:
        status = exc.code or 500
        if status >= 500:
            return _internal(exc)
        kind, zh, en = _STATUS.get(status, ("malformed", "请求无法读取。", "The request cannot be read."))
        answer = response(Problem("malformed" if kind == "method" else kind, zh, en), kind, status)
        if isinstance(exc, MethodNotAllowed) and exc.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(exc.valid_methods))
        return answer

    @app.errorhandler(ParseException)
    def _broken(_exc: ParseException) -> Response:
        # a body in pieces whose framing is broken shows only while it is read
        return response(Problem("malformed", "请求内容的分块编码有误。", "The body's chunks are broken."))

    @app.errorhandler(Exception)
    def _unexpected(exc: Exception) -> Response:
        # the edge of the process: logged with its trace, answered without innards
        return _internal(exc)


def _internal(exc: Exception) -> Response:
    trace = g.get("request_id", "")
    _LOG.error("http.internal", trace=trace, exc_info=getattr(exc, "original_exception", None) or exc)
    return response(internal(trace))


def unknown_address() -> Response:
    """404 for an address that no route knows, as opposed to a missing object."""
    kind, zh, en = _STATUS[404]
    return response(Problem(kind, zh, en))
