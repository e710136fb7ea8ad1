"""The ASGI application: /__scheduled fires schedules, /__bucket serves links, everything else is the API."""

import asyncio
import json
import logging
import time
from urllib.parse import parse_qs

from local.cloud import Cloud
from local.gateway import LIMIT_BYTES
from local.payload import HttpResponse
from local.schedule import Fired
from local.storage import PREFIX as BUCKET_PREFIX
from local.wire import ClientGone, Message, Receive, Scope, Send, read_request, send_response

logger = logging.getLogger("local")

SCHEDULED = b"/__scheduled"


class Application:
    def __init__(self, cloud: Cloud):
        self._cloud = cloud

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
            await self._serve(scope, receive, send_noting_status)
        except ClientGone:
            status = 499
        milliseconds = (time.perf_counter() - started) * 1000
        path = scope["raw_path"].decode("latin-1")
        logger.info("%s %s -> %d (%.0f ms)", scope["method"], path, status, milliseconds)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["raw_path"].startswith(BUCKET_PREFIX.encode()):
            await self._cloud.storage.serve(scope, receive, send)
        elif scope["raw_path"] == SCHEDULED:
            await send_response(send, await self._fire(scope["query_string"].decode("latin-1")))
        else:
            request = await read_request(scope, receive, most_bytes=LIMIT_BYTES)
            await send_response(send, await self._cloud.gateway.answer(request))

    async def _fire(self, query: str) -> HttpResponse:
        expression = parse_qs(query).get("cron", [None])[0]
        fired = await asyncio.to_thread(self._cloud.schedules.fire_like, expression)
        body = json.dumps({"fired": [_describe(one) for one in fired]}, indent=2) + "\n"
        status = 200 if all(one.succeeded for one in fired) else 500
        return HttpResponse(status, [("content-type", "application/json")], body.encode())


def _describe(fired: Fired) -> dict[str, object]:
    return {
        "schedule": fired.schedule.name,
        "function": fired.schedule.function,
        "expression": fired.schedule.expression,
        "succeeded": fired.succeeded,
        "answer": fired.answer,
    }
