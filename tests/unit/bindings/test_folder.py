import os
from datetime import UTC, datetime

import pytest

from millrace.bindings.folder import FolderBucket
from millrace.errors import BucketError, ConfigurationInvalid, ObjectExists, ObjectTooLarge

NOW = datetime(2025, 12, 17, 10, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def bucket(tmp_path) -> FolderBucket:
    return FolderBucket(tmp_path / "bucket", now=lambda: NOW)


def files_in(bucket: FolderBucket, folder: str) -> list[str]:
    place = bucket.folder / folder
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def write(bucket: FolderBucket, key: str, *, chunks, most_bytes: int = 1_000):
    return bucket.write_stream(key, chunks, content_type="text/plain", most_bytes=most_bytes)


def test_reading_makes_no_folder(bucket):
    assert bucket.get("a") is None
    assert bucket.list().objects == ()
    bucket.delete("a")

    assert not bucket.folder.exists()


def test_no_key_is_a_path(bucket):
    for key in ("a", "A", "a/b", "con", "a" * 1_024, "ü" * 512, "u\u0308", "\u00fc"):
        bucket.put(key, key.encode(), content_type="text/plain")

    assert len(files_in(bucket, "objects")) == 8
    assert all(len(name) == 64 for name in files_in(bucket, "objects"))
    assert {bucket.get(listed.key) for listed in bucket.list().objects} == {
        listed.key.encode() for listed in bucket.list().objects
    }


def test_a_symbolic_link_is_not_followed_when_reading(bucket, tmp_path):
    outside = tmp_path / "outside"
    bucket.put("a", b"body", content_type="text/plain")
    (stored,) = (bucket.folder / "objects").iterdir()
    stored.rename(outside)
    stored.symlink_to(outside)

    with pytest.raises(BucketError, match="opening"):
        bucket.get("a")


def test_a_symbolic_link_is_replaced_when_writing(bucket, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    bucket.put("a", b"old", content_type="text/plain")
    (stored,) = (bucket.folder / "objects").iterdir()
    stored.unlink()
    stored.symlink_to(outside)

    bucket.put("a", b"new", content_type="text/plain")

    assert bucket.get("a") == b"new"
    assert outside.read_bytes() == b"untouched"


def test_a_stream_is_written_whole_with_its_facts(bucket):
    facts = write(bucket, "a", chunks=(b"one ", b"", b"two"))

    assert bucket.get("a") == b"one two"
    assert bucket.head("a") == facts
    assert facts.size == 7
    assert facts.uploaded_at == NOW
    assert files_in(bucket, "incoming") == []


def test_what_is_written_once_replaces_nothing(bucket):
    def send(body: bytes) -> None:
        with bucket.upload("a", content_type="text/plain", most_bytes=10, once=True) as upload:
            upload.write(body)

    send(b"first")
    with pytest.raises(ObjectExists):
        send(b"second")

    assert bucket.get("a") == b"first"
    assert files_in(bucket, "incoming") == []
    bucket.delete("a")
    send(b"third")
    assert bucket.get("a") == b"third"


def test_a_stream_beyond_its_bound_leaves_what_was_there(bucket):
    write(bucket, "a", chunks=[b"old"])

    with pytest.raises(ObjectTooLarge):
        write(bucket, "a", chunks=[b"12345", b"6"], most_bytes=5)

    assert bucket.get("a") == b"old"
    assert files_in(bucket, "incoming") == []


def test_a_stream_that_breaks_off_leaves_what_was_there(bucket):
    def breaking_off():
        yield b"half"
        raise ConnectionResetError

    write(bucket, "a", chunks=[b"old"])

    with pytest.raises(ConnectionResetError):
        write(bucket, "a", chunks=breaking_off())

    assert bucket.get("a") == b"old"
    assert files_in(bucket, "incoming") == []


def test_what_a_crash_left_behind_is_no_object(bucket):
    write(bucket, "a", chunks=[b"whole"])
    (bucket.folder / "incoming" / "left").write_bytes(b"half")

    assert [listed.key for listed in bucket.list().objects] == ["a"]


def test_one_who_reads_while_another_writes_has_the_old_object_to_its_end(bucket):
    write(bucket, "a", chunks=[b"old body"])
    body = bucket.open("a")

    write(bucket, "a", chunks=[b"new"])

    with body:
        assert b"".join(body) == b"old body"
        assert body.facts.size == 8


def test_content_that_looks_like_facts_is_content(bucket):
    write(bucket, "a", chunks=[b"first"])
    (stored,) = (bucket.folder / "objects").iterdir()
    disguised = stored.read_bytes()

    write(bucket, "b", chunks=[disguised])

    assert bucket.get("b") == disguised


@pytest.mark.parametrize(
    "spoil",
    [lambda whole: whole[:-1], lambda whole: whole[1:], lambda whole: b"", lambda whole: whole + b"x"],
)
def test_a_damaged_file_is_an_error_and_not_an_object(bucket, spoil):
    write(bucket, "a", chunks=[b"body"])
    (stored,) = (bucket.folder / "objects").iterdir()
    stored.write_bytes(spoil(stored.read_bytes()))

    for read in (lambda: bucket.get("a"), lambda: bucket.head("a"), bucket.list):
        with pytest.raises(BucketError, match="object"):
            read()


def test_files_of_others_in_the_folder_are_left_alone(bucket):
    write(bucket, "a", chunks=[b"body"])
    (bucket.folder / "objects" / ".DS_Store").write_bytes(b"")

    assert [listed.key for listed in bucket.list().objects] == ["a"]


def test_a_failing_disk_is_a_bucket_error(bucket, monkeypatch):
    def refuse(*_args, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)

    for call in (
        lambda: bucket.get("a"),
        lambda: bucket.put("a", b"body", content_type="text/plain"),
        lambda: bucket.delete("a"),
    ):
        with pytest.raises(BucketError, match="No space left") as failed:
            call()
        assert isinstance(failed.value.__cause__, OSError)


def test_links_need_an_address_and_a_secret(bucket):
    with pytest.raises(ConfigurationInvalid, match="BUCKET_LINKS_URL"):
        bucket.presign_download("a", expires_seconds=60, now=NOW)
