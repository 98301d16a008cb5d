"""The Flask application: blueprints, checks, error handlers, in the order that matters. Wiring of parts: ../app.py."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from runtime import log
from services.gateway.http import (
    admin,
    answers,
    auth,
    card_sign_in,
    chain,
    devices,
    diagnosis,
    docs,
    documents,
    edge_agents,
    editors,
    exports,
    imports,
    kinds,
    linger,
    live,
    lookups,
    mappings,
    messages,
    preferences,
    prints,
    problems,
    replay,
    rights,
    signing_queue,
    site,
    stats,
    tasks,
)
from services.gateway.http.context import Parts
from services.gateway.http.spec import SETTINGS, DescribedApi

_LOG = log.get("http")
_BLUEPRINTS = (
    card_sign_in.blueprint,  # the session's, with the addresses for cards added
    preferences.blueprint,
    kinds.kinds_blueprint,
    kinds.codes_blueprint,
    documents.blueprint,
    chain.blueprint,
    messages.blueprint,
    editors.blueprint,
    diagnosis.blueprint,
    lookups.blueprint,
    stats.blueprint,
    imports.blueprint,
    mappings.blueprint,
    tasks.blueprint,
    exports.blueprint,
    prints.blueprint,
    live.blueprint,
    devices.blueprint,
    signing_queue.queue_blueprint,
    signing_queue.ledger_blueprint,
    edge_agents.blueprint,
    admin.blueprint,
)


def create_app(parts: Parts) -> Flask:
    """The application; makes no connection."""
    app = Flask("tongguan", static_folder=None)
    app.config.update(
        SETTINGS,
        MAX_CONTENT_LENGTH=parts.config.upload_limit + 64 * 1024,
        # counts also what is left of one piece (64 KiB) of a file while the next is read: less refuses every large file
        MAX_FORM_MEMORY_SIZE=2 * 64 * 1024,
    )
    app.url_map.strict_slashes = False
    app.extensions["tongguan"] = parts
    if parts.config.trusted_proxies:
        hops = parts.config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    _time_requests(app)
    answers.install(app)
    linger.install(app)
    auth.install(app)
    replay.install(app)
    api = DescribedApi(app)
    for blueprint in _BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.register_blueprint(docs.blueprint)
    problems.install(app)
    site.install(app, parts.config.web_dist)
    rights.check(app)
    return app


def _time_requests(app: Flask) -> None:
    """One log line a request: which address, how it ended, for whom. Never what was in it."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        actor = g.get("actor")
        _LOG.info(
            "http.request",
            method=request.method,
            route=str(request.url_rule) if request.url_rule else None,
            status=response.status_code,
            ms=round((time.perf_counter() - g.started) * 1000, 1),
            request_id=g.get("request_id"),
            tenant=actor.tenant_id if actor else None,
            user=actor.user_id if actor else None,
        )
        return response
