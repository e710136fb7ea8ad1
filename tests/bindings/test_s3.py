"""What is S3's alone: how it fails, and the address and signature of its links."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from moto import mock_aws

from millrace.bindings.s3 import S3Bucket
from millrace.errors import BucketError, StorageError
from tests.bindings.conftest import BUCKET_NAME
from tests.bindings.loopback import QuietHandler, refusing, serving

NOW = datetime(2025, 12, 17, 10, 0, tzinfo=UTC)


def every_verb(bucket: S3Bucket):
    return [
        lambda: bucket.get("a"),
        lambda: bucket.open("a", offset=1),
        lambda: bucket.head("a"),
        lambda: bucket.put("a", b"body", content_type="text/plain"),
        lambda: bucket.delete("a"),
        bucket.list,
    ]


def test_a_bucket_out_of_reach_is_a_bucket_error_with_its_cause(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", refusing())

    with pytest.raises(BucketError) as failed:
        S3Bucket(BUCKET_NAME).get("a")

    assert type(failed.value.__cause__).__name__ == "EndpointConnectionError"
    assert not isinstance(failed.value, StorageError)


def test_a_bucket_that_forbids_is_a_bucket_error_whatever_was_asked(monkeypatch):
    class Forbid(QuietHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            self.answer(
                403, body=b"" if self.command == "HEAD" else b"<Error><Code>AccessDenied</Code></Error>"
            )

    with serving(Forbid) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        for verb in every_verb(S3Bucket(BUCKET_NAME)):
            with pytest.raises(BucketError, match=r"AccessDenied|Forbidden"):
                verb()


def test_a_bucket_that_does_not_exist_is_a_bucket_error():
    with mock_aws():
        bucket = S3Bucket("millrace-nowhere")

        for verb in (lambda: bucket.get("a"), bucket.list, lambda: bucket.delete("a")):
            with pytest.raises(BucketError, match="NoSuchBucket"):
                verb()


def test_an_object_that_breaks_off_is_a_bucket_error(monkeypatch):
    class BreakOff(QuietHandler):
        def respond(self) -> None:
            self.close_connection = True
            self.send_response(200)
            for name, value in (
                ("Content-Length", "100"),
                ("Content-Type", "text/plain"),
                ("ETag", '"etag"'),
                ("Last-Modified", "Wed, 17 Dec 2025 10:00:00 GMT"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"half")

    with serving(BreakOff) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)

        with pytest.raises(BucketError):
            S3Bucket(BUCKET_NAME).get("a")


def test_what_could_not_be_deleted_is_a_bucket_error(monkeypatch):
    class KeepOne(QuietHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.close_connection = True
            kept = b"<Error><Key>a</Key><Code>AccessDenied</Code></Error>"
            self.answer(200, body=b"<DeleteResult>" + kept + b"</DeleteResult>")

    with serving(KeepOne) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)

        with pytest.raises(BucketError, match="1 not deleted: AccessDenied"):
            S3Bucket(BUCKET_NAME).delete(["a", "b"])


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_a_link_leads_to_the_region_and_signs_type_and_length(monkeypatch, region):
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)

    link = S3Bucket(BUCKET_NAME).presign_upload(
        "a/b.pdf", content_type="application/pdf", size=4, expires_seconds=60, now=NOW
    )

    url = urlsplit(link.url)
    query = parse_qs(url.query)
    assert url.scheme == "https"
    assert url.netloc == f"{BUCKET_NAME}.s3.{region}.amazonaws.com"
    assert url.path == "/a/b.pdf"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == ["60"]


def test_a_link_for_one_upload_replaces_nothing(s3_bucket):
    link = s3_bucket.presign_upload(
        "a", content_type="text/plain", size=None, expires_seconds=60, now=NOW, once=True
    )

    statuses = [
        requests.put(link.url, data=body, headers=dict(link.headers), timeout=5).status_code
        for body in (b"first", b"second")
    ]

    assert parse_qs(urlsplit(link.url).query)["X-Amz-SignedHeaders"] == ["content-type;host;if-none-match"]
    assert statuses == [200, 412]
    assert s3_bucket.get("a") == b"first"


def test_s3_is_asked_to_delete_a_thousand_at_a_time(monkeypatch):
    asked = []

    class Delete(QuietHandler):
        def respond(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).count(b"<Key>"))
            self.close_connection = True
            self.answer(200, body=b"<DeleteResult/>")

    with serving(Delete) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)

        S3Bucket(BUCKET_NAME).delete(f"k/{place}" for place in range(2_001))

    assert asked == [1_000, 1_000, 1]


def test_a_link_without_credentials_is_a_bucket_error(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(BucketError, match="credentials"):
        S3Bucket(BUCKET_NAME).presign_download("a", expires_seconds=60, now=NOW)
