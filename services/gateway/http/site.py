"""The built pages. Files with a hash in their name are kept by browsers for good; index.html is asked for each time.

An address without a file gets index.html, because the pages have addresses of their own; /api never does.
"""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable

from services.gateway.http import problems

_HASHED = re.compile(r"[-.][0-9A-Za-z_-]{8,}\.[a-z0-9]+$")


def install(app: Flask, folder: Path | None) -> None:
    """Answer addresses that no route knows with the pages, if there are any."""

    @app.errorhandler(404)
    def _missing(_exc: NotFound) -> Response:
        if folder is not None and request.method in ("GET", "HEAD") and not request.path.startswith("/api"):
            found = _page(folder, request.path)
            if found is not None:
                return found
        return problems.unknown_address()


def _page(folder: Path, path: str) -> Response | None:
    name = path.lstrip("/")
    try:
        if name and "\x00" not in name and (folder / name).is_file():
            response = send_from_directory(folder, name)
            immutable = name.startswith("assets/") and _HASHED.search(name)
            response.headers["Cache-Control"] = (
                "public, max-age=31536000, immutable" if immutable else "no-cache"
            )
            return response
        if "." in name.rsplit("/", 1)[-1]:
            return None  # a file that is not there, not a page's address
        response = send_from_directory(folder, "index.html")
    except RequestedRangeNotSatisfiable:
        return Response(status=416)
    except (NotFound, OSError):  # outside the folder, a name too long, or nothing built yet
        return None
    response.headers["Cache-Control"] = "no-cache"
    return response
