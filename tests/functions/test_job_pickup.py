"""Every minute what was lost is found: jobs without a worker, and rings nobody heard."""

import json
from typing import Any

import pytest

from functions.job_pickup.app import handler
from millrace.domain.jobs import EVALUATION, EXPORT, JobTable
from millrace.errors import ConstraintBroken, DatabaseUnavailable
from millrace.store import evaluations, jobs, renders
from tests.events import Context, read_event
from tests.factories import count_rows, order_for
from tests.functions.conftest import World
from tests.valid_rows import add_row


def tick(world: World, *, queue: bool = True, milliseconds_left: int = 300_000) -> dict[str, Any]:
    env = world.engine if queue else world.engine_without_queue
    return handler(
        read_event("job_pickup/every_minute"), Context(milliseconds_left=milliseconds_left), env=env
    )


def accept(world: World, lead_id: str = "lead_123") -> None:
    order = order_for(lead_id, tenant_id="tenant_demo", site_id="site_abc")
    evaluations.create(world.engine.DB, order, job_id=f"job_of_{lead_id}", now=world.clock.now())


def claim(world: World) -> None:
    moved = {"move_id": world.engine.new_id(), "now": world.clock.now()}
    assert jobs.claim(world.engine.DB, EVALUATION, worker_id="worker", **moved)


