"""Many at once on the same few rows: nothing is lost, nothing is done twice, no deadlock reaches a client.

`make races` runs the long form: MILLRACE_RACE_SECONDS=60.
"""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION
from millrace.errors import InsufficientDocuments, Refusal
from millrace.store import evaluations, jobs
from tests.database.crowd import Crowd
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    add_site,
    claim_job,
    complete_job,
    count_rows,
    ledger_sum,
    new_id,
    order_for,
    recount,
    used,
)

THREADS = 16
RACE_SECONDS = float(os.environ.get("MILLRACE_RACE_SECONDS", "0"))
ROUNDS = 120

# What must have happened at least once, or the mix was none.
WANTED = (
    "created", "retried", "cancelled", "deleted", "completed", "failed", "released", "rescued", "late", "died"
)  # fmt: skip

CHARGES_ENDED_TWICE = """
SELECT job_id FROM quota_entries WHERE kind <> 'reserve'
GROUP BY meter, job_id, charge_round, call HAVING COUNT(*) > 1
"""
ENDED_WITHOUT_AN_END_OF_THE_CHARGE = """
SELECT job.id FROM ai_evaluation_jobs AS job
WHERE job.status IN ('completed', 'failed', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM quota_entries AS ending
                  WHERE ending.job_id = job.id AND ending.charge_round = job.charge_round
                    AND ending.meter = 'evaluations' AND ending.kind <> 'reserve')
"""
LIVE_OF_THE_DELETED = """
SELECT job.id FROM ai_evaluation_jobs AS job JOIN leads AS lead ON lead.id = job.lead_id
WHERE lead.deleted_at IS NOT NULL AND job.completed_at IS NULL
"""
LEFT_OF_THE_DELETED = """
SELECT evaluation.id FROM lead_ai_evaluations AS evaluation JOIN leads AS lead ON lead.id = evaluation.lead_id
WHERE lead.deleted_at IS NOT NULL AND evaluation.summary <> ''
"""


def in_parallel(work, items):
    """Run `work` on every item, all at once; what each returned, or the refusal it met."""

    def attempt(item):
        try:
            return work(item)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(attempt, items))


def codes(outcomes):
    return Counter(outcome.code if isinstance(outcome, Refusal) else "accepted" for outcome in outcomes)


def test_of_200_parallel_creates_at_limit_20_exactly_20_are_accepted_and_charged(db):
    add_house(db, evaluations_a_month=20)
    leads = [add_lead(db) for _ in range(200)]

    outcomes = in_parallel(lambda lead: accept_job(db, lead), leads)

    assert codes(outcomes) == {"accepted": 20, "QuotaExceeded": 180}
    assert count_rows(db, "ai_evaluation_jobs") == used(db) == ledger_sum(db) == 20


def test_the_first_charges_of_a_month_may_come_all_at_once(db):
    add_house(db)

    for number in range(20):
        site = add_site(db, f"site_{number}")
        leads = [add_lead(db, site_id=site) for _ in range(6)]
        outcomes = in_parallel(lambda lead, site=site: accept_job(db, lead, site_id=site), leads)
        assert codes(outcomes) == {"accepted": 6}
        assert used(db, site_id=site) == 6


def test_of_100_parallel_creates_for_one_lead_exactly_one_is_accepted(db):
    add_house(db)
    lead = add_lead(db)

    outcomes = in_parallel(lambda _: accept_job(db, lead), range(100))

    assert codes(outcomes) == {"accepted": 1, "JobAlreadyPending": 99}
    assert count_rows(db, "ai_evaluation_jobs") == used(db) == 1


def test_a_lead_is_not_judged_twice_by_requests_that_race_with_the_end_of_its_job(db):
    add_house(db, evaluations_a_month=1_000)

    for _ in range(25):
        lead = add_lead(db)
        accept_job(db, lead)
        job = claim_job(db)
        racers = [lambda job=job: complete_job(db, job)] + [lambda lead=lead: accept_job(db, lead)] * 5
        in_parallel(lambda race: race(), racers)

    assert claim_job(db) is None
    assert count_rows(db, "ai_evaluation_jobs") == used(db) == 25


def test_parallel_repeats_of_one_request_are_done_once_and_answered_alike(db):
    add_house(db)
    order = order_for(add_lead(db))
    key = IdempotencyKey("once", "fingerprint")

    def create(_):
        return evaluations.create(db, order, job_id=new_id("job"), now=NOW, key=key).facts

    answers = in_parallel(create, range(60))

    assert answers == [answers[0]] * 60
    assert count_rows(db, "ai_evaluation_jobs") == used(db) == 1


def test_parallel_claims_never_take_a_job_twice_and_leave_none(db):
    add_house(db, evaluations_a_month=60)
    accepted = {accept_job(db, add_lead(db)) for _ in range(60)}

    claimed = in_parallel(lambda _: claim_job(db), range(80))

    taken = [job.id for job in claimed if job]
    assert len(taken) == 60
    assert set(taken) == accepted


def test_of_all_the_ways_to_end_one_job_at_once_exactly_one_takes_effect(db):
    add_house(db, evaluations_a_month=1_000)

    for _ in range(20):
        job_id = accept_job(db, add_lead(db))
        job = claim_job(db)
        ends = [
            lambda job=job: complete_job(db, job),
            lambda job=job: jobs.fail(
                db,
                EVALUATION,
                job,
                error=InsufficientDocuments("none"),
                move_id=new_id("move"),
                now=NOW,
                jitter=0.0,
            ),
            lambda job_id=job_id: jobs.cancel(
                db, EVALUATION, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=NOW
            ),
            lambda job=job: jobs.release(
                db, EVALUATION, job, move_id=new_id("move"), now=NOW + timedelta(days=1)
            ),
        ] * 2
        random.Random(job_id).shuffle(ends)

        effects = in_parallel(lambda end: bool(end()), ends)

        # A released job is live again, so a cancel may still follow; nothing else may.
        moves = db.prepare("SELECT move FROM job_events WHERE job_id = ?1").bind(job_id).raw()
        ended = sorted(move for (move,) in moves if move not in ("create", "claim"))
        assert ended in (["cancel"], ["complete"], ["fail"], ["release"], ["cancel", "release"])
        assert sum(effects) == len(ended)
    assert used(db) == ledger_sum(db) == recount(db)


def test_a_crowd_on_a_few_leads_meets_no_deadlock_and_the_books_agree_afterwards(db):
    add_house(db, evaluations_a_month=1_000_000)
    crowd = Crowd(db)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda worker: crowd.run(worker, rounds=ROUNDS, seconds=RACE_SECONDS), range(THREADS)))

    assert crowd.outcomes["DatabaseUnavailable"] == 0, crowd.outcomes
    assert min(crowd.outcomes[wanted] for wanted in WANTED) > 0, crowd.outcomes
    assert used(db) == ledger_sum(db) == recount(db)
    assert db.prepare(CHARGES_ENDED_TWICE).raw() == []
    assert db.prepare(ENDED_WITHOUT_AN_END_OF_THE_CHARGE).raw() == []
    assert count_rows(db, "lead_ai_evaluations") == crowd.outcomes["completed"]
    assert count_rows(db, "usage_records") == crowd.outcomes["paid"]
    assert db.prepare(LEFT_OF_THE_DELETED).raw() == []
    assert db.prepare(LIVE_OF_THE_DELETED).raw() == []
