"""What a render may cost is set aside before it is ordered, and settled when somebody tells what it took."""

from dataclasses import replace
from datetime import timedelta

import pytest

from millrace.domain.callbacks import Link
from millrace.domain.export_files import clips_key
from millrace.domain.gpu import GpuStatus
from millrace.domain.spending import WAITING
from millrace.errors import GpuUnavailable, GpuUnknown
from millrace.store import export_orders, renders
from millrace.workloads import callbacks, reconciling
from tests.export_bed import VIDEO, ExportBed
from tests.factories import BY, new_id
from tests.spending_bed import books_agree, limit_spend, spent

MOST = 120_000  # Ten minutes, at 200 micro-dollars a second.


@pytest.fixture
def bed(db, clock, tmp_path):
    # Of clips it is known how long they are.
    return ExportBed(db, clock=clock, folder=tmp_path, export_type="annotate")


def entries(bed):
    rows = bed.db.prepare("""
        SELECT call, kind FROM quota_entries WHERE meter = 'spend' ORDER BY created_at, kind <> 'reserve'
    """)
    return [(row["call"], row["kind"]) for row in rows.all().results]


def records(bed):
    return bed.db.prepare("SELECT * FROM usage_records ORDER BY attempt").all().results


def hear(bed):
    """The worker calls for the first time."""
    link = Link("export_a", bed.job["attempt"])
    said = {"provider_job_id": bed.gpu.submitted[-1]["id"], "progress": 0, "message": "Started"}
    assert renders.hear(bed.db, link, **said, now=bed.clock.now())


def say(bed, event, **more):
    """What the worker of the first attempt says of its end."""
    said = {"event": event, "job_id": "export_a", "attempt": 1, "provider_job_id": "gpu-1", **more}
    link = Link("export_a", 1)
    return callbacks.take(callbacks.read(said, link=link), link=link, env=bed.env)


def say_complete(bed):
    key = "tenants/tenant_a/exports/export_a/1.mp4"
    bed.bucket.put(key, VIDEO, content_type="video/mp4")
    bed.bucket.put(clips_key(key), b"clips", content_type="text/tab-separated-values")
    facts = {"frames": 10, "duration_seconds": 0.5, "width": 1080, "height": 1920, "encoder": "libx264"}
    return say(bed, "complete", output_video_key=key, output_bytes=len(VIDEO), **facts)


def remove(bed):
    assert export_orders.remove(bed.db, bed.job, by=BY, move_id=new_id("move"), now=bed.clock.now())


def webhook(bed, state, *, attempt=1, execution_ms=None):
    """What the provider calls with."""
    status = GpuStatus(f"gpu-{attempt}", state, execution_ms=execution_ms)
    return callbacks.take(status, link=Link("export_a", attempt), env=bed.env)


def test_the_longest_render_that_is_ordered_is_set_aside_first(bed):
    bed.gpu.doings.append(lambda: bed.clock.advance(seconds=spent(bed.db) == MOST))

    began = bed.clock.now()
    assert bed.run().state == "submitted"

    assert bed.clock.now() == began + timedelta(seconds=1)
    assert entries(bed) == [("1", "reserve")]
    assert books_agree(bed.db)


def test_what_the_provider_says_it_took_is_recorded_and_settled(bed):
    bed.run()
    hear(bed)

    webhook(bed, "failed", execution_ms=12_400)

    (record,) = records(bed)
    assert (record["model"], record["gpu_seconds"], record["cost_microusd"]) == ("runpod", 13, 2_600)
    assert (record["kind"], record["attempt"], record["call"]) == ("export", 1, 1)
    assert (record["request_id"], record["duration_ms"]) == ("gpu-1", 13_000)
    assert (spent(bed.db), entries(bed)) == (2_600, [("1", "reserve"), ("1", "settle")])
    assert books_agree(bed.db)


