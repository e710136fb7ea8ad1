"""Many requests of one user at once: as many are accepted as they may have, and no more.

Each is for a site of its own, so that no counter of a site keeps their jobs in line.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from millrace.bindings.database import Database
from millrace.domain.callers import KeyUser
from millrace.errors import RateLimited
from millrace.store import evaluations
from tests.database.crowd import Crowd
from tests.database.limiting import MANY, add_free_house, allow, ask, asked_on, fail, retry, user_of
from tests.database.test_races import RACE_SECONDS, ROUNDS, THREADS, in_parallel
from tests.factories import NOW, add_lead, add_site, count_rows, new_id, order_for


@pytest.fixture
def house(db: Database) -> Database:
    return add_free_house(db)


def add_leads(db: Database, number: int) -> list[dict[str, str]]:
    sites = [add_site(db, new_id("site"), evaluations_a_month=MANY) for _ in range(number)]
    return [{"lead_id": add_lead(db, site_id=site_id), "site_id": site_id} for site_id in sites]


def accepted_of(outcomes: list[Any]) -> int:
    assert {type(one) for one in outcomes if not isinstance(one, dict)} <= {RateLimited}, outcomes
    return sum(isinstance(one, dict) for one in outcomes)


@pytest.mark.parametrize("limit", ["requests_a_minute", "requests_a_day", "live_jobs"])
def test_of_a_crowd_of_one_user_just_so_many_are_accepted(house, limit):
    allow(house, **{limit: 7})
    user, leads = user_of(house), add_leads(house, 3 * THREADS)

    outcomes = in_parallel(lambda lead: ask(house, user, **lead), leads)

    assert accepted_of(outcomes) == 7
    assert count_rows(house, "ai_evaluation_jobs") == 7
    assert asked_on(house, NOW.date()) == 7


def test_creates_and_retries_of_a_crowd_share_the_live_jobs(house):
    """A retry makes a job live again, so it must wait for the same row as a create."""
    user, anybody = user_of(house), user_of(house, "user_b")
    failed = [fail(house, ask(house, anybody, **lead)["job_id"]) for lead in add_leads(house, THREADS)]
    allow(house, live_jobs=5)
    acts = [lambda job_id=job_id: retry(house, user, job_id) for job_id in failed]
    acts += [lambda lead=lead: ask(house, user, **lead) for lead in add_leads(house, THREADS)]

    outcomes = in_parallel(lambda act: act(), acts)

    assert accepted_of(outcomes) == 5
    live = "SELECT COUNT(*) AS n FROM ai_evaluation_jobs WHERE completed_at IS NULL AND user_id = 'user_a'"
    assert house.prepare(live).first("n") == 5


LIVE_JOBS = 2
OF_USER = "SELECT user_id, COUNT(*) AS n FROM ai_evaluation_jobs WHERE completed_at IS NULL GROUP BY user_id"
ASKED = "SELECT CAST(SUM(request_count) AS BIGINT) AS n FROM daily_usage"
# What must have happened at least once, or the mix was none.
WANTED = ("created", "retried", "RateLimited", "cancelled", "completed", "failed", "released", "rescued")


class Users(Crowd):
    """The same crowd, whose creators and retriers hold keys of a few users with few live jobs."""

    def __init__(self, db: Database, users: Sequence[KeyUser]):
        super().__init__(db)
        self.users = users

    def create(self, luck: random.Random) -> str:
        order = order_for(luck.choice(self.leads), force_refresh=True)
        order = replace(order, user=luck.choice(self.users))
        evaluations.create(self.db, order, job_id=new_id("job"), now=self.now())
        return "created"

    def retry(self, luck: random.Random) -> str:
        found = self.db.prepare("SELECT id FROM ai_evaluation_jobs WHERE status = 'failed' LIMIT 20").raw()
        if not found:
            return "nothing to retry"
        (job_id,) = luck.choice(found)
        moved = {"tenant_id": "tenant_a", "move_id": new_id("move"), "now": self.now()}
        evaluations.retry(self.db, job_id, user=luck.choice(self.users), **moved)
        return "retried"

    def look(self) -> None:
        """While the others are at work: nobody ever has more live jobs than they may."""
        for _ in range(ROUNDS):
            assert max((row["n"] for row in self.db.prepare(OF_USER).all().results), default=0) <= LIVE_JOBS


def test_a_crowd_of_few_users_meets_no_deadlock_and_each_accepted_job_is_counted_once(house):
    allow(house, live_jobs=LIVE_JOBS)
    crowd = Users(house, [user_of(house, f"user_{number}") for number in range(3)])

    with ThreadPoolExecutor(THREADS + 1) as pool:
        at_work = [
            pool.submit(crowd.run, worker, rounds=ROUNDS, seconds=RACE_SECONDS) for worker in range(THREADS)
        ]
        for each in (*at_work, pool.submit(crowd.look)):
            each.result()

    assert crowd.outcomes["DatabaseUnavailable"] == 0, crowd.outcomes
    assert min(crowd.outcomes[wanted] for wanted in WANTED) > 0, crowd.outcomes
    assert house.prepare(ASKED).first("n") == crowd.outcomes["created"] + crowd.outcomes["retried"]
