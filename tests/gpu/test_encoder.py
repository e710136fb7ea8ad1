"""The card's encoder where there is one, x264 where there is none."""

import pytest

from gpu.video import encoder
from gpu.video.encoder import NVENC, X264, choose_encoder, works
from millrace.domain.framing import Size


def test_x264_is_in_the_wheel():
    assert works(X264)


def test_what_cannot_be_opened_does_not_work():
    assert not works(encoder.Encoder("h264_of_nobody", ()))


@pytest.mark.parametrize(
    ("has_card", "size", "chosen"),
    [
        (True, Size(1080, 1920), NVENC),
        (False, Size(1080, 1920), X264),
        (True, Size(1080, 120), X264),
    ],
)
def test_the_card_is_used_where_there_is_one_and_the_picture_is_not_too_small(
    monkeypatch, has_card, size, chosen
):
    monkeypatch.setattr(encoder, "works", lambda wanted: wanted is X264 or has_card)

    assert choose_encoder(size) is chosen
