"""People who decide about one job at once, while it runs: the books agree afterwards, whoever came first."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION
from millrace.errors import InsufficientDocuments, Refusal
from millrace.store import erasure, evaluations, jobs, overrides, settings
from millrace.store.leads import Which
from tests.database.test_races import THREADS, codes, in_parallel
from tests.factories import (
    BY,
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

WHOSE = {"tenant_id": "tenant_a", "site_id": "site_a"}


@pytest.fixture
def pool():
    """Runs racers at once: what each did, or was refused with. Threads stay, and so do their connections."""
    with ThreadPoolExecutor(THREADS) as threads:
        yield lambda racers: list(threads.map(attempt, racers))


def attempt(race):
    try:
        return race()
    except Refusal as refusal:
        return refusal


def retry(db, job_id, *, key=None):
    return evaluations.retry(db, job_id, **WHOSE, person="user_a", move_id=new_id("move"), now=NOW, key=key)


def cancel(db, job_id):
    return evaluations.cancel(db, job_id, **WHOSE, person="user_a", move_id=new_id("move"), now=NOW)


def fail(db, job):
    error = InsufficientDocuments("none")
    return jobs.fail(db, EVALUATION, job, error=error, move_id=new_id("move"), now=NOW, jitter=0.0)


def failed_job(db):
    job_id = accept_job(db, add_lead(db))
    fail(db, claim_job(db))
    return job_id


def work(db, luck):
    """Whatever is due, to one end or another."""
    if job := claim_job(db):
        if luck.random() < 0.5:
            begin_paid_work(db, job)
        return complete_job(db, job) if luck.random() < 0.5 else fail(db, job)
    return None


def test_retries_cancels_and_endings_of_one_job_at_once_leave_books_that_agree(db, pool):
    add_house(db, evaluations_a_month=1_000)
    for seed in range(40):
        luck = random.Random(seed)
        job_id = failed_job(db)
        racers = [lambda job_id=job_id: retry(db, job_id)] * 3
        racers += [lambda job_id=job_id: cancel(db, job_id)] * 3
        racers += [lambda luck=luck: work(db, luck)] * 4
        luck.shuffle(racers)

        outcomes = pool(racers)
        assert "DatabaseUnavailable" not in codes(outcomes)
        while claim_job(db):
            cancel(db, job_id)

        assert used(db) == ledger_sum(db) == recount(db)

    # A failed job is there to be taken up by the first of them, each time.
    assert db.prepare("SELECT COUNT(*) AS n FROM job_events WHERE move = 'retry'").first("n") >= 40
    assert endings_without_one_charge(db) == []


def endings_without_one_charge(db):
    """Every round was charged once, and every charge of a job that has ended came to one end."""
    return db.prepare("""
        SELECT job_id, charge_round FROM quota_entries GROUP BY job_id, charge_round
        HAVING COUNT(*) <> 2 OR MIN(kind) = MAX(kind)
    """).raw()


def test_parallel_repeats_of_one_retry_are_done_once_and_answered_alike(db):
    add_house(db)
    job_id = failed_job(db)
    key = IdempotencyKey("once", "fingerprint")

    answers = in_parallel(lambda _: retry(db, job_id, key=key).facts, range(30))

    assert answers == [answers[0]] * 30
    assert answers[0]["job_id"] == job_id
    moves = db.prepare("SELECT move FROM job_events WHERE move = 'retry'").raw()
    assert (len(moves), used(db)) == (1, 1)


def test_of_parallel_cancels_one_is_made_and_all_are_answered_alike(db):
    add_house(db)
    job_id = accept_job(db, add_lead(db))

    rows = in_parallel(lambda _: dict(cancel(db, job_id)), range(20))

    assert rows == [rows[0]] * 20
    assert (count_rows(db, "job_events"), used(db), ledger_sum(db)) == (2, 0, 0)


def test_an_override_is_for_the_evaluation_that_was_the_latest_when_it_was_made(db, pool):
    add_house(db, evaluations_a_month=1_000)
    for _ in range(20):
        lead = add_lead(db)
        accept_job(db, lead)
        complete_job(db, claim_job(db))
        seen = db.prepare("SELECT latest_evaluation_id FROM leads WHERE id = ?1").bind(lead)
        evaluation_id = seen.first("latest_evaluation_id")
        accept_job(db, lead, force_refresh=True)
        job = claim_job(db)

        racers = [lambda job=job: complete_job(db, job)] + [
            lambda lead=lead, evaluation_id=evaluation_id: override(db, lead, evaluation_id)
        ] * 4
        random.Random(lead).shuffle(racers)
        outcomes = codes(pool(racers))

        kept = (
            db.prepare("SELECT evaluation_id FROM evaluation_overrides WHERE lead_id = ?1").bind(lead).raw()
        )
        assert kept == [(evaluation_id,)] * (outcomes["accepted"] - 1)
        assert set(outcomes) <= {"accepted", "EvaluationNotFound"}


def override(db, lead_id, evaluation_id):
    new = overrides.NewOverride(
        id=new_id("override"), lead_id=lead_id, evaluation_id=evaluation_id, new_recommendation="reject",
        reason="A reason.", overridden_by="user_a", **WHOSE,
    )  # fmt: skip
    return overrides.create(db, new, by=BY, now=NOW)


def test_many_who_change_the_same_settings_at_once_leave_a_row_for_each(db):
    add_house(db)

    def change(number):
        values = {"ai_enabled": number % 2 == 0, "ai_default_model": f"some/{number}"}
        if number % 3 == 0:
            values = dict(reversed(values.items()))
        return settings.change(db, values, tenant_id="tenant_a", by=BY, now=NOW)["ai_enabled"]

    before = count_rows(db, "settings")
    outcomes = in_parallel(change, range(40))

    assert Counter(outcomes) == {True: 20, False: 20}
    assert count_rows(db, "settings") == before + 2


def test_no_job_outlives_the_lead_that_is_deleted_while_it_is_accepted(db, pool):
    add_house(db, evaluations_a_month=1_000)
    for number in range(60):
        if number % 2:
            job_id = failed_job(db)
            its_lead = db.prepare("SELECT lead_id FROM ai_evaluation_jobs WHERE id = ?1").bind(job_id)
            lead = its_lead.first("lead_id")
            racers = [lambda job_id=job_id: retry(db, job_id)] * 2
        else:
            lead = add_lead(db)
            racers = [lambda lead=lead: accept_job(db, lead)] * 2
        which = Which(lead_id=lead, **WHOSE)
        racers.append(
            lambda which=which: erasure.delete_lead(db, which, move_id=new_id("move"), by=BY, now=NOW)
        )
        random.Random(number).shuffle(racers)

        assert set(codes(pool(racers))) <= {"accepted", "LeadNotFound", "JobAlreadyPending", "JobNotFailed"}

    live = "SELECT id FROM ai_evaluation_jobs WHERE status IN ('pending', 'processing')"
    assert db.prepare(live).raw() == []
    assert used(db) == ledger_sum(db) == recount(db) == 0


def test_no_reason_outlives_the_lead_that_is_deleted_while_it_is_given(db, pool):
    add_house(db, evaluations_a_month=1_000)
    for _ in range(20):
        lead = add_lead(db)
        accept_job(db, lead)
        complete_job(db, claim_job(db))
        which = Which(lead_id=lead, **WHOSE)
        racers = [lambda lead=lead: override(db, lead, None)] * 4
        racers.append(
            lambda which=which: erasure.delete_lead(db, which, move_id=new_id("move"), by=BY, now=NOW)
        )
        random.Random(lead).shuffle(racers)

        assert set(codes(pool(racers))) <= {"accepted", "LeadNotFound"}

    kept = db.prepare("SELECT DISTINCT reason FROM evaluation_overrides").raw()
    assert "A reason." not in [reason for (reason,) in kept]
