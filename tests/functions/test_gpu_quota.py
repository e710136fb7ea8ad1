"""What is said of the month's GPU seconds when an export is asked for."""

import pytest

from tests.events import said
from tests.functions.conftest import World
from tests.functions.rendering import Studio


@pytest.fixture
def studio(world: World) -> Studio:
    return Studio(world)


def test_beyond_the_month_s_gpu_seconds_an_export_is_refused(studio):
    studio.put_project()
    long = {"clips": [{"start_time": 0, "end_time": 291, "name": "All of it"}]}

    answer = studio.create(studio.upload(), params=long)

    assert (answer["statusCode"], said(answer)["error"]) == (429, "GpuQuotaExceeded")
    assert said(answer)["usage"] == {
        "used": 0, "limit": 600, "month": "2025-12", "tier": "free", "wanted": 602,
        "resets_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    assert answer["headers"]["Retry-After"] == str(14 * 86_400 + 14 * 3_600)
    assert answer["headers"]["RateLimit"].startswith('"month";r=600;t=')


def test_most_of_the_month_s_gpu_seconds_is_warned_of_when_accepted_and_when_refused(studio):
    studio.put_project()
    video_key = studio.upload()
    clips = [{"start_time": 0, "end_time": 230, "name": "Most of it"}]

    accepted = studio.create(video_key, params={"clips": clips})
    refused = studio.create(video_key, params={"clips": [clips[0] | {"end_time": 231}]})

    assert (accepted["statusCode"], refused["statusCode"]) == (201, 429)
    for answer in (accepted, refused):
        assert said(answer)["usage"]["warning"] == "480 of 600 gpu seconds of 2025-12 are used."
