"""What the worker's tests render, and a platform to render it for."""

import tempfile
from threading import Event

import httpx
import pytest

from gpu.reports import World
from gpu.work import work
from millrace.domain.rendering import RenderOrder
from tests.gpu.films import make_film
from tests.gpu.platform import running_platform

KEYFRAME = {"frame": 0, "x": 0, "y": 0, "width": 320, "height": 180}
FRAMING = {"crop_keyframes": [KEYFRAME], "output_width": 320, "output_height": 180}


@pytest.fixture(scope="session")
def reel(tmp_path_factory):
    """Two seconds of 50 numbered pictures, 320 by 180, with a beep at 0.5 and at 1.5 s."""
    return make_film(tmp_path_factory.mktemp("reel") / "reel.mp4", beeps=(0.5, 1.5))


@pytest.fixture
def told():
    """How much is done, as it was told."""
    return []


@pytest.fixture
def platform(reel):
    """It holds the reel, and wants it framed."""
    with running_platform() as platform:
        platform.objects["input.mp4"] = reel.read_bytes()
        platform.assign("framing", params=FRAMING)
        yield platform


class Clock:
    """Every look at it is `step` later; waiting moves it and is written down."""

    def __init__(self):
        self.seconds, self.step, self.waits = 0.0, 0.3, []

    def now(self):
        self.seconds += self.step
        return self.seconds

    def wait(self, seconds):
        self.waits.append(seconds)
        self.seconds += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempt(platform, clock, tmp_path, monkeypatch):
    """Carry the attempt out, and see that it leaves nothing on the disk."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    def run(stopping=None):
        order = RenderOrder(job_id="j1", attempt=3, callback_url=platform.callback_url)
        with httpx.Client(trust_env=False) as http:
            world = World(http=http, now=clock.now, wait=clock.wait, stopping=stopping or Event())
            outcome = work(order, provider_job_id="r1", world=world)
        assert list(folder.iterdir()) == []
        return outcome

    return run
