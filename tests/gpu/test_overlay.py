"""Overlay: what is inside a highlight, and what is outside."""

import numpy as np
import pytest
from PIL import Image

from gpu.failures import RegionOutside
from gpu.renders.overlay import render_overlay
from gpu.video.highlight import highlight
from millrace.domain.exports import HighlightRegion, OverlayParams
from millrace.domain.framing import Size, whole
from tests.gpu.films import make_film, watch

GREEN = (60, 120, 60)
PICTURE = Size(320, 180)


def region(**changed):
    ellipse = {"start_frame": 0, "end_frame": 999, "x": 160, "y": 90, "radius_x": 60, "radius_y": 30}
    return HighlightRegion.model_validate(ellipse | changed)


def apply(*regions, effect="spotlight", image=None):
    """A plain green picture, or another, with these regions highlighted."""
    picture = image or Image.new("RGB", (320, 180), GREEN)
    return np.asarray(highlight(picture.copy(), regions, effect=effect, crop=whole(PICTURE))).astype(int)


def test_a_spotlight_leaves_the_inside_and_darkens_the_outside():
    seen = apply(region())

    assert tuple(seen[90, 160]) == GREEN
    assert tuple(seen[90, 105]) == GREEN
    assert tuple(seen[65, 160]) == GREEN
    for x, y in ((160, 50), (160, 130), (95, 90), (225, 90), (110, 68), (0, 0)):
        assert tuple(seen[y, x]) == (18, 36, 18)


def test_opacity_is_how_much_darker_the_outside_grows():
    darkness = [apply(region(opacity=opacity))[0, 0, 1] for opacity in (0, 0.25, 0.5, 1)]

    assert darkness == [120, 99, 78, 36]


def test_a_colour_is_that_of_the_light_inside():
    seen = apply(region(color="#ff8000"))

    assert tuple(seen[90, 160]) == (60, 60, 0)
    assert tuple(seen[0, 0]) == (18, 36, 18)
    assert tuple(apply(region(color="#ff8000", opacity=0.5))[90, 160]) == (60, 90, 30)


def test_two_regions_are_both_lit_and_the_stronger_one_darkens():
    seen = apply(region(x=60, opacity=0.5), region(x=260))

    assert tuple(seen[90, 60]) == GREEN
    assert tuple(seen[90, 260]) == GREEN
    assert tuple(seen[10, 160]) == (18, 36, 18)


def test_a_blur_takes_the_detail_from_the_outside_alone():
    checks = np.indices((180, 320)).sum(axis=0) % 2 * 255
    image = Image.fromarray(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8))

    seen = apply(region(), effect="blur", image=image)

    assert seen[80:100, 140:180].std() > 120
    assert seen[:40].std() < 5
    assert seen[:40].mean() == pytest.approx(127, abs=3)
    assert apply(region(opacity=0.5), effect="blur", image=image)[:40].std() == pytest.approx(64, abs=4)


def test_a_region_at_the_edge_is_lit_as_far_as_it_can_be_seen():
    seen = apply(region(x=-30, y=170))

    assert tuple(seen[170, 10]) == GREEN
    assert tuple(seen[170, 60]) == (18, 36, 18)


def test_without_a_region_a_picture_is_as_it_was():
    assert (apply() == GREEN).all()


@pytest.fixture(scope="module")
def spotlit(reel, tmp_path_factory):
    """The reel with a highlight in the pictures 10 to 19."""
    lit = {"start_frame": 10, "end_frame": 19, "x": 160, "y": 90, "radius_x": 40, "radius_y": 40}
    params = OverlayParams.model_validate({"highlight_regions": [lit], "effect_type": "spotlight"})
    target = tmp_path_factory.mktemp("overlay") / "spotlit.mp4"
    return render_overlay(params, source=reel, target=target, tell=lambda share: None), watch(target)


def test_an_overlay_is_upright_and_has_every_picture_and_the_sound(spotlit):
    rendered, seen = spotlit

    assert seen.size == (1080, 1920)
    assert rendered.frames == len(seen.pictures) == 50
    assert seen.seconds == pytest.approx(2.0)
    assert seen.beeps() == pytest.approx([0.5, 1.5], abs=0.01)


def test_the_highlight_is_in_its_frames_and_in_no_other(spotlit):
    _, seen = spotlit
    # The picture stands 607 pixels high between bars, 3.375 times as large.
    inside, outside = (960, 540), (1160, 800)

    greens = [(int(picture[inside][1]), int(picture[outside][1])) for picture in seen.pictures]

    assert all(green == pytest.approx(120, abs=12) for green, _ in greens)
    assert [green < 60 for _, green in greens] == [10 <= number <= 19 for number in range(50)]


def test_the_highlight_stays_on_its_player_when_the_picture_is_cropped(tmp_path):
    source = make_film(tmp_path / "short.mp4", seconds=0.2, sound=False)
    crop = {"frame": 0, "x": 200, "y": 10, "width": 90, "height": 160}
    lit = {"start_frame": 0, "end_frame": 9, "x": 245, "y": 90, "radius_x": 20, "radius_y": 20}
    params = {"highlight_regions": [lit], "effect_type": "spotlight", "crop_keyframes": [crop]}

    render_overlay(
        OverlayParams.model_validate(params), source=source, target=tmp_path / "out.mp4", tell=lambda _: None
    )

    picture = watch(tmp_path / "out.mp4").pictures[2]
    assert picture[960, 540] == pytest.approx(GREEN, abs=12)
    assert picture[960, 540 + 220] == pytest.approx(GREEN, abs=12)
    assert picture[960, 540 + 260][1] < 60
    assert picture[5, 5][1] < 60


def test_a_region_outside_the_picture_is_named(reel, tmp_path):
    fine = {"start_frame": 0, "end_frame": 9, "x": 160, "y": 90, "radius_x": 20, "radius_y": 20}
    regions = [fine, fine | {"x": 400}]
    wanted = OverlayParams.model_validate({"highlight_regions": regions, "effect_type": "blur"})

    with pytest.raises(RegionOutside, match="region 1 is outside the picture, which has 320 by 180 pixels"):
        render_overlay(wanted, source=reel, target=tmp_path / "out.mp4", tell=lambda _: None)
