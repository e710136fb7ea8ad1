"""Callbacks over HTTP: what comes of each word that is taken."""

from datetime import timedelta

import pytest

from millrace.errors import BucketError, GpuUnknown
from tests.export_bed import VIDEO, ExportBed
from tests.functions.calling_back import GO_ON, KEY, STOP, completed, failed, post, said, upload, webhook


@pytest.fixture
def bed(db, clock, tmp_path):
    """Handed over to the provider, which has told its id."""
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    assert bed.run().state == "submitted"
    return bed


def test_who_starts_is_told_what_to_do_with_links_that_are_fresh(bed):
    bed.clock.advance(minutes=9)

    status, answer = post(bed, said("started"))

    assignment = answer["data"]["assignment"]
    assert (status, answer["data"]["stop"]) == (200, False)
    assert (assignment["type"], assignment["output_video_key"]) == ("overlay", KEY)
    assert assignment["params"]["effect_type"] == "blur"
    assert "videos/match_a" in assignment["input"]["url"]
    assert assignment["video"]["upload"]["headers"] == {"Content-Type": "video/mp4"}
    assert "clips" not in assignment
    assert bed.columns("gpu_started_at", "status") == (bed.clock.now(), "processing")


def test_a_list_of_clips_has_links_of_its_own(db, clock, tmp_path):
    bed = ExportBed(db, clock=clock, folder=tmp_path, export_type="annotate")
    bed.run()

    _, answer = post(bed, said("started"))

    clips = answer["data"]["assignment"]["clips"]
    assert "exports/export_a/1.tsv" in clips["upload"]["url"]
    assert "exports/export_a/1.tsv" in clips["discard"]["url"]


def test_progress_is_told_and_renews_the_lease(bed):
    before = bed.job["locked_until"]
    bed.clock.advance(seconds=30)

    assert post(bed, said("progress", progress=42, message="Rendering")) == GO_ON

    assert bed.columns("progress", "progress_message") == (42, "Rendering")
    assert bed.job["locked_until"] == before + timedelta(seconds=30)


def test_what_a_worker_says_is_kept_without_what_a_terminal_would_obey(bed):
    post(bed, said("progress", progress=42, message="\x1b[31mRED\x1b[2J\nforged row\u202e"))
    progress = bed.job["progress_message"]
    post(bed, failed(should_retry=False, message="no\r\nvideo\x07"))

    assert progress == " [31mRED [2J forged row "
    assert bed.job["error"] == "no  video "


def test_a_video_that_is_there_completes_the_export_and_is_charged_by_our_watch(bed, capsys):
    post(bed, said("started"))
    bed.clock.advance(seconds=42.2)
    upload(bed)

    assert post(bed, completed()) == GO_ON

    assert bed.columns("status", "progress", "output_video_key") == ("complete", 100, KEY)
    assert bed.columns("gpu_seconds", "cost_microusd") == (43, 8_600)
    assert bed.is_charged(43)
    assert "job_completed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [None, b"", b"<html>not a video, but as long as one</html>" * 2, VIDEO + b"more"]
)
def test_without_the_video_that_was_reported_nothing_is_complete(bed, content):
    if content is not None:
        upload(bed, content)
    before = bed.job

    status, _ = post(bed, completed())

    assert (status, bed.job) == (400, before)


def test_a_video_under_another_key_is_none(bed):
    other = "tenants/tenant_a/exports/export_a/2.mp4"
    upload(bed, key=other)
    before = bed.job

    status, _ = post(bed, completed(output_video_key=other))

    assert (status, bed.job) == (400, before)


def test_without_its_list_of_clips_a_compiled_video_is_not_complete(db, clock, tmp_path):
    bed = ExportBed(db, clock=clock, folder=tmp_path, export_type="annotate")
    bed.run()
    upload(bed)
    refused, _ = post(bed, completed())
    bed.bucket.put(KEY.replace(".mp4", ".tsv"), b"start\tend\n", content_type="text/plain")

    assert refused == 400
    assert post(bed, completed()) == GO_ON
    assert bed.job["status"] == "complete"


def test_with_the_bucket_away_the_worker_is_to_ask_again(bed):
    class Away:
        def open(self, *given, **more):
            raise BucketError("connection reset")

    before = bed.job

    status, _ = post(bed, completed(), env=bed.make_env(BUCKET=Away()))

    assert (status, bed.job) == (503, before)


