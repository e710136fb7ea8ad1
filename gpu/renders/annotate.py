"""Annotate: the clips one after the other, each with its title and rating, and a list of them."""

from collections.abc import Sequence
from pathlib import Path

from PIL.Image import Image

from gpu.renders.scene import Cut, Rendered, Tell, make_cut, shoot
from gpu.video.caption import Caption
from gpu.video.encoder import choose_encoder
from gpu.video.film import Film
from gpu.video.pictures import show
from gpu.video.survey import Survey, survey
from millrace.domain.exports import AnnotateParams, Clip
from millrace.domain.framing import Size, fit_within, whole

LONGEST_SIDE = 3840
COLUMNS = ("start_time", "end_time", "name", "rating", "tags", "notes")


def render_annotate(params: AnnotateParams, *, source: Path, target: Path, tell: Tell) -> Rendered:
    """Raises RenderFailure."""
    found = survey(source)
    output = fit_within(found.picture, longest=LONGEST_SIDE)
    cuts = make_cuts(params.clips, survey=found)
    total = sum(cut.seconds for cut in cuts)
    encoder = choose_encoder(output)
    with Film(target, size=output, rate=found.rate, has_sound=found.has_sound, encoder=encoder) as film:
        for clip, cut in zip(params.clips, cuts, strict=True):
            caption = Caption(clip.name, rating=clip.rating, picture=output)

            def paint(image: Image, _number: int, caption: Caption = caption) -> Image:
                return caption.burn(show(image, whole(Size(*image.size)), output=output))

            def tell_all(share: float, cut: Cut = cut) -> None:
                tell((cut.offset + share * cut.seconds) / total)

            shoot(film, source, cut, survey=found, paint=paint, tell=tell_all)
        film.finish(seconds=total)
        return Rendered(output, film.frames, total, encoder.name)


def make_cuts(clips: Sequence[Clip], *, survey: Survey) -> list[Cut]:
    """All are looked at before the first is rendered."""
    cuts: list[Cut] = []
    offset = 0.0
    for clip in clips:
        cut = make_cut(
            survey, start=clip.start_time, end=clip.end_time, offset=offset, what=f"The clip '{clip.name}'"
        )
        cuts.append(cut)
        offset += cut.seconds
    return cuts


def list_clips(clips: Sequence[Clip]) -> str:
    """As tab-separated values, a line for each clip in the order of the film."""
    rows = [COLUMNS, *(row_of(clip) for clip in clips)]
    return "".join("\t".join(row) + "\n" for row in rows)


def row_of(clip: Clip) -> tuple[str, ...]:
    times = (f"{clip.start_time:.3f}", f"{clip.end_time:.3f}")
    told = (clip.name, str(clip.rating), ", ".join(clip.tags), clip.notes)
    return (*times, *(" ".join(text.split()) for text in told))
