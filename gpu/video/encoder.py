"""Which H.264 encoder writes the pictures: the card's where there is one, x264 elsewhere."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from millrace.domain.framing import Size


@dataclass(frozen=True, slots=True)
class Encoder:
    name: str
    options: tuple[tuple[str, str], ...]


NVENC = Encoder("h264_nvenc", (("preset", "p5"), ("rc", "vbr"), ("cq", "21"), ("b", "0")))
X264 = Encoder("libx264", (("preset", "veryfast"), ("crf", "20")))


# Smaller pictures no card takes.
SHORTEST_SIDE = 160


def choose_encoder(size: Size) -> Encoder:
    """Found by trying: that a codec is compiled in does not say that the machine has a card."""
    return NVENC if min(size.width, size.height) >= SHORTEST_SIDE and works(NVENC) else X264


@cache
def works(encoder: Encoder) -> bool:
    """It takes a picture."""
    try:
        context = av.CodecContext.create(encoder.name, "w")
        assert isinstance(context, VideoCodecContext)  # noqa: S101  # both names are of video codecs
        context.width, context.height, context.pix_fmt = 320, 240, "yuv420p"
        context.time_base = Fraction(1, 25)
        context.options = dict(encoder.options)
        context.encode(VideoFrame(320, 240, "yuv420p"))
    except (FFmpegError, ValueError):
        return False
    return True
