"""What a bucket promises, unchanged on a folder and on S3."""

from datetime import UTC, datetime, timedelta

import pytest

from millrace.errors import BucketError, ObjectKeyInvalid, ObjectTooLarge

KEYS = ["a", "a/b", "a/b/c", "A", "a b+c%2F&d=e?f#g", "ü/日本/🎬", "a..b", "back\\slash", "x" * 1_024]


def put(bucket, *keys: str, body: bytes = b"body") -> None:
    for key in keys:
        bucket.put(key, body, content_type="text/plain")


def keys_in(listing) -> list[str]:
    return [listed.key for listed in listing.objects]


def test_what_is_put_is_got(bucket):
    bucket.put("a/b.pdf", b"%PDF \x00\xff", content_type="application/pdf")

    assert bucket.get("a/b.pdf") == b"%PDF \x00\xff"


def test_what_was_never_put_is_none(bucket):
    assert bucket.get("a") is None
    assert bucket.open("a") is None
    assert bucket.open("a", offset=3, length=2) is None
    assert bucket.open("a", length=0) is None
    assert bucket.head("a") is None


def test_an_empty_object_is_an_object(bucket):
    put(bucket, "a", body=b"")

    facts = bucket.head("a")

    assert bucket.get("a") == b""
    assert facts is not None
    assert facts.size == 0


def test_the_facts_of_an_object(bucket):
    bucket.put("a", b"seven b", content_type="text/csv; charset=utf-8")

    facts = bucket.head("a")

    assert facts.size == 7
    assert facts.content_type == "text/csv; charset=utf-8"
    assert abs(facts.uploaded_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_etag_follows_the_content(bucket):
    put(bucket, "a", "same", body=b"one")
    put(bucket, "b", body=b"two")

    etags = {key: bucket.head(key).etag for key in ("a", "same", "b")}

    assert etags["a"] == etags["same"] != etags["b"]
    assert '"' not in etags["a"]
    assert [listed.etag for listed in bucket.list("a").objects] == [etags["a"]]


def test_putting_again_replaces_the_object_and_its_facts(bucket):
    bucket.put("a", b"the first one", content_type="text/plain")

    bucket.put("a", b"second", content_type="image/png")

    assert bucket.get("a") == b"second"
    assert bucket.head("a").content_type == "image/png"
    assert bucket.head("a").size == 6


@pytest.mark.parametrize("key", KEYS)
def test_every_sensible_key_is_kept(bucket, key):
    put(bucket, key, body=key.encode())

    assert bucket.get(key) == key.encode()
    assert keys_in(bucket.list(key)) == [key]


def test_keys_that_resemble_each_other_are_different_objects(bucket):
    for key in KEYS:
        put(bucket, key, body=key.encode())

    assert [bucket.get(key) for key in KEYS] == [key.encode() for key in KEYS]


@pytest.mark.parametrize("key", ["", "/a", "../a", "a/../../b", "a//b", "a\nb", "x" * 1_025])
def test_a_bad_key_is_refused_by_every_verb(bucket, key):
    verbs = [
        lambda: bucket.get(key),
        lambda: bucket.open(key),
        lambda: bucket.head(key),
        lambda: put(bucket, key),
        lambda: bucket.delete(key),
        lambda: bucket.delete(["good", key]),
    ]

    for verb in verbs:
        with pytest.raises(ObjectKeyInvalid):
            verb()


def test_a_content_type_that_is_none_is_refused(bucket):
    with pytest.raises(BucketError, match="content type"):
        bucket.put("a", b"body", content_type="text/plain\r\nX-Other: b")

    assert bucket.head("a") is None


def test_getting_has_a_bound(bucket):
    put(bucket, "a", body=b"12345")

    assert bucket.get("a", most_bytes=5) == b"12345"
    with pytest.raises(ObjectTooLarge, match="5 bytes"):
        bucket.get("a", most_bytes=4)


def test_a_large_object_comes_in_chunks(bucket):
    body = bytes(range(256)) * 4_096
    put(bucket, "a", body=body)

    with bucket.open("a") as opened:
        chunks = list(opened)

    assert len(chunks) > 1
    assert b"".join(chunks) == body
    assert opened.length == opened.facts.size == len(body)


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (0, 4, b"0123"),
        (4, None, b"456789"),
        (4, 3, b"456"),
        (8, 100, b"89"),
        (0, 0, b""),
        (4, 0, b""),
        (10, None, b""),
        (99, 5, b""),
    ],
)
def test_a_part_of_an_object_comes_with_the_facts_of_the_whole(bucket, offset, length, expected):
    put(bucket, "a", body=b"0123456789")

    with bucket.open("a", offset=offset, length=length) as part:
        assert b"".join(part) == expected
        assert part.length == len(expected)
        assert part.facts == bucket.head("a")


