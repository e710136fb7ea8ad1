"""Requests and answers about videos to be rendered, and what a file must be to be one of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field

from millrace.domain.documents import Upload, to_whole
from millrace.domain.evaluations import Model
from millrace.errors import VideoInvalid

# What S3 takes in one PUT.
MOST_BYTES = 5_000_000_000
# An upload must begin before its link expires; it may take as long as it takes.
LINK_SECONDS = 3_600
# As much of a file as tells what it is.
OPENING_BYTES = 4_096

MP4, QUICKTIME, WEBM, MATROSKA = "video/mp4", "video/quicktime", "video/webm", "video/x-matroska"
# The first box of an ISO file, and of a QuickTime film that is older than those.
ISO_BOX = b"ftyp"
QUICKTIME_BOXES = frozenset({ISO_BOX, b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
EBML = b"\x1aE\xdf\xa3"

ContentType = Literal["video/mp4", "video/quicktime", "video/webm", "video/x-matroska"]
Size = Annotated[int, Field(ge=1, le=MOST_BYTES), BeforeValidator(to_whole)]


class CreateVideo(Model):
    """What is going to be uploaded. It is checked when the upload is complete."""

    model_config = ConfigDict(extra="forbid", strict=True)

    filename: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")] = (
        Field(description="What you call it.")
    )
    content_type: ContentType
    size: Size = Field(description="In bytes, exactly.")


class CreatedVideo(Model):
    video_id: str
    input_video_key: str = Field(description="By this an export names it, once the upload is complete.")
    upload: Upload


class VideoCreated(Model):
    data: CreatedVideo


class VideoView(Model):
    """A video as it is kept."""

    video_id: str
    input_video_key: str
    filename: str
    content_type: ContentType
    size: int
    status: Literal["awaiting_upload", "uploaded"]
    created_at: datetime
    uploaded_at: datetime | None = Field(default=None, description="When it was found to be complete.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        names = {
            "video_id": row["id"],
            "input_video_key": row["storage_key"],
            "filename": row["file_name"],
            "size": row["size_bytes"],
            "status": "uploaded" if row["uploaded_at"] else "awaiting_upload",
        }
        return cls.model_validate({**row, **names})


class VideoAnswer(Model):
    data: VideoView


def check_video(opening: bytes, *, found_size: int, size: int, content_type: str) -> None:
    """By its size and its first bytes; what is in it only the rendering tells. VideoInvalid."""
    if found_size != size:
        raise invalid("size", f"The file has {found_size} bytes and not {size}.")
    if not is_of_type(opening, content_type=content_type):
        raise invalid("type", f"The file is not {content_type}: its beginning is that of something else.")


def invalid(problem: str, message: str) -> VideoInvalid:
    return VideoInvalid(f"{message} Announce the right one.", problem=problem)


def is_of_type(opening: bytes, *, content_type: str) -> bool:
    """Whether a file of this type begins so. A WebM is a Matroska too."""
    if content_type == MP4:
        return opening[4:8] == ISO_BOX
    if content_type == QUICKTIME:
        return opening[4:8] in QUICKTIME_BOXES
    doctypes = (b"webm",) if content_type == WEBM else (b"webm", b"matroska")
    return opening.startswith(EBML) and any(doctype in opening for doctype in doctypes)
