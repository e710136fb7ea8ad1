"""Annotate: clips in a row, with their titles, and the list of them."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from gpu.failures import StartAfterEnd
from gpu.renders.annotate import list_clips, render_annotate
from gpu.video.caption import Caption
from millrace.domain.exports import AnnotateParams
from millrace.domain.framing import Size
from tests.gpu.films import make_film, watch

LATE = {"start_time": 1.4, "end_time": 1.8, "name": "The second goal", "rating": 5}
EARLY = {"start_time": 0.4, "end_time": 1.0, "name": "The first goal"}


def compile_clips(source, folder, *clips, told=None):
    target = folder / "compiled.mp4"
    params = AnnotateParams.model_validate({"clips": list(clips)})
    tell = (told if told is not None else []).append
    return render_annotate(params, source=source, target=target, tell=tell), watch(target)


def burnt(title="The first goal", rating=3, size=(320, 180)):
    """A green picture with a caption."""
    caption = Caption(title, rating=rating, picture=Size(*size))
    return np.asarray(caption.burn(Image.new("RGB", size, (60, 120, 60)))).astype(int)


def test_the_clips_follow_each_other_in_the_order_that_was_asked(reel, tmp_path, told):
    rendered, seen = compile_clips(reel, tmp_path, LATE, EARLY, told=told)

    assert seen.numbers == [*range(35, 45), *range(10, 25)]
    assert rendered.frames == 25
    assert seen.seconds == pytest.approx(1.0)
    assert rendered.seconds == pytest.approx(1.0)
    assert told == sorted(told)
    assert 0.9 < told[-1] <= 1


def test_each_clip_brings_its_own_sound_in_time(reel, tmp_path):
    _, seen = compile_clips(reel, tmp_path, LATE, EARLY)

    assert seen.beeps() == pytest.approx([0.1, 0.5], abs=0.01)
    assert len(seen.sound) / 48_000 == pytest.approx(1.0, abs=0.03)


def test_many_short_clips_do_not_drift(reel, tmp_path):
    clips = [{"start_time": 0.45, "end_time": 0.65, "name": f"Clip {number}"} for number in range(10)]

    _, seen = compile_clips(reel, tmp_path, *clips)

    assert seen.beeps() == pytest.approx([0.05 + 0.2 * number for number in range(10)], abs=0.012)
    assert len(seen.pictures) == 50


def test_a_title_is_burnt_into_the_bottom_of_its_clip_alone(reel, tmp_path):
    _, seen = compile_clips(reel, tmp_path, LATE, EARLY)
    source = watch(reel).pictures

    for shown, number in zip(seen.pictures, seen.numbers, strict=True):
        change = np.abs(shown.astype(int) - source[number])
        assert change[:150].mean() < 4
        assert change[165:178].mean() > 25
    # Another title, another picture; within a clip it stands.
    first, last, other = (seen.pictures[number][163:].astype(int) for number in (0, 9, 12))
    assert np.abs(first - last).mean() < 2
    assert np.abs(first - other).mean() > 3


def test_what_is_not_in_the_caption_stays_as_it_was():
    assert (burnt()[:160] == (60, 120, 60)).all()
    assert (burnt()[165:] != (60, 120, 60)).any()


def test_stars_say_the_rating():
    gold = [
        int(((picture[..., 0] > 200) & (picture[..., 2] < 120)).sum())
        for picture in (burnt(rating=rating) for rating in range(1, 6))
    ]

    assert gold[0] > 5
    assert gold == sorted(set(gold))
    assert gold[4] == pytest.approx(5 * gold[0], rel=0.3)


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (160, 160), (3840, 2160), (20, 40)])
def test_a_long_title_is_shortened_to_the_room_there_is(size):
    picture = burnt("A title that goes on and on " * 7, size=size)

    assert picture.shape == (size[1], size[0], 3)


def test_a_clip_behind_the_end_is_named_before_anything_is_rendered(reel, tmp_path, told):
    behind = {"start_time": 5, "end_time": 6, "name": "Extra time"}

    with pytest.raises(
        StartAfterEnd, match=r"The clip 'Extra time' starts at 5.00 s, but the video ends at 2"
    ):
        compile_clips(reel, tmp_path, EARLY, behind, told=told)

    assert told == []


def test_odd_sizes_are_made_even(tmp_path):
    source = make_film(tmp_path / "odd.mkv", seconds=0.4, size=(321, 181), codec="ffv1", sound=False)

    _, seen = compile_clips(source, tmp_path, {"start_time": 0, "end_time": 1, "name": "All"})

    assert seen.size == (320, 180)


def test_the_list_is_a_line_for_each_clip_with_tabs_between():
    noted = {**LATE, "notes": 'Left foot,\n\tfrom "far" away', "tags": ["goal", "left"]}
    clips = AnnotateParams.model_validate({"clips": [noted, EARLY]}).clips

    rows = list(csv.DictReader(io.StringIO(list_clips(clips)), delimiter="\t", quoting=csv.QUOTE_NONE))

    assert rows == [
        {
            "start_time": "1.400",
            "end_time": "1.800",
            "name": "The second goal",
            "rating": "5",
            "tags": "goal, left",
            "notes": 'Left foot, from "far" away',
        },
        {
            "start_time": "0.400",
            "end_time": "1.000",
            "name": "The first goal",
            "rating": "3",
            "tags": "",
            "notes": "",
        },
    ]
