"""Drawing the eye to ellipses: what is outside them grows dark or blurred, what is inside stands in light."""

from collections.abc import Sequence
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter

from millrace.domain.exports import HighlightRegion
from millrace.domain.framing import Rectangle, Size, place

Effect = Literal["blur", "spotlight"]

# What is left of the light outside a spotlight of full opacity.
DARKNESS = 0.3
# Blurred small and scaled up again: as soft, and a tenth of the work.
BLUR_REDUCTION = 8
BLUR_RADIUS = 2
SOFT_EDGE = 2


def highlight(
    image: Image.Image, regions: Sequence[HighlightRegion], *, effect: Effect, crop: Rectangle
) -> Image.Image:
    """The picture, which shows this crop of the input, with the regions (in the input's pixels) highlighted.

    The strongest region decides what becomes of the outside. Without a region it is the picture as it was.
    """
    if not regions:
        return image
    strength = max(region.opacity for region in regions)
    changed = darken(image, strength) if effect == "spotlight" else blur(image, strength)
    for region in regions:
        ellipse = map_ellipse(region, crop=crop, output=Size(*image.size))
        box = surround(ellipse, picture=Size(*image.size))
        if box[0] < box[2] and box[1] < box[3]:
            changed.paste(light(image.crop(box), region), box, draw_mask(ellipse, box=box))
    return changed


def darken(image: Image.Image, strength: float) -> Image.Image:
    left = 1 - (1 - DARKNESS) * strength
    return image.point([round(value * left) for value in range(256)] * 3)


def blur(image: Image.Image, strength: float) -> Image.Image:
    small = image.reduce(BLUR_REDUCTION).filter(ImageFilter.GaussianBlur(BLUR_RADIUS))
    return Image.blend(image, small.resize(image.size, Image.Resampling.BILINEAR), strength)


def light(image: Image.Image, region: HighlightRegion) -> Image.Image:
    """As under a lamp of the region's colour: white leaves everything as it is."""
    levels: list[int] = []
    for start in (1, 3, 5):
        share = int(region.color[start : start + 2], 16) / 255
        factor = 1 - (1 - share) * region.opacity
        levels += [round(value * factor) for value in range(256)]
    return image.point(levels)


def map_ellipse(region: HighlightRegion, *, crop: Rectangle, output: Size) -> Rectangle:
    """The box around the ellipse, in the output's pixels."""
    placed = place(crop, output=output)
    wide, high = placed.width / crop.width, placed.height / crop.height
    return Rectangle(
        placed.x + (region.x - region.radius_x - crop.x) * wide,
        placed.y + (region.y - region.radius_y - crop.y) * high,
        2 * region.radius_x * wide,
        2 * region.radius_y * high,
    )


def surround(ellipse: Rectangle, *, picture: Size) -> tuple[int, int, int, int]:
    """The part of the picture that the ellipse and its soft edge can touch."""
    return (
        max(0, int(ellipse.x) - SOFT_EDGE),
        max(0, int(ellipse.y) - SOFT_EDGE),
        min(picture.width, int(ellipse.x + ellipse.width) + SOFT_EDGE + 1),
        min(picture.height, int(ellipse.y + ellipse.height) + SOFT_EDGE + 1),
    )


def draw_mask(ellipse: Rectangle, *, box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    left, top = ellipse.x - box[0], ellipse.y - box[1]
    ImageDraw.Draw(mask).ellipse((left, top, left + ellipse.width, top + ellipse.height), fill=255)
    return mask.filter(ImageFilter.BoxBlur(SOFT_EDGE / 2))
