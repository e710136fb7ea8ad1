"""Plays API Gateway's HTTP API: route, authorize, invoke, answer; and its own refusals in its own words."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.authorizer import (
    IdentityMissing,
    Verdict,
    VerdictCache,
    VerdictInvalid,
    read_identity,
    read_verdict,
    to_authorizer_event,
)
from local.payload import AnswerInvalid, HttpRequest, HttpResponse, new_request_id, to_event, to_response
from local.routing import Router
from local.runtime import FunctionFailed, Runtime
from local.template import Route, Template

logger = logging.getLogger("local")

LIMIT_SECONDS = 30.0
LIMIT_BYTES = 10 * 1024 * 1024


class Refused(Exception):
    """API Gateway answers itself."""

    def __init__(self, status: int, message: str):
        self.status = status
        self.message = message
        super().__init__(message)


UNAUTHORIZED = (401, "Unauthorized")
FORBIDDEN = (403, "Forbidden")
NOT_FOUND = (404, "Not Found")
TOO_LARGE = (413, "Request Entity Too Large")
INTERNAL_ERROR = (500, "Internal Server Error")
UNAVAILABLE = (503, "Service Unavailable")


class Gateway:
    def __init__(
        self,
        template: Template,
        *,
        runtime: Runtime,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        limit_seconds: float = LIMIT_SECONDS,
    ):
        self._template = template
        self._runtime = runtime
        self._router = Router(template.routes)
        self._caches = {name: VerdictCache(one) for name, one in template.authorizers.items()}
        self._now = now
        self._limit_seconds = limit_seconds

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Never raises: what goes wrong is answered as API Gateway answers it."""
        request_id = new_request_id()
        try:
            response = await self._answer(request, request_id=request_id)
        except Refused as refusal:
            response = to_refusal(refusal)
        except Exception:
            logger.exception("A request could not be answered")
            response = to_refusal(Refused(*INTERNAL_ERROR))
        response.headers.append(("apigw-requestid", request_id))
        return response

    def route_key(self, method: str, path: str) -> str | None:
        """The name of the route that takes such a request, or None. It says nothing that the path says."""
        match = self._router.match(method, path)
        return match.route.key if match else None

    async def _answer(self, request: HttpRequest, *, request_id: str) -> HttpResponse:
        if len(request.body) > LIMIT_BYTES:
            raise Refused(*TOO_LARGE)
        match = self._router.match(request.method, request.path)
        if match is None:
            raise Refused(*NOT_FOUND)
        event = to_event(
            request,
            route_key=match.route.key,
            path_parameters=match.path_parameters,
            request_id=request_id,
            now=self._now(),
        )
        await self._authorize(match.route, request, event=event)
        try:
            return to_response(await self._invoke(match.route.function, event))
        except AnswerInvalid as error:
            logger.warning("%s answered what is no HTTP response: %s", match.route.function, error)
            raise Refused(*INTERNAL_ERROR) from error

    async def _authorize(self, route: Route, request: HttpRequest, *, event: dict[str, Any]) -> None:
        """Put the caller into the event, or refuse."""
        if route.authorizer is None:
            return
        authorizer = self._template.authorizers[route.authorizer]
        cache = self._caches[route.authorizer]
        try:
            identity = read_identity(authorizer, request)
        except IdentityMissing:
            raise Refused(*UNAUTHORIZED) from None
        verdict = cache.recall(identity)
        if verdict is None:
            verdict = await self._ask(authorizer.function, to_authorizer_event(event, identity=identity))
            cache.remember(identity, verdict)
        if not verdict.allowed:
            raise Refused(*FORBIDDEN)
        event["requestContext"]["authorizer"] = {"lambda": verdict.context}

    async def _ask(self, function: str, event: dict[str, Any]) -> Verdict:
        try:
            return read_verdict(await self._invoke(function, event))
        except VerdictInvalid as error:
            logger.warning("%s: %s", function, error)
            raise Refused(*INTERNAL_ERROR) from error

    async def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        """The function's answer. Beyond its own timeout it has failed, beyond API Gateway's nobody waits."""
        own_limit = self._template.functions[function].timeout_seconds
        invocation = asyncio.wrap_future(self._runtime.start(function, event))
        done, _ = await asyncio.wait([invocation], timeout=min(own_limit, self._limit_seconds))
        if not done:
            invocation.cancel()
            logger.warning("%s is not done after %g seconds", function, min(own_limit, self._limit_seconds))
            raise Refused(*(INTERNAL_ERROR if own_limit < self._limit_seconds else UNAVAILABLE))
        try:
            return invocation.result()
        except FunctionFailed:
            raise Refused(*INTERNAL_ERROR) from None


def to_refusal(refusal: Refused) -> HttpResponse:
    body = json.dumps({"message": refusal.message}, separators=(",", ":")).encode()
    return HttpResponse(refusal.status, [("content-type", "application/json")], body)
