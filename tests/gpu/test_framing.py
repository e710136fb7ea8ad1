"""Framing: what is in the picture, when, and with which sound."""

import numpy as np
import pytest

from gpu.failures import StartAfterEnd
from gpu.renders.framing import render_framing
from gpu.video.opening import opening, picture_stream
from millrace.domain.exports import FramingParams
from tests.gpu.films import make_film, turn, watch

WHOLE = {"frame": 0, "x": 0, "y": 0, "width": 320, "height": 180}


def frame(source, folder, told=None, **params):
    wanted = {"crop_keyframes": [WHOLE], "output_width": 320, "output_height": 180, **params}
    target = folder / "framed.mp4"
    tell = (told if told is not None else []).append
    rendered = render_framing(FramingParams.model_validate(wanted), source=source, target=target, tell=tell)
    return rendered, watch(target)


def test_the_whole_video_keeps_every_picture_its_length_and_its_sound(reel, tmp_path, told):
    rendered, seen = frame(reel, tmp_path, told)

    assert seen.numbers == list(range(50))
    assert rendered.frames == 50
    assert seen.size == (320, 180)
    assert seen.codec == "h264"
    assert seen.seconds == pytest.approx(2.0)
    assert seen.beeps() == pytest.approx([0.5, 1.5], abs=0.01)
    assert len(seen.sound) / 48_000 == pytest.approx(2.0, abs=0.03)
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] > 0.9


def test_a_cut_begins_and_ends_at_its_pictures_and_its_sound_stays_with_them(reel, tmp_path):
    rendered, seen = frame(reel, tmp_path, start_time=0.4, end_time=1.8)

    assert seen.numbers == list(range(10, 45))
    assert rendered.frames == 35
    assert seen.times[0] == 0.0
    assert seen.seconds == pytest.approx(1.4)
    assert seen.beeps() == pytest.approx([0.1, 1.1], abs=0.01)
    assert len(seen.sound) / 48_000 == pytest.approx(1.4, abs=0.03)


def test_a_cut_far_into_a_video_is_found_without_decoding_all_before_it(tmp_path):
    source = make_film(tmp_path / "long.mp4", seconds=9, beeps=(7.5,))

    _, seen = frame(source, tmp_path, start_time=7.2, end_time=8)

    assert seen.numbers == list(range(180, 200))
    assert seen.beeps() == pytest.approx([0.3], abs=0.01)


def test_a_cut_that_would_end_after_the_video_ends_with_it(reel, tmp_path):
    _, seen = frame(reel, tmp_path, start_time=1.6, end_time=30)

    assert seen.numbers == list(range(40, 50))


def test_a_cut_that_starts_after_the_end_says_so(reel, tmp_path):
    with pytest.raises(StartAfterEnd, match=r"The cut starts at 2.00 s, but the video ends at 2.00 s"):
        frame(reel, tmp_path, start_time=2)


def test_the_crop_follows_its_keyframes(reel, tmp_path):
    # From the red left border to the blue right one within ten frames, then it stands.
    left = {"frame": 0, "x": 0, "y": 20, "width": 20, "height": 20}
    right = {"frame": 10, "x": 300, "y": 20, "width": 20, "height": 20}

    _, seen = frame(reel, tmp_path, crop_keyframes=[left, right], output_width=160, output_height=160)

    colors = [picture.reshape(-1, 3).mean(axis=0) for picture in seen.pictures]
    assert seen.size == (160, 160)
    assert colors[0] == pytest.approx((200, 30, 30), abs=12)
    assert colors[5] == pytest.approx((60, 120, 60), abs=12)
    assert colors[10] == pytest.approx((30, 30, 200), abs=12)
    assert colors[-1] == pytest.approx((30, 30, 200), abs=12)


