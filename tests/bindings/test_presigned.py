"""What presigned links promise, unchanged on a folder and on S3, against a server that checks them."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from millrace.bindings.bucket import Link, content_disposition
from millrace.bindings.folder import FolderBucket
from millrace.bindings.links import FolderLinks
from millrace.bindings.s3 import S3Bucket
from millrace.errors import BucketError, LinkRefused, ObjectKeyInvalid
from tests.bindings.conftest import BUCKET_NAME
from tests.bindings.loopback import QuietHandler, serving
from tests.bindings.sigv4 import RequestRefused, check_presigned
from tests.clock import Clock

TEXT = "text/plain"


class Host:
    """A bucket, and what the server at `address` needs to honour its links."""

    def __init__(self, folder: Path, *, address: str):
        # It begins now, because botocore signs by the machine's own clock.
        self.clock = Clock(datetime.now(UTC))
        self.stored: dict[str, bytes] = {}
        self.bucket: FolderBucket | S3Bucket = self.make_bucket(folder, address=address)

    def make_bucket(self, folder: Path, *, address: str) -> FolderBucket | S3Bucket:
        links = FolderLinks(f"{address}/{BUCKET_NAME}", "a secret of the test")
        return FolderBucket(folder, now=self.clock.now, links=links)

    def check(self, handler: "Handler") -> str | None:
        """The file name that the link gives the object, if it gives one. LinkRefused, RequestRefused."""
        assert isinstance(self.bucket, FolderBucket)
        length = handler.headers.get("Content-Length")
        return self.bucket.check_link(
            handler.command,
            key=handler.key,
            query=urlsplit(handler.path).query,
            content_type=handler.headers.get("Content-Type"),
            content_length=None if length is None else int(length),
            if_none_match=handler.headers.get("If-None-Match"),
            now=self.clock.now(),
        ).filename

    def upload(
        self, *, key: str = "a/b.txt", size: int | None = 4, expires_seconds: int = 300, once: bool = False
    ) -> Link:
        return self.bucket.presign_upload(
            key,
            content_type=TEXT,
            size=size,
            expires_seconds=expires_seconds,
            now=self.clock.now(),
            once=once,
        )

    def download(self, *, key: str = "a/b.txt", filename: str | None = None) -> Link:
        return self.bucket.presign_download(key, expires_seconds=300, filename=filename, now=self.clock.now())


class S3Host(Host):
    """The same for S3: the signature is verified as S3 does."""

    def make_bucket(self, folder: Path, *, address: str) -> S3Bucket:
        return S3Bucket(BUCKET_NAME)

    def check(self, handler: "Handler") -> str | None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        check_presigned(
            handler.command,
            target=handler.path,
            headers=headers,
            secret=os.environ["AWS_SECRET_ACCESS_KEY"],
            now=self.clock.now(),
        )
        disposition = parse_qs(urlsplit(handler.path).query).get("response-content-disposition", [""])[0]
        return unquote(disposition.rpartition("''")[2]) or None


class Handler(QuietHandler):
    """Takes and gives what a link allows."""

    def __init__(self, *args, host: Host):
        self.host = host
        super().__init__(*args)

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path.removeprefix(f"/{BUCKET_NAME}/"))

    def respond(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.close_connection = True
        try:
            filename = self.host.check(self)
        except (LinkRefused, RequestRefused) as error:
            self.answer(403, body=str(error).encode())
            return
        if self.command == "DELETE":
            self.host.stored.pop(self.key, None)
            self.answer(204)
            return
        if self.command == "PUT":
            self.host.stored[self.key] = sent
        named = {} if filename is None else {"Content-Disposition": content_disposition(filename)}
        self.answer(200, body=self.host.stored[self.key], headers=named)


@pytest.fixture(params=[Host, S3Host])
def host(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Iterator[Host]:
    with serving(lambda *args: Handler(*args, host=made)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        made = request.param(tmp_path, address=address)
        yield made


def use(link: Link, *, body: bytes | None = None, url: str | None = None, **changed: str) -> httpx.Response:
    """Send the request that the link is for, or one that differs in the named headers."""
    headers = {name: value for name, value in {**link.headers, **changed}.items() if value}
    headers.pop("Content-Length", None)
    return httpx.request(link.method, url or link.url, content=body, headers=headers, trust_env=False)


def test_an_upload_as_the_link_says_is_stored(host):
    link = host.upload()

    answer = use(link, body=b"body")

    assert answer.status_code == 200
    assert host.stored == {"a/b.txt": b"body"}
    assert link.method == "PUT"
    assert link.headers == {"Content-Type": TEXT, "Content-Length": "4"}
    assert 298 <= (link.expires_at - host.clock.now()).total_seconds() <= 300


def test_a_download_link_gives_the_object(host):
    host.stored["a/b.txt"] = b"body"

    answer = use(host.download())

    assert answer.content == b"body"
    assert "Content-Disposition" not in answer.headers


def test_a_download_link_names_the_file(host):
    host.stored["a/b.txt"] = b"body"

    answer = use(host.download(filename='Müller & "Söhne".pdf'))

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == content_disposition('Müller & "Söhne".pdf')


def test_a_deletion_as_the_link_says_takes_the_object_away_and_no_other(host):
    host.stored |= {"a/b.txt": b"body", "a/c.txt": b"another's"}
    link = host.bucket.presign_delete("a/b.txt", expires_seconds=300, now=host.clock.now())

    other = use(link, url=link.url.replace("b.txt", "c.txt"))
    own = use(link)

    assert (link.method, other.status_code, own.status_code) == ("DELETE", 403, 204)
    assert host.stored == {"a/c.txt": b"another's"}


@pytest.mark.parametrize("key", ["a b+c%2F&d=e?f#g", "ü/日本/🎬", "a~b/(c)*!'", "back\\slash", "x" * 1_024])
def test_every_key_survives_its_way_into_a_link(host, key):
    up = use(host.upload(key=key), body=b"body")
    down = use(host.download(key=key))

    assert (up.status_code, down.status_code) == (200, 200)
    assert host.stored == {key: b"body"}


@pytest.mark.parametrize("sent", ["text/html", "text/plain; charset=utf-8", ""])
def test_an_upload_of_another_type_is_refused(host, sent):
    answer = use(host.upload(), body=b"body", **{"Content-Type": sent})

    assert answer.status_code == 403
    assert host.stored == {}


@pytest.mark.parametrize("body", [b"", b"bod", b"body and more"])
def test_an_upload_of_another_size_is_refused(host, body):
    answer = use(host.upload(size=4), body=body)

    assert answer.status_code == 403
    assert host.stored == {}


def test_an_upload_that_does_not_say_its_size_is_refused(host):
    answer = httpx.put(
        host.upload().url, content=iter([b"body"]), headers={"Content-Type": TEXT}, trust_env=False
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("sent", ["", '"an etag"'])
def test_a_link_for_one_upload_is_not_honoured_without_its_condition(host, sent):
    link = host.upload(once=True)

    replacing = use(link, body=b"body", **{"If-None-Match": sent})
    once = use(link, body=b"body")

    assert link.headers == {"Content-Type": TEXT, "Content-Length": "4", "If-None-Match": "*"}
    assert (replacing.status_code, once.status_code) == (403, 200)


def test_without_a_size_every_size_may_be_uploaded(host):
    link = host.upload(size=None)

    assert link.headers == {"Content-Type": TEXT}
    assert use(link, body=b"of any length").status_code == 200


def test_a_link_for_one_key_does_not_open_another(host):
    host.stored["a/c.txt"] = b"another's"

    up = use(host.upload(), body=b"body", url=host.upload().url.replace("b.txt", "c.txt"))
    down = use(host.download(), url=host.download().url.replace("b.txt", "c.txt"))

    assert (up.status_code, down.status_code) == (403, 403)
    assert host.stored == {"a/c.txt": b"another's"}


def test_a_link_is_for_one_method(host):
    host.stored["a/b.txt"] = b"body"

    reading = httpx.get(host.upload().url, headers={"Content-Type": TEXT}, trust_env=False)
    writing = httpx.put(host.download().url, content=b"other", trust_env=False)

    assert (reading.status_code, writing.status_code) == (403, 403)
    assert host.stored == {"a/b.txt": b"body"}


def test_a_link_expires(host):
    link = host.upload(expires_seconds=60)
    host.clock.advance(seconds=55)
    in_time = use(link, body=b"body")

    host.clock.advance(seconds=10)
    too_late = use(link, body=b"late")

    assert (in_time.status_code, too_late.status_code) == (200, 403)
    assert "expired" in too_late.text
    assert host.stored == {"a/b.txt": b"body"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"(?i)(expires=)\d+", r"\g<1>9999999999"),
        (r"(?i)(signature=)\w\w", r"\g<1>00"),
        (r"(?i)[?&][a-z-]*signature=\w+", ""),
        (r"$", "&versionId=1"),
    ],
)
def test_a_link_that_was_changed_is_refused(host, old, new):
    link = host.upload()
    changed = re.sub(old, new, link.url)

    answer = use(link, body=b"body", url=changed)

    assert changed != link.url
    assert answer.status_code == 403


def test_a_link_is_not_made_for_a_bad_key_type_time_or_name(host):
    now = host.clock.now()

    with pytest.raises(ObjectKeyInvalid):
        host.upload(key="../a")
    with pytest.raises(ObjectKeyInvalid):
        host.download(key="/a")
    with pytest.raises(BucketError, match="content type"):
        host.bucket.presign_upload("a", content_type="text", size=1, expires_seconds=60, now=now)
    with pytest.raises(BucketError, match="seconds"):
        host.upload(expires_seconds=0)
    with pytest.raises(BucketError, match="file name"):
        host.download(filename="a\r\nb")
