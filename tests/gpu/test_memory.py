"""However long a video is, few of its pictures are alive at once."""

import weakref

import pytest

from gpu.renders import scene
from gpu.renders.framing import render_framing
from gpu.video.soundtrack import RATE, Soundtrack
from millrace.domain.exports import FramingParams
from tests.gpu.conftest import FRAMING
from tests.gpu.films import make_film


@pytest.mark.parametrize("seconds", [1, 6])
def test_pictures_are_let_go_as_soon_as_they_are_written(tmp_path, monkeypatch, seconds):
    source = make_film(tmp_path / "source.mp4", seconds=seconds)
    seen, alive = [], []
    upright = scene.upright

    def watched(frame, *, rotation):
        image = upright(frame, rotation=rotation)
        seen.append(weakref.ref(image))
        alive.append(sum(picture() is not None for picture in seen))
        return image

    monkeypatch.setattr(scene, "upright", watched)
    params = FramingParams.model_validate(FRAMING)

    render_framing(params, source=source, target=tmp_path / "out.mp4", tell=lambda share: None)

    assert len(alive) == seconds * 25
    assert max(alive) <= 2


def test_silence_of_hours_is_made_a_second_at_a_time():
    silence = Soundtrack().fill(until=3 * 3600 * RATE)

    assert all(next(silence).samples == RATE for _ in range(5))
