"""AWS's HTTP API limits for the local stack, where MiniStack is more lenient: paths, sizes, times, throttles.

docs/local-stack.md has the source of each rule. Only `install` needs MiniStack."""

import asyncio
import json
import logging
import os
import re
import time
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import unquote

logger = logging.getLogger("gateway")

PREFIX = b"/_aws/execute-api/"
LARGEST_HEAD = 10_240
LARGEST_BODY = 10 * 1024 * 1024
# Lambda's limit for a synchronous invocation: the event as JSON, with the body in it, in base64 if it is not text.
LARGEST_EVENT = 6 * 1024 * 1024
TIMEOUT_SECONDS = 30

BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
# MiniStack's thread name for invocations of routes, as opposed to authorizers and WebSockets.
FOR_A_ROUTE = "ministack-apigw-invoke"
# Removed from the environment, which the functions inherit.
MATCHES = os.environ.pop("GATEWAY_MATCHES", "") or "decoded"
if MATCHES not in ("decoded", "sent"):
    raise SystemExit(f"GATEWAY_MATCHES is decoded or sent, not {MATCHES}")


def as_handed_over(sent_path: str) -> str | None:
    """A path as the function gets it: decoded, cut at a question mark, decoded again. None: the gateway answers 400."""
    once = decoded(sent_path)
    return None if once is None else decoded(once.split("?", 1)[0])


def decoded(path: str) -> str | None:
    """None if an escape is broken."""
    return None if BROKEN_ESCAPE.search(path) else unquote(path)


@dataclass
class Request:
    """The path and the size of the head of a request, as sent; MiniStack does not pass them on."""

    path: str
    head: int
    port: int = 0
    stage: str = ""
    handed: str = ""

    @classmethod
    def of(cls, scope: dict) -> "Request":
        path = path_below_the_stage(scope["raw_path"])
        line = len(scope["method"]) + len(path) + len(scope["query_string"]) + len(" ? HTTP/1.1\r\n")
        headers = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
        port = (scope.get("server") or ("", 0))[1] or 0
        return cls(path.decode("latin-1"), line + headers, port, stage_of(scope["raw_path"]))

    def seen_from_outside(self, context: dict) -> dict:
        """Where the API stands, as AWS's context would say it. MiniStack leaves out its port, and that a path names the API."""
        if not self.port:
            return {}
        if self.stage:
            return {"domainName": f"127.0.0.1:{self.port}", "stage": self.stage}
        return {"domainName": f"{context.get('domainName', '')}:{self.port}"}

    def refused(self, body: bytes) -> tuple | None:
        """Decodes the path for the function; returns an answer if the gateway refuses the request."""
        if self.head > LARGEST_HEAD:
            return answer(431, "Request Header Fields Too Large")
        if len(body or b"") > LARGEST_BODY:
            return answer(413, "Request Entity Too Large")
        handed = as_handed_over(self.path)
        if handed is None:
            return answer(400, "Bad Request")
        self.handed = handed
        return None


def without_slash(path: str) -> str:
    """The path that routes are matched by: no route of an HTTP API ends in a slash, and `/x/` is taken for `/x`."""
    return path.removesuffix("/") or "/"


def stage_of(raw_path: bytes) -> str:
    """What stands before the path that a function gets; empty where the host names the API."""
    if not raw_path.startswith(PREFIX):
        return ""
    named = raw_path[len(PREFIX):].split(b"/", 2)[:2]
    return (PREFIX.strip(b"/") + b"/" + b"/".join(named)).decode("latin-1").replace("%24", "$")


def path_below_the_stage(raw_path: bytes) -> bytes:
    """The path without API and stage, which MiniStack puts before it."""
    if not raw_path.startswith(PREFIX):
        return raw_path
    parts = raw_path[len(PREFIX):].split(b"/", 2)
    return b"/" + (parts[2] if len(parts) > 2 else b"")


REQUEST: ContextVar[Request] = ContextVar("request")


def answer(status: int, message: str) -> tuple:
    """A new answer each time: MiniStack adds headers to it."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return status, {"Content-Type": "application/json"}, body


class Answered(Exception):
    """The gateway's own answer, in place of a missing or unacceptable answer of the function."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.answer = answer(status, message)


class Bucket:
    """Tokens of one route: `rate` more in a second, `burst` at most."""

    def __init__(self, rate: float, burst: float, now: float):
        self.limits = (rate, burst)
        self.tokens, self.at = burst, now

    def take(self, now: float) -> bool:
        rate, burst = self.limits
        self.tokens, self.at = min(burst, self.tokens + (now - self.at) * rate), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Throttle:
    """A bucket for each route that has limits; new limits begin with a full one."""

    def __init__(self):
        self.buckets: dict[tuple, Bucket] = {}

    def admits(self, route: tuple, limits: tuple | None, now: float) -> bool:
        if limits is None:
            return True
        bucket = self.buckets.get(route)
        if bucket is None or bucket.limits != limits:
            bucket = self.buckets[route] = Bucket(*limits, now)
        return bucket.take(now)


