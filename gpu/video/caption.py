"""A clip's title and rating, on a band at the bottom of the picture."""

import math

from PIL import Image, ImageDraw, ImageFont

from millrace.domain.framing import Size

MOST_STARS = 5
BAND = (0, 0, 0, 150)
TEXT = (255, 255, 255, 255)
GOLD = (255, 200, 40, 255)
GREY = (150, 150, 150, 255)
SMALLEST_TEXT = 10


class Caption:
    """Drawn once, then laid over every picture of the clip."""

    def __init__(self, title: str, *, rating: int, picture: Size):
        size = max(SMALLEST_TEXT, min(picture.width, picture.height) // 20)
        font = ImageFont.load_default(size)
        self._band = Image.new("RGBA", (picture.width, size * 2), BAND)
        self._top = picture.height - size * 2
        draw = ImageDraw.Draw(self._band)
        stars_width = size * MOST_STARS
        draw_stars(draw, rating, left=picture.width - stars_width - size // 2, size=size)
        room = picture.width - stars_width - size * 2
        draw.text((size // 2, size), shorten(title, font=font, room=room), TEXT, font=font, anchor="lm")

    def burn(self, image: Image.Image) -> Image.Image:
        """Into the picture itself."""
        image.paste(self._band, (0, self._top), self._band)
        return image


def shorten(title: str, *, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    """As much of the title as there is room for."""
    if font.getlength(title) <= room:
        return title
    while title and font.getlength(f"{title}...") > room:
        title = title[:-1]
    return f"{title.rstrip()}..."


def draw_stars(draw: ImageDraw.ImageDraw, rating: int, *, left: int, size: int) -> None:
    """Five of them, as many in gold as the rating says."""
    for number in range(MOST_STARS):
        middle = left + size * number + size / 2
        draw.polygon(star(middle, middle_y=size, radius=size * 0.45), GOLD if number < rating else GREY)


def star(middle_x: float, *, middle_y: float, radius: float) -> list[tuple[float, float]]:
    corners = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.45
        angle = math.pi * corner / 5
        corners.append((middle_x + reach * math.sin(angle), middle_y - reach * math.cos(angle)))
    return corners
