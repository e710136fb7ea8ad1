"""A message is a permit for one job, and a job's failure is never the message's."""

import json
from typing import Any

from functions.run_job.app import handler
from millrace.domain.jobs import EVALUATION
from millrace.env import Config, Env
from millrace.errors import DatabaseUnavailable, ModelTimeout
from millrace.store import evaluations
from tests.events import Context, read_event
from tests.factories import count_rows, order_for, used
from tests.functions.conftest import World

NOTHING_FAILED = {"batchItemFailures": []}


def ring(world: World, event: str = "doorbell", *, milliseconds_left: int = 300_000) -> dict[str, Any]:
    context = Context("run_job", milliseconds_left=milliseconds_left)
    return handler(read_event(f"run_job/{event}"), context, env=world.engine)


def accept(world: World, lead_id: str = "lead_123") -> None:
    order = order_for(lead_id, tenant_id="tenant_demo", site_id="site_abc")
    evaluations.create(world.engine.DB, order, job_id=f"job_of_{lead_id}", now=world.clock.now())


def events_of(output: str) -> list[str]:
    return [line["message"] for line in map(json.loads, output.splitlines()) if "message" in line]


class FailingAI:
    """A model that never answers."""

    def __init__(self, error: Exception):
        self.error = error

    def resolve(self, model: str) -> str:
        return model

    def most_cost(self, *given: Any) -> int:
        return 0

    def ask(self, *given: Any, **more: Any) -> Any:
        raise self.error


def test_a_due_job_is_run_to_its_end(world: World, capsys):
    accept(world)

    answer = ring(world)

    job = world.job()
    assert answer == NOTHING_FAILED
    assert (job["status"], job["attempt"]) == ("completed", 1)
    assert count_rows(world.owner, "lead_ai_evaluations") == 1
    assert "job_completed" in events_of(capsys.readouterr().out)


def test_one_message_runs_one_job(world: World):
    world.add_lead("lead_124")
    accept(world)
    accept(world, "lead_124")

    ring(world)

    assert sorted(job["attempt"] for job in world.jobs()) == [0, 1]


def test_a_message_with_nothing_to_do_is_done(world: World):
    assert ring(world) == NOTHING_FAILED


def test_a_message_that_makes_no_sense_is_done(world: World):
    accept(world)

    assert ring(world, "not_ours") == NOTHING_FAILED
    assert world.job()["status"] == "pending"


def test_a_kind_nobody_knows_is_ignored(world: World, capsys):
    event = read_event("run_job/doorbell")
    event["Records"][0]["body"] = '{"kind": "horoscope"}'

    answer = handler(event, Context(), env=world.engine)

    assert answer == NOTHING_FAILED
    assert "message_ignored" in events_of(capsys.readouterr().out)


def test_no_job_is_begun_that_could_not_be_ended_in_time(world: World):
    accept(world)

    answer = ring(world, milliseconds_left=EVALUATION.most_seconds * 1_000 - 1)

    assert answer == NOTHING_FAILED
    assert (world.job()["status"], world.job()["attempt"]) == ("pending", 0)


def test_a_job_that_fails_for_good_gives_its_charge_back(world: World, capsys):
    world.add_lead("lead_without_papers")
    accept(world, "lead_without_papers")

    answer = ring(world)

    job = world.job()
    assert answer == NOTHING_FAILED
    assert (job["status"], job["error_code"]) == ("failed", "InsufficientDocuments")
    assert used(world.owner, site_id="site_abc") == 0
    assert "job_failed" in events_of(capsys.readouterr().out)


def test_a_passing_failure_is_rung_for_again_in_time(world: World, capsys):
    accept(world)
    world.engine.__dict__["AI"] = FailingAI(ModelTimeout("The model took too long."))

    answer = ring(world)

    job = world.job()
    assert answer == NOTHING_FAILED
    assert (job["status"], job["retry_count"], job["error_code"]) == ("pending", 1, "ModelTimeout")
    assert world.doorbell.rung == [("evaluation", 1, 15)]
    assert "job_retried" in events_of(capsys.readouterr().out)


def test_an_unforeseen_error_is_a_retry_whose_cause_is_logged_without_its_words(world: World, capsys):
    accept(world)
    world.engine.__dict__["AI"] = FailingAI(ValueError("pay slip of Robin Example"))

    answer = ring(world)

    output = capsys.readouterr().out
    assert answer == NOTHING_FAILED
    assert world.job()["error_code"] == "ProcessingError"
    assert {"job_retried", "fault"} <= set(events_of(output))
    assert "Robin" not in output


class Unreachable:
    """A database that nobody reaches."""

    dialect = "sqlite"

    def prepare(self, sql: str) -> None:
        raise DatabaseUnavailable


def test_without_a_database_the_message_comes_back():
    env = Env(Config(database_url="sqlite:////nowhere/at-all.db"), DB=Unreachable())
    event = read_event("run_job/doorbell")

    answer = handler(event, Context(), env=env)

    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
