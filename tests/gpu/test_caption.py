"""Titles in the letters that people write, with the font of the image and without it."""

import numpy as np
import pytest
from PIL import Image

from gpu.video import caption as captions
from gpu.video.caption import NO_LETTER, Caption, load_font, spell
from millrace.domain.framing import Size


def burnt(title):
    caption = Caption(title, rating=3, picture=Size(640, 360))
    return np.asarray(caption.burn(Image.new("RGB", (640, 360)))).tolist()


@pytest.fixture
def no_font(monkeypatch):
    monkeypatch.setattr(captions, "FONT", "no such font.ttf")


@pytest.mark.parametrize(
    "title", ["José Müller", "Jose\u0301 Mu\u0308ller", "Łukasz Ødegård", "Ильич", "日本 🎉"]
)
def test_no_letter_is_drawn_as_the_box_of_a_missing_one(title):
    font = load_font(20)
    box = bytes(font.getmask(NO_LETTER))

    assert box not in [bytes(font.getmask(letter)) for letter in spell(title, font=font)]


def test_without_the_images_font_letters_lose_their_accents(no_font):
    assert burnt("José Müller") == burnt("Jose\u0301 Mu\u0308ller") == burnt("Jose Muller")


def test_without_the_images_font_a_letter_without_likeness_is_a_question_mark(no_font):
    assert burnt("Łukasz, 日本") == burnt("?ukasz, ??")


def test_what_is_no_letter_of_its_own_leaves_no_mark(no_font):
    # As behind a heart that is to be red, or between the people of a family.
    assert burnt("A\ufe0fB\u200dC\u0332") == burnt("ABC")


def test_the_images_font_is_found_by_its_name(no_font, monkeypatch, tmp_path):
    own = load_font(20)
    (tmp_path / "Another.ttf").write_bytes(own.path.getvalue())

    monkeypatch.setattr(captions, "FONT", str(tmp_path / "Another.ttf"))

    assert load_font(20).path == str(tmp_path / "Another.ttf")


def test_a_letter_that_the_font_has_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(captions, "draws", lambda _font, letter: letter in "José")

    assert spell("Jose\u0301ß", font=load_font(20)) == "José?"
    assert spell("José", font=load_font(20)) == "José"
