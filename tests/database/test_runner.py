"""The runner: which job it takes, which it gives back, and what it does when someone was faster."""

import json

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.errors import DatabaseUnavailable, ModelTimeout
from millrace.store import jobs
from millrace.workloads.runner import run_due
from tests.evaluation_bed import FACTS, SLIP, Model
from tests.factories import accept_job, add_lead, count_rows


def test_nothing_due_is_nothing_done(bed):
    assert bed.run() is None


def test_with_less_time_left_than_a_job_may_take_none_is_begun(bed, job_id):
    assert bed.run(seconds_left=lambda: EVALUATION.most_seconds - 0.1) is None
    assert bed.job["attempt"] == 0


def test_a_job_that_was_accepted_while_a_rival_took_ours_is_not_left_to_the_schedule(
    bed, job_id, monkeypatch
):
    claim, outpaced = jobs.claim, iter([True, False])
    monkeypatch.setattr(
        jobs, "claim", lambda *args, **given: None if next(outpaced) else claim(*args, **given)
    )
    bed.add_document()

    ending = bed.run()

    assert ending.state == "completed"


def test_a_job_claimed_too_late_is_given_back_untouched_and_rung_for(bed, job_id):
    left = iter([900.0, 1.0])

    ending = bed.run(seconds_left=lambda: next(left))

    assert ending.state == "released"
    assert (bed.job["status"], bed.job["retry_count"]) == ("pending", 0)
    assert bed.bell.rings == [("evaluation", 0)]
    assert bed.is_charged(1)


def test_a_job_cancelled_before_the_model_was_asked_asks_no_model(bed, job_id):
    class Cancelling:
        def get(self, key, *, most_bytes):
            bed.cancel()
            return SLIP

    bed.add_document()
    model = Model(json.dumps(FACTS))

    ending = bed.run(model=model, bucket=Cancelling())

    assert ending.state == "overtaken"
    assert model.questions == []
    assert bed.is_charged(0)


def test_a_job_cancelled_while_the_model_thinks_stays_cancelled_and_is_charged(bed, job_id):
    def think():
        bed.cancel()
        return json.dumps(FACTS)

    bed.add_document()

    ending = bed.run(model=Model(think))

    assert ending.state == "overtaken"
    assert bed.job["status"] == "cancelled"
    assert count_rows(bed.db, "lead_ai_evaluations") == 0
    assert bed.is_charged(1)


def test_a_failure_that_comes_too_late_changes_nothing(bed, job_id):
    def think():
        bed.cancel()
        raise ModelTimeout("The model took longer than 30 s.")

    bed.add_document()

    assert bed.run(model=Model(think)).state == "overtaken"
    assert (bed.job["status"], bed.job["error_code"]) == ("cancelled", None)
    assert bed.bell.rings == []


def test_a_database_that_is_gone_comes_out_and_leaves_the_job_to_its_lease(bed, job_id):
    bed.add_document()

    with pytest.raises(DatabaseUnavailable):
        bed.run(model=Model(DatabaseUnavailable()))

    assert bed.job["status"] == "processing"


def test_everything_due_is_run_one_after_the_other(bed):
    bed.add_document()
    accept_job(bed.db, bed.lead_id)
    for _ in range(2):
        accept_job(bed.db, add_lead(bed.db))

    endings = list(run_due("evaluation", bed.env(), worker_id="worker_a", seconds_left=lambda: 900.0))

    assert sorted(ending.state for ending in endings) == ["completed", "failed", "failed"]
