"""What a file holds: found by reading all of it once, without decoding, so that no claim is believed."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.failures import DamagedVideo, NotAVideo, TruncatedVideo, VideoTooLarge, VideoTooLong
from gpu.video.boxes import is_cut_off
from gpu.video.opening import opening, picture_stream, sound_stream
from millrace.domain.framing import Size

MOST_PIXELS = 7680 * 4320
MOST_SECONDS = 6 * 3600
# Containers round, and streams end a little apart.
MISSING_SECONDS = 0.75
CUT_OFF = "The file is cut off: it ends before the video does."
RATES = (Fraction(1), Fraction(240))


@dataclass(frozen=True, slots=True)
class Survey:
    """`picture` is as a person sees it: turned by `rotation` degrees, against the clock.

    `origin` is the file's own time of its first picture; `seconds` is how long the pictures last.
    `rate` is only a claim: it spaces pictures that have no times of their own.
    """

    picture: Size
    rotation: int
    origin: Fraction
    seconds: float
    rate: Fraction
    has_sound: bool


def survey(path: Path) -> Survey:
    """Raises NotAVideo, NoVideoStream, TruncatedVideo, DamagedVideo, VideoTooLarge or VideoTooLong."""
    if is_cut_off(path):
        raise TruncatedVideo(CUT_OFF)
    with opening(path) as container:
        stream = picture_stream(container)
        first = decode_first(container, stream=stream)
        sound = sound_stream(container)
        rate = read_rate(stream)
    with opening(path) as container:
        extent = measure(container, pictures=picture_stream(container))
    sides = (first.height, first.width) if first.rotation % 180 else (first.width, first.height)
    return Survey(
        picture=Size(*sides),
        rotation=first.rotation % 360,
        origin=extent.origin,
        seconds=float(extent.end - extent.origin),
        rate=rate,
        has_sound=sound is not None,
    )


def decode_first(container: InputContainer, *, stream: VideoStream) -> VideoFrame:
    try:
        first = next(container.decode(stream), None)
    except FFmpegError as error:
        raise DamagedVideo("The video is damaged: its first picture cannot be decoded.") from error
    if first is None:
        raise NotAVideo("The file holds no picture.")
    if first.width * first.height > MOST_PIXELS:
        raise VideoTooLarge(f"The picture has {first.width} by {first.height} pixels; 8K is the most.")
    return first


def read_rate(stream: VideoStream) -> Fraction:
    """What the container claims, within reason."""
    claimed = stream.average_rate or stream.guessed_rate or Fraction(25)
    return min(max(claimed, RATES[0]), RATES[1])


class Extent:
    """From where to where packets reach, in the file's own time. `step`: what one lasts that does not say."""

    def __init__(self, *, step: Fraction = Fraction(0)) -> None:
        self._step = step
        self.origin: Fraction | None = None
        self.end = Fraction(0)

    def add(self, packet: "Packet[Stream]") -> None:
        time = packet.dts if packet.pts is None else packet.pts
        if time is None:
            return
        start = time * packet.time_base
        self.origin = start if self.origin is None else min(self.origin, start)
        lasts = packet.duration * packet.time_base if packet.duration else self._step
        self.end = max(self.end, start + lasts)


@dataclass(frozen=True, slots=True)
class PictureExtent:
    origin: Fraction
    end: Fraction


def measure(container: InputContainer, *, pictures: VideoStream) -> PictureExtent:
    """From the first picture to the end of the last. Raises TruncatedVideo or VideoTooLong."""
    seen, everything = Extent(step=1 / read_rate(pictures)), Extent()
    torn = False
    try:
        for packet in container.demux():
            if packet.size:
                everything.add(packet)
            if packet.size and packet.stream_index == pictures.index:
                seen.add(packet)
                torn = packet.is_corrupt
    except FFmpegError:
        torn = True
    if torn or is_cut_short(container, everything):
        raise TruncatedVideo(CUT_OFF)
    if seen.origin is None:
        raise NotAVideo("The file holds no picture.")
    if seen.end - seen.origin > MOST_SECONDS:
        raise VideoTooLong(f"The video lasts longer than {MOST_SECONDS // 3600} hours.")
    return PictureExtent(seen.origin, seen.end)


def is_cut_short(container: InputContainer, found: Extent) -> bool:
    claimed = container.duration
    if claimed is None or found.origin is None:
        return False
    return claimed / av.time_base - float(found.end - found.origin) > MISSING_SECONDS
