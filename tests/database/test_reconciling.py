"""Exports that nobody has told of for a while: the provider's word decides, and not our patience."""

from datetime import timedelta

import pytest

from millrace.domain.callbacks import Link
from millrace.domain.gpu import GpuStatus
from millrace.domain.jobs import EXPORT
from millrace.errors import BucketError, GpuUnavailable, GpuUnknown, StorageUnavailable
from millrace.store import renders, spend_drift
from millrace.workloads import callbacks, reconciling
from tests.export_bed import RESERVED, VIDEO, ExportBed

KEY = "tenants/tenant_a/exports/export_a/1.mp4"
REPORT = {
    "event": "complete",
    "job_id": "export_a",
    "attempt": 1,
    "provider_job_id": "gpu-1",
    "output_video_key": KEY,
    "output_bytes": len(VIDEO),
    "frames": 10,
    "duration_seconds": 0.5,
    "width": 1080,
    "height": 1920,
    "encoder": "libx264",
}


@pytest.fixture
def bed(db, clock, tmp_path):
    return ExportBed(db, clock=clock, folder=tmp_path)


@pytest.fixture
def silent(bed):
    """Handed over, and not heard of for a lease."""
    bed.run()
    bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
    return bed


def reconcile(bed, **given):
    env = bed.make_env(**given)
    return [reconciling.look_up(row, env=env) for row in bed.list_stale()]


def states(endings):
    return [ending and ending.state for ending in endings]


def hear(bed, *, progress):
    link = Link("export_a", 1)
    word = {"provider_job_id": "gpu-1", "progress": progress, "message": "Rendering"}
    assert renders.hear(bed.db, link, **word, now=bed.clock.now())


def start(bed):
    """Its worker calls for the first time. When that was."""
    hear(bed, progress=0)
    return bed.clock.now()


def pass_deadline(bed):
    bed.clock.at = bed.job["provider_deadline_at"]


def test_what_was_heard_of_within_the_lease_is_left_alone(bed):
    bed.run()
    bed.clock.advance(seconds=EXPORT.lease_seconds)

    assert reconcile(bed) == []
    assert bed.gpu.asked == []


def test_a_worker_lost_before_the_order_is_followed_by_another_at_once(bed):
    bed.claim()
    bed.clock.advance(seconds=EXPORT.lease_seconds + 1)

    assert states(reconcile(bed)) == ["retried"]

    assert bed.columns("status", "run_after", "error_code") == ("pending", bed.clock.now(), "LeaseExpired")
    assert bed.bell.rings == [("export", 0)]
    assert bed.run().state == "submitted"


def test_a_slow_worker_that_finds_its_job_taken_gives_no_order(bed):
    job = bed.claim()
    bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
    reconcile(bed)

    now = bed.clock.now()
    assert not renders.begin(bed.db, job, deadline_at=now + timedelta(hours=1), now=now)


def test_a_slow_worker_that_is_about_to_give_its_order_is_not_replaced(bed):
    job = bed.claim()
    now = bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
    (row,) = bed.list_stale()
    assert renders.begin(bed.db, job, deadline_at=now + timedelta(hours=1), now=now)

    assert reconciling.look_up(row, env=bed.env).state == "overtaken"

    assert bed.columns("status", "attempt", "submitted_at") == ("processing", 1, now)


def test_an_order_of_which_nobody_knows_is_waited_for_until_its_deadline(bed):
    bed.gpu.doings = [GpuUnknown("The answer was lost.")]
    bed.run()
    bed.clock.at = bed.job["provider_deadline_at"] - timedelta(seconds=1)

    assert states(reconcile(bed)) == [None]
    assert (bed.job["status"], bed.gpu.asked) == ("processing", [])

    bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
    assert states(reconcile(bed)) == ["retried"]
    assert bed.columns("status", "error_code", "submitted_at") == ("pending", "GpuJobLost", None)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_goes_on_there_has_its_lease_renewed(silent, state):
    silent.gpu.says(state)

    assert states(reconcile(silent)) == [None]

    lease = timedelta(seconds=EXPORT.lease_seconds)
    assert silent.columns("status", "locked_until") == ("processing", silent.clock.now() + lease)
    assert reconcile(silent) == []


def test_what_is_done_there_is_settled_as_if_the_callback_had_come(silent):
    silent.bucket.put(KEY, VIDEO, content_type="video/mp4")
    silent.gpu.says("completed", output=REPORT, execution_ms=30_100)

    assert states(reconcile(silent)) == ["completed"]

    assert silent.columns("status", "output_video_key", "gpu_seconds") == ("complete", KEY, 31)
    assert silent.is_charged(31)


def test_what_is_done_there_without_a_video_has_failed(silent):
    silent.gpu.says("completed", output=REPORT, execution_ms=30_100)

    assert states(reconcile(silent)) == ["retried"]
    assert silent.columns("error_code", "gpu_seconds") == ("RenderFailed", 31)


@pytest.mark.parametrize("state", ["failed", "cancelled", "timed_out"])
def test_what_has_failed_there_is_tried_again(silent, state):
    silent.gpu.says(state, error="anything\x00", execution_ms=5_000)

    assert states(reconcile(silent)) == ["retried"]
    assert silent.columns("status", "gpu_seconds", "retry_count") == ("pending", 5, 1)


