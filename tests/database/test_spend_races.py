"""However many spend at once, no day is overrun, and the books agree whatever became of the jobs.

A round is a day. The gate has a few; `make races` has a thousand.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.errors import JobFailure, LeaseExpired, ModelTimeout, SpendLimitReached
from millrace.store import jobs, judgements, spend_drift
from tests.database.test_races import RACE_SECONDS, THREADS
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    begin_paid_work,
    claim_job,
    evaluation_of,
    new_id,
)
from tests.spending_bed import limit_spend, spent

LIMIT, MOST = 1_000_000, 90_000
ROUNDS = 1_000 if RACE_SECONDS else 4
JOBS = 24
ENDINGS = ("complete", "fail", "time out", "die", "cancel")


def claim_all(db, *, count, now):
    for _ in range(count):
        accept_job(db, add_lead(db), now=now)
    return [claim_job(db, now=now) for _ in range(count)]


def test_of_attempts_that_begin_at_once_no_more_do_than_fit_into_the_day(db):
    add_house(db, evaluations_a_month=JOBS)
    limit_spend(db, "1")
    waiting = claim_all(db, count=JOBS, now=NOW)

    def try_to_begin(job):
        try:
            return begin_paid_work(db, job, most_microusd=MOST)
        except SpendLimitReached:
            return False

    with ThreadPoolExecutor(THREADS) as pool:
        began = sum(pool.map(try_to_begin, waiting))

    assert began == LIMIT // MOST
    assert spent(db) == began * MOST
    assert spend_drift.find_spent(db).drifting == 0


class Spenders:
    """They begin jobs, and end them one way or another; each real cost is within what was set aside."""

    def __init__(self, db):
        self.db = db
        self.seen = []
        # In turn, whoever gets to begin: so none is left out of a short run.
        self.endings = cycle(ENDINGS)

    def run(self, job, *, seed, now):
        luck = random.Random(seed)
        try:
            began = begin_paid_work(self.db, job, most_microusd=luck.randrange(MOST, 4 * MOST), now=now)
        except SpendLimitReached as reached:
            assert jobs.release(self.db, EVALUATION, job, move_id=new_id("move"), now=now, why=reached)
            return "waiting"
        assert began
        self.seen.append(spent_of(self.db, now=now))
        ending = next(self.endings)
        self.end(job, ending, luck=luck, now=now)
        return ending

    def end(self, job, ending, *, luck, now):
        answer = ModelAnswer(
            "{}", "test/model", cost_microusd=luck.randrange(2), input_tokens=luck.randrange(9)
        )
        calls = [PaidCall(new_id("call"), answer, now) for _ in range(luck.randrange(3))]
        moved = {
            "calls": calls,
            "move_id": new_id("move"),
            "now": now + luck.choice([timedelta(0), timedelta(days=1)]),
        }
        if ending == "cancel":
            jobs.cancel(self.db, EVALUATION, job.id, tenant_id="tenant_a", move_id=new_id("move"), now=now)
        if ending in ("complete", "cancel"):
            judgements.complete(self.db, job, evaluation=evaluation_of(now=now), **moved)
        elif ending != "die":
            error = ModelTimeout("slow") if ending == "time out" else JobFailure("unreadable")
            judgements.fail(self.db, job, error=error, jitter=0.0, **moved)
        else:
            lost = LeaseExpired("lost")
            jobs.fail(self.db, EVALUATION, job, error=lost, move_id=new_id("move"), now=now, jitter=0.0)


def spent_of(db, *, now):
    used = db.prepare("SELECT used FROM daily_spend WHERE tenant_id = 'tenant_a' AND day = ?1")
    return used.bind(now.date().isoformat()).first("used")


@pytest.mark.parametrize("hundred", range(max(1, ROUNDS // 100)))
def test_whatever_becomes_of_them_the_cap_holds_and_the_books_agree(db, hundred):
    add_house(db, evaluations_a_month=10**6)
    limit_spend(db, "1")
    spenders, outcomes = Spenders(db), set()

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(min(ROUNDS, 100)):
            now = NOW + timedelta(days=2 * number)
            todays = claim_all(db, count=JOBS, now=now)
            seeds = range((hundred * 100 + number) * JOBS, (hundred * 100 + number + 1) * JOBS)
            outcomes |= set(
                pool.map(
                    lambda pair, now=now: spenders.run(pair[0], seed=pair[1], now=now),
                    zip(todays, seeds, strict=True),
                )
            )
            for job in todays:
                jobs.cancel(db, EVALUATION, job.id, tenant_id="tenant_a", move_id=new_id("move"), now=now)
            found = [spend_drift.find_spent(db), spend_drift.find_used(db)]
            assert [dict(row) for one in found for row in one.listed + one.charges] == []

    assert max(spenders.seen) <= LIMIT
    assert outcomes == {*ENDINGS, "waiting"}
