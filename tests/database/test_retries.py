"""A failed job, once more: charged anew, or not at all."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.errors import (
    InsufficientDocuments,
    JobAlreadyPending,
    JobNotFailed,
    JobNotFound,
    QuotaExceeded,
)
from millrace.store import evaluations, jobs
from tests.factories import NOW, add_lead, add_site, add_tenant, new_id

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def lead(db) -> str:
    add_tenant(db)
    add_site(db, evaluations_a_month=2)
    return add_lead(db)


def accept(db, lead_id: str, *, now=NOW) -> str:
    job_id = new_id("job")
    order = evaluations.Order("tenant_a", "site_a", lead_id, "user_a", "local/rules", force_refresh=True)
    evaluations.create(db, order, job_id=job_id, now=now)
    return job_id


def fail(db, job_id: str) -> None:
    job = jobs.claim(db, EVALUATION, worker_id="w", move_id=new_id("move"), now=NOW)
    assert job.id == job_id
    error = InsufficientDocuments("nothing to read")
    jobs.fail(db, EVALUATION, job, error=error, move_id=new_id("move"), now=NOW, jitter=0.0)


def retry(db, job_id: str, *, now=LATER, tenant_id: str = "tenant_a") -> None:
    evaluations.retry(db, job_id, tenant_id=tenant_id, move_id=new_id("move"), now=now)


def row(db, job_id: str) -> dict:
    return dict(db.prepare("SELECT * FROM ai_evaluation_jobs WHERE id = ?1").bind(job_id).first())


def used(db, month: str = "2025-12") -> int | None:
    sql = "SELECT evaluation_count FROM ai_evaluation_usage WHERE month = ?1"
    return db.prepare(sql).bind(month).first("evaluation_count")


def test_a_failed_job_waits_again_with_nothing_left_of_its_failure(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)

    retry(db, job_id)

    job = row(db, job_id)
    assert (job["status"], job["retry_count"], job["charge_round"]) == ("pending", 0, 1)
    assert (job["completed_at"], job["error_code"], job["error_message"]) == (None, None, None)
    assert job["run_after"] == LATER


def test_a_retry_is_charged_once_and_settled_like_a_first_try(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)
    before = used(db)

    retry(db, job_id)
    during = used(db)
    fail_again(db, job_id)

    assert (before, during, used(db)) == (0, 1, 0)


def fail_again(db, job_id: str) -> None:
    job = jobs.claim(db, EVALUATION, worker_id="w", move_id=new_id("move"), now=LATER)
    assert job.id == job_id
    error = InsufficientDocuments("still nothing")
    jobs.fail(db, EVALUATION, job, error=error, move_id=new_id("move"), now=LATER, jitter=0.0)


def test_a_retry_in_another_month_is_charged_to_that_one(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)
    january = NOW + timedelta(days=20)

    retry(db, job_id, now=january)

    assert (used(db, "2025-12"), used(db, "2026-01")) == (0, 1)
    assert row(db, job_id)["charged_period"] == "2026-01"


def test_a_retry_beyond_the_quota_changes_nothing(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)
    for _ in range(2):
        accept(db, add_lead(db))

    with pytest.raises(QuotaExceeded):
        retry(db, job_id)

    assert (row(db, job_id)["status"], used(db)) == ("failed", 2)


def test_a_retry_beside_a_newer_job_of_the_lead_changes_nothing(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)
    accept(db, lead)

    with pytest.raises(JobAlreadyPending):
        retry(db, job_id)

    assert (row(db, job_id)["status"], used(db)) == ("failed", 1)


def test_a_cancelled_job_stays_cancelled(db, lead):
    job_id = accept(db, lead)
    jobs.cancel(db, EVALUATION, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=NOW)

    with pytest.raises(JobNotFailed, match="The job is cancelled"):
        retry(db, job_id)

    assert (row(db, job_id)["status"], used(db)) == ("cancelled", 0)


def test_a_live_job_is_not_retried(db, lead):
    job_id = accept(db, lead)

    with pytest.raises(JobNotFailed, match="The job is pending"):
        retry(db, job_id)

    assert row(db, job_id)["charge_round"] == 0


def test_somebody_else_s_job_is_not_retried(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)

    with pytest.raises(JobNotFound):
        retry(db, job_id, tenant_id="tenant_b")

    assert row(db, job_id)["charge_round"] == 0


def test_a_retry_stands_in_the_timeline(db, lead):
    job_id = accept(db, lead)
    fail(db, job_id)

    retry(db, job_id)

    sql = "SELECT move FROM job_events WHERE job_id = ?1 ORDER BY created_at DESC LIMIT 1"
    assert db.prepare(sql).bind(job_id).first("move") == "retry"
