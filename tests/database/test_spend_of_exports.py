"""What a render may cost is set aside before it is ordered, and settled when somebody tells what it took."""

from dataclasses import replace
from datetime import timedelta

import pytest

from millrace.domain.callbacks import Link
from millrace.domain.gpu import GpuStatus
from millrace.domain.spending import WAITING
from millrace.errors import GpuUnavailable, GpuUnknown
from millrace.store import renders
from millrace.workloads import callbacks, reconciling
from tests.export_bed import ExportBed
from tests.spending_bed import books_agree, limit_spend, spent

# Ten minutes, at 200 micro-dollars a second.
MOST = 120_000


@pytest.fixture
def bed(db, clock, tmp_path):
    return ExportBed(db, clock=clock, folder=tmp_path)


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
