"""With `wait` an answer is held until there is something new to tell, and not for longer than it may."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from functions.job_status.app import handler
from millrace.domain.jobs import EVALUATION, Job
from millrace.env import Config, Env
from millrace.errors import ModelTimeout
from millrace.store import evaluations, jobs, judgements
from tests.counting import Counted
from tests.events import Context, asking, read_event, said
from tests.factories import evaluation_of, order_for
from tests.functions.conftest import World

MOST_SECONDS = 20


@dataclass
class Waiting:
    """Somebody who polls while things happen: `then[3]` happens in the third second of waiting."""

    world: World
    db: Counted
    then: dict[int, Callable[[], Any]] = field(default_factory=dict)
    waited: int = 0

    def poll(
        self, wait: int, *, most: int = MOST_SECONDS, database_seconds: int = 8, seconds_left: float = 30
    ) -> dict[str, Any]:
        context = Context()
        ends_at = self.world.clock.now().timestamp() + seconds_left

        def pass_time(seconds: float) -> None:
            assert 0 < seconds <= 1
            self.waited += 1
            now = self.world.clock.advance(seconds=seconds)
            context.milliseconds_left = round((ends_at - now.timestamp()) * 1000)
            self.then.get(self.waited, lambda: None)()

        context.milliseconds_left = round(seconds_left * 1000)
        config = Config("sqlite:///nowhere.db", max_wait_seconds=most, database_seconds=database_seconds)
        env = Env(config, DB=self.db, now=self.world.clock.now, wait=pass_time)
        return handler(asking(read_event("job_status/one_job"), f"wait={wait}"), context, env=env)

    @property
    def reads(self) -> int:
        return len(self.db.batches)

    def moved(self) -> dict[str, Any]:
        return {"move_id": self.world.engine.new_id(), "now": self.world.clock.now()}

    def claim(self) -> Job:
        job = jobs.claim(self.world.engine.DB, EVALUATION, worker_id="worker", **self.moved())
        assert job is not None
        return job

    def tell(self, job: Job, message: str) -> None:
        now = self.world.clock.now()
        assert jobs.extend(self.world.engine.DB, EVALUATION, job, now=now, progress_message=message)

    def complete(self, job: Job) -> None:
        evaluation = evaluation_of(now=self.world.clock.now())
        assert judgements.complete(self.world.engine.DB, job, evaluation=evaluation, **self.moved())

    def fail(self, job: Job) -> None:
        assert jobs.fail(
            self.world.engine.DB, EVALUATION, job, error=ModelTimeout("Slow."), jitter=0.0, **self.moved()
        )


@pytest.fixture
def waiting(world: World) -> Waiting:
    """For a job that is pending."""
    order = order_for("lead_123", tenant_id="tenant_demo", site_id="site_abc")
    evaluations.create(world.engine.DB, order, job_id="job_example", now=world.clock.now())
    return Waiting(world, Counted(world.api.DB))


def test_the_answer_comes_when_the_job_begins(waiting: Waiting):
    waiting.then[3] = waiting.claim

    answer = waiting.poll(10)

    assert answer["statusCode"] == 202
    assert said(answer)["data"]["status"] == "processing"
    assert (waiting.waited, waiting.reads) == (3, 4)


def test_the_answer_comes_when_the_job_has_ended(waiting: Waiting):
    job = waiting.claim()
    waiting.then[2] = lambda: waiting.complete(job)

    answer = waiting.poll(10)

    assert answer["statusCode"] == 200
    assert said(answer)["data"]["evaluation"]["score"] == 85
    assert waiting.waited == 2


def test_the_answer_comes_with_news_of_the_progress(waiting: Waiting):
    job = waiting.claim()
    waiting.tell(job, "Reading documents")
    waiting.then[2] = lambda: waiting.tell(job, "Asking the model")

    assert said(waiting.poll(10))["data"]["progress_message"] == "Asking the model"
    assert waiting.waited == 2


def test_a_lease_that_is_renewed_is_no_news(waiting: Waiting):
    job = waiting.claim()
    waiting.tell(job, "Reading documents")
    waiting.then[2] = lambda: waiting.tell(job, "Reading documents")

    waiting.poll(4)

    assert waiting.waited == 4


def test_another_attempt_within_the_same_second_is_news(waiting: Waiting):
    job = waiting.claim()
    waiting.then[2] = lambda: (waiting.fail(job), waiting.claim())

    waiting.poll(10)

    assert waiting.waited == 2


def test_a_job_that_has_ended_is_told_at_once(waiting: Waiting):
    waiting.complete(waiting.claim())

    assert waiting.poll(10)["statusCode"] == 200
    assert (waiting.waited, waiting.reads) == (0, 1)


def test_a_job_that_is_not_there_is_told_at_once(waiting: Waiting):
    waiting.world.owner.prepare("UPDATE ai_evaluation_jobs SET id = 'job_other'").run()

    assert waiting.poll(10)["statusCode"] == 404
    assert waiting.waited == 0


def test_without_news_the_answer_comes_when_the_time_is_up(waiting: Waiting):
    answer = waiting.poll(5)

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (202, "2")
    assert (waiting.waited, waiting.reads) == (5, 6)


def test_nobody_waits_who_has_not_asked_for_it(waiting: Waiting):
    waiting.poll(0)

    assert (waiting.waited, waiting.reads) == (0, 1)


@pytest.mark.parametrize(("most", "waited"), [(0, 0), (7, 7)])
def test_a_longer_wait_than_there_may_be_ends_sooner(waiting: Waiting, most: int, waited: int):
    assert waiting.poll(10**12, most=most)["statusCode"] == 202
    assert waiting.waited == waited


def test_the_answer_comes_before_the_function_ends_however_slow_the_last_read_is(waiting: Waiting):
    waiting.poll(60, most=60, seconds_left=30, database_seconds=8)

    assert 30 - waiting.waited >= 8 + 2


def test_a_function_with_little_time_holds_nothing(waiting: Waiting):
    waiting.poll(10, seconds_left=8, database_seconds=8)

    assert waiting.waited == 0


def test_slow_reads_count_as_waiting(waiting: Waiting):
    """Each second of waiting is followed by two and a half of the database's."""
    waiting.then = dict.fromkeys(range(1, 20), lambda: waiting.world.clock.advance(seconds=2.5))
    began_at = waiting.world.clock.now()

    waiting.poll(8)

    assert waiting.waited == 3
    assert waiting.world.clock.now() - began_at == timedelta(seconds=10.5)
