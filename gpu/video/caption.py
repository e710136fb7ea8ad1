"""A clip's title and rating, on a band at the bottom of the picture."""

import math
import unicodedata

from PIL import Image, ImageDraw, ImageFont

from millrace.domain.framing import Size

MOST_STARS = 5
BAND = (0, 0, 0, 150)
TEXT = (255, 255, 255, 255)
GOLD = (255, 200, 40, 255)
GREY = (150, 150, 150, 255)
SMALLEST_TEXT = 10
# Latin, Greek and Cyrillic; the image has it (gpu/Dockerfile).
FONT = "DejaVuSans.ttf"
# Never will it be a letter: what a font draws for it, it draws for all that it does not know.
NO_LETTER = "\U0010ffff"
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Caption:
    """Drawn once, then laid over every picture of the clip."""

    def __init__(self, title: str, *, rating: int, picture: Size):
        size = max(SMALLEST_TEXT, min(picture.width, picture.height) // 20)
        font = load_font(size)
        shown = spell(title, font=font)
        self._band = Image.new("RGBA", (picture.width, size * 2), BAND)
        self._top = picture.height - size * 2
        draw = ImageDraw.Draw(self._band)
        stars_width = size * MOST_STARS
        draw_stars(draw, rating, left=picture.width - stars_width - size // 2, size=size)
        room = picture.width - stars_width - size * 2
        draw.text((size // 2, size), shorten(shown, font=font, room=room), TEXT, font=font, anchor="lm")

    def burn(self, image: Image.Image) -> Image.Image:
        """Into the picture itself."""
        image.paste(self._band, (0, self._top), self._band)
        return image


def load_font(size: int) -> Font:
    """On a machine without that of the image, Pillow's own, which knows ASCII and little more."""
    try:
        return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return ImageFont.load_default(size)


def spell(title: str, *, font: Font) -> str:
    """In letters that the font has: é as e where it has no é, and as ? what is like none of them."""
    return "".join(spell_letter(letter, font=font) for letter in unicodedata.normalize("NFC", title))


def spell_letter(letter: str, *, font: Font) -> str:
    if draws(font, letter):
        return letter
    # Accents, joiners and the like show only in what is before them.
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return ""
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if draws(font, part)) or "?"


def draws(font: Font, letter: str) -> bool:
    return bytes(font.getmask(letter)) != bytes(font.getmask(NO_LETTER))


def shorten(title: str, *, font: Font, room: float) -> str:
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
