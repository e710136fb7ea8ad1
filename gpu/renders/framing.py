"""Framing: a crop that follows the play."""

from pathlib import Path

from PIL.Image import Image

from gpu.renders.scene import Rendered, Tell, make_cut, shoot
from gpu.video.encoder import choose_encoder
from gpu.video.film import Film
from gpu.video.pictures import show
from gpu.video.survey import survey
from millrace.domain.exports import FramingParams
from millrace.domain.framing import Size, crop_at


def render_framing(params: FramingParams, *, source: Path, target: Path, tell: Tell) -> Rendered:
    """Raises RenderFailure."""
    found = survey(source)
    output = Size(params.output_width, params.output_height)
    cut = make_cut(found, start=params.start_time, end=params.end_time, what="The cut")
    encoder = choose_encoder(output)

    def paint(image: Image, number: int) -> Image:
        return show(image, crop_at(params.crop_keyframes, number, picture=found.picture), output=output)

    with Film(target, size=output, rate=found.rate, has_sound=found.has_sound, encoder=encoder) as film:
        shoot(film, source, cut, survey=found, paint=paint, tell=tell)
        film.finish(seconds=cut.seconds)
        return Rendered(output, film.frames, cut.seconds, encoder.name)
