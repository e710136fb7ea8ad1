"""The video that is written: H.264 and AAC in an MP4 that plays while it loads."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from PIL.Image import Image

from gpu.video.encoder import Encoder
from gpu.video.soundtrack import LAYOUT, RATE, Soundtrack
from millrace.domain.framing import Size

TICKS = 90_000
KEY_PICTURE_SECONDS = 2
SOUND_BITS = 160_000


class Film:
    """Pictures keep the times they are given, so a phone's uneven rate stays as it was. Use it in a `with`.

    Each thing added is encoded and written at once; what is held does not grow with the film.
    """

    def __init__(self, path: Path, *, size: Size, rate: Fraction, has_sound: bool, encoder: Encoder):
        self.frames = 0
        self._size = size
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._pictures = self._add_pictures(rate, encoder=encoder)
        self._picture_ticks = round(TICKS / rate)
        self._last_tick = -1
        self._sounds = self._add_sounds() if has_sound else None
        self._soundtrack = Soundtrack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def begin_stretch(self) -> None:
        """A new clip: its sound does not continue that of the one before."""
        self._soundtrack.begin_stretch()

    def add_picture(self, image: Image, *, at: float) -> None:
        """Shown from `at` seconds on until the next one. Times that do not rise are made to."""
        drawn: VideoFrame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
        frame = drawn.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        self._last_tick = max(round(at * TICKS), self._last_tick + 1)
        frame.pts, frame.time_base = self._last_tick, Fraction(1, TICKS)
        frame.duration = self._picture_ticks
        self._container.mux(self._pictures.encode(frame))
        self.frames += 1

    def add_sound(self, frame: AudioFrame, *, at: float, start: float, end: float) -> None:
        """As much of it as lies between `start` and `end`."""
        if self._sounds:
            for ready in self._soundtrack.place(frame, at=at, start=start, end=end):
                self._container.mux(self._sounds.encode(ready))

    def finish(self, *, seconds: float) -> None:
        """Everything that is still inside is written, and the sound lasts exactly as long as the pictures."""
        self._container.mux(self._pictures.encode(None))
        if self._sounds:
            for ready in self._soundtrack.fill(until=round(seconds * RATE)):
                self._container.mux(self._sounds.encode(ready))
            self._container.mux(self._sounds.encode(None))

    def _add_pictures(self, rate: Fraction, *, encoder: Encoder) -> VideoStream:
        stream = self._container.add_stream(encoder.name, rate=rate, options=dict(encoder.options))
        assert isinstance(stream, VideoStream)  # noqa: S101  # both encoders are of video
        stream.width, stream.height, stream.pix_fmt = self._size.width, self._size.height, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.gop_size = max(1, round(rate * KEY_PICTURE_SECONDS))
        context.flags |= Flags.frame_duration
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def _add_sounds(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=RATE)
        assert isinstance(stream, AudioStream)  # noqa: S101  # AAC is sound
        stream.layout = LAYOUT
        stream.bit_rate = SOUND_BITS
        return stream