def test_each_attempt_that_cost_money_has_a_record_and_its_own_settlement(bed):
    for attempt in (1, 2):
        bed.clock.at = bed.job["run_after"]
        bed.run()
        hear(bed)
        webhook(bed, "failed", attempt=attempt, execution_ms=1_000 * attempt)

    assert [(row["attempt"], row["gpu_seconds"]) for row in records(bed)] == [(1, 1), (2, 2)]
    assert (bed.job["gpu_seconds"], bed.job["cost_microusd"], spent(bed.db)) == (3, 600, 600)
    assert books_agree(bed.db)


def test_an_order_that_was_certainly_not_taken_gives_all_back(bed):
    bed.gpu.doings.append(GpuUnavailable("429"))

    assert bed.run().state == "retried"

    assert (spent(bed.db), entries(bed), records(bed)) == (0, [("1", "reserve"), ("1", "release")], [])
    assert books_agree(bed.db)


def test_an_order_of_which_nobody_knows_keeps_what_was_set_aside(bed):
    bed.gpu.doings.append(GpuUnknown("reset"))

    assert bed.run().state == "unknown"

    assert (spent(bed.db), entries(bed)) == (MOST, [("1", "reserve")])


def test_an_order_that_nobody_heard_of_keeps_it_until_its_provider_says_that_it_took_no_time(bed):
    bed.run()
    bed.clock.at = bed.job["provider_deadline_at"]
    assert reconciling.look_up(bed.job, env=bed.env).state == "retried"
    assert spent(bed.db) == MOST

    webhook(bed, "timed_out", execution_ms=0)

    assert (spent(bed.db), records(bed), entries(bed)) == (0, [], [("1", "reserve"), ("1", "release")])
    assert books_agree(bed.db)


def test_an_order_that_ended_in_the_queue_gives_all_back(bed):
    bed.run()

    webhook(bed, "timed_out", execution_ms=0)

    assert (spent(bed.db), records(bed)) == (0, [])
    assert books_agree(bed.db)


def test_a_cancelled_render_is_settled_when_its_provider_tells_what_it_took(bed):
    bed.run()
    hear(bed)
    assert bed.cancel()
    assert spent(bed.db) == MOST

    for _ in range(2):
        assert webhook(bed, "cancelled", execution_ms=4_000).answer.stop

    assert (spent(bed.db), [row["gpu_seconds"] for row in records(bed)]) == (800, [4])
    (used,) = bed.db.prepare("SELECT * FROM daily_usage").all().results
    assert used["cost_microusd"] == 800
    assert books_agree(bed.db)


def test_a_lost_render_keeps_what_was_set_aside_until_its_provider_tells_though_it_was_heard_of(bed):
    bed.run()
    hear(bed)
    bed.clock.advance(seconds=3)
    hear(bed)
    bed.clock.at = bed.job["provider_deadline_at"]
    assert reconciling.look_up(bed.job, env=bed.env).state == "retried"
    assert (spent(bed.db), records(bed), bed.job["gpu_seconds"]) == (MOST, [], 3)

    for _ in range(2):
        webhook(bed, "timed_out", execution_ms=590_000)

    assert (spent(bed.db), [row["gpu_seconds"] for row in records(bed)]) == (118_000, [590])
    assert entries(bed) == [("1", "reserve"), ("1", "settle")]
    assert books_agree(bed.db)


def test_what_a_worker_says_went_wrong_costs_what_its_provider_says_it_took(bed):
    bed.run()
    hear(bed)
    bed.clock.advance(seconds=2)
    said = say(bed, "error", code="RenderFailed", message="out of memory", should_retry=True)
    assert said.ending.state == "retried"
    assert (spent(bed.db), records(bed), books_agree(bed.db)) == (MOST, [], True)

    webhook(bed, "failed", execution_ms=90_000)

    assert (spent(bed.db), [row["cost_microusd"] for row in records(bed)]) == (18_000, [18_000])
    assert books_agree(bed.db)


