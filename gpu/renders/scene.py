"""A cut of the input, painted picture by picture into the film that is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image

from gpu.failures import StartAfterEnd
from gpu.video.film import Film
from gpu.video.pictures import upright
from gpu.video.playing import Picture, play
from gpu.video.survey import Survey
from millrace.domain.framing import Size

# How much is done, from 0 to 1. It raises Stopped when no more is wanted.
Tell = Callable[[float], None]
# One upright picture and its number in the cut, to what is shown of it.
Paint = Callable[[Image, int], Image]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made, counted while it was."""

    size: Size
    frames: int
    seconds: float
    encoder: str


@dataclass(frozen=True, slots=True)
class Cut:
    """From `start` to `end` of the input; it begins at `offset` of the film."""

    start: float
    end: float
    offset: float = 0.0

    @property
    def seconds(self) -> float:
        return self.end - self.start


def make_cut(survey: Survey, *, start: float, end: float | None, offset: float = 0.0, what: str) -> Cut:
    """Within the input. Raises StartAfterEnd, which names `what` begins too late."""
    if start >= survey.seconds:
        raise StartAfterEnd(f"{what} starts at {start:.2f} s, but the video ends at {survey.seconds:.2f} s.")
    return Cut(start, survey.seconds if end is None else min(end, survey.seconds), offset)


def shoot(film: Film, source: Path, cut: Cut, *, survey: Survey, paint: Paint, tell: Tell) -> None:
    """Add the cut to the film. `tell` hears how much of the cut is done."""
    film.begin_stretch()
    before = film.frames
    stop = cut.offset + cut.seconds
    for moment in play(source, survey, start=cut.start, end=cut.end):
        at = cut.offset + moment.at
        if isinstance(moment, Picture):
            image = paint(upright(moment.frame, rotation=survey.rotation), moment.number)
            # The first stands from the beginning, even where it comes a little later.
            film.add_picture(image, at=at if moment.number else cut.offset)
            tell(min(moment.at / cut.seconds, 1.0))
        else:
            film.add_sound(moment.frame, at=at, start=cut.offset, end=stop)
    if film.frames == before:
        raise StartAfterEnd(f"There is no picture between {cut.start:.2f} s and {cut.end:.2f} s.")
