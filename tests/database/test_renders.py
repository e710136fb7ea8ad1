"""What is written of an export's other side: begun, known by an id, heard of, ended and charged."""

from datetime import timedelta

import pytest

from millrace.domain.callbacks import Link
from millrace.domain.gpu_times import GpuUse
from millrace.domain.jobs import EXPORT
from millrace.errors import ConstraintBroken, InputUnusable, RenderFailed
from millrace.store import jobs, renders
from tests.export_bed import RESERVED, ExportBed
from tests.factories import new_id

LEASE = timedelta(seconds=EXPORT.lease_seconds)
LINK = Link("export_a", 1)


@pytest.fixture
def bed(db, clock, tmp_path):
    return ExportBed(db, clock=clock, folder=tmp_path)


@pytest.fixture
def running(bed):
    """Claimed, handed over and known to the provider."""
    job = bed.claim()
    assert begin(bed, job)
    assert know(bed, job)
    return job


def begin(bed, job):
    now = bed.clock.now()
    return renders.begin(bed.db, job, deadline_at=now + timedelta(hours=1), now=now)


def know(bed, job, *, provider_job_id="gpu-1"):
    move = {"move_id": new_id("move"), "now": bed.clock.now()}
    return renders.note_submitted(bed.db, job, provider_job_id=provider_job_id, **move)


def hear(bed, progress, *, link=LINK, provider_job_id="gpu-1", message="Rendering"):
    return renders.hear(
        bed.db, link, provider_job_id=provider_job_id, progress=progress, message=message,
        now=bed.clock.now(),
    )  # fmt: skip


def fail(bed, job, error, *, seconds=0, lease_lost=False):
    return renders.fail(
        bed.db, job, error=error, use=GpuUse(seconds, seconds * 200), move_id=new_id("move"),
        now=bed.clock.now(), jitter=0.0, lease_lost=lease_lost,
    )  # fmt: skip


def complete(bed, job, *, seconds=42):
    return renders.complete(
        bed.db, job, output_video_key="out.mp4", provider_job_id="gpu-1", use=GpuUse(seconds, seconds * 200),
        move_id=new_id("move"), now=bed.clock.now(),
    )  # fmt: skip


def test_before_the_provider_is_asked_the_time_and_the_deadline_are_written_down(bed):
    job = bed.claim()

    assert begin(bed, job)

    now = bed.clock.now()
    assert bed.columns("submitted_at", "provider_deadline_at", "locked_until") == (
        now, now + timedelta(hours=1), now + LEASE,
    )  # fmt: skip


def test_of_a_job_that_was_cancelled_meanwhile_no_provider_is_asked(bed):
    job = bed.claim()
    bed.cancel()

    assert not begin(bed, job)
    assert bed.job["submitted_at"] is None


def test_no_row_says_submitted_without_a_deadline(bed):
    with pytest.raises(ConstraintBroken):
        bed.db.prepare("UPDATE export_jobs SET submitted_at = ?1").bind(bed.clock.now()).run()


def test_the_providers_id_is_known_and_in_the_timeline(bed, running):
    assert bed.job["runpod_job_id"] == "gpu-1"
    (detail,) = bed.db.prepare("SELECT detail FROM job_events WHERE move = 'submit'").raw()[0]
    assert detail == {"status": "processing", "provider_job_id": "gpu-1"}


def test_an_attempt_is_known_by_one_id_alone(bed, running):
    assert not know(bed, running, provider_job_id="gpu-2")
    assert know(bed, running)
    assert bed.job["runpod_job_id"] == "gpu-1"


def test_progress_rises_renews_the_lease_and_never_falls(bed, running):
    for seconds, progress, expected in ((10, 40, 40), (20, 39, 40), (30, 40, 40), (40, 41, 41)):
        bed.clock.at = bed.job["submitted_at"] + timedelta(seconds=seconds)
        row = hear(bed, progress, message=str(progress))
        assert row["progress"] == expected
        assert (row["locked_until"] == bed.clock.now() + LEASE) is (progress == expected)

    assert row["progress_message"] == "41"
    assert row["gpu_started_at"] == row["submitted_at"] + timedelta(seconds=10)


