"""The browsable description at /api/docs: a small page of our own that draws /api/openapi.json, nothing from outside."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response

from runtime.errors import not_found

blueprint = Blueprint("docs", __name__, url_prefix="/api/docs")
_FOLDER = Path(__file__).parent / "pages"
_ASSETS = {"docs.js": "text/javascript", "docs.css": "text/css"}


@blueprint.route("")
def page() -> Response:
    """The page."""
    return Response((_FOLDER / "docs.html").read_bytes(), content_type="text/html; charset=utf-8")


@blueprint.route("/<name>")
def asset(name: str) -> Response:
    """Its script and style."""
    if name not in _ASSETS:
        raise not_found()
    return Response((_FOLDER / name).read_bytes(), content_type=f"{_ASSETS[name]}; charset=utf-8")
