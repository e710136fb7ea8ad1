"""Exports are asked for, looked at, ended, deleted and run again."""

from datetime import timedelta

import pytest

from millrace.errors import GpuUnavailable
from tests.events import said
from tests.factories import NOW, count_rows
from tests.functions.conftest import World
from tests.functions.rendering import ASKED, FILM, SCOPES, Studio
from tests.functions.uploading import files

RUNNING = {"status": "processing", "attempt": 1, "worker_id": "w", "locked_until": NOW, "started_at": NOW}
FAILED = {
    "status": "error",
    "attempt": 1,
    "completed_at": NOW,
    "error_code": "LeaseExpired",
    "error": "Lost.",
}


@pytest.fixture
def studio(world: World) -> Studio:
    return Studio(world)


def data(answer):
    return said(answer)["data"]


def test_an_export_has_an_id_at_once_and_rings(studio):
    studio.put_project()
    video_key = studio.upload()

    answer = studio.create(video_key)

    assert answer["statusCode"] == 201
    job = data(answer)
    assert job["job_id"].startswith("job_")
    assert (job["status"], job["created_at"]) == ("pending", "2025-12-17T10:00:00Z")
    assert job["estimated_completion"] == "2025-12-17T10:04:20Z"
    assert said(answer)["usage"] == {"remaining": 460, "limit": 600, "month": "2025-12"}
    assert studio.world.doorbell.rung == [("export", 1, 0)]


def test_each_field_that_is_wrong_is_named(studio):
    clip = {"start_time": 5, "end_time": 2, "name": "", "rating": 9}

    answer = studio.create("", project_id=7, params={"clips": [clip]})

    assert (answer["statusCode"], said(answer)["error"]) == (400, "InvalidRequest")
    assert {fault["field"]: fault["message"] for fault in said(answer)["fields"]} == {
        "project_id": "must be text",
        "input_video_key": "must not be empty",
        "params.clips.0.end_time": "must be after start_time",
        "params.clips.0.name": "must not be empty",
        "params.clips.0.rating": "must be at most 5",
    }


def test_what_is_not_there_is_named(studio):
    assert said(studio.create("nothing"))["error"] == "ProjectNotFound"
    studio.put_project()

    answer = studio.create("nothing")

    assert (answer["statusCode"], said(answer)["error"]) == (404, "VideoNotFound")
    assert studio.world.doorbell.rung == []


def test_the_very_same_export_is_the_one_that_is_under_way(studio):
    studio.put_project()
    video_key = studio.upload()
    job_id = data(studio.create(video_key))["job_id"]

    answer = studio.create(video_key)

    assert (answer["statusCode"], said(answer)["error"]) == (409, "ExportAlreadyRunning")
    assert said(answer)["job_id"] == job_id


def test_a_short_clip_of_which_only_the_size_is_known_fits_many_times_into_a_free_month(studio):
    studio.put_project()
    region = {"start_frame": 0, "end_frame": 90, "x": 5, "y": 5, "radius_x": 5, "radius_y": 5}
    overlay = {"highlight_regions": [region], "effect_type": "blur"}

    answer = studio.create(studio.upload(FILM + bytes(8_000_000)), type="overlay", params=overlay)

    assert said(answer)["usage"]["remaining"] == 600 - (20 + 2 * 8)


def test_a_repeat_with_the_same_key_gets_the_same_words_and_rings_once(studio):
    studio.put_project()
    video_key = studio.upload()

    first = studio.create(video_key, key="once")
    studio.world.clock.advance(minutes=5)
    again = studio.create(video_key, key="once")

    assert said(again) == said(first)
    assert again["headers"]["Idempotent-Replayed"] == "true"
    assert len(studio.world.doorbell.rung) == 1


def test_an_export_that_waits_is_shown_with_its_params_parsed(studio):
    job_id = studio.prepare()

    answer = studio.show(job_id)

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (202, "2")
    job = data(answer)
    assert job["params"]["clips"][0]["rating"] == 3
    assert (job["status"], job["progress"], job["retry_count"], job["max_retries"]) == ("pending", 0, 0, 3)
    assert not {"output_url", "error", "started_at", "worker_id", "last_move_id"} & job.keys()


def test_an_export_that_is_rendered_tells_how_far_it_is(studio):
    job_id = studio.prepare()
    studio.set_job(**RUNNING, progress=42, progress_message="Rendering")

    job = data(studio.show(job_id))

    assert (job["status"], job["progress"], job["progress_message"]) == ("processing", 42, "Rendering")


def test_with_wait_the_answer_is_held_until_the_time_is_up(studio):
    job_id = studio.prepare()

    assert studio.show(job_id, query="wait=3")["statusCode"] == 202
    assert studio.world.clock.now() == NOW + timedelta(seconds=3)


def test_a_complete_export_has_links_to_its_video_and_its_clips_for_an_hour(studio):
    job_id = studio.prepare()
    studio.render(job_id)

    answer = studio.show(job_id)

    job = data(answer)
    assert answer["statusCode"] == 200
    assert f"/exports/{job_id}/1.mp4?" in job["output_url"]
    assert f"/exports/{job_id}/1.tsv?" in job["clips_url"]
    assert job["output_expires_at"] == "2025-12-17T11:00:00Z"
    assert (job["progress"], job["gpu_seconds"]) == (100, 31)


def test_a_failed_export_says_why_and_whether_another_try_makes_sense(studio):
    job_id = studio.prepare()
    studio.set_job(**FAILED)

    answer = studio.show(job_id)

    job = data(answer)
    assert answer["statusCode"] == 200
    assert (job["error_code"], job["error"], job["can_retry"]) == ("LeaseExpired", "Lost.", True)