def test_keyframes_count_from_the_first_picture_of_the_cut(reel, tmp_path):
    left = {"frame": 4, "x": 0, "y": 20, "width": 20, "height": 20}
    right = {"frame": 5, "x": 300, "y": 20, "width": 20, "height": 20}
    wanted = {"crop_keyframes": [left, right], "output_width": 160, "output_height": 160}

    _, seen = frame(reel, tmp_path, start_time=1.0, **wanted)

    redness = [picture[..., 0].mean() > 100 for picture in seen.pictures[:8]]
    assert redness == [True] * 5 + [False] * 3


def test_a_crop_of_another_aspect_is_shown_whole_between_bars(reel, tmp_path):
    _, seen = frame(reel, tmp_path, output_width=180, output_height=320)

    picture = seen.pictures[20]
    assert picture[:100].max() < 12
    assert picture[-100:].max() < 12
    assert picture[160, 90] == pytest.approx((60, 120, 60), abs=12)
    assert picture[160, 3] == pytest.approx((200, 30, 30), abs=20)


def test_colours_are_what_they_were(tmp_path):
    source = make_film(tmp_path / "green.mp4", seconds=0.4, color=(20, 200, 90), sound=False)

    _, seen = frame(source, tmp_path)

    assert seen.pictures[3][100, 150] == pytest.approx((20, 200, 90), abs=6)


def test_pictures_keep_the_uneven_times_of_a_phone(tmp_path):
    ticks = [0, 3, 10, 14, 15, 31, 40, 44, 60, 80]
    source = make_film(tmp_path / "uneven.mp4", ticks=ticks, seconds=1)

    _, seen = frame(source, tmp_path)

    assert seen.numbers == list(range(10))
    assert seen.times == pytest.approx([tick / 100 for tick in ticks], abs=0.001)


def test_a_phone_held_upright_gives_an_upright_picture(tmp_path):
    source = turn(make_film(tmp_path / "upright.mp4", seconds=0.4), 90)
    tall = {"frame": 0, "x": 0, "y": 0, "width": 180, "height": 320}

    _, seen = frame(source, tmp_path, crop_keyframes=[tall], output_width=180, output_height=320)

    # Turned clockwise: what was left is above, what was right is below.
    assert seen.pictures[0][5, 20] == pytest.approx((200, 30, 30), abs=20)
    assert seen.pictures[0][-5, 20] == pytest.approx((30, 30, 200), abs=20)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", {}),
        ("a.mov", {}),
        ("a.ts", {}),
        ("a.webm", {"codec": "libvpx", "sound_codec": "libopus"}),
        ("a.avi", {"codec": "mpeg4", "sound_codec": "pcm_s16le"}),
    ],
)
def test_other_containers_and_codecs_are_read_too(tmp_path, name, options):
    source = make_film(tmp_path / name, beeps=(0.5,), **options)

    rendered, seen = frame(source, tmp_path, start_time=0.2)

    assert seen.numbers == list(range(5, 50))
    assert rendered.frames == 45
    assert seen.beeps() == pytest.approx([0.3], abs=0.02)


def test_a_silent_video_stays_silent(tmp_path):
    source = make_film(tmp_path / "silent.mp4", seconds=0.4, sound=False)

    _, seen = frame(source, tmp_path)

    assert len(seen.pictures) == 10
    assert len(seen.sound) == 0


def test_sound_that_ends_early_is_silent_to_the_end(tmp_path):
    source = make_film(tmp_path / "short_sound.mp4", seconds=0.5, ticks=range(0, 200, 4))

    _, seen = frame(source, tmp_path)

    assert len(seen.sound) / 48_000 == pytest.approx(2.0, abs=0.03)
    assert np.abs(seen.sound[: 48_000 // 2]).max() > 0.3
    assert np.abs(seen.sound[48_000:]).max() < 0.01


def test_the_film_plays_while_it_loads(reel, tmp_path):
    frame(reel, tmp_path)

    data = (tmp_path / "framed.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with opening(tmp_path / "framed.mp4") as container:
        assert picture_stream(container).codec_context.colorspace == 1
