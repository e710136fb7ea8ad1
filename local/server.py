"""The ASGI application: /__scheduled fires schedules, /__bucket serves links, everything else is the API."""

import asyncio
import json
import logging
import time
from functools import partial
from urllib.parse import parse_qs

from local.cloud import Cloud
from local.gateway import LIMIT_BYTES, UNAVAILABLE, Refused, to_refusal
from local.payload import HttpResponse
from local.schedule import Fired, ScheduleUnknown
from local.storage import PREFIX as BUCKET_PREFIX
from local.wire import BodyLate, ClientGone, Message, Receive, Scope, Send, read_request, send_response

logger = logging.getLogger("local")

SCHEDULED = b"/__scheduled"
# Once the server is told to end, the next piece of a body has this long to come.
BODY_SECONDS = 1.0
BODY_TOO_LATE = (408, "Request Timeout")


class Application:
    def __init__(self, cloud: Cloud):
        self._cloud = cloud
        self._ending = False
        self._reading: set[asyncio.Timeout] = set()

    def hurry(self) -> None:
        """From now on a request's body must come, or the request is answered without it."""
        self._ending = True
        for timeout in self._reading:
            timeout.reschedule(asyncio.get_running_loop().time() + BODY_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._cloud.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._cloud.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._serve(scope, partial(self._receive_in_time, receive), send_noting_status)
        except ClientGone:
            status = 499
        except (BodyLate, asyncio.CancelledError) as ended:
            # The server ends and waits no longer. An answer that was begun is cut off.
            refusal = BODY_TOO_LATE if isinstance(ended, BodyLate) else UNAVAILABLE
            if not status:
                await send_response(send_noting_status, to_refusal(Refused(*refusal)))
        milliseconds = (time.perf_counter() - started) * 1000
        logger.info("%s -> %d (%.0f ms)", self._name(scope), status, milliseconds)

    async def _receive_in_time(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(BODY_SECONDS if self._ending else None) as timeout:
                self._reading.add(timeout)
                try:
                    return await receive()
                finally:
                    self._reading.discard(timeout)
        except TimeoutError:
            raise BodyLate from None

    def _name(self, scope: Scope) -> str:
        """The route and never the path, which may hold a callback's token."""
        method: str = scope["method"]
        if scope["raw_path"].startswith(BUCKET_PREFIX.encode()):
            return f"{method} {BUCKET_PREFIX}{{key}}"
        if scope["raw_path"] == SCHEDULED:
            return f"{method} {SCHEDULED.decode()}"
        path = scope["raw_path"].decode("latin-1")
        return self._cloud.gateway.route_key(method, path) or f"{method} (no route)"

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["raw_path"].startswith(BUCKET_PREFIX.encode()):
            await self._cloud.storage.serve(scope, receive, send)
        elif scope["raw_path"] == SCHEDULED:
            await send_response(send, await self._fire(scope["method"], query=scope["query_string"]))
        else:
            request = await read_request(scope, receive, most_bytes=LIMIT_BYTES)
            await send_response(send, await self._cloud.gateway.answer(request))

    async def _fire(self, method: str, *, query: bytes) -> HttpResponse:
        if method != "GET":
            refusal = to_json(405, {"message": "Method Not Allowed"})
            refusal.headers.append(("allow", "GET"))
            return refusal
        expression = parse_qs(query.decode("latin-1")).get("cron", [None])[0]
        try:
            fired = await asyncio.to_thread(self._cloud.schedules.fire_like, expression)
        except ScheduleUnknown as error:
            return to_json(404, {"message": f"{error}; leave cron out to fire all", "known": error.known})
        status = 200 if all(one.succeeded for one in fired) else 500
        return to_json(status, {"fired": [_describe(one) for one in fired]})


def to_json(status: int, content: object) -> HttpResponse:
    body = json.dumps(content, indent=2) + "\n"
    return HttpResponse(status, [("content-type", "application/json")], body.encode())


def _describe(fired: Fired) -> dict[str, object]:
    return {
        "schedule": fired.schedule.name,
        "function": fired.schedule.function,
        "expression": fired.schedule.expression,
        "succeeded": fired.succeeded,
        "answer": fired.answer,
    }