def lines(capsys: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(output: str) -> dict[str, float]:
    """Of all and of evaluations."""
    lines = [json.loads(line) for line in output.splitlines()]
    return {
        metric["Name"]: line[metric["Name"]][0]
        for line in lines
        if "_aws" in line and line.get("kind") in (None, "evaluation")
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_with_nothing_due_nothing_is_said(world: World):
    answer = tick(world)

    assert answer == {}
    assert sum(count for _, count, _ in world.doorbell.rung) == 0


def test_it_rings_once_for_each_job_that_is_due(world: World):
    world.add_lead("lead_124")
    accept(world)
    accept(world, "lead_124")

    tick(world)

    assert world.doorbell.rung == [("evaluation", 2, 0)]


def test_it_rings_for_no_more_than_can_be_taken_in_a_minute(world: World, monkeypatch):
    monkeypatch.setattr(jobs, "count_due", lambda *_given, **_more: (1_000, world.clock.now()))

    tick(world)

    assert world.doorbell.rung == [("evaluation", 100, 0), ("export", 100, 0)]


def test_the_age_of_the_oldest_due_job_is_measured(world: World, capsys):
    accept(world)
    world.clock.advance(minutes=7)

    tick(world)

    assert metrics(capsys.readouterr().out)["OldestDueAge"] == 420


def test_a_job_whose_worker_was_lost_is_due_again_after_its_backoff(world: World, capsys):
    accept(world)
    claim(world)
    world.clock.advance(seconds=EVALUATION.lease_seconds + 1)

    tick(world)

    job = world.job()
    assert (job["status"], job["retry_count"], job["error_code"]) == ("pending", 1, "LeaseExpired")
    assert metrics(capsys.readouterr().out)["JobsRescued"] == 1


def test_a_job_that_lost_its_last_worker_is_counted_as_failed(world: World, capsys):
    accept(world)
    world.owner.prepare("UPDATE ai_evaluation_jobs SET retry_count = max_retries").run()
    claim(world)
    world.clock.advance(seconds=EVALUATION.lease_seconds + 1)

    tick(world)

    assert world.job()["status"] == "failed"
    assert metrics(capsys.readouterr().out)["JobsFailed"] == 1


def test_a_job_that_cannot_be_rescued_stops_nothing_else_and_the_tick_has_failed(
    world: World, monkeypatch, capsys
):
    def refuse_one(*_given: Any, **_more: Any) -> Any:
        yield ConstraintBroken("usage_within_quota")
        yield {"id": "job_1", "status": "pending"}

    accept(world)
    monkeypatch.setattr(jobs, "rescue", refuse_one)

    with pytest.raises(RuntimeError):
        tick(world)

    assert world.doorbell.rung == [("evaluation", 1, 0)]
    faults = [line for line in lines(capsys) if line.get("message") == "fault"]
    assert faults[0]["error"] == "ConstraintBroken"
    assert faults[0]["reason"] == "constraint usage_within_quota broken by statement 0"


@pytest.mark.parametrize(("store", "step"), [(renders, "list_stale"), (jobs, "count_due")])
def test_one_kind_s_fault_stops_no_other_kind_and_no_tidying_up(
    world: World, monkeypatch, capsys, store, step
):
    def fail_for_exports(db: Any, table: JobTable = EXPORT, **given: Any) -> Any:
        if table.kind == "export":
            raise DatabaseUnavailable
        return do(db, table, **given)

    do = getattr(store, step)
    monkeypatch.setattr(store, step, fail_for_exports)
    monkeypatch.setattr("functions.job_pickup.app.JOB_TABLES", {"export": EXPORT, "evaluation": EVALUATION})
    add_row(world.owner, "enrichment_cache", expires_at=world.clock.now())
    accept(world)

    with pytest.raises(RuntimeError):
        tick(world)

    assert ("evaluation", 1, 0) in world.doorbell.rung
    assert count_rows(world.owner, "enrichment_cache") == 0
    assert [line["error"] for line in lines(capsys) if line.get("message") == "fault"] == [
        "DatabaseUnavailable",
        "ExceptionGroup",
    ]


def answer_after(world: World, monkeypatch: Any, *, calls: int) -> list[str]:
    """A database that sleeps through its first calls. Whatever was asked of it."""
    asked: list[str] = []

    def be_called(db: Any, table: JobTable, **given: Any) -> Any:
        asked.append(table.kind)
        if len(asked) <= calls:
            raise DatabaseUnavailable
        return count_due(db, table, **given)

    count_due = jobs.count_due
    monkeypatch.setattr(jobs, "count_due", be_called)
    return asked


def test_a_database_that_wakes_up_is_waited_for(world: World, monkeypatch, capsys):
    accept(world)
    answer_after(world, monkeypatch, calls=6)

    tick(world)

    assert ("evaluation", 1, 0) in world.doorbell.rung
    assert [line for line in lines(capsys) if line.get("message") == "fault"] == []


def test_a_database_that_does_not_wake_up_ends_the_tick(world: World, monkeypatch):
    asked = answer_after(world, monkeypatch, calls=1_000)

    with pytest.raises(DatabaseUnavailable):
        tick(world)

    assert len(asked) == 9
    assert world.doorbell.rung == []


def test_a_job_that_is_being_worked_on_is_left_alone(world: World):
    accept(world)
    claim(world)
    world.clock.advance(seconds=EVALUATION.lease_seconds - 1)

    tick(world)

    assert world.job()["status"] == "processing"


def test_without_a_queue_it_runs_what_is_due_itself(world: World, capsys):
    world.add_lead("lead_124")
    world.add_document("lead_124")
    accept(world)
    accept(world, "lead_124")

    tick(world, queue=False)

    assert [job["status"] for job in world.jobs()] == ["completed", "completed"]
    assert metrics(capsys.readouterr().out)["JobsCompleted"] == 1


def test_without_a_queue_it_stops_when_the_time_is_too_short_for_another(world: World):
    accept(world)

    tick(world, queue=False, milliseconds_left=EVALUATION.most_seconds * 1_000 - 1)

    assert world.job()["status"] == "pending"
    assert world.job()["attempt"] == 0


def test_it_tidies_up_what_has_expired(world: World, capsys):
    tick(world)
    add_row(world.owner, "enrichment_cache", expires_at=world.clock.now())

    tick(world)

    pruned = [line for line in capsys.readouterr().out.splitlines() if "rows_pruned" in line]
    assert count_rows(world.owner, "enrichment_cache") == 0
    assert [(json.loads(line)["table"], json.loads(line)["count"]) for line in pruned] == [
        ("enrichment_cache", 1)
    ]
