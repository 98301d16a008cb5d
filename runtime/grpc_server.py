"""gRPC servers: TLS, who may call, a verified actor on every call, Problems mapped once.

A servicer's methods are plain `def method(self, request, context)`; they ask `current_actor()` for the identity.
"""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from runtime import log
from runtime.actor import Actor, ActorVerifier
from runtime.errors import KINDS, METADATA_KEY, Problem, internal

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
SERVER_OPTIONS = [
    *OPTIONS,
    # agents behind a customer's router keep their connection open with pings
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
]
_ACTOR: contextvars.ContextVar[Actor] = contextvars.ContextVar("actor")
_TOKEN: contextvars.ContextVar[str] = contextvars.ContextVar("token")


def current_actor() -> Actor:
    """Who makes the call that is being served."""
    return _ACTOR.get()


def current_token() -> str:
    """The actor's token, to go on with events."""
    return _TOKEN.get()


class Anybody:
    """For servers to the outside, whose servicers find out themselves who calls."""

    def check(self, context: grpc.ServicerContext, token: str) -> None:
        """Let in."""


class Callers:
    """Lets in processes of ours by the names in their certificates; each group of a request names its actor itself."""

    def __init__(self, *names: str) -> None:
        self._names = {name.encode() for name in names}

    def check(self, context: grpc.ServicerContext, token: str) -> None:
        """Raise Problem forbidden for a process that is not on the list."""
        names: Any = context.auth_context().get("x509_common_name", [])
        if not any(name in self._names for name in names):
            raise Problem("forbidden", "该进程无权调用此服务。", "This process may not call this service.")


class Actors(Callers):
    """As Callers, and every call carries a valid actor: the rule for all services that act for somebody."""

    def __init__(self, verifier: ActorVerifier, *names: str) -> None:
        super().__init__(*names)
        self._verifier = verifier

    def check(self, context: grpc.ServicerContext, token: str) -> None:
        """Raise Problem forbidden or unauthenticated."""
        super().check(context, token)
        _ACTOR.set(self._verifier.verify(token))
        _TOKEN.set(token)


class Interceptor(grpc.ServerInterceptor):
    """Asks the rule at every call, wants a deadline of unary ones, and makes Problems answers.

    Calls are unary or streams both ways; others are not served, so that none goes unasked."""

    def __init__(self, rule: Anybody | Callers) -> None:
        self._rule = rule

    def intercept_service(self, continuation: Callable[[Any], Any], details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        if handler is None:
            return None
        if handler.stream_stream is not None:
            return self._stream(handler, details)
        if handler.unary_unary is None:
            raise NotImplementedError("calls are unary or streams both ways")
        token = dict(details.invocation_metadata).get(ACTOR_KEY, "")

        def serve(request: Any, context: grpc.ServicerContext) -> Any:
            started = time.perf_counter()
            kind = "ok"
            try:
                self._rule.check(context, str(token))
                if context.time_remaining() is None:
                    raise Problem("malformed", "调用缺少时限。", "The call has no deadline.")
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

    def _stream(self, handler: Any, details: grpc.HandlerCallDetails) -> Any:
        token = dict(details.invocation_metadata).get(ACTOR_KEY, "")

        def serve(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            started = time.perf_counter()
            kind = "ok"
            try:
                self._rule.check(context, str(token))
                yield from handler.stream_stream(requests, context)
            except Problem as problem:
                kind = problem.kind
                _abort(context, problem)
            except Exception:  # noqa: BLE001 - edge of the process, as above
                trace = uuid.uuid4().hex[:12]
                kind = "internal"
                _LOG.exception("grpc.internal", method=details.method, trace=trace)
                _abort(context, internal(trace))
            finally:
                elapsed = round(time.perf_counter() - started, 1)
                _LOG.info("grpc.stream", method=details.method, result=kind, seconds=elapsed)

        return grpc.stream_stream_rpc_method_handler(
            serve, handler.request_deserializer, handler.response_serializer
        )


def _abort(context: grpc.ServicerContext, problem: Problem) -> None:
    context.set_trailing_metadata(((METADATA_KEY, problem.to_bytes()),))
    context.abort(KINDS[problem.kind][1], problem.en)


def serve(
    listen: str,
    register: Callable[[grpc.Server], None],
    credentials: grpc.ServerCredentials,
    rule: Anybody | Callers,
    stop: threading.Event,
    *,
    threads: int = 8,
) -> None:
    """Serve until stopped, then let running calls end. rule: who may call. threads: calls and streams at once."""
    server = grpc.server(
        ThreadPoolExecutor(threads, "grpc"), interceptors=[Interceptor(rule)], options=SERVER_OPTIONS
    )
    register(server)
    if server.add_secure_port(listen, credentials) == 0:
        raise RuntimeError(f"cannot listen on {listen}")
    server.start()
    stop.wait()
    server.stop(grace=10).wait()
