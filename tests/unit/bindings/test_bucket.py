import io
from datetime import UTC, datetime

import pytest

from millrace.bindings.bucket import (
    Body,
    ObjectFacts,
    check_content_type,
    check_expiry,
    check_key,
    content_disposition,
    upload_headers,
)
from millrace.errors import BucketError, ObjectKeyInvalid

FACTS = ObjectFacts(10, "text/plain", "etag", datetime(2025, 12, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "a/b",
        "a..b",
        "...",
        ".hidden",
        "a b+c%2F",
        "ü/日本",
        "back\\slash",
        "x" * 1_024,
        "ü" * 512,
        'a:b*?"<>|',
    ],
)
def test_any_sensible_key_is_kept_as_it_is(key):
    assert check_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "a/./b",
        "a\x00b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "half \ud800",
        "x" * 1_025,
        "ü" * 513,
    ],
)
def test_a_key_that_means_something_to_a_path_or_cannot_be_kept_is_refused(key):
    with pytest.raises(ObjectKeyInvalid):
        check_key(key)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "image/svg+xml", "text/csv; charset=utf-8", "video/mp4"]
)
def test_content_types_are_type_and_subtype(content_type):
    assert check_content_type(content_type) == content_type


@pytest.mark.parametrize("content_type", ["", "text", "text/", "text/plain\r\nX: y", "téxt/plain", "a/b/c"])
def test_what_is_no_content_type_is_refused(content_type):
    with pytest.raises(BucketError):
        check_content_type(content_type)


@pytest.mark.parametrize("seconds", [-1, 0, 7 * 24 * 3600 + 1])
def test_a_link_lives_a_week_at_most(seconds):
    with pytest.raises(BucketError):
        check_expiry(seconds)


def test_the_headers_of_an_upload_are_those_that_are_signed():
    plain = {"Content-Type": "text/plain"}

    assert upload_headers("text/plain", size=7, once=False) == {**plain, "Content-Length": "7"}
    assert upload_headers("text/plain", size=None, once=False) == plain
    assert upload_headers("text/plain", size=None, once=True) == {**plain, "If-None-Match": "*"}


def test_a_file_name_keeps_its_letters_and_cannot_break_out_of_the_header():
    header = content_disposition('Müller "x"\\; a=b%.pdf')

    assert header == (
        'attachment; filename="M_ller _x__; a=b_.pdf"; '
        "filename*=UTF-8''M%C3%BCller%20%22x%22%5C%3B%20a%3Db%25.pdf"
    )


@pytest.mark.parametrize("filename", ["a\r\nSet-Cookie: b", "a\x00", "\udfff"])
def test_a_file_name_with_control_characters_is_refused(filename):
    with pytest.raises(BucketError):
        content_disposition(filename)


def test_a_body_that_ends_too_early_is_an_error_and_not_a_short_object():
    with (
        Body(io.BytesIO(b"12345"), facts=FACTS, length=10) as body,
        pytest.raises(BucketError, match="5 bytes too early"),
    ):
        b"".join(body)


def test_a_body_gives_no_more_than_its_length():
    with Body(io.BytesIO(b"content and what follows"), facts=FACTS, length=7) as body:
        assert b"".join(body) == b"content"


def test_a_body_that_cannot_be_read_is_a_bucket_error():
    class Broken(io.BytesIO):
        def read(self, size=-1, /):
            raise OSError("the disk is gone")

    with Body(Broken(), facts=FACTS, length=1) as body, pytest.raises(BucketError, match="the disk is gone"):
        b"".join(body)
