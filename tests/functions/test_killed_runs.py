"""A runner killed at any point: its job is due again in time, and ends with one result and one charge."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count, takewhile
from typing import Any

import pytest

from functions.job_pickup.app import handler as pick_up
from functions.run_job.app import handler as run_job
from millrace.bindings.database import Database, Result, Statement
from millrace.domain.jobs import EVALUATION, FIRST_BACKOFF_SECONDS
from millrace.env import Env
from millrace.errors import ModelTimeout
from millrace.store import evaluations
from tests.events import Context, read_event
from tests.factories import count_rows, ledger_sum, order_for, recount, used
from tests.functions.conftest import World

SITE = "site_abc"
TICK = timedelta(minutes=1)
LEASE = timedelta(seconds=EVALUATION.lease_seconds)
BACKOFF = timedelta(seconds=FIRST_BACKOFF_SECONDS)


class Killed(BaseException):
    """Nobody catches it and nothing is tidied up, as little as after a kill -9."""


class Mortal:
    """A database whose user is killed at their nth call of it, "before" it is made or "after" it was."""

    def __init__(self, db: Database, *, at: int, when: str):
        self._db = db
        self._at = at
        self._when = when
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def prepare(self, sql: str) -> Statement:
        return replace(self._db.prepare(sql), executor=self)

    def batch(self, statements: list[Statement]) -> list[Result]:
        self.calls += 1
        if self.calls == self._at and self._when == "before":
            raise Killed
        results = self._db.batch(statements)
        if self.calls == self._at and self._when == "after":
            raise Killed
        return results


class SlowAI:
    def resolve(self, model: str) -> str:
        return model

    def most_cost(self, *given: Any) -> int:
        return 0

    def ask(self, *given: Any, **more: Any) -> Any:
        raise ModelTimeout("The model took too long.")


class ShortOfTime(Context):
    """Time enough to claim a job, and not enough to run it."""

    def get_remaining_time_in_millis(self) -> int:
        left, self.milliseconds_left = self.milliseconds_left, 1_000
        return left


def env_of(world: World, *, db: Any, **given: Any) -> Env:
    world_of = {"QUEUE": world.doorbell, "BUCKET": world.bucket, "now": world.clock.now}
    return Env(world.engine.config, DB=db, random=lambda: 0.9, **world_of, **given)


def run_well(world: World, db: Any) -> None:
    run_job(read_event("run_job/doorbell"), Context("run_job"), env=env_of(world, db=db))


def run_into_a_failure(world: World, db: Any) -> None:
    run_job(read_event("run_job/doorbell"), Context("run_job"), env=env_of(world, db=db, AI=SlowAI()))


def run_out_of_time(world: World, db: Any) -> None:
    run_job(read_event("run_job/doorbell"), ShortOfTime("run_job"), env=env_of(world, db=db))


def tick(world: World) -> None:
    world.doorbell.rung.clear()
    env = env_of(world, db=world.engine.DB)
    pick_up(read_event("job_pickup/every_minute"), Context("job_pickup"), env=env)


def is_killed(work: Callable[[], None]) -> bool:
    try:
        work()
    except Killed:
        return True
    return False


def accept(world: World, number: int) -> str:
    lead_id, job_id = f"lead_{number}", f"job_{number}"
    world.add_lead(lead_id)
    world.add_document(lead_id)
    order = order_for(lead_id, tenant_id="tenant_demo", site_id=SITE)
    evaluations.create(world.engine.DB, order, job_id=job_id, now=world.clock.now())
    return job_id


def find(world: World, job_id: str) -> dict[str, Any]:
    (job,) = (job for job in world.jobs() if job["id"] == job_id)
    return job


def assert_due_in_time(world: World, job_id: str) -> None:
    killed_at = world.clock.now()

    world.clock.advance(seconds=(LEASE + TICK).total_seconds())
    tick(world)

    job = find(world, job_id)
    assert job["status"] in ("pending", "completed")
    assert job["run_after"] <= killed_at + LEASE + TICK + BACKOFF
    world.clock.advance(seconds=BACKOFF.total_seconds())
    tick(world)
    assert [rings for _, rings, _ in world.doorbell.rung] == ([] if job["status"] == "completed" else [1])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("run", "calls"), [(run_well, 5), (run_into_a_failure, 5), (run_out_of_time, 2)])
def test_a_runner_may_be_killed_at_any_point(world: World, run: Any, calls: int, when: str):
    def killed_at(point: int) -> bool:
        job_id = accept(world, point)
        mortal = Mortal(world.engine.DB, at=point, when=when)
        killed = is_killed(lambda: run(world, mortal))
        assert_due_in_time(world, job_id)
        run_well(world, world.engine.DB)
        assert find(world, job_id)["status"] == "completed"
        assert count_rows(world.owner, "lead_ai_evaluations") == point
        assert used(world.owner, site_id=SITE) == recount(world.owner, site_id=SITE) == point
        assert ledger_sum(world.owner, site_id=SITE) == point
        return killed

    # Every point there is, until a run gets by without being killed.
    assert len(list(takewhile(killed_at, count(1)))) == calls