@pytest.mark.parametrize(
    "other",
    [{"link": Link("export_a", 2)}, {"link": Link("export_b", 1)}, {"provider_job_id": "gpu-2"}],
)
def test_from_anybody_else_progress_changes_nothing(bed, running, other):
    before = bed.job

    hear(bed, 50, **other)

    assert bed.job == before


def test_a_completed_export_has_its_video_and_is_charged_what_it_used(bed, running):
    hear(bed, 50)

    assert complete(bed, running, seconds=42)

    assert bed.columns("status", "progress", "output_video_key", "gpu_seconds", "cost_microusd") == (
        "complete", 100, "out.mp4", 42, 8_400,
    )  # fmt: skip
    assert bed.is_charged(42)


def test_what_took_longer_than_was_reserved_is_charged_in_full(bed, running):
    bed.db.prepare("UPDATE monthly_usage SET quota_limit = used").run()

    complete(bed, running, seconds=RESERVED + 30)

    assert bed.is_charged(RESERVED + 30)


@pytest.mark.parametrize(
    ("error", "status", "charged"),
    [(RenderFailed("lost"), "pending", RESERVED), (InputUnusable("not a video"), "error", 7)],
)
def test_a_failure_keeps_what_was_used(bed, running, error, status, charged):
    row = fail(bed, running, error, seconds=7)

    assert (row["status"], row["gpu_seconds"], row["cost_microusd"]) == (status, 7, 1_400)
    assert bed.is_charged(charged)


def test_an_export_that_the_platform_could_not_render_costs_nothing(bed, running):
    bed.db.prepare("UPDATE export_jobs SET retry_count = max_retries").run()

    row = fail(bed, running, RenderFailed("lost"), seconds=7)

    assert (row["status"], row["gpu_seconds"]) == ("error", 7)
    assert bed.is_charged(0)


def test_a_retry_shows_nothing_of_the_provider(bed, running):
    hear(bed, 50)

    row = fail(bed, running, RenderFailed("lost"))

    names = ("runpod_job_id", "submitted_at", "provider_deadline_at", "gpu_started_at", "progress_message")
    assert {row[name] for name in names} == {None}
    assert (row["progress"], row["retry_count"]) == (0, 1)


@pytest.mark.parametrize(("begun", "charged"), [(False, 0), (True, RESERVED)])
def test_a_cancel_costs_what_was_reserved_once_a_gpu_has_begun(bed, running, begun, charged):
    if begun:
        hear(bed, 0)

    assert bed.cancel()

    assert bed.is_charged(charged)


def test_an_export_charged_anew_counts_its_seconds_anew(bed, running):
    fail(bed, running, InputUnusable("not a video"), seconds=7)
    move = {"move_id": new_id("move"), "now": bed.clock.now()}

    jobs.reopen(bed.db, EXPORT, "export_a", tenant_id="tenant_a", period="2025-12", **move).run()

    assert bed.columns("status", "charge_round", "gpu_seconds", "cost_microusd") == (
        "pending",
        1,
        None,
        1_400,
    )


def test_what_was_not_heard_of_for_a_lease_is_looked_up_and_then_not_for_another(bed, running):
    bed.clock.advance(seconds=EXPORT.lease_seconds)
    assert renders.list_stale(bed.db, now=bed.clock.now(), limit=10) == []
    now = bed.clock.advance(seconds=1)
    (stale,) = renders.list_stale(bed.db, now=now, limit=10)

    assert stale["id"] == "export_a"
    assert renders.renew(bed.db, running, now=now)
    assert renders.list_stale(bed.db, now=now, limit=10) == []


def test_what_is_heard_of_meanwhile_is_not_given_up(bed, running):
    bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
    hear(bed, 10)

    assert fail(bed, running, RenderFailed("gone"), lease_lost=True) is None
    assert not renders.renew(bed.db, running, now=bed.clock.now())


def test_after_the_end_nothing_is_heard_known_or_ended(bed, running):
    complete(bed, running)
    ended = bed.job
    bed.clock.advance(seconds=5)

    hear(bed, 100)
    assert not know(bed, running)
    assert not complete(bed, running)
    assert fail(bed, running, RenderFailed("late")) is None
    assert not bed.cancel()
    assert bed.job == ended