def limits_of(stage: dict | None, route_key: str) -> tuple[float, float] | None:
    """Rate and burst of a route: its own settings before the stage's. Templates and the API spell them differently."""
    stage = stage or {}
    settings = (stage.get("defaultRouteSettings") or {}) | ((stage.get("routeSettings") or {}).get(route_key) or {})
    by_name = {name.lower(): value for name, value in settings.items()}
    if "throttlingratelimit" not in by_name or "throttlingburstlimit" not in by_name:
        return None
    return float(by_name["throttlingratelimit"]), float(by_name["throttlingburstlimit"])


def size_of(event: dict) -> int:
    return len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())


def head_of(headers: dict) -> int:
    """The size of an answer's headers; a repeated header is a list."""
    lines = [(name, one) for name, value in headers.items() for one in (value if isinstance(value, list) else [value])]
    return sum(len(name) + len(str(value).encode()) + len(": \r\n") for name, value in lines)


def remembering(app):
    """The application, which remembers each request as sent."""

    async def serve(scope, receive, send):
        if scope["type"] == "http":
            REQUEST.set(Request.of(scope))
        await app(scope, receive, send)

    return serve


def checked(execute, matches: str = MATCHES):
    """Serves a request of an API: refuses what the gateway refuses, and passes on the path for route matching."""

    async def handle_execute(api_id, stage, path, method, headers, body, query_params, raw_query_string=None):
        request = REQUEST.get()
        if refused := request.refused(body):
            return refused
        path = request.handed if matches == "decoded" else request.path
        return await execute(api_id, stage, without_slash(path), method, headers, body, query_params, raw_query_string)

    return handle_execute


def limited(invoke, stages, throttle: Throttle, matches: str = MATCHES):
    """Invokes a route's function within its throttle, and limits the headers of the answer."""

    async def invoke_lambda_proxy(
        integration, api_id, stage, path, method, headers, body, query_params, route_key="$default", path_params=None,
        **rest,
    ):
        limits = limits_of((stages.get(api_id) or {}).get(stage), route_key)
        if not throttle.admits((api_id, stage, route_key), limits, time.monotonic()):
            return answer(429, "Too Many Requests")
        if request := REQUEST.get(None):
            path = request.handed
        if matches == "sent":
            path_params = path_params and {name: unquote(value) for name, value in path_params.items()}
        try:
            given = await invoke(
                integration, api_id, stage, path, method, headers, body, query_params, route_key, path_params, **rest
            )
        except Answered as own:
            return own.answer
        if head_of(given[1]) > LARGEST_HEAD:
            logger.warning("%s: the headers of the answer have %d bytes", route_key, head_of(given[1]))
            return answer(502, "Internal Server Error")
        return given

    return invoke_lambda_proxy


def within(run, seconds: float = TIMEOUT_SECONDS):
    """Invokes a route's function within Lambda's event size and the gateway's timeout."""

    async def bounded(function, *given, thread_name="ministack-reentrant"):
        if thread_name != FOR_A_ROUTE:
            return await run(function, *given, thread_name=thread_name)
        _, event = given
        if request := REQUEST.get(None):
            context = event.get("requestContext") or {}
            event["requestContext"] = context | request.seen_from_outside(context)
        if size_of(event) > LARGEST_EVENT:
            raise Answered(413, "Request Entity Too Large")
        # Not cancelled: a function runs on until its own timeout.
        invocation = asyncio.ensure_future(run(function, *given, thread_name=thread_name))
        await asyncio.wait({invocation}, timeout=seconds)
        if not invocation.done():
            logger.warning("%s: no answer within %g s", event["routeKey"], seconds)
            raise Answered(503, "Service Unavailable")
        result = invocation.result()
        if result.get("error"):
            # The error goes to the log only; a caller gets this answer.
            logger.warning("%s: the function failed: %s", event["routeKey"], result.get("body"))
            raise Answered(502, "Internal Server Error")
        return result

    return bounded


def install() -> None:
    from ministack import app
    from ministack.services import apigateway

    app.app = remembering(app.app)
    apigateway.handle_execute = checked(apigateway.handle_execute)
    apigateway._invoke_lambda_proxy = limited(apigateway._invoke_lambda_proxy, apigateway._stages, Throttle())
    apigateway.run_reentrant = within(apigateway.run_reentrant)
