"""Claiming: the oldest due job, of whichever tenant has least running, and nobody starves."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.store import jobs
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    add_tenant,
    claim_job,
    complete_job,
)


@pytest.fixture
def lead(db):
    add_house(db)
    return add_lead(db)


def test_a_claim_takes_the_oldest_due_job_for_a_lease(db, lead):
    job_id = accept_job(db, lead)
    accept_job(db, add_lead(db), now=NOW + timedelta(seconds=1))

    job = claim_job(db, now=NOW + timedelta(seconds=2))

    assert job.id == job_id
    assert job.attempt == 1
    assert job.row["status"] == "processing"
    assert job.row["locked_until"] == NOW + timedelta(seconds=2 + EVALUATION.lease_seconds)


def test_a_claim_finds_nothing_when_nothing_is_due(db, lead):
    accept_job(db, lead, now=NOW + timedelta(minutes=5))

    assert claim_job(db, now=NOW) is None


def test_claims_go_round_the_tenants_however_much_one_of_them_has_waiting(db, lead):
    add_tenant(db, "tenant_b")
    add_site(db, "site_b", tenant_id="tenant_b")
    for _ in range(5):
        accept_job(db, add_lead(db))
    accept_job(
        db, add_lead(db, site_id="site_b", tenant_id="tenant_b"), now=NOW + timedelta(seconds=9),
        tenant_id="tenant_b", site_id="site_b",
    )  # fmt: skip

    first_two = [claim_job(db, now=NOW + timedelta(seconds=10)).tenant_id for _ in range(2)]

    assert sorted(first_two) == ["tenant_a", "tenant_b"]


def test_one_worker_serves_every_tenant_before_any_of_them_is_done(db):
    for letter in "abcd":
        add_tenant(db, f"tenant_{letter}")
        add_site(db, f"site_{letter}", tenant_id=f"tenant_{letter}")
        for _ in range(8):
            whose = {"tenant_id": f"tenant_{letter}", "site_id": f"site_{letter}"}
            accept_job(db, add_lead(db, **whose), **whose)

    served = []
    for turn in range(16):
        job = jobs.claim(db, EVALUATION, worker_id="only", move_id=f"turn_{turn}", now=NOW)
        complete_job(db, job)
        served.append(job.tenant_id)

    assert len(set(served[:8])) == 4
    assert max(map(served.count, served)) < 8