@pytest.mark.parametrize("wanted", [{"offset": -1}, {"length": -1}])
def test_a_negative_range_is_refused(bucket, wanted):
    with pytest.raises(BucketError, match="negative"):
        bucket.open("a", **wanted)


def test_deleting_removes_that_object_and_no_other(bucket):
    put(bucket, "a", "a/b", "ab")

    bucket.delete("a")

    assert bucket.get("a") is None
    assert keys_in(bucket.list()) == ["a/b", "ab"]


def test_deleting_what_is_not_there_is_no_error(bucket):
    put(bucket, "a")

    bucket.delete("a")
    bucket.delete("a")
    bucket.delete(["a", "never"])
    bucket.delete([])


def test_many_are_deleted_at_once(bucket):
    keys = [f"k/{place:04}" for place in range(1_001)]
    put(bucket, *keys[:3], keys[-1], "other")

    bucket.delete(key for key in keys)

    assert keys_in(bucket.list()) == ["other"]


def test_a_listing_is_in_byte_order_with_sizes(bucket):
    for key in ("b", "a/2", "B", "a", "a/10", "ü", "🎬", "\uffee"):
        put(bucket, key, body=key.encode())

    listing = bucket.list()

    assert keys_in(listing) == ["B", "a", "a/10", "a/2", "b", "ü", "\uffee", "🎬"]
    assert [listed.size for listed in listing.objects] == [1, 1, 4, 3, 1, 2, 3, 4]
    assert listing.cursor is None


def test_a_prefix_is_text_and_not_a_folder(bucket):
    put(bucket, "lead_1/a", "lead_10/a", "lead_2/a")

    assert keys_in(bucket.list("lead_1")) == ["lead_1/a", "lead_10/a"]
    assert keys_in(bucket.list("lead_1/")) == ["lead_1/a"]
    assert keys_in(bucket.list("nothing")) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_follow_each_other_without_gap_or_repetition(bucket, limit):
    keys = [f"k/{place}" for place in range(7)]
    put(bucket, *keys, "other")

    page = bucket.list("k/", limit=limit)
    found = keys_in(page)
    while page.cursor is not None:
        assert len(page.objects) == limit
        page = bucket.list("k/", limit=limit, cursor=page.cursor)
        found += keys_in(page)

    assert found == keys


def test_a_cursor_survives_that_its_object_is_deleted(bucket):
    put(bucket, "a", "b", "c")
    first = bucket.list(limit=2)

    bucket.delete(["a", "b"])

    assert keys_in(bucket.list(limit=2, cursor=first.cursor)) == ["c"]


@pytest.mark.parametrize("limit", [-1, 0, 1_001])
def test_a_page_holds_one_to_a_thousand(bucket, limit):
    with pytest.raises(BucketError, match="page"):
        bucket.list(limit=limit)


@pytest.mark.parametrize("wanted", [{"prefix": "a\x00"}, {"cursor": "a\nb"}, {"cursor": "x" * 1_025}])
def test_a_prefix_or_cursor_that_no_key_can_have_is_refused(bucket, wanted):
    with pytest.raises(ObjectKeyInvalid):
        bucket.list(**wanted)
