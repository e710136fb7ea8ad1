"""Plays S3 for presigned links: an upload, a download or a deletion, if the link allows it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from urllib.parse import unquote
from xml.sax.saxutils import escape

from local.payload import HttpResponse
from local.wire import Receive, Scope, Send, chunks_of, headers_of, send_response, send_stream
from millrace.bindings.bucket import Body, content_disposition
from millrace.bindings.folder import FolderBucket
from millrace.bindings.links import Grant
from millrace.errors import BucketError, LinkRefused, ObjectExists, ObjectKeyInvalid, ObjectTooLarge

PREFIX = "/__bucket/"
# What S3 takes in one PUT.
MOST_BYTES = 5 * 1024**3
# No object is larger than what 19 digits say.
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class Storage:
    """Serves the folder bucket below /__bucket/."""

    def __init__(self, bucket: FolderBucket, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._bucket = bucket
        self._now = now

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        key = unquote(scope["raw_path"].decode("latin-1").removeprefix(PREFIX))
        try:
            grant = self._check(scope, key=key, headers=headers)
            if scope["method"] == "PUT":
                await self._take(key, chunks_of(receive), grant=grant)
                await send_response(send, HttpResponse(200, [], b""))
            elif scope["method"] == "DELETE":
                await asyncio.to_thread(self._bucket.delete, key)
                await send_response(send, HttpResponse(204, [], b""))
            else:
                await self._give(key, send, grant=grant, wanted=headers.get("range"))
        except (LinkRefused, ObjectKeyInvalid) as error:
            await send_response(send, to_error(403, "AccessDenied", str(error)))
        except ObjectExists as error:
            await send_response(send, to_error(412, "PreconditionFailed", str(error)))
        except ObjectTooLarge as error:
            await send_response(send, to_error(400, "EntityTooLarge", str(error)))
        except BucketError as error:
            await send_response(send, to_error(500, "InternalError", str(error)))

    def _check(self, scope: Scope, *, key: str, headers: dict[str, str]) -> Grant:
        length = headers.get("content-length", "")
        return self._bucket.check_link(
            scope["method"],
            key=key,
            query=scope["query_string"].decode("latin-1"),
            content_type=headers.get("content-type"),
            content_length=int(length) if length.isdecimal() else None,
            if_none_match=headers.get("if-none-match"),
            now=self._now(),
        )

    async def _take(self, key: str, chunks: AsyncIterator[bytes], *, grant: Grant) -> None:
        most_bytes = MOST_BYTES if grant.size is None else grant.size
        content_type = grant.content_type or "application/octet-stream"
        opened = self._bucket.upload(key, content_type=content_type, most_bytes=most_bytes, once=grant.once)
        with opened as upload:
            async for chunk in chunks:
                await asyncio.to_thread(upload.write, chunk)

    async def _give(self, key: str, send: Send, *, grant: Grant, wanted: str | None) -> None:
        facts = self._bucket.head(key)
        if facts is None:
            await send_response(send, to_error(404, "NoSuchKey", "The specified key does not exist."))
            return
        span = read_range(wanted, size=facts.size)
        if span is None:
            refusal = to_error(416, "InvalidRange", "The requested range is not satisfiable")
            refusal.headers.append(("content-range", f"bytes */{facts.size}"))
            await send_response(send, refusal)
            return
        body = self._bucket.open(key, offset=span.start, length=len(span))
        if body is None:
            await send_response(send, to_error(404, "NoSuchKey", "The specified key does not exist."))
            return
        await _send_body(body, send, span=span, grant=grant)


async def _send_body(body: Body, send: Send, *, span: range, grant: Grant) -> None:
    size = body.facts.size
    headers = [
        ("content-type", body.facts.content_type),
        ("content-length", str(body.length)),
        ("etag", f'"{body.facts.etag}"'),
        ("accept-ranges", "bytes"),
    ]
    if grant.filename is not None:
        headers.append(("content-disposition", content_disposition(grant.filename)))
    partial = len(span) != size
    if partial:
        headers.append(("content-range", f"bytes {span.start}-{span.stop - 1}/{size}"))
    with body:
        await send_stream(send, 206 if partial else 200, headers, chunks=body)


def read_range(wanted: str | None, *, size: int) -> range | None:
    """The bytes asked for; all, when the header says nothing we know. None: the object has none of them."""
    found = RANGE.fullmatch(wanted or "")
    first, last = found.groups() if found else ("", "")
    # A range that ends before it begins is no range (RFC 9110, 14.1.1) and is passed over.
    if not (first or last) or (first and last and int(last) < int(first)):
        return range(size)
    if first:
        span = range(int(first), min(int(last) + 1, size) if last else size)
    else:
        span = range(max(0, size - int(last)), size)
    return span or None


def to_error(status: int, code: str, message: str) -> HttpResponse:
    """S3's words for it."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
    return HttpResponse(status, [("content-type", "application/xml")], body.encode())
