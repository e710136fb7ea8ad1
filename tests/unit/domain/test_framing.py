"""Crops between keyframes, rectangles in pictures, regions of frames."""

import pytest

from millrace.domain.exports import CropKeyframe, HighlightRegion
from millrace.domain.framing import (
    Rectangle,
    Size,
    clamp,
    covers,
    crop_at,
    fit_within,
    is_outside,
    place,
)

PICTURE = Size(320, 180)


def keyframe(frame, x=0, y=0, width=90, height=160):
    return CropKeyframe(frame=frame, x=x, y=y, width=width, height=height)


def region(**changed):
    ellipse = {"start_frame": 5, "end_frame": 9, "x": 50, "y": 50, "radius_x": 10, "radius_y": 20}
    return HighlightRegion(**ellipse | changed)


@pytest.mark.parametrize(
    ("frame", "x", "width"), [(0, 10, 40), (10, 10, 40), (15, 20, 50), (20, 30, 60), (99, 30, 60)]
)
def test_a_crop_is_linear_between_keyframes_and_stands_still_outside(frame, x, width):
    keyframes = [keyframe(10, x=10, width=40), keyframe(20, x=30, width=60)]

    crop = crop_at(keyframes, frame, picture=PICTURE)

    assert (crop.x, crop.width) == (x, width)


def test_each_pair_of_keyframes_has_its_own_line():
    keyframes = [keyframe(0, x=0), keyframe(4, x=40), keyframe(6, x=0)]

    assert [crop_at(keyframes, frame, picture=PICTURE).x for frame in range(8)] == [
        0, 10, 20, 30, 40, 20, 0, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (Rectangle(-5, -5, 90, 160), Rectangle(0, 0, 90, 160)),
        (Rectangle(300, 100, 90, 160), Rectangle(230, 20, 90, 160)),
        (Rectangle(10, 10, 1000, 20), Rectangle(0, 10, 320, 20)),
        (Rectangle(10, 10, 0.1, 0.1), Rectangle(10, 10, 1, 1)),
        (Rectangle(5000, 5000, 5000, 5000), Rectangle(0, 0, 320, 180)),
    ],
)
def test_a_rectangle_is_moved_into_the_picture(wanted, seen):
    assert clamp(wanted, picture=PICTURE) == seen


@pytest.mark.parametrize(
    ("crop", "placed"),
    [
        (Rectangle(7, 7, 90, 160), Rectangle(0, 0, 180, 320)),
        (Rectangle(0, 0, 320, 180), Rectangle(0, 109, 180, 101)),
        (Rectangle(0, 0, 10, 160), Rectangle(80, 0, 20, 320)),
        (Rectangle(0, 0, 1, 4000), Rectangle(89, 0, 1, 320)),
    ],
)
def test_a_crop_is_shown_whole_and_never_stretched(crop, placed):
    assert place(crop, output=Size(180, 320)) == placed


@pytest.mark.parametrize(
    ("picture", "fitting"),
    [
        (Size(1920, 1080), Size(1920, 1080)),
        (Size(321, 181), Size(320, 180)),
        (Size(7680, 4320), Size(3840, 2160)),
        (Size(1, 1), Size(2, 2)),
    ],
)
def test_a_picture_keeps_its_size_as_far_as_an_encoder_takes_it(picture, fitting):
    assert fit_within(picture, longest=3840) == fitting


def test_a_region_covers_its_first_and_its_last_frame():
    assert [frame for frame in range(20) if covers(region(), frame)] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("place_of_it", "outside"),
    [
        ({"x": 0}, False),
        ({"x": -9}, False),
        ({"x": -10}, True),
        ({"x": 330}, True),
        ({"y": 199}, False),
        ({"y": 200}, True),
        ({"y": -20}, True),
    ],
)
def test_a_region_is_outside_when_nothing_of_it_can_be_seen(place_of_it, outside):
    assert is_outside(region(**place_of_it), picture=PICTURE) is outside
