"""Reading away what is left of a refused upload, after the refusal was sent.

A connection closed with unread data is reset, and the caller then sees a broken line instead of the 413 that says why.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

_MOST = 64 * 1024 * 1024  # bytes
_TIME = 15.0  # seconds in all
_SILENCE = 3.0  # seconds without a byte


def install(app: Flask) -> None:
    """For every answer 413."""

    @app.after_request
    def _linger(response: Response) -> Response:
        if response.status_code == 413:
            environ = request.environ
            response.call_on_close(lambda: _read_away(environ))
        return response


def _read_away(environ: dict[str, Any]) -> None:
    source, line = environ["wsgi.input"], environ.get("gunicorn.socket")
    deadline, left = time.monotonic() + _TIME, _MOST
    try:
        if line is not None:
            line.settimeout(_SILENCE)
        while left > 0 and time.monotonic() < deadline:
            piece = source.read(65536)
            if not piece:
                return
            left -= len(piece)
    except (OSError, ValueError, ParseException):
        return  # the caller is gone or sends nonsense: the answer was sent, nothing else matters
