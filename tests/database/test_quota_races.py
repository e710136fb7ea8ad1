"""Many at once on a small quota, month after month: never more than the limit, and nothing ever drifts.

A round is a month. The gate has a few; `make races` runs a thousand, each hundred from an empty database.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from millrace.bindings.database import Database
from millrace.domain.jobs import EVALUATION
from millrace.domain.quota import EVALUATIONS, month_of
from millrace.store import drift, spend_drift
from tests.database.crowd import Crowd
from tests.database.test_races import RACE_SECONDS, THREADS
from tests.factories import add_house

LIMIT = 8
TIMES, ROUNDS = (10, 100) if RACE_SECONDS else (1, 12)
STEPS_OF_EACH = 8
GLANCES = 2
WANTED = (
    "created",
    "QuotaExceeded",
    "retried",
    "cancelled",
    "completed",
    "failed",
    "released",
    "rescued",
    "died",
)
MOST_USED = "SELECT COALESCE(MAX(evaluation_count), 0) AS n FROM ai_evaluation_usage"
MONTHS = "SELECT COUNT(*) AS n FROM ai_evaluation_usage"


class Tenants(Crowd):
    """They go on where they were when a month is over, jobs of the one before still in their hands."""

    def begin_month(self) -> None:
        month = month_of(self.now())
        while month_of(self.now()) == month:
            self._clock += 8 * 60 * 60


def assert_right(db: Database) -> None:
    compared = [drift.find(db, EVALUATION, meter=EVALUATIONS)]
    compared += [spend_drift.find_spent(db), spend_drift.find_used(db)]
    assert [dict(row) for found in compared for row in found.listed + found.charges] == []
    assert db.prepare(MOST_USED).first("n") <= LIMIT


def glance(db: Database) -> None:
    """While the others are at work: what is seen is of one moment, and right at every moment."""
    for _ in range(GLANCES):
        assert_right(db)


@pytest.mark.parametrize("time", range(TIMES))
def test_a_crowd_never_gets_more_than_the_limit_and_nothing_ever_drifts(db, time):
    add_house(db, evaluations_a_month=LIMIT)
    crowd = Tenants(db)

    with ThreadPoolExecutor(THREADS + 1) as pool:
        for number in range(time * ROUNDS, (time + 1) * ROUNDS):
            seeds = range(number * THREADS, (number + 1) * THREADS)
            done = [pool.submit(crowd.run, seed, rounds=STEPS_OF_EACH, seconds=0) for seed in seeds]
            done.append(pool.submit(glance, db))
            for each in done:
                each.result()
            assert_right(db)
            crowd.begin_month()

    assert crowd.outcomes["DatabaseUnavailable"] == 0, crowd.outcomes
    assert min(crowd.outcomes[wanted] for wanted in WANTED) > 0, crowd.outcomes
    assert db.prepare(MONTHS).first("n") == ROUNDS