def test_what_the_worker_has_said_of_a_failure_for_good_is_believed(silent):
    said = {
        "event": "error", "job_id": "export_a", "attempt": 1, "provider_job_id": "gpu-1",
        "code": "NotAVideo", "message": "Not a\x00video.", "should_retry": False, "error": "x",
    }  # fmt: skip
    silent.gpu.says("completed", output=said, execution_ms=5_000)

    assert states(reconcile(silent)) == ["failed"]
    assert silent.columns("status", "error_code", "error") == ("error", "InputUnusable", "Not a video.")
    assert silent.is_charged(5)


def test_what_is_gone_there_is_tried_again_once_it_was_told_to_stop(silent):
    assert states(reconcile(silent)) == ["retried"]

    assert silent.columns("status", "error_code") == ("pending", "GpuJobLost")
    assert silent.gpu.cancelled == ["gpu-1"]


def test_what_is_said_to_be_gone_has_no_successor_while_it_cannot_be_told_to_stop(silent):
    class Deaf(type(silent.gpu)):
        def cancel(self, provider_job_id):
            raise GpuUnavailable("away")

    assert states(reconcile(silent, GPU=Deaf())) == [None]
    assert silent.columns("status", "attempt", "runpod_job_id") == ("processing", 1, "gpu-1")


def test_a_video_of_which_nobody_told_completes_its_export_though_the_provider_has_forgotten_it(silent):
    began = start(silent)
    silent.clock.advance(seconds=42)
    silent.bucket.put(KEY, VIDEO, content_type="video/mp4")
    silent.clock.at = began + timedelta(hours=1)

    assert states(reconcile(silent)) == ["completed"]

    assert silent.columns("status", "output_video_key", "gpu_seconds") == ("complete", KEY, 42)
    assert silent.is_charged(42)
    # Who is told to stop takes back what it has uploaded.
    assert silent.gpu.cancelled == []


def test_a_video_of_which_nobody_told_is_found_at_the_deadline_of_a_provider_out_of_reach(silent):
    silent.bucket.put(KEY, VIDEO, content_type="video/mp4")
    silent.gpu.statuses["gpu-1"] = GpuUnavailable("away")
    pass_deadline(silent)

    assert states(reconcile(silent)) == ["completed"]


def test_what_is_lost_has_used_a_gpu_until_its_last_word(silent):
    began = start(silent)
    silent.clock.advance(seconds=50)
    hear(silent, progress=40)
    silent.clock.at = began + timedelta(hours=1)

    assert states(reconcile(silent)) == ["retried"]
    assert silent.job["gpu_seconds"] == 50


def test_what_is_gone_there_but_was_heard_of_meanwhile_is_not_given_up(silent):
    (row,) = silent.list_stale()
    now = silent.clock.now()
    assert renders.renew(silent.db, silent.as_job(), now=now)

    assert reconciling.look_up(row, env=silent.env).state == "overtaken"
    assert silent.job["status"] == "processing"


def test_a_provider_out_of_reach_is_asked_again_until_the_deadline(silent):
    silent.gpu.statuses["gpu-1"] = GpuUnavailable("away")
    assert states(reconcile(silent)) == [None]
    assert silent.job["status"] == "processing"

    pass_deadline(silent)

    assert states(reconcile(silent)) == ["retried"]
    assert silent.gpu.cancelled == ["gpu-1"]


def test_what_still_runs_after_its_deadline_is_stopped_and_tried_again(silent):
    silent.gpu.says("running")
    pass_deadline(silent)

    assert states(reconcile(silent)) == ["retried"]
    assert silent.gpu.cancelled == ["gpu-1"]


def test_with_the_bucket_away_nothing_is_decided(silent):
    class Away:
        def open(self, *given, **more):
            raise BucketError("connection reset")

    silent.gpu.says("completed", output=REPORT)
    before = silent.job

    with pytest.raises(StorageUnavailable):
        reconcile(silent, BUCKET=Away())

    assert silent.job == before


def test_what_was_set_aside_for_one_that_is_lost_unheard_stays_until_its_provider_tells(silent):
    assert states(reconcile(silent)) == ["retried"]
    assert spend_drift.find_spent(silent.db).drifting == 0

    told = GpuStatus("gpu-1", "cancelled", execution_ms=30_100)
    callbacks.take(told, link=Link("export_a", 1), env=silent.env)

    assert spend_drift.find_spent(silent.db).drifting == 0
    assert silent.db.prepare("SELECT used FROM daily_spend").first("used") == 31 * 200


def test_what_was_cancelled_is_not_looked_up(silent):
    silent.cancel()

    assert reconcile(silent) == []


def test_an_export_that_is_lost_four_times_is_an_error_and_costs_nothing(bed):
    for _ in range(4):
        bed.run()
        assert bed.is_charged(RESERVED)
        bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
        endings = reconcile(bed)
        bed.clock.advance(minutes=20)

    assert states(endings) == ["failed"]
    assert bed.columns("status", "attempt", "retry_count") == ("error", 4, 3)
    assert bed.is_charged(0)
