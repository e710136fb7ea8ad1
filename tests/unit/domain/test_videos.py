"""What a file must be to be one of our videos: its size as announced, and the beginning of its type."""

import pytest
from pydantic import ValidationError

from millrace.domain.videos import (
    MATROSKA,
    MOST_BYTES,
    MP4,
    QUICKTIME,
    WEBM,
    CreateVideo,
    VideoView,
    check_video,
)
from millrace.errors import VideoInvalid
from tests.factories import NOW

ISO = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00"
OLD_FILM = b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat"
WEB = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm"
MKV = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska"


def check(opening, content_type, *, found_size=100):
    check_video(opening, found_size=found_size, size=100, content_type=content_type)


@pytest.mark.parametrize(
    ("opening", "content_type"),
    [(ISO, MP4), (ISO, QUICKTIME), (OLD_FILM, QUICKTIME), (WEB, WEBM), (WEB, MATROSKA), (MKV, MATROSKA)],
)
def test_a_video_begins_as_its_type_does(opening, content_type):
    check(opening, content_type)


@pytest.mark.parametrize(
    ("opening", "content_type"),
    [(OLD_FILM, MP4), (MKV, WEBM), (ISO, WEBM), (WEB, MP4), (b"", MP4), (b"%PDF-1.4", QUICKTIME), (MKV, MP4)],
)
def test_what_begins_otherwise_is_refused(opening, content_type):
    with pytest.raises(VideoInvalid, match="Announce the right one") as refused:
        check(opening, content_type)

    assert refused.value.facts == {"problem": "type"}


def test_a_video_of_another_size_than_was_said_is_refused():
    with pytest.raises(VideoInvalid, match="99 bytes and not 100") as refused:
        check(ISO, MP4, found_size=99)

    assert refused.value.facts == {"problem": "size"}


@pytest.mark.parametrize(
    "fault",
    [
        {"size": 0}, {"size": MOST_BYTES + 1}, {"size": 1.5}, {"size": "7"}, {"content_type": "video/avi"},
        {"filename": ""}, {"filename": "a\nb"}, {"filename": "x" * 256}, {"sha256": "abc"},
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(fault):
    said = {"filename": "match.mp4", "content_type": MP4, "size": MOST_BYTES}
    assert CreateVideo.model_validate(said).size == 5_000_000_000

    with pytest.raises(ValidationError) as refused:
        CreateVideo.model_validate(said | fault)

    assert {error["loc"][0] for error in refused.value.errors()} == set(fault)


@pytest.mark.parametrize(("uploaded_at", "status"), [(None, "awaiting_upload"), (NOW, "uploaded")])
def test_a_video_says_whether_it_is_there(uploaded_at, status):
    row = {
        "id": "video_1", "storage_key": "key", "file_name": "match.mp4", "size_bytes": 7, "etag": "secret",
        "content_type": MP4, "created_at": NOW, "uploaded_at": uploaded_at,
    }  # fmt: skip

    shown = VideoView.of(row).model_dump(exclude_none=True)

    assert (shown["status"], shown["input_video_key"], shown["size"]) == (status, "key", 7)
    assert "etag" not in shown