def test_exports_are_listed_by_what_is_asked_for_and_without_their_params(studio):
    job_id = studio.prepare()

    def listed(query):
        return [job["job_id"] for job in data(studio.ask("read", "GET", "exports", query=query))]

    for query in ("", "project_id=project_1&active=true", "user_id=user_xyz", "status=pending&limit=1"):
        assert listed(query) == [job_id]
    for query in ("project_id=other", "user_id=somebody", "status=complete"):
        assert listed(query) == []
    assert "params" not in data(studio.ask("read", "GET", "exports"))[0]


@pytest.mark.parametrize("query", ["active=yes", "status=done", "owner=me", "limit=0"])
def test_a_list_takes_no_question_that_it_does_not_know(studio, query):
    assert studio.ask("read", "GET", "exports", query=query)["statusCode"] == 400


def test_what_happened_to_an_export_is_told(studio):
    job_id = studio.prepare()
    studio.world.clock.advance(minutes=1)
    studio.delete(job_id)

    told = data(studio.ask("read", "GET", f"exports/{job_id}/events"))

    assert [(event["what"], event["by"]) for event in told] == [
        ("cancel", "user_xyz"),
        ("create", "user_xyz"),
    ]


def test_a_waiting_export_is_cancelled_and_no_gpu_is_asked(studio):
    job_id = studio.prepare()

    answer = studio.delete(job_id)

    assert (answer["statusCode"], data(answer)) == (200, {"job_id": job_id, "status": "cancelled"})
    assert data(studio.show(job_id))["status"] == "cancelled"
    assert studio.gpu.stopped == []


@pytest.mark.parametrize("fault", [None, GpuUnavailable("The provider is away.")])
def test_an_export_on_a_gpu_is_cancelled_and_the_provider_is_told(studio, fault):
    job_id = studio.prepare()
    studio.set_job(**RUNNING, submitted_at=NOW, provider_deadline_at=NOW, runpod_job_id="gpu_1")
    studio.gpu.fault = fault

    answer = studio.delete(job_id)

    assert data(answer)["status"] == "cancelled"
    assert studio.gpu.stopped == ["gpu_1"]


def test_a_final_export_is_deleted_with_its_output_and_without_its_input(studio):
    job_id = studio.prepare()
    studio.render(job_id)
    (kept,) = (key for key in files(studio.world) if "/videos/" in key)

    answer = studio.delete(job_id)

    assert data(answer) == {"job_id": job_id, "status": "deleted"}
    assert [key for key in files(studio.world) if key.startswith("tenants/")] == [kept]
    assert studio.show(job_id)["statusCode"] == 404
    assert said(studio.delete(job_id))["error"] == "JobNotFound"


def test_a_failed_export_is_run_again_and_rings(studio):
    job_id = studio.prepare()
    studio.set_job(**FAILED)

    answer = studio.retry(job_id)

    assert (answer["statusCode"], data(answer)["job_id"]) == (202, job_id)
    assert data(studio.show(job_id))["status"] == "pending"
    assert studio.world.doorbell.rung == [("export", 1, 0)] * 2


def test_a_field_that_retry_does_not_know_is_refused(studio):
    job_id = studio.prepare()
    studio.set_job(**FAILED)

    answer = studio.retry(job_id, body={"params": {}})

    assert (answer["statusCode"], said(answer)["fields"][0]["field"]) == (400, "params")
    assert data(studio.show(job_id))["status"] == "error"
    assert studio.retry(job_id, body={})["statusCode"] == 202


def test_an_export_that_has_not_failed_is_not_run_again(studio):
    answer = studio.retry(studio.prepare())

    assert (answer["statusCode"], said(answer)["error"]) == (409, "JobNotFailed")


def test_an_export_that_would_fail_again_is_not_run_again_and_not_charged(studio):
    job_id = studio.prepare()
    studio.set_job(**FAILED | {"error_code": "InputUnusable"})

    answer = studio.retry(job_id)

    assert not data(studio.show(job_id))["can_retry"]
    assert (answer["statusCode"], said(answer)["error"]) == (409, "JobNotRetryable")
    assert data(studio.show(job_id))["status"] == "error"
    assert studio.world.doorbell.rung == [("export", 1, 0)]


def test_an_export_of_another_tenant_is_not_there(studio):
    job_id = studio.prepare()
    other = {"tenant_id": "tenant_other"}

    answers = [
        studio.show(job_id, **other),
        studio.delete(job_id, **other),
        studio.retry(job_id, **other),
        studio.ask("read", "GET", f"exports/{job_id}/events", **other),
    ]

    assert [said(answer)["error"] for answer in answers] == ["JobNotFound"] * 4
    assert data(studio.ask("read", "GET", "exports", **other)) == []
    assert count_rows(studio.world.owner, "export_jobs") == 1


@pytest.mark.parametrize("scope", SCOPES.split())
def test_each_route_needs_its_scope(studio, scope):
    reading = [("read", "GET", "exports"), ("read", "GET", "exports/job_1"), ("manage", "GET", "projects/p")]
    writing = [("create", "POST", "exports"), ("manage", "DELETE", "exports/job_1")]
    allowed, refused = (reading, writing) if scope == "exports:read" else (writing, reading)

    assert {studio.ask(*one, ASKED, scopes=scope)["statusCode"] for one in refused} == {403}
    assert 403 not in {studio.ask(*one, ASKED, scopes=scope)["statusCode"] for one in allowed}
