"""`env.BUCKET`: R2's face, the same on S3 and on a folder.

env.BUCKET.put("tenants/t1/report.txt", body, content_type="text/plain")
env.BUCKET.get("tenants/t1/report.txt")                 # bytes, or None
with env.BUCKET.open("tenants/t1/video.mp4") as video:  # a large one, piece by piece
    for chunk in video: ...
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self
from urllib.parse import quote

from millrace.errors import BucketError, ObjectKeyInvalid, ObjectTooLarge

MOST_BYTES = 32 << 20
MOST_LISTED = 1_000
LONGEST_KEY_BYTES = 1_024
LONGEST_LINK_SECONDS = 7 * 24 * 3600
CHUNK_BYTES = 256 << 10
# In a condition of HTTP: whatever there is.
ANY = "*"

# Control characters, and halves of surrogate pairs, which UTF-8 cannot say.
UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}(; ?[ -~]{1,80})?")


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What is known of an object. The etag changes when the content does, and means nothing else."""

    size: int
    content_type: str
    etag: str
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class ListedObject:
    key: str
    size: int
    etag: str
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of objects, in the byte order of their keys. `cursor` leads to the next, None to none."""

    objects: tuple[ListedObject, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """Who has it may make this one request with these headers until `expires_at`; so repr hides the URL."""

    url: str = field(repr=False)
    method: str
    headers: Mapping[str, str]
    expires_at: datetime


class Source(Protocol):
    """Where the bytes of a body come from. It raises OSError or BucketError when it breaks."""

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Body:
    """An open object: `facts` of the whole, and `length` bytes of it when iterated. Use it in a `with`."""

    def __init__(self, source: Source, *, facts: ObjectFacts, length: int):
        self.facts = facts
        self.length = length
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        missing = self.length
        while missing:
            try:
                chunk = self._source.read(min(missing, CHUNK_BYTES))
            except OSError as error:
                raise BucketError(f"reading the object: {error}") from error
            if not chunk:
                raise BucketError(f"the object ended {missing} bytes too early")
            missing -= len(chunk)
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()


class Bucket(Protocol):
    """The face itself. Every verb raises ObjectKeyInvalid for a bad key, BucketError when it fails."""

    def get(self, key: str, *, most_bytes: int = MOST_BYTES) -> bytes | None:
        """The object, or None. ObjectTooLarge, with none of it read, when it is larger than `most_bytes`."""
        ...

    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> Body | None:
        """The object from `offset` on, at most `length` bytes, or None. Beyond its end there are no bytes."""
        ...

    def head(self, key: str) -> ObjectFacts | None: ...

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write it whole: a reader sees the old object or the new one, never a part."""
        ...

    def delete(self, keys: str | Iterable[str]) -> None:
        """Remove one or many. What is not there is as good as removed."""
        ...

    def list(self, prefix: str = "", *, limit: int = MOST_LISTED, cursor: str | None = None) -> Listing:
        """At most `limit` (1 to 1,000) objects whose keys begin with `prefix`."""
        ...

    def presign_upload(
        self,
        key: str,
        *,
        content_type: str,
        size: int | None,
        expires_seconds: int,
        now: datetime,
        once: bool = False,
    ) -> Link:
        """A PUT of this content type and, unless `size` is None, of exactly this many bytes.

        With `once` it is answered 412 while there is an object under the key: what has come, stays.
        """
        ...

    def presign_download(
        self, key: str, *, expires_seconds: int, now: datetime, filename: str | None = None
    ) -> Link:
        """A GET, whole or by Range. With `filename` the browser saves it under that name."""
        ...

    def presign_delete(self, key: str, *, expires_seconds: int, now: datetime) -> Link:
        """A DELETE. What is not there is as good as removed."""
        ...


def check_key(key: str) -> str:
    """The key itself, if every bucket can keep it and no path can be led astray by it."""
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise ObjectKeyInvalid("a key has no empty part, no '.' and no '..' between its slashes")
    return check_prefix(key)


def check_prefix(prefix: str) -> str:
    if UNSPEAKABLE.search(prefix):
        raise ObjectKeyInvalid("a key has no control characters and no half of a surrogate pair")
    size = len(prefix.encode())
    if size > LONGEST_KEY_BYTES:
        raise ObjectKeyInvalid(f"a key has at most {LONGEST_KEY_BYTES} bytes of UTF-8, this one {size}")
    return prefix


def check_content_type(content_type: str) -> str:
    if not CONTENT_TYPE.fullmatch(content_type):
        raise BucketError("a content type is type/subtype, with at most one parameter after a semicolon")
    return content_type


def check_filename(filename: str) -> str:
    if UNSPEAKABLE.search(filename):
        raise BucketError("a file name has no control characters and no half of a surrogate pair")
    return filename


def check_limit(limit: int) -> int:
    if not 1 <= limit <= MOST_LISTED:
        raise BucketError(f"a page holds 1 to {MOST_LISTED} objects, not {limit}")
    return limit


def check_range(offset: int, *, length: int | None) -> None:
    if offset < 0 or (length is not None and length < 0):
        raise BucketError("neither the offset nor the length of a range is negative")


def check_expiry(expires_seconds: int) -> int:
    if not 1 <= expires_seconds <= LONGEST_LINK_SECONDS:
        raise BucketError(f"a link lives 1 to {LONGEST_LINK_SECONDS} seconds, not {expires_seconds}")
    return expires_seconds


def read_whole(body: Body | None, *, most_bytes: int) -> bytes | None:
    if body is None:
        return None
    with body:
        if body.length > most_bytes:
            raise ObjectTooLarge(f"the object has {body.length} bytes, {most_bytes} are allowed")
        return b"".join(body)


def upload_headers(content_type: str, *, size: int | None, once: bool) -> dict[str, str]:
    """What the one who uploads must send, because it is signed."""
    headers = {"Content-Type": content_type}
    if size is not None:
        headers["Content-Length"] = str(size)
    if once:
        headers["If-None-Match"] = ANY
    return headers


def content_disposition(filename: str) -> str:
    """The header under which a browser saves it: plain ASCII for old ones, the true name for the others."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", check_filename(filename))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
