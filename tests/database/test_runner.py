"""The runner: which job it takes, which it gives back, and what it does when someone was faster."""

import json
from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.errors import DatabaseUnavailable, ModelTimeout
from millrace.store import erasure, jobs
from millrace.store.leads import Which
from millrace.workloads import runner
from millrace.workloads.runner import run_due
from tests.evaluation_bed import FACTS, SLIP, Blinking, Model
from tests.factories import BY, accept_job, add_lead, count_rows, new_id


def test_nothing_due_is_nothing_done(bed):
    assert bed.run() is None


def test_with_less_time_left_than_a_job_may_take_none_is_begun(bed, job_id):
    assert bed.run(seconds_left=lambda: EVALUATION.most_seconds - 0.1) is None
    assert bed.job["attempt"] == 0


def test_what_cannot_be_imported_takes_no_job(bed, job_id, monkeypatch):
    def load():
        raise ImportError("the layer lacks something")

    monkeypatch.setattr(runner, "WORKLOADS", {"evaluation": load})

    with pytest.raises(ImportError):
        bed.run()

    assert (bed.job["status"], bed.job["attempt"]) == ("pending", 0)


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


@pytest.mark.parametrize("answer", [json.dumps(FACTS), "nonsense"])
def test_of_a_lead_that_is_deleted_while_the_model_thinks_nothing_is_written_back(bed, job_id, answer):
    def think():
        which = Which(bed.lead_id, tenant_id="tenant_a", site_id="site_a")
        erasure.delete_lead(bed.db, which, move_id=new_id("move"), by=BY, now=bed.clock.now())
        return answer

    bed.add_document()

    ending = bed.run(model=Model(think, answer))

    assert ending.state == "overtaken"
    assert count_rows(bed.db, "lead_ai_evaluations") == 0
    assert (bed.lead["status"], bed.lead["ai_score"], bed.lead["first_name"]) == ("deleted", None, None)
    assert bed.job["status"] == "cancelled"
    assert bed.is_charged(1)


def test_a_failure_that_comes_too_late_changes_nothing(bed, job_id):
    def think():
        bed.cancel()
        raise ModelTimeout("The model took longer than 30 s.")

    bed.add_document()

    assert bed.run(model=Model(think)).state == "overtaken"
    assert (bed.job["status"], bed.job["error_code"]) == ("cancelled", None)
    assert bed.bell.rings == []


COMPLETING, FAILING, RELEASING = "SET status = 'completed'", "SET status = CASE", "SET status = 'pending'"


@pytest.fixture
def time_left(clock):
    """A function's whole time, which passes with the clock."""
    started = clock.now()
    return lambda: 90 - (clock.now() - started).total_seconds()


@pytest.mark.parametrize("blinks", [["before"], ["after"], ["before", "before", "after"]])
def test_a_result_that_was_paid_for_outlives_a_blink_of_the_database(bed, job_id, time_left, blinks):
    bed.add_document()
    model = Model(json.dumps(FACTS))

    ending = bed.run(model=model, db=Blinking(bed.db, move=COMPLETING, blinks=blinks), seconds_left=time_left)

    assert ending.state == "completed"
    assert len(model.questions) == count_rows(bed.db, "lead_ai_evaluations") == 1
    assert bed.job["status"] == "completed"
    assert bed.is_charged(1)


@pytest.mark.parametrize("blink", ["before", "after"])
def test_a_failure_outlives_a_blink_and_is_counted_and_rung_for_once(bed, job_id, time_left, blink):
    bed.add_document()
    model = Model(ModelTimeout("The model took longer than 30 s."))

    ending = bed.run(model=model, db=Blinking(bed.db, move=FAILING, blinks=[blink]), seconds_left=time_left)

    assert ending.state == "retried"
    assert (bed.job["status"], bed.job["retry_count"]) == ("pending", 1)
    assert [kind for kind, _ in bed.bell.rings] == ["evaluation"]


