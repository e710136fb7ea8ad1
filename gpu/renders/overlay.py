"""Overlay: highlights that say whom to watch, in an upright video."""

from pathlib import Path

from PIL.Image import Image

from gpu.failures import RegionOutside
from gpu.renders.scene import Rendered, Tell, make_cut, shoot
from gpu.video.encoder import choose_encoder
from gpu.video.film import Film
from gpu.video.highlight import highlight
from gpu.video.pictures import show
from gpu.video.survey import survey
from millrace.domain.exports import OverlayParams
from millrace.domain.framing import Rectangle, Size, covers, crop_at, is_outside, whole

OUTPUT = Size(1080, 1920)


def render_overlay(params: OverlayParams, *, source: Path, target: Path, tell: Tell) -> Rendered:
    """Raises RenderFailure."""
    found = survey(source)
    check_regions(params, picture=found.picture)
    cut = make_cut(found, start=0.0, end=None, what="The video")
    encoder = choose_encoder(OUTPUT)

    def paint(image: Image, number: int) -> Image:
        crop = crop_of(params, number, picture=found.picture)
        regions = [region for region in params.highlight_regions if covers(region, number)]
        return highlight(show(image, crop, output=OUTPUT), regions, effect=params.effect_type, crop=crop)

    with Film(target, size=OUTPUT, rate=found.rate, has_sound=found.has_sound, encoder=encoder) as film:
        shoot(film, source, cut, survey=found, paint=paint, tell=tell)
        film.finish(seconds=cut.seconds)
        return Rendered(OUTPUT, film.frames, cut.seconds, encoder.name)


def crop_of(params: OverlayParams, number: int, *, picture: Size) -> Rectangle:
    if params.crop_keyframes is None:
        return whole(picture)
    return crop_at(params.crop_keyframes, number, picture=picture)


def check_regions(params: OverlayParams, *, picture: Size) -> None:
    for number, region in enumerate(params.highlight_regions):
        if is_outside(region, picture=picture):
            size = f"{picture.width} by {picture.height} pixels"
            raise RegionOutside(f"Highlight region {number} is outside the picture, which has {size}.")
