"""A worker that is not heard of again: its lease runs out and its job is due again."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.errors import ConstraintBroken, LeaseExpired
from millrace.store import jobs
from tests.factories import NOW, accept_job, add_house, add_lead, claim_job, new_id

LATER = NOW + timedelta(seconds=EVALUATION.lease_seconds + 1)


@pytest.fixture
def lead(db):
    add_house(db)
    return add_lead(db)


def test_a_rescued_job_that_cannot_be_moved_keeps_no_other_from_rescue(db, database):
    add_house(db)
    for _ in range(2):
        accept_job(db, add_lead(db))
    stuck = claim_job(db)
    claim_job(db)
    forbid_moves_of(database.open(role=None), stuck.id)

    refused, rescued = jobs.rescue(db, EVALUATION, now=LATER, new_id=lambda: new_id("m"), jitter=lambda: 0.0)

    assert isinstance(refused, ConstraintBroken)
    assert rescued["status"] == "pending"


def forbid_moves_of(owner, job_id):
    """Its timeline takes no other failure than the one made up here."""
    owner.prepare("""
        INSERT INTO job_events (id, tenant_id, job_id, kind, attempt, move, created_at)
        VALUES ('made up', 'tenant_a', ?1, 'evaluation', 1, 'fail', ?2)
    """).bind(job_id, NOW).run()
    owner.prepare("CREATE UNIQUE INDEX one_failure_only ON job_events(job_id) WHERE move = 'fail'").run()


def test_a_lease_renewed_after_the_rescue_looked_is_left_alone(db, lead):
    accept_job(db, lead)
    job = claim_job(db)
    jobs.extend(db, EVALUATION, job, now=LATER, progress_message="Still here")
    error = LeaseExpired("gone")

    moved = jobs.fail(
        db, EVALUATION, job, error=error, move_id=new_id("m"), now=LATER, jitter=0.0, lease_lost=True
    )

    assert moved is None


def test_a_rescue_leaves_leases_that_still_run(db, lead):
    accept_job(db, lead)
    claim_job(db)

    assert list(jobs.rescue(db, EVALUATION, now=NOW, new_id=lambda: new_id("move"), jitter=lambda: 0.0)) == []


def test_a_rescued_job_is_due_again_and_says_why(db, lead):
    accept_job(db, lead)
    claim_job(db)

    (row,) = list(jobs.rescue(db, EVALUATION, now=LATER, new_id=lambda: new_id("move"), jitter=lambda: 0.0))

    assert (row["status"], row["error_code"], row["retry_count"]) == ("pending", "LeaseExpired", 1)
    assert jobs.count_due(db, EVALUATION, now=LATER) == (1, LATER)
