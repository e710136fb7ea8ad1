"""Attempts that end without a result: what the platform is told of it, and what stays behind."""

import json
from threading import Event

import pytest

from gpu import work as working
from tests.gpu.platform import SECRET, STOP, failing

CLIPS = [{"start_time": 0.4, "end_time": 0.8, "name": "A goal", "rating": 4, "tags": ["goal"]}]


def failure_of(platform, outcome):
    """What the platform was told of it."""
    report = platform.reports[-1]
    assert report["event"] == "error"
    assert outcome["error"] == report["message"]
    assert platform.events.count("error") == 1
    return report["code"], report["should_retry"]


@pytest.mark.parametrize("content", [b"", b"no video at all" * 999])
def test_an_input_that_is_no_video_fails_for_good(platform, attempt, content):
    platform.objects["input.mp4"] = content

    assert failure_of(platform, attempt()) == ("NotAVideo", False)


def test_an_input_that_is_gone_fails_for_good(platform, attempt):
    del platform.objects["input.mp4"]

    assert failure_of(platform, attempt()) == ("InputMissing", False)
    assert platform.asked == [("GET", "input.mp4")]


def test_a_download_that_fails_is_repeated_and_then_left_to_another_attempt(platform, attempt, clock):
    platform.answers = lambda what, *_: 503 if what == "GET" else None

    assert failure_of(platform, attempt()) == ("InputUnavailable", True)
    assert platform.asked == [("GET", "input.mp4")] * 4
    assert clock.waits == [1, 4, 16]


def test_an_input_that_is_larger_than_a_worker_takes_is_not_fetched(platform, attempt, monkeypatch):
    monkeypatch.setattr("gpu.transfer.MOST_BYTES", 1000)

    assert failure_of(platform, attempt()) == ("VideoTooLarge", False)


def test_an_upload_that_is_refused_is_left_to_an_attempt_with_fresh_links(platform, attempt, clock):
    platform.answers = lambda what, *_: 403 if what == "PUT" else None

    assert failure_of(platform, attempt()) == ("UploadRefused", True)
    assert [what for what, _ in platform.asked].count("PUT") == 1
    assert clock.waits == []


def test_an_upload_that_fails_is_repeated(platform, attempt):
    statuses = iter([500, 503])
    platform.answers = lambda what, *_: next(statuses, None) if what == "PUT" else None

    assert attempt()["event"] == "complete"
    assert [what for what, _ in platform.asked].count("PUT") == 3


def half_delivered(platform, *, answer, meanwhile=lambda: None):
    """The video is taken and its list of clips is not. A report of that is answered so."""
    platform.assign("annotate", params={"clips": CLIPS}, clips=True)

    def respond(what, name="", *_):
        if (what, name) == ("PUT", "clips.tsv"):
            meanwhile()
            return 403
        return answer if isinstance(what, dict) and what["event"] == "error" else None

    platform.answers = respond


@pytest.mark.parametrize("answer", [None, 401])
def test_a_failure_deletes_nothing_that_may_be_the_result_by_another_copy_of_the_attempt(
    platform, attempt, answer
):
    half_delivered(platform, answer=answer)

    assert failure_of(platform, attempt()) == ("UploadRefused", True)
    assert set(platform.objects) == {"input.mp4", "out.mp4"}


def test_a_failure_that_is_answered_with_stop_deletes_what_was_written(platform, attempt):
    half_delivered(platform, answer=STOP)

    assert attempt() == {"event": "stopped"}
    assert set(platform.objects) == {"input.mp4"}


def test_stopped_by_the_provider_it_deletes_nothing_for_only_the_platform_knows_whose_it_is(
    platform, attempt
):
    stopping = Event()
    half_delivered(platform, answer=None, meanwhile=stopping.set)
    platform.answers = lambda *asked, refusing=platform.answers: 503 if refusing(*asked) == 403 else None

    assert attempt(stopping) == {"event": "stopped"}
    assert set(platform.objects) == {"input.mp4", "out.mp4"}


def test_an_unknown_fault_is_told_without_its_details_and_tried_again(platform, attempt, monkeypatch, caplog):
    def render(*_, **__):
        raise ZeroDivisionError("details")

    monkeypatch.setattr(working, "render", render)

    outcome = attempt()

    assert failure_of(platform, outcome) == ("RenderFault", True)
    assert "details" not in json.dumps(platform.reports)
    assert "details" in caplog.text


def test_a_failure_that_cannot_be_told_is_still_told_to_the_provider(platform, attempt):
    platform.objects["input.mp4"] = b"garbage"
    platform.answers = failing("error", 99)

    outcome = attempt()

    assert (outcome["code"], outcome["should_retry"]) == ("NotAVideo", False)
    assert outcome["error"]


@pytest.mark.parametrize(
    "answers",
    [failing("complete", 99), failing("started", 99), lambda what, *_: 503 if what == "PUT" else None],
)
def test_no_link_is_ever_logged(platform, attempt, caplog, answers):
    platform.answers = answers

    outcome = attempt()

    assert SECRET not in caplog.text
    assert SECRET not in json.dumps([outcome, platform.reports])
