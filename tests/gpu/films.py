"""Small videos that say what they show: every picture carries its number, every tone its time."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 25
SOUND_RATE = 48_000
BITS = 8
# Each bit of a picture's number is a square in its top row: white or black.
SQUARE = 16


def draw(number, *, width=320, height=180, color=(60, 120, 60)):
    """A picture whose number stands in it, with a red left and a blue right border."""
    picture = np.full((height, width, 3), color, dtype=np.uint8)
    picture[:, :20] = (200, 30, 30)
    picture[:, -20:] = (30, 30, 200)
    for bit in range(BITS):
        left = 32 + bit * SQUARE
        picture[:SQUARE, left : left + SQUARE] = 255 if number >> bit & 1 else 0
    return picture


def read_number(picture):
    squares = (picture[SQUARE // 2, 32 + bit * SQUARE + SQUARE // 2].mean() for bit in range(BITS))
    return sum(1 << bit for bit, brightness in enumerate(squares) if brightness > 128)


def tone(seconds, *, beeps=(), rate=SOUND_RATE):
    """Silence with a tenth of a second of 440 Hz at each beep; without beeps a tone throughout."""
    times = np.arange(round(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * 440 * times) * 0.5
    if beeps:
        wave *= np.any([(times >= beep) & (times < beep + 0.1) for beep in beeps], axis=0)
    return wave.astype(np.float32)


def make_film(
    path,
    *,
    seconds=2.0,
    rate=RATE,
    size=(320, 180),
    sound=True,
    beeps=(),
    pictures=True,
    ticks=None,
    options=None,
    color=(60, 120, 60),
    codec="libx264",
    sound_codec="aac",
):
    """Write a video. `ticks`: when each picture is shown, in hundredths of a second."""
    with av.open(str(path), "w", options=options or {}) as container:
        if pictures:
            video = container.add_stream(codec, rate=rate, options={"g": "12"} if codec == "libx264" else {})
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
            video.codec_context.time_base = Fraction(1, 100 * rate)
        audio = container.add_stream(sound_codec, rate=SOUND_RATE, layout="mono") if sound else None
        if pictures:
            times = ticks or [100 * number // rate for number in range(round(seconds * rate))]
            for number, hundredth in enumerate(times):
                image = draw(number, width=size[0], height=size[1], color=color)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = hundredth * rate, Fraction(1, 100 * rate)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio:
            add_sound(container, audio, tone(seconds, beeps=beeps))
    return path


def add_sound(container, stream, wave):
    for start in range(0, len(wave), 1024):
        part = wave[np.newaxis, start : start + 1024]
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = SOUND_RATE, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def turn(path, degrees=90):
    """Say in the file that its pictures are to be turned clockwise, as a phone held upright does."""
    matrices = {90: (0, 1, 0, -1, 0, 0, 0, 0, 1), 180: (-1, 0, 0, 0, -1, 0, 0, 0, 1)}
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    units = (1 << 16, 1 << 16, 1 << 30) * 3
    data[at : at + 36] = struct.pack(">9i", *(a * b for a, b in zip(matrices[degrees], units, strict=True)))
    path.write_bytes(data)
    return path


@dataclass
class Watched:
    """A video as it plays: decoded whole, so for small ones only."""

    pictures: list
    times: list
    sound: np.ndarray
    size: tuple
    seconds: float
    codec: str

    @property
    def numbers(self):
        return [read_number(picture) for picture in self.pictures]

    def beeps(self):
        """When each beep begins."""
        loud = np.abs(self.sound) > 0.1
        starts, last = [], -1.0
        for sample in np.flatnonzero(loud):
            if sample / SOUND_RATE - last > 0.05:
                starts.append(sample / SOUND_RATE)
            last = sample / SOUND_RATE
        return starts


def watch(path: Path) -> Watched:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames, sounds = [], []
        for frame in container.decode():
            (frames if isinstance(frame, av.VideoFrame) else sounds).append(frame)
        pictures = [frame.to_ndarray(format="rgb24") for frame in frames]
        heard = [frame.to_ndarray()[0] for frame in sounds]
        return Watched(
            pictures=pictures,
            times=[float(frame.pts * frame.time_base) for frame in frames],
            sound=np.concatenate(heard) if heard else np.zeros(0),
            size=(video.width, video.height),
            seconds=float(video.duration * video.time_base),
            codec=video.codec_context.name,
        )
