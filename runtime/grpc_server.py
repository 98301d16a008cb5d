"""gRPC servers: mutual TLS, allowed callers, a verified actor on every call, Problems mapped once.

A servicer's methods are plain `def method(self, request, context)`; they ask `current_actor()` for the identity.
"""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from runtime import log
from runtime.actor import Actor, ActorVerifier
from runtime.errors import KINDS, METADATA_KEY, Problem, internal
from runtime.tls import TlsFiles

_LOG = log.get("grpc")
ACTOR_KEY = "x-actor"
#: bytes; an uploaded workbook travels in one message
MESSAGE_LIMIT = 24 * 1024 * 1024
METADATA_LIMIT = 1024 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.so_reuseport", 0),
    # a Problem with two hundred wrong fields travels in the trailing metadata
    ("grpc.max_metadata_size", METADATA_LIMIT),
    ("grpc.absolute_max_metadata_size", METADATA_LIMIT),
]
_ACTOR: contextvars.ContextVar[Actor] = contextvars.ContextVar("actor")
_TOKEN: contextvars.ContextVar[str] = contextvars.ContextVar("token")


def current_actor() -> Actor:
    """Who makes the call that is being served."""
    return _ACTOR.get()


def current_token() -> str:
    """The actor's token, to go on with events."""
    return _TOKEN.get()


class ActorInterceptor(grpc.ServerInterceptor):
    """Refuses calls from processes not on the list, without a deadline or without a valid actor."""

    def __init__(self, verifier: ActorVerifier, callers: Collection[str]) -> None:
        self._verifier = verifier
        self._callers = {name.encode() for name in callers}

    def intercept_service(self, continuation: Callable[[Any], Any], details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        token = dict(details.invocation_metadata).get(ACTOR_KEY, "")

        def serve(request: Any, context: grpc.ServicerContext) -> Any:
            started = time.perf_counter()
            kind = "ok"
            try:
                self._check_caller(context)
                actor = self._verifier.verify(str(token))
                _ACTOR.set(actor)
                _TOKEN.set(str(token))
                return handler.unary_unary(request, context)
            except Problem as problem:
                kind = problem.kind
                _abort(context, problem)
            except Exception:  # noqa: BLE001 - edge of the process: logged under a trace number, answered without innards
                trace = uuid.uuid4().hex[:12]
                kind = "internal"
                _LOG.exception("grpc.internal", method=details.method, trace=trace)
                _abort(context, internal(trace))
            finally:
                elapsed = round((time.perf_counter() - started) * 1000, 1)
                _LOG.info("grpc.call", method=details.method, result=kind, ms=elapsed)

        return grpc.unary_unary_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )

    def _check_caller(self, context: grpc.ServicerContext) -> None:
        names: Any = context.auth_context().get("x509_common_name", [])
        if not any(name in self._callers for name in names):
            raise Problem("forbidden", "该进程无权调用此服务。", "This process may not call this service.")
        if context.time_remaining() is None:
            raise Problem("malformed", "调用缺少时限。", "The call has no deadline.")


def _abort(context: grpc.ServicerContext, problem: Problem) -> None:
    context.set_trailing_metadata(((METADATA_KEY, problem.to_bytes()),))
    context.abort(KINDS[problem.kind][1], problem.en)


def serve(
    listen: str,
    register: Callable[[grpc.Server], None],
    tls: TlsFiles,
    verifier: ActorVerifier,
    callers: Collection[str],
    stop: threading.Event,
    *,
    threads: int = 8,
) -> None:
    """Serve until stopped, then let running calls end. callers: common names of allowed certificates."""
    interceptor = ActorInterceptor(verifier, callers)
    server = grpc.server(ThreadPoolExecutor(threads, "grpc"), interceptors=[interceptor], options=OPTIONS)
    register(server)
    if server.add_secure_port(listen, tls.server()) == 0:
        raise RuntimeError(f"cannot listen on {listen}")
    server.start()
    stop.wait()
    server.stop(grace=10).wait()
