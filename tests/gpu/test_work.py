"""A whole attempt against a platform that listens, or does not."""

from itertools import pairwise
from threading import Event

import pytest
from pydantic import TypeAdapter

from gpu import work as working
from gpu.reports import WAITS_SECONDS
from millrace.domain.rendering import WorkerReport
from tests.gpu.films import watch
from tests.gpu.platform import STOP, failing

CLIPS = [{"start_time": 0.4, "end_time": 0.8, "name": "A goal", "rating": 4, "tags": ["goal"]}]


def test_an_attempt_is_told_from_its_start_to_its_end(platform, attempt, tmp_path):
    outcome = attempt()

    assert platform.events[0] == "started"
    assert platform.events[-1] == "complete"
    assert set(platform.events[1:-1]) == {"progress"}
    for report in platform.reports:
        TypeAdapter(WorkerReport).validate_python(report)
        assert (report["job_id"], report["attempt"], report["provider_job_id"]) == ("j1", 3, "r1")
    complete = platform.reports[-1]
    assert outcome == complete
    assert complete["output_video_key"] == "tenants/t1/out.mp4"
    assert complete["frames"] == 50
    assert complete["duration_seconds"] == 2.0
    assert complete["output_bytes"] == len(platform.objects["out.mp4"])
    assert complete["encoder"] in ("libx264", "h264_nvenc")
    (tmp_path / "seen.mp4").write_bytes(platform.objects["out.mp4"])
    assert watch(tmp_path / "seen.mp4").numbers == list(range(50))


def test_progress_rises_from_the_download_over_the_render_to_the_upload(platform, attempt):
    attempt()

    told = [report["progress"] for report in platform.reports if report["event"] == "progress"]
    assert told[0] == 5
    assert told[-1] == 95
    assert told == sorted(told)
    assert any(10 < progress < 90 for progress in told)


def test_there_is_at_most_one_report_a_second(platform, attempt, clock):
    clock.step = 0.1
    times = []
    platform.answers = lambda report, *_: times.append(clock.seconds) if isinstance(report, dict) else None

    attempt()

    of_progress = [time for time, event in zip(times, platform.events, strict=True) if event == "progress"]
    gaps = [later - earlier for earlier, later in pairwise(of_progress)]
    assert len(gaps) >= 3
    assert min(gaps) >= 1.0 - 0.11


def test_without_news_a_heartbeat_asks_whether_the_work_is_still_wanted(platform, attempt, monkeypatch):
    def render(assignment, *, source, target, tell):
        for _ in range(100):
            tell(0.5)
        raise AssertionError("it was told to stop long ago")

    monkeypatch.setattr(working, "render", render)
    halves = []

    def answer(report, *_):
        if isinstance(report, dict) and report.get("progress") == 50:
            halves.append(report)
            return STOP if len(halves) == 3 else None
        return None

    platform.answers = answer

    assert attempt() == {"event": "stopped"}


@pytest.mark.parametrize("event", ["started", "progress", "complete"])
def test_told_to_stop_it_ends_at_once_and_deletes_what_it_wrote(platform, attempt, event):
    platform.answers = failing(event, 1, answer=STOP)

    outcome = attempt()

    assert outcome == {"event": "stopped"}
    assert platform.events[-1] == event
    assert platform.events.count(event) == 1
    assert set(platform.objects) == {"input.mp4"}
    assert (("DELETE", "out.mp4") in platform.asked) == (event == "complete")


def test_the_provider_may_stop_it_too(platform, attempt):
    stopping = Event()
    stopping.set()

    assert attempt(stopping) == {"event": "stopped"}
    assert platform.events == ["started"]
    assert platform.asked == []


@pytest.mark.parametrize("event", ["started", "complete"])
def test_a_callback_that_fails_is_made_again_after_longer_and_longer_waits(platform, attempt, clock, event):
    platform.answers = failing(event, 4)

    assert attempt()["event"] == "complete"
    assert platform.events.count(event) == 5
    assert clock.waits == [1, 2, 4, 8]


def test_progress_that_cannot_be_told_does_not_hold_up_the_work(platform, attempt, clock):
    platform.answers = failing("progress", 999)

    assert attempt()["event"] == "complete"
    assert clock.waits == []
    # Each pause is twice as long as the one before.
    assert 3 <= platform.events.count("progress") <= 8


def test_a_platform_that_is_gone_is_given_up_in_the_end(platform, attempt, clock):
    platform.answers = failing("started", 99, answer=503)

    outcome = attempt()

    assert outcome["error"].startswith("The platform could not be reached")
    assert clock.waits == list(WAITS_SECONDS)
    assert platform.events == ["started"] * (len(WAITS_SECONDS) + 1)


def test_a_result_that_nobody_takes_is_kept_and_told_to_the_provider(platform, attempt):
    platform.answers = failing("complete", 99)

    outcome = attempt()

    assert outcome["event"] == "complete"
    assert outcome["output_video_key"] == "tenants/t1/out.mp4"
    assert "out.mp4" in platform.objects


@pytest.mark.parametrize("status", [400, 401])
def test_a_result_that_is_refused_is_kept_and_told_to_the_provider(platform, attempt, status):
    platform.answers = failing("complete", 1, answer=status)

    assert attempt()["event"] == "complete"
    assert "out.mp4" in platform.objects


def test_a_link_that_is_over_ends_the_work(platform, attempt):
    platform.answers = failing("progress", 1, answer=401)

    outcome = attempt()

    assert "refused" in outcome["error"]
    assert platform.events == ["started", "progress"]


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"data": {"stop": "yes"}}', b"\xff"])
def test_a_start_that_is_answered_with_nonsense_is_asked_again(platform, attempt, answer):
    platform.answers = failing("started", 1, answer=answer)

    assert attempt()["event"] == "complete"
    assert platform.events[:2] == ["started", "started"]


def test_a_start_that_brings_no_work_is_no_start(platform, attempt):
    platform.answers = failing("started", 1, answer=b'{"data": {}}')

    assert "no assignment" in attempt()["error"]


def test_clips_are_delivered_with_their_list(platform, attempt, tmp_path):
    platform.assign("annotate", params={"clips": CLIPS}, clips=True)

    assert attempt()["frames"] == 10
    assert platform.objects["clips.tsv"].decode().splitlines() == [
        "start_time\tend_time\tname\trating\ttags\tnotes",
        "0.400\t0.800\tA goal\t4\tgoal\t",
    ]
