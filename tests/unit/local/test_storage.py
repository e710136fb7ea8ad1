"""Presigned links over a real socket."""

from datetime import UTC, datetime

import httpx
import pytest

from local.settings import read_links_secret
from millrace.bindings.bucket import Link
from millrace.bindings.folder import FolderBucket
from millrace.bindings.links import FolderLinks
from tests.unit.local.conftest import Served


@pytest.fixture
def bucket(served: Served) -> FolderBucket:
    """As a function of the local cloud has it."""
    settings = served.cloud._settings
    links = FolderLinks(f"{settings.url}/__bucket", read_links_secret(settings.data))
    return FolderBucket(settings.bucket, now=now, links=links)


def now() -> datetime:
    return datetime.now(UTC)


def upload_link(
    bucket: FolderBucket, key: str = "a/report.txt", *, size: int | None = 5, seconds: int = 60
) -> Link:
    return bucket.presign_upload(
        key, content_type="text/plain", size=size, expires_seconds=seconds, now=now()
    )


def put(client: httpx.Client, link: Link, content: bytes = b"hello", **headers: str) -> httpx.Response:
    return client.put(link.url, content=content, headers={**link.headers, **headers})


def test_what_was_uploaded_is_in_the_bucket_and_can_be_downloaded(client: httpx.Client, bucket: FolderBucket):
    assert put(client, upload_link(bucket, "a/ü b.txt")).status_code == 200

    download = bucket.presign_download("a/ü b.txt", expires_seconds=60, now=now(), filename="r.txt")
    response = client.get(download.url)

    assert bucket.get("a/ü b.txt") == response.content == b"hello"
    assert response.headers["content-type"] == "text/plain"
    assert "r.txt" in response.headers["content-disposition"]


def test_what_was_uploaded_can_be_taken_back(client: httpx.Client, bucket: FolderBucket):
    bucket.put("a/b.txt", b"hello", content_type="text/plain")
    link = bucket.presign_delete("a/b.txt", expires_seconds=60, now=now())

    assert [client.delete(link.url).status_code for _ in range(2)] == [204, 204]
    assert bucket.head("a/b.txt") is None


def test_a_link_whose_size_is_open_takes_any_size(client: httpx.Client, bucket: FolderBucket):
    assert put(client, upload_link(bucket, "big", size=None), b"x" * 3_000_000).status_code == 200

    facts = bucket.head("big")
    assert facts is not None
    assert facts.size == 3_000_000


def test_a_link_is_honoured_only_as_it_was_signed(client: httpx.Client, bucket: FolderBucket):
    link = upload_link(bucket, "b/only.txt")
    other_key = httpx.URL(link.url).copy_with(path="/__bucket/b/other.txt")

    refused = [
        put(client, link, content=b"hello!", **{"Content-Length": "6"}),
        put(client, link, **{"Content-Type": "text/html"}),
        client.put(link.url + "0", content=b"hello", headers=link.headers),
        client.put(other_key, content=b"hello", headers=link.headers),
        client.get(link.url),
        client.delete(link.url),
    ]

    assert [response.status_code for response in refused] == [403] * 6
    assert b"<Code>AccessDenied</Code>" in refused[0].content
    assert bucket.head("b/only.txt") is None


def test_a_link_for_one_upload_takes_one(client: httpx.Client, bucket: FolderBucket):
    link = bucket.presign_upload(
        "c/once.txt", content_type="text/plain", size=5, expires_seconds=60, now=now(), once=True
    )

    first, second = put(client, link), put(client, link, b"other")
    forced = client.put(link.url, content=b"other", headers={"Content-Type": "text/plain"})

    assert (first.status_code, second.status_code, forced.status_code) == (200, 412, 403)
    assert b"<Code>PreconditionFailed</Code>" in second.content
    assert bucket.get("c/once.txt") == b"hello"


def test_a_link_expires(
    client: httpx.Client, bucket: FolderBucket, served: Served, monkeypatch: pytest.MonkeyPatch
):
    link = upload_link(bucket, "late", seconds=60)
    later = datetime.fromtimestamp(now().timestamp() + 61, UTC)
    monkeypatch.setattr(served.cloud.storage, "_now", lambda: later)

    assert put(client, link).status_code == 403


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=0-1", 206, b"he", "bytes 0-1/5"),
        ("bytes=2-", 206, b"llo", "bytes 2-4/5"),
        ("bytes=-2", 206, b"lo", "bytes 3-4/5"),
        ("bytes=3-99", 206, b"lo", "bytes 3-4/5"),
        ("bytes=0-0,2-3", 200, b"hello", None),
        ("lines=1-2", 200, b"hello", None),
        ("bytes=3-1", 200, b"hello", None),
        ("bytes=-", 200, b"hello", None),
        (f"bytes={'9' * 5000}-", 200, b"hello", None),
        (f"bytes=0-{'9' * 5000}", 200, b"hello", None),
    ],
)
def test_a_part_can_be_downloaded(
    client: httpx.Client, bucket: FolderBucket, asked: str, status: int, content: bytes, said: str | None
):
    bucket.put("ranged", b"hello", content_type="text/plain")
    link = bucket.presign_download("ranged", expires_seconds=60, now=now())

    response = client.get(link.url, headers={"Range": asked})

    assert (response.status_code, response.content) == (status, content)
    assert response.headers.get("content-range") == said


@pytest.mark.parametrize("asked", ["bytes=5-", "bytes=-0"])
def test_a_part_beyond_the_end_is_416(client: httpx.Client, bucket: FolderBucket, asked: str):
    bucket.put("ranged", b"hello", content_type="text/plain")
    link = bucket.presign_download("ranged", expires_seconds=60, now=now())

    response = client.get(link.url, headers={"Range": asked})

    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */5")


def test_what_is_not_there_is_404(client: httpx.Client, bucket: FolderBucket):
    link = bucket.presign_download("nothing", expires_seconds=60, now=now())

    response = client.get(link.url)

    assert response.status_code == 404
    assert b"<Code>NoSuchKey</Code>" in response.content