@pytest.mark.parametrize("blink", ["before", "after"])
def test_a_job_is_given_back_in_spite_of_a_blink(bed, job_id, blink):
    left = iter([900.0, 1.0, 900.0])

    ending = bed.run(db=Blinking(bed.db, move=RELEASING, blinks=[blink]), seconds_left=lambda: next(left))

    assert ending.state == "released"
    assert (bed.job["status"], bed.job["retry_count"]) == ("pending", 0)
    assert bed.bell.rings == [("evaluation", 0)]


def test_a_move_that_another_made_while_the_database_was_away_is_not_ours(bed, job_id, time_left):
    class Cancelled(Blinking):
        def batch(self, statements):
            try:
                return super().batch(statements)
            except DatabaseUnavailable:
                bed.cancel()
                raise

    bed.add_document()

    ending = bed.run(db=Cancelled(bed.db, move=COMPLETING, blinks=["before"]), seconds_left=time_left)

    assert ending.state == "overtaken"
    assert bed.job["status"] == "cancelled"


def test_a_database_that_stays_away_leaves_the_job_to_its_lease_and_a_later_attempt(bed, job_id, time_left):
    bed.add_document()
    away = Blinking(bed.db, move=COMPLETING, blinks=["before"] * 1_000)

    with pytest.raises(DatabaseUnavailable):
        bed.run(db=away, seconds_left=time_left)

    assert bed.job["status"] == "processing"
    bed.clock.advance(seconds=EVALUATION.lease_seconds)
    now = bed.clock.now()
    list(jobs.rescue(bed.db, EVALUATION, now=now, new_id=new_id, jitter=lambda: 0.5))
    assert (bed.job["status"], bed.job["error_code"]) == ("pending", "LeaseExpired")
    bed.clock.advance(seconds=15)
    assert bed.run().state == "completed"
    assert (bed.job["attempt"], bed.job["retry_count"]) == (2, 1)
    assert bed.is_charged(1)


def test_a_run_says_how_far_it_is_and_renews_its_lease(bed, job_id):
    told = []

    class Watched(Model):
        def run(self, model, question):
            told.append((bed.job["progress_message"], bed.job["locked_until"]))
            return super().run(model, question)

    class Slow:
        def get(self, key, *, most_bytes):
            told.append((bed.job["progress_message"], bed.job["locked_until"]))
            bed.clock.advance(seconds=5)
            return SLIP

    bed.add_document()
    started = bed.clock.now()

    bed.run(model=Watched(json.dumps(FACTS)), bucket=Slow())

    lease = timedelta(seconds=EVALUATION.lease_seconds)
    assert told == [
        ("Reading the documents", started + lease),
        ("Asking the model", started + timedelta(seconds=5) + lease),
    ]


@pytest.mark.parametrize("seconds", [5, 60])
def test_a_run_that_becomes_too_long_ends_before_its_lease_and_is_tried_again(bed, job_id, seconds):
    class Slow:
        def get(self, key, *, most_bytes):
            bed.clock.advance(seconds=seconds)
            return SLIP

    for _ in range(10):
        bed.add_document()
    model = Model(json.dumps(FACTS))
    started = bed.clock.now()

    ending = bed.run(model=model, bucket=Slow())

    assert (ending.state, ending.failure.code) == ("retried", "StorageError")
    assert bed.clock.now() - started < timedelta(seconds=EVALUATION.most_seconds)
    assert model.questions == []


def test_an_answer_that_took_all_the_time_is_not_asked_for_again(bed, job_id):
    def think():
        bed.clock.advance(seconds=45)
        return "no idea"

    bed.add_document()
    model = Model(think)

    ending = bed.run(model=model)

    assert (ending.state, ending.failure.code) == ("retried", "ModelTimeout")
    assert len(model.questions) == 1


def test_everything_due_is_run_one_after_the_other(bed):
    bed.add_document()
    accept_job(bed.db, bed.lead_id)
    for _ in range(2):
        accept_job(bed.db, add_lead(bed.db))

    endings = list(run_due("evaluation", bed.env(), worker_id="worker_a", seconds_left=lambda: 900.0))

    assert sorted(ending.state for ending in endings) == ["completed", "failed", "failed"]