@pytest.mark.parametrize(("execution_ms", "seconds"), [(90_000, 90), (1_000, 1)])
def test_a_video_delivered_before_its_provider_tells_costs_what_it_then_says(bed, execution_ms, seconds):
    bed.run()
    hear(bed)
    bed.clock.advance(seconds=2)
    assert say_complete(bed).ending.state == "completed"
    assert (spent(bed.db), records(bed), bed.is_charged(2)) == (MOST, [], True)

    assert not webhook(bed, "completed", execution_ms=execution_ms).answer.stop

    assert (spent(bed.db), [row["gpu_seconds"] for row in records(bed)]) == (200 * seconds, [seconds])
    # The month's seconds were sold by our watch, and stay so.
    assert bed.is_charged(2)
    assert books_agree(bed.db)


def test_an_end_that_its_provider_puts_no_number_to_keeps_what_was_set_aside(bed):
    bed.run()
    hear(bed)
    bed.clock.advance(seconds=2)

    assert webhook(bed, "failed").ending.state == "retried"

    assert (spent(bed.db), records(bed), books_agree(bed.db)) == (MOST, [], True)


def test_what_a_deleted_export_has_used_is_recorded_once_its_provider_tells(bed):
    bed.run()
    hear(bed)
    bed.db.prepare("UPDATE export_jobs SET user_id = 'user_of_key', requested_by = 'someone'").run()
    assert bed.cancel()
    remove(bed)

    for _ in range(2):
        assert webhook(bed, "cancelled", execution_ms=4_000).answer.stop

    (record,) = records(bed)
    assert (record["tenant_id"], record["user_id"], record["gpu_seconds"]) == ("tenant_a", "user_of_key", 4)
    assert (record["attempt"], record["request_id"], spent(bed.db)) == (1, "gpu-1", 800)
    assert entries(bed) == [("1", "reserve"), ("1", "settle")]
    assert books_agree(bed.db)


def test_an_export_that_never_was_has_used_nothing(bed):
    bed.begin_anew()
    bed.db.prepare("DELETE FROM export_jobs").run()

    assert webhook(bed, "cancelled", execution_ms=4_000).answer.stop

    assert records(bed) == []


def test_a_render_cancelled_in_the_queue_costs_nothing_once_its_provider_says_so(bed):
    bed.run()
    assert bed.cancel()

    webhook(bed, "cancelled", execution_ms=0)

    assert (spent(bed.db), records(bed)) == (0, [])
    assert entries(bed) == [("1", "reserve"), ("1", "release")]


def test_a_render_that_goes_on_after_all_is_not_settled(bed):
    bed.run()
    hear(bed)
    seen = bed.job
    bed.clock.at = seen["locked_until"] + timedelta(seconds=1)
    hear(bed)

    assert reconciling.end(seen, GpuUnavailable("lost"), env=bed.env).state == "overtaken"

    assert (spent(bed.db), records(bed)) == (MOST, [])


def test_a_second_word_of_the_same_end_changes_nothing(bed):
    bed.run()
    hear(bed)
    bed.clock.advance(seconds=5)
    webhook(bed, "failed", execution_ms=2_000)
    before = [dict(row) for row in records(bed)]

    webhook(bed, "failed", execution_ms=90_000)

    assert [dict(row) for row in records(bed)] == before
    assert spent(bed.db) == 400


def test_a_day_without_so_much_left_orders_nothing_and_the_export_waits(bed):
    limit_spend(bed.db, "0.119999")

    assert bed.run().state == "waiting"

    assert bed.gpu.submitted == []
    job = bed.job
    assert (job["status"], job["submitted_at"], job["provider_deadline_at"]) == ("pending", None, None)
    assert (job["progress_message"], job["retry_count"]) == (WAITING, 0)
    assert job["run_after"] == bed.clock.now() + timedelta(minutes=15, seconds=30)
    limit_spend(bed.db, "0.12")
    bed.clock.at = job["run_after"]
    assert bed.run().state == "submitted"


def test_gpus_that_cost_nothing_are_never_kept_waiting(bed):
    limit_spend(bed.db, "0")
    config = replace(bed.env.config, gpu_second_microusd=0)
    env = bed.make_env()
    env.config = config

    assert bed.run_in(env).state == "submitted"
