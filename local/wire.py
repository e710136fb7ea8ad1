"""HTTP as ASGI brings it: reading a request whole or in pieces, sending a response."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from local.payload import HttpRequest, HttpResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# The server says it itself, or it is about this one connection.
NOT_PASSED_ON = {"content-length", "transfer-encoding", "connection"}


class ClientGone(Exception):
    """The client hung up before its request was read."""


class BodyLate(Exception):
    """The rest of the request does not come, and there is no time left to wait for it."""


async def read_request(scope: Scope, receive: Receive, *, most_bytes: int) -> HttpRequest:
    """The whole request. Of a body beyond `most_bytes` just enough is kept to see that it is too large."""
    client = scope.get("client") or ("127.0.0.1", 0)
    server = scope.get("server") or ("127.0.0.1", 0)
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    host = next((value for name, value in pairs if name == "host"), "localhost")
    return HttpRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=pairs,
        body=await _read_body(dict(pairs), receive, most_bytes=most_bytes),
        protocol=f"HTTP/{scope['http_version']}",
        source_ip=client[0],
        host=host.partition(":")[0],
        port=server[1] or 0,
    )


async def _read_body(headers: dict[str, str], receive: Receive, *, most_bytes: int) -> bytes:
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes and "expect" in headers:
        # The client waits for a word before it sends: it need not send at all.
        return bytes(most_bytes + 1)
    body = bytearray()
    async for chunk in chunks_of(receive):
        # The rest is read and dropped: a client that is still sending would not see the answer.
        if len(body) <= most_bytes:
            body += chunk
    return bytes(body)


async def chunks_of(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def send_response(send: Send, response: HttpResponse) -> None:
    headers = [(name, value) for name, value in response.headers if name not in NOT_PASSED_ON]
    if response.status >= 200 and response.status != 204:
        headers.append(("content-length", str(len(response.body))))
    await send_stream(send, response.status, headers, chunks=[response.body])


async def send_stream(
    send: Send, status: int, headers: Iterable[tuple[str, str]], *, chunks: Iterable[bytes]
) -> None:
    encoded = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