def test_a_failure_that_may_pass_is_tried_again_and_rung_for(bed):
    post(bed, said("started"))
    bed.clock.advance(seconds=7)

    assert post(bed, failed()) == GO_ON

    assert bed.columns("status", "retry_count", "error_code", "error") == (
        "pending", 1, "RenderFailed", "The upload failed.",
    )  # fmt: skip
    assert bed.columns("gpu_seconds", "runpod_job_id", "submitted_at") == (7, None, None)
    assert bed.bell.rings == [("export", 15)]


def test_a_failure_for_good_is_not_tried_again_and_its_seconds_are_charged(bed):
    post(bed, said("started"))
    bed.clock.advance(seconds=3)

    post(bed, failed(should_retry=False, message="There is no video stream."))

    assert bed.columns("status", "retry_count", "error_code", "error") == (
        "error", 0, "InputUnusable", "There is no video stream.",
    )  # fmt: skip
    assert bed.is_charged(3)
    assert bed.bell.rings == []


def test_the_providers_word_completes_what_the_worker_could_not_tell(bed):
    upload(bed)

    assert post(bed, webhook("COMPLETED", output=completed())) == GO_ON

    assert bed.columns("status", "gpu_seconds") == ("complete", 13)
    assert bed.is_charged(13)


@pytest.mark.parametrize(
    "output",
    [
        {"error": "The platform could not be reached."},
        failed(),
        {**completed(), "error": "it broke after that"},
        {"event": "stopped"},
        completed(job_id="export_b"),
        completed(attempt=2),
        completed(output_video_key="tenants/tenant_b/exports/export_a/1.mp4"),
        completed(output_bytes=1),
        None,
        "done",
        [completed()],
    ],
)
def test_a_failure_inside_a_completed_envelope_is_a_failure(bed, output):
    upload(bed)

    post(bed, webhook("COMPLETED", output=output))

    assert bed.columns("status", "retry_count", "gpu_seconds") == ("pending", 1, 13)


def test_a_failure_for_good_inside_a_completed_envelope_is_one(bed):
    post(bed, webhook("COMPLETED", output={**failed(should_retry=False), "error": "no video"}))

    assert bed.columns("status", "error_code") == ("error", "InputUnusable")


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "TIMED_OUT"])
def test_what_the_provider_has_ended_is_tried_again(bed, state):
    assert post(bed, webhook(state, error="CUDA error, or anything\n")) == GO_ON

    assert bed.columns("status", "retry_count") == ("pending", 1)
    assert "CUDA" not in bed.job["error"]


def test_a_render_that_was_at_work_until_its_time_was_up_is_not_repeated(bed):
    post(bed, said("started"))

    post(bed, webhook("TIMED_OUT", executionTime=600_100))

    assert bed.columns("status", "retry_count", "error_code") == ("error", 0, "RenderTimedOut")
    assert bed.job["error"] == "Not done after 10 minutes, and stopped. Ask for less of the video."
    assert bed.is_charged(0)


@pytest.mark.parametrize("told", [{"executionTime": None}, {"executionTime": 0}, {"executionTime": 12_300}])
def test_what_no_gpu_took_in_time_or_whose_worker_was_lost_is_tried_again(bed, told):
    post(bed, webhook("TIMED_OUT", **told))

    assert bed.columns("status", "error_code") == ("pending", "RenderFailed")


@pytest.mark.parametrize("state", ["IN_QUEUE", "IN_PROGRESS", "RUNNING"])
def test_the_providers_word_that_it_goes_on_changes_nothing(bed, state):
    before = bed.job

    assert post(bed, webhook(state)) == GO_ON
    assert bed.job == before


@pytest.mark.parametrize(
    "body", [said("started"), said("progress", progress=1, message=""), webhook("IN_QUEUE")]
)
def test_a_job_that_nobody_knows_the_id_of_is_adopted_by_its_first_word(db, clock, tmp_path, body):
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    bed.gpu.doings = [GpuUnknown("The answer was lost.")]
    assert bed.run().state == "unknown"
    assert bed.columns("status", "runpod_job_id") == ("processing", None)

    _, answer = post(bed, body)

    assert not answer["data"]["stop"]
    assert bed.job["runpod_job_id"] == "gpu-1"
    assert sorted(bed.moves) == ["adopt", "claim"]


def test_a_second_gpu_job_for_the_same_attempt_is_told_to_stop(bed):
    before = bed.job

    for body in (
        said("started", provider_job_id="gpu-2"),
        said("progress", progress=9, message="", provider_job_id="gpu-2"),
        completed(provider_job_id="gpu-2"),
        said("error", code="X", message="", should_retry=True, provider_job_id="gpu-2"),
        webhook("FAILED", id="gpu-2"),
    ):
        assert post(bed, body) == STOP
    assert bed.job == before
