"""Sound without gaps: what comes too early is cut, what is missing is silence."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

RATE = 48_000
LAYOUT = "stereo"
CHANNELS = 2
FORMAT = "fltp"
# Rounding between two clocks is no gap.
TOLERATED = RATE // 50

Samples = np.ndarray[Any, np.dtype[np.float32]]


class Soundtrack:
    """Turns sounds with times into frames that follow each other to the sample."""

    def __init__(self) -> None:
        self._written = 0
        self.begin_stretch()

    def begin_stretch(self) -> None:
        """What comes next does not continue what came before."""
        self._kind: tuple[str, str, int] | None = None
        self._expected: int | None = None

    def place(self, frame: AudioFrame, *, at: float, start: float, end: float) -> Iterator[AudioFrame]:
        """The frame's sound, which begins at `at`, as far as it lies between `start` and `end`."""
        for resampled in self._resample(frame):
            samples = resampled.to_ndarray().astype(np.float32, copy=False)
            begin = self._join(round(at * RATE), count=samples.shape[1])
            first = max(self._written, round(start * RATE))
            kept = samples[:, max(first - begin, 0) : max(round(end * RATE) - begin, 0)]
            if kept.shape[1]:
                yield from self.fill(until=max(begin, first))
                yield self._write(kept)
            at += samples.shape[1] / RATE

    def fill(self, *, until: int) -> Iterator[AudioFrame]:
        """Silence up to this sample, a second at a time."""
        while self._written < until:
            count = min(until - self._written, RATE)
            yield self._write(np.zeros((CHANNELS, count), dtype=np.float32))

    def _resample(self, frame: AudioFrame) -> list[AudioFrame]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            self._kind = kind
            self._resampler = AudioResampler(format=FORMAT, layout=LAYOUT, rate=RATE)
        frame.pts = None
        return self._resampler.resample(frame)

    def _join(self, begin: int, *, count: int) -> int:
        """Where it really begins: right behind what came before, unless it is clearly somewhere else."""
        if self._expected is not None and abs(begin - self._expected) <= TOLERATED:
            begin = self._expected
        self._expected = begin + count
        return begin

    def _write(self, samples: Samples) -> AudioFrame:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=FORMAT, layout=LAYOUT)
        frame.sample_rate = RATE
        frame.pts = self._written
        self._written += samples.shape[1]
        return frame
