"""A few seconds of football, drawn and with sound; and what somebody who plays a video sees of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

from millrace.domain.framing import Size

PICTURE = Size(640, 360)
SECONDS = 3
RATE = 25
PICTURES = SECONDS * RATE
SOUND_RATE = 48_000
# As many samples as AAC takes at a time.
SAMPLES = 1_024
GRASS, LIGHTER_GRASS, LINE, BALL = "#2f7d32", "#358a39", "#e8f5e9", "#ffffff"
SHIRTS = ("#c62828", "#1565c0")

Samples = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Counted while every picture was decoded: no container is believed."""

    size: Size
    pictures: int
    seconds: float
    has_sound: bool


def ball_at(number: int) -> tuple[float, float]:
    """Where the ball's middle is in a picture: it flies from the left to the right, and bounces."""
    way = number / (PICTURES - 1)
    bounce = abs((3 * way) % 1 - 0.5) * 2
    return 80 + 480 * way, 290 - 200 * (1 - bounce**2) * (1 - way / 2)


def make_film(path: Path) -> None:
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        pictures.width, pictures.height, pictures.pix_fmt = PICTURE.width, PICTURE.height, "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        pitch = draw_pitch()
        for number in range(PICTURES):
            play = np.asarray(draw_play(pitch, number))
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(play, format="rgb24")))
        container.mux(pictures.encode(None))
        for frame in sing():
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def draw_pitch() -> Image.Image:
    image = Image.new("RGB", (PICTURE.width, PICTURE.height), GRASS)
    draw = ImageDraw.Draw(image)
    for left in range(0, PICTURE.width, 128):
        draw.rectangle((left, 0, left + 63, PICTURE.height), fill=LIGHTER_GRASS)
    draw.line((PICTURE.width // 2, 0, PICTURE.width // 2, PICTURE.height), fill=LINE, width=3)
    draw.ellipse((250, 110, 390, 250), outline=LINE, width=3)
    return image


def draw_play(pitch: Image.Image, number: int) -> Image.Image:
    """One picture: two players, who run, and the ball between them."""
    image = pitch.copy()
    draw = ImageDraw.Draw(image)
    x, y = ball_at(number)
    for shirt, left in zip(SHIRTS, (x - 70, x + 40), strict=True):
        draw.ellipse((left + 6, 226, left + 24, 244), fill="#f1c9a5")
        draw.rounded_rectangle((left, 244, left + 30, 300), radius=8, fill=shirt)
    draw.ellipse((x - 12, y - 12, x + 12, y + 12), fill=BALL, outline="#212121", width=2)
    return image


def sing() -> Iterator[av.AudioFrame]:
    """A tone that rises while the ball flies."""
    times = np.arange(SECONDS * SOUND_RATE) / SOUND_RATE
    tone: Samples = (0.2 * np.sin(2 * np.pi * (220 + 55 * times) * times)).astype(np.float32)
    for start in range(0, len(tone), SAMPLES):
        part = tone[np.newaxis, start : start + SAMPLES]
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = SOUND_RATE, start
        yield frame


def watch(path: Path) -> Seen:
    """Play the video to its end."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        size, lasts = Size(stream.width, stream.height), 1 / float(stream.average_rate or RATE)
        pictures, end, has_sound = 0, 0.0, False
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures, end = pictures + 1, (frame.time or 0.0) + lasts
            else:
                has_sound = True
    return Seen(size, pictures, end, has_sound)
