"""The moves of a job: what each changes, and that none takes effect out of turn."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.errors import (
    InsufficientDocuments,
    ModelAnswerInvalid,
    ModelTimeout,
)
from millrace.store import jobs
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    begin_paid_work,
    claim_job,
    complete_job,
    count_rows,
    ledger_sum,
    new_id,
    recount,
    used,
)

LATER = NOW + timedelta(seconds=EVALUATION.lease_seconds + 1)


@pytest.fixture
def lead(db):
    add_house(db)
    return add_lead(db)


def job_row(db, job_id):
    return db.prepare("SELECT * FROM ai_evaluation_jobs WHERE id = ?1").bind(job_id).first()


def moves_of(db, job_id):
    rows = db.prepare("SELECT move FROM job_events WHERE job_id = ?1 ORDER BY created_at, attempt, id").bind(
        job_id
    )
    return [row["move"] for row in rows.all().results]


def fail_job(db, job, error, *, now=NOW, jitter=0.5):
    return jobs.fail(db, EVALUATION, job, error=error, move_id=new_id("move"), now=now, jitter=jitter)


def cancel_job(db, job_id, *, tenant_id="tenant_a", now=NOW):
    return jobs.cancel(db, EVALUATION, job_id, tenant_id=tenant_id, move_id=new_id("move"), now=now)


def test_a_release_is_never_refused_even_when_somebody_set_the_counter_too_low(db, lead):
    job_id = accept_job(db, lead)
    db.prepare("UPDATE ai_evaluation_usage SET evaluation_count = 0").run()

    assert cancel_job(db, job_id)

    assert used(db) == ledger_sum(db) == 0


def test_a_late_worker_must_not_begin_paid_work(db, lead):
    accept_job(db, lead)
    late = claim_job(db)
    list(jobs.rescue(db, EVALUATION, now=LATER, new_id=lambda: new_id("move"), jitter=lambda: 0.0))
    claim_job(db, now=LATER)

    assert not begin_paid_work(db, late, now=LATER)


def test_a_completed_job_has_its_evaluation_its_lead_its_score_and_its_charge_settled(db, lead):
    job_id = accept_job(db, lead)
    job = claim_job(db)

    assert complete_job(db, job)

    row = job_row(db, job_id)
    assert (row["status"], row["completed_at"], row["locked_until"]) == ("completed", NOW, None)
    evaluation = (
        db.prepare("SELECT * FROM lead_ai_evaluations WHERE id = ?1").bind(row["evaluation_id"]).first()
    )
    assert (evaluation["job_id"], evaluation["score"], evaluation["risk_flags"]) == (
        job_id,
        85,
        ["documents_incomplete"],
    )
    scored = db.prepare("SELECT * FROM leads WHERE id = ?1").bind(lead).first()
    assert (scored["ai_score"], scored["ai_label"], scored["status"]) == (85, "A", "ai_evaluated")
    assert used(db) == ledger_sum(db) == recount(db) == 1
    assert moves_of(db, job_id) == ["create", "claim", "complete"]


def test_a_late_worker_changes_nothing_once_its_lease_was_rescued(db, lead):
    job_id = accept_job(db, lead)
    late = claim_job(db)
    list(jobs.rescue(db, EVALUATION, now=LATER, new_id=lambda: new_id("move"), jitter=lambda: 0.0))
    current = claim_job(db, now=LATER)

    assert not complete_job(db, late, now=LATER)
    assert fail_job(db, late, ModelTimeout("slow"), now=LATER) is None
    assert not jobs.release(db, EVALUATION, late, move_id=new_id("move"), now=LATER)
    assert not jobs.extend(db, EVALUATION, late, now=LATER, progress_message="Late")

    assert count_rows(db, "lead_ai_evaluations") == 0
    assert job_row(db, job_id)["attempt"] == current.attempt == 2
    assert complete_job(db, current, now=LATER)


def test_a_cancelled_job_no_longer_says_what_it_waits_for(db, lead):
    job_id = accept_job(db, lead)
    says = "Waiting: today's spend limit is reached."
    assert jobs.release(db, EVALUATION, claim_job(db), move_id=new_id("move"), now=NOW, says=says)
    assert job_row(db, job_id)["progress_message"] == says

    assert cancel_job(db, job_id)

    assert job_row(db, job_id)["progress_message"] is None


def test_a_result_of_a_cancelled_job_is_dropped(db, lead):
    job_id = accept_job(db, lead)
    job = claim_job(db)
    cancel_job(db, job_id)

    assert not complete_job(db, job)

    assert job_row(db, job_id)["status"] == "cancelled"
    assert count_rows(db, "lead_ai_evaluations") == 0


def test_a_transient_failure_waits_its_backoff_and_counts_a_retry(db, lead):
    job_id = accept_job(db, lead)
    job = claim_job(db)

    row = fail_job(db, job, ModelTimeout("The model took longer than 30 s."), jitter=0.5)

    assert (row["status"], row["retry_count"], row["error_code"]) == ("pending", 1, "ModelTimeout")
    assert row["run_after"] == NOW + timedelta(seconds=15)
    assert (row["started_at"], row["worker_id"], row["completed_at"]) == (None, None, None)
    assert used(db) == 1
    assert moves_of(db, job_id) == ["create", "claim", "fail"]


def test_a_transient_failure_is_tried_four_times_and_then_ends_and_gives_back(db, lead):
    job_id = accept_job(db, lead)
    now = NOW
    for _ in range(4):
        job = claim_job(db, now=now)
        fail_job(db, job, ModelTimeout("slow"), now=now)
        now += timedelta(hours=1)

    row = job_row(db, job_id)

    assert (row["status"], row["attempt"], row["retry_count"]) == ("failed", 4, 3)
    assert row["completed_at"] == NOW + timedelta(hours=3)
    assert used(db) == ledger_sum(db) == recount(db) == 0


def test_a_permanent_failure_ends_at_once_and_gives_back(db, lead):
    accept_job(db, lead)

    row = fail_job(db, claim_job(db), InsufficientDocuments("none"))

    assert (row["status"], row["retry_count"]) == ("failed", 0)
    assert used(db) == ledger_sum(db) == 0


def test_a_failure_that_was_paid_for_keeps_its_charge(db, lead):
    accept_job(db, lead)

    fail_job(db, claim_job(db), ModelAnswerInvalid("nonsense, twice"))

    assert used(db) == ledger_sum(db) == recount(db) == 1


def test_a_cancel_before_the_model_is_called_gives_back(db, lead):
    job_id = accept_job(db, lead)
    claim_job(db)

    assert cancel_job(db, job_id)

    assert used(db) == ledger_sum(db) == recount(db) == 0


def test_a_cancel_after_the_model_was_called_keeps_the_charge(db, lead):
    job_id = accept_job(db, lead)
    job = claim_job(db)
    assert begin_paid_work(db, job)

    assert cancel_job(db, job_id)

    assert used(db) == ledger_sum(db) == recount(db) == 1
    assert not begin_paid_work(db, job)


def test_a_second_cancel_and_one_by_another_tenant_change_nothing(db, lead):
    job_id = accept_job(db, lead)

    assert not cancel_job(db, job_id, tenant_id="tenant_b")
    assert cancel_job(db, job_id)
    assert not cancel_job(db, job_id)

    assert used(db) == ledger_sum(db) == 0
    assert moves_of(db, job_id) == ["create", "cancel"]


def test_a_released_job_is_due_again_at_once_and_no_retry_is_counted(db, lead):
    accept_job(db, lead)
    job = claim_job(db)

    assert jobs.release(db, EVALUATION, job, move_id=new_id("move"), now=NOW)

    again = claim_job(db)
    assert (again.id, again.attempt, again.retry_count) == (job.id, 2, 0)
    assert used(db) == 1


def test_progress_renews_the_lease_and_writes_no_event(db, lead):
    job_id = accept_job(db, lead)
    job = claim_job(db)

    assert jobs.extend(
        db, EVALUATION, job, now=NOW + timedelta(seconds=60), progress_message="reading documents"
    )

    row = job_row(db, job_id)
    assert row["locked_until"] == NOW + timedelta(seconds=60 + EVALUATION.lease_seconds)
    assert row["progress_message"] == "reading documents"
    assert moves_of(db, job_id) == ["create", "claim"]
