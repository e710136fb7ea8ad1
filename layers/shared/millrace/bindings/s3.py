"""`env.BUCKET` on S3."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from millrace.bindings.aws import LateClient
from millrace.bindings.bucket import (
    ANY,
    MOST_BYTES,
    MOST_LISTED,
    Body,
    Link,
    ListedObject,
    Listing,
    ObjectFacts,
    check_content_type,
    check_expiry,
    check_key,
    check_limit,
    check_prefix,
    check_range,
    content_disposition,
    read_whole,
    upload_headers,
)
from millrace.errors import BucketError

MISSING = {"NoSuchKey", "NotFound", "404"}
KEYS_PER_DELETE = 1_000


class S3Bucket:
    """One bucket. The role needs s3:ListBucket too: without it S3 calls a missing object forbidden."""

    def __init__(self, name: str):
        self._name = name
        self._client = LateClient(
            "s3",
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 2},
            signature_version="s3v4",
            # The region's own address: an upload cannot follow the redirect that the global one answers.
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
        )

    def __repr__(self) -> str:
        return f"S3Bucket({self._name!r})"

    def get(self, key: str, *, most_bytes: int = MOST_BYTES) -> bytes | None:
        return read_whole(self.open(key), most_bytes=most_bytes)

    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> Body | None:
        check_range(offset, length=length)
        if length == 0:
            return self._open_nothing(key)
        last = "" if length is None else offset + length - 1
        wanted = {"Range": f"bytes={offset}-{last}"} if offset or last != "" else {}
        answer = self._ask("get_object", key, missing=MISSING | {"InvalidRange"}, **wanted)
        if answer is None:
            return self._open_nothing(key)
        facts = read_head(answer)
        return Body(S3Source(answer["Body"]), facts=facts, length=answer["ContentLength"])

    def head(self, key: str) -> ObjectFacts | None:
        answer = self._ask("head_object", key, missing=MISSING)
        return None if answer is None else read_head(answer)

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        self._ask("put_object", key, Body=body, ContentType=check_content_type(content_type))

    def delete(self, keys: str | Iterable[str]) -> None:
        wanted = [check_key(key) for key in ([keys] if isinstance(keys, str) else keys)]
        for first in range(0, len(wanted), KEYS_PER_DELETE):
            objects = [{"Key": key} for key in wanted[first : first + KEYS_PER_DELETE]]
            with failing_as_bucket_error("delete_objects"):
                answer = self._client().delete_objects(
                    Bucket=self._name, Delete={"Objects": objects, "Quiet": True}
                )
            if answer.get("Errors"):
                raise BucketError(f"{len(answer['Errors'])} not deleted: {answer['Errors'][0].get('Code')}")

    def list(self, prefix: str = "", *, limit: int = MOST_LISTED, cursor: str | None = None) -> Listing:
        """The cursor is the last key of the page before: it means the same when objects have gone since."""
        wanted = {
            "Prefix": check_prefix(prefix),
            "MaxKeys": check_limit(limit),
            "StartAfter": check_prefix(cursor or ""),
        }
        with failing_as_bucket_error("list_objects_v2"):
            answer = self._client().list_objects_v2(Bucket=self._name, **wanted)
        page = tuple(
            ListedObject(one["Key"], one["Size"], one["ETag"].strip('"'), one["LastModified"])
            for one in answer.get("Contents", ())
        )
        return Listing(page, cursor=page[-1].key if answer["IsTruncated"] else None)

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
        """botocore signs these headers with it, so S3 refuses any other."""
        wanted: dict[str, Any] = {"ContentType": check_content_type(content_type)}
        if size is not None:
            wanted["ContentLength"] = size
        if once:
            wanted["IfNoneMatch"] = ANY
        url = self._sign("put_object", key, expires_seconds=expires_seconds, **wanted)
        headers = upload_headers(content_type, size=size, once=once)
        return Link(url, "PUT", headers, now + timedelta(seconds=expires_seconds))

    def presign_download(
        self, key: str, *, expires_seconds: int, now: datetime, filename: str | None = None
    ) -> Link:
        wanted = {} if filename is None else {"ResponseContentDisposition": content_disposition(filename)}
        url = self._sign("get_object", key, expires_seconds=expires_seconds, **wanted)
        return Link(url, "GET", {}, now + timedelta(seconds=expires_seconds))

    def presign_delete(self, key: str, *, expires_seconds: int, now: datetime) -> Link:
        url = self._sign("delete_object", key, expires_seconds=expires_seconds)
        return Link(url, "DELETE", {}, now + timedelta(seconds=expires_seconds))

    def _ask(self, call: str, key: str, *, missing: Iterable[str] = (), **wanted: Any) -> Any:
        """What S3 answers, or None when its error is one of `missing`."""
        from botocore.exceptions import ClientError

        check_key(key)
        with failing_as_bucket_error(call):
            try:
                return getattr(self._client(), call)(Bucket=self._name, Key=key, **wanted)
            except ClientError as error:
                if error.response["Error"]["Code"] in missing:
                    return None
                raise

    def _open_nothing(self, key: str) -> Body | None:
        """No bytes of an object that may be there: S3 has no word for an empty range."""
        facts = self.head(key)
        return None if facts is None else Body(io.BytesIO(), facts=facts, length=0)

    def _sign(self, call: str, key: str, *, expires_seconds: int, **wanted: Any) -> str:
        """Signed here, without the network, by the machine's clock: S3 compares with its own.

        A link dies with the credentials that signed it, which in Lambda may be before `expires_seconds`.
        """
        with failing_as_bucket_error(call):
            url = self._client().generate_presigned_url(
                call,
                Params={"Bucket": self._name, "Key": check_key(key), **wanted},
                ExpiresIn=check_expiry(expires_seconds),
            )
        return str(url)


class S3Source:
    """botocore's stream, with our error."""

    def __init__(self, stream: Any):
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        with failing_as_bucket_error("reading an object"):
            return bytes(self._stream.read(size))

    def close(self) -> None:
        self._stream.close()


def read_head(answer: dict[str, Any]) -> ObjectFacts:
    """Of a part, Content-Range says the size of the whole: "bytes 0-9/2000"."""
    size = int(answer.get("ContentRange", "").rpartition("/")[2] or answer["ContentLength"])
    return ObjectFacts(size, answer["ContentType"], answer["ETag"].strip('"'), answer["LastModified"])


@contextmanager
def failing_as_bucket_error(doing: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise BucketError(f"{doing}: {error}") from error
