"""Handing an export over: never without a word of it in the row first, and never twice."""

import json

import pytest

from millrace.domain.callbacks import Link, read_token
from millrace.domain.jobs import EXPORT
from millrace.errors import (
    ConfigurationInvalid,
    DatabaseUnavailable,
    GpuOrderRefused,
    GpuUnavailable,
    GpuUnknown,
)
from millrace.store import jobs
from tests.evaluation_bed import Blinking
from tests.export_bed import KEYS, RESERVED, ExportBed

SUBMITTING, KNOWING = "submitted_at = COALESCE", "SET runpod_job_id"


@pytest.fixture
def bed(db, clock, tmp_path):
    return ExportBed(db, clock=clock, folder=tmp_path)


def test_a_run_hands_the_export_over_and_leaves_it_there(bed):
    ending = bed.run()

    now = bed.clock.now()
    assert ending.state == "submitted"
    assert bed.columns("status", "runpod_job_id", "submitted_at", "attempt") == (
        "processing",
        "gpu-1",
        now,
        1,
    )
    assert sorted(bed.moves) == ["claim", "submit"]


def test_the_provider_is_told_no_more_than_where_to_call_and_for_how_long(bed):
    bed.run()

    (order,) = bed.gpu.submitted
    token = bed.token
    assert order["webhook_url"] == f"https://api.test/api/runpod/callback/{token}"
    assert order["payload"] == {"job_id": "export_a", "attempt": 1, "callback_url": order["webhook_url"]}
    assert read_token(token, keys=KEYS, now=bed.clock.now()) == Link("export_a", 1)
    assert order["execution_seconds"] > EXPORT.lease_seconds
    assert order["ttl_seconds"] > order["execution_seconds"]
    deadline = bed.job["provider_deadline_at"] - bed.clock.now()
    assert deadline.total_seconds() > order["ttl_seconds"]
    assert len(json.dumps(order)) < 1_000


@pytest.mark.parametrize(("export_type", "seconds"), [("overlay", 32 * RESERVED), ("annotate", 600)])
def test_a_video_of_which_only_the_size_is_known_has_more_time(db, clock, tmp_path, export_type, seconds):
    bed = ExportBed(db, clock=clock, folder=tmp_path, export_type=export_type)
    bed.run()

    assert bed.gpu.submitted[0]["execution_seconds"] == seconds


def test_what_is_submitted_was_written_down_before(bed):
    seen = []
    bed.gpu.doings = [lambda: seen.append(bed.columns("submitted_at", "runpod_job_id"))]

    bed.run()

    assert seen == [(bed.clock.now(), None)]
    assert bed.job["provider_deadline_at"] > bed.clock.now()


def test_an_order_that_certainly_was_not_taken_is_given_again_after_a_backoff(bed):
    bed.gpu.doings = [GpuUnavailable("The provider is overloaded.", retry_after_seconds=40)]

    assert bed.run().state == "retried"

    assert bed.columns("status", "submitted_at", "error_code") == ("pending", None, "GpuUnavailable")
    assert bed.bell.rings == [("export", 40)]


def test_an_order_that_is_refused_is_not_given_again(bed):
    bed.gpu.doings = [GpuOrderRefused("400")]

    assert bed.run().state == "failed"
    assert bed.is_charged(0)


@pytest.mark.parametrize("fault", [GpuUnknown("The answer was lost."), ValueError("a bug of ours")])
def test_an_order_of_which_nobody_knows_is_waited_for(bed, fault):
    bed.gpu.doings = [fault]

    ending = bed.run()

    assert (ending.state, type(ending.failure)) == ("unknown", GpuUnknown)
    assert bed.columns("status", "submitted_at", "runpod_job_id") == ("processing", bed.clock.now(), None)


def test_an_export_cancelled_before_the_provider_was_asked_is_not_handed_over(bed, monkeypatch):
    claim = jobs.claim

    def claim_and_cancel(*given, **more):
        job = claim(*given, **more)
        bed.cancel()
        return job

    monkeypatch.setattr(jobs, "claim", claim_and_cancel)

    assert bed.run().state == "overtaken"
    assert bed.gpu.submitted == []


def test_an_export_cancelled_while_the_provider_takes_it_is_stopped_there(bed):
    bed.gpu.doings = [bed.cancel]

    assert bed.run().state == "overtaken"

    assert bed.gpu.cancelled == ["gpu-1"]
    assert bed.job["status"] == "cancelled"


def test_a_provider_that_cannot_be_told_to_stop_does_not_matter_to_the_run(bed):
    class Deaf(type(bed.gpu)):
        def cancel(self, provider_job_id):
            raise GpuUnavailable("away")

    deaf = Deaf(doings=[bed.cancel])

    assert bed.run(GPU=deaf).state == "overtaken"


@pytest.mark.parametrize("blink", ["before", "after"])
def test_a_database_that_blinks_before_the_order_gives_no_order(bed, blink):
    ending = bed.run(DB=Blinking(bed.db, move=SUBMITTING, blinks=[blink]))

    assert ending.state == "retried"
    assert bed.gpu.submitted == []
    assert bed.columns("status", "submitted_at") == ("pending", None)


@pytest.mark.parametrize("blinks", [["before"], ["after"], ["before", "before", "after"]])
def test_the_providers_id_outlives_a_blink_of_the_database(bed, blinks):
    ending = bed.run(DB=Blinking(bed.db, move=KNOWING, blinks=blinks))

    assert ending.state == "submitted"
    assert len(bed.gpu.submitted) == 1
    assert bed.job["runpod_job_id"] == "gpu-1"


def test_a_worker_killed_after_its_order_leaves_it_to_whoever_hears_of_it(bed):
    with pytest.raises(DatabaseUnavailable):
        bed.run(DB=Blinking(bed.db, move=KNOWING, blinks=["before"] * 1_000))

    assert bed.columns("status", "runpod_job_id") == ("processing", None)
    held = jobs.find_held(bed.db, EXPORT, worker_id="worker_a")
    assert held is None


@pytest.mark.parametrize("missing", ["GPU", "CALLBACK_KEYS"])
def test_without_a_provider_or_keys_nothing_is_submitted(bed, missing):
    env = bed.make_env()
    del env.__dict__[missing]
    with pytest.raises(ConfigurationInvalid):
        getattr(env, missing)

    ending = bed.run_in(env)

    assert ending.state == "retried"
    assert bed.gpu.submitted == []
    assert bed.job["submitted_at"] is None


def test_four_attempts_count_three_retries(bed):
    bed.gpu.doings = [GpuUnavailable("away")] * 5

    states = []
    for _ in range(4):
        states.append(bed.run().state)
        bed.clock.advance(minutes=20)

    assert states == ["retried", "retried", "retried", "failed"]
    assert bed.columns("status", "attempt", "retry_count") == ("error", 4, 3)
    assert bed.is_charged(0)


def test_each_attempt_has_a_link_of_its_own(bed):
    bed.gpu.doings = [GpuUnavailable("away")]
    bed.run()
    first = bed.token
    bed.clock.advance(minutes=20)

    bed.run()

    assert read_token(bed.token, keys=KEYS, now=bed.clock.now()) == Link("export_a", 2)
    assert bed.token != first
