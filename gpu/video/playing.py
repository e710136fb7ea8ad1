"""A video file as pictures and sounds in the order in which they are decoded; nothing of them is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.failures import DamagedVideo
from gpu.video.opening import opening, picture_stream, sound_stream
from gpu.video.survey import Survey

# Sound may stand a little before its picture in the file.
SEEK_EARLIER_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """`at`: seconds from the start of what is played. `number` counts from 0 what was decoded from there."""

    frame: VideoFrame
    at: float
    number: int


@dataclass(frozen=True, slots=True)
class Sound:
    """It may begin before 0 and reach beyond the end: who writes it cuts it."""

    frame: AudioFrame
    at: float


def play(
    path: Path, survey: Survey, *, start: float = 0.0, end: float | None = None
) -> Iterator[Picture | Sound]:
    """What is seen and heard from `start` up to `end`. Raises DamagedVideo."""
    first = exact(start)
    length = None if end is None else exact(end) - first
    number = 0
    with opening(path) as container:
        sounds = sound_stream(container)
        pictures = picture_stream(container)
        streams: list[VideoStream | AudioStream] = [pictures, sounds] if sounds else [pictures]
        if first > SEEK_EARLIER_SECONDS:
            container.seek(int((survey.origin + first - SEEK_EARLIER_SECONDS) * av.time_base))
        clock = Clock(zero=survey.origin + first, rate=survey.rate)
        waiting = {stream.index for stream in streams}
        for frame, index in decode(container, streams):
            at = clock.read(frame)
            if length is not None and at >= length:
                waiting.discard(index)
            elif isinstance(frame, AudioFrame):
                yield Sound(frame, float(at))
            elif at >= 0:
                yield Picture(frame, float(at), number)
                number += 1
            if not waiting:
                return


def exact(seconds: float) -> Fraction:
    """0.1 as a person means it: a picture at a tenth of a second is not before it."""
    return Fraction(seconds).limit_denominator(1_000_000)


def decode(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream]
) -> Iterator[tuple[VideoFrame | AudioFrame, int]]:
    """Each frame with the index of its stream."""
    try:
        for packet in container.demux(*streams):
            for frame in packet.decode():
                if isinstance(frame, VideoFrame | AudioFrame):
                    yield frame, packet.stream_index
    except FFmpegError as error:
        raise DamagedVideo("The video is damaged: a part of it cannot be decoded.") from error


class Clock:
    """Times of frames, from `zero` on. A frame that has none follows the one before it."""

    def __init__(self, *, zero: Fraction, rate: Fraction):
        self._zero = zero
        self._step = 1 / rate
        self._next: dict[type, Fraction] = {}

    def read(self, frame: VideoFrame | AudioFrame) -> Fraction:
        step = self._step
        if isinstance(frame, AudioFrame):
            step = Fraction(frame.samples, frame.sample_rate)
        at = self._next.get(type(frame), Fraction(0))
        if frame.pts is not None and frame.time_base is not None:
            at = frame.pts * frame.time_base - self._zero
        self._next[type(frame)] = at + step
        return at
