"""Many who retry the same failed job: one reopens it, and it is charged once."""

import random
from collections import Counter

from millrace import operations
from millrace.bindings.queue import NoQueue
from millrace.domain.jobs import EVALUATION
from millrace.env import Config, Env
from millrace.errors import InsufficientDocuments, JobNotFailed, Refusal
from millrace.store import evaluations, jobs
from tests.database.test_races import in_parallel
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    claim_job,
    complete_job,
    ledger_sum,
    new_id,
    recount,
    used,
)


def test_of_many_who_retry_one_failed_job_exactly_one_reopens_it_and_it_is_charged_once(db):
    add_house(db, evaluations_a_month=1_000)
    env = Env(Config("sqlite:////named-by-no-one.db"), DB=db, QUEUE=NoQueue(), now=lambda: NOW)

    def retry(job_id):
        try:
            return operations.run("jobs retry", {"job_id": job_id}, env)["status"]
        except JobNotFailed as refused:
            return str(refused)

    for number in range(1, 21):
        job_id = accept_job(db, add_lead(db))
        fail_job(db, claim_job(db))
        assert used(db) == number - 1

        outcomes = in_parallel(retry, [job_id] * 6)

        assert Counter(outcomes) == {"pending": 1, "The job is pending. Only a failed job is retried.": 5}
        assert charges_of(db, job_id) == [(0, "release"), (0, "reserve"), (1, "reserve")]
        assert used(db) == ledger_sum(db) == recount(db) == number
        complete_job(db, claim_job(db))


def test_a_retry_and_new_requests_for_its_lead_at_once_leave_one_live_job_that_is_charged(db):
    add_house(db, evaluations_a_month=1_000)

    for number in range(1, 21):
        lead = add_lead(db)
        job_id = accept_job(db, lead)
        fail_job(db, claim_job(db))
        racers = [lambda lead=lead: accept_job(db, lead)] * 3
        racers += [
            lambda job_id=job_id: evaluations.retry(
                db, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=NOW
            )
        ] * 3
        random.Random(job_id).shuffle(racers)

        outcomes = in_parallel(lambda race: race(), racers)

        assert sum(1 for one in outcomes if one and not isinstance(one, Refusal)) == 1
        assert used(db) == ledger_sum(db) == recount(db) == number
        complete_job(db, claim_job(db))


def fail_job(db, job):
    error = InsufficientDocuments("none")
    jobs.fail(db, EVALUATION, job, error=error, move_id=new_id("move"), now=NOW, jitter=0.0)


def charges_of(db, job_id):
    entries = "SELECT charge_round, kind FROM quota_entries WHERE job_id = ?1 ORDER BY charge_round, kind"
    return [tuple(row) for row in db.prepare(entries).bind(job_id).raw()]
