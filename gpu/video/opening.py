"""Opening a file that a stranger has sent, and finding its pictures and its sound."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from gpu.failures import NotAVideo, NoVideoStream

# Files that hold what they show. A playlist would make us fetch what its author may not see.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,mxf,ogg,"
    "h264,hevc,wav,mp3,aac,flac"
)


@contextmanager
def opening(path: Path) -> Iterator[InputContainer]:
    """Raises NotAVideo."""
    try:
        container = av.open(str(path), options={"format_whitelist": FORMATS}, metadata_errors="replace")
    except FFmpegError as error:
        raise NotAVideo("The file is not a video that can be read.") from error
    with container:
        yield container


def picture_stream(container: InputContainer) -> VideoStream:
    """The first that moves: the cover of a song is no video. Raises NoVideoStream."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    raise NoVideoStream("The file has no video stream.")


def sound_stream(container: InputContainer) -> AudioStream | None:
    return next(iter(container.streams.audio), None)
